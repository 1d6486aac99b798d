"""The same stock on another service, nearly: with the list of what belongs together and what differs."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from sandbox.brickowl.boids import owl_colors, type_of
from sandbox.dice import Dice
from sandbox.items import COLORED, items
from sandbox.market import lots
from sandbox.market.generator import owl_code
from sandbox.market.lots import Lot
from sandbox.prices import converted
from sandbox.sellers import Seller, SellerError, World, find, make_seller

# Of a hundred lots so many have the other side's number, none, or a wrong one.
_LINKS = (("right", 80), ("none", 15), ("wrong", 5))
# Of so few nothing is taken away.
_FEW = 2
_GRADES = {"LIKE_NEW": "usedn", "GOOD": "usedg", "ACCEPTABLE": "useda", "": "usedg"}


def make(world: World, seller_id: int, *, service: str, command: Mapping[str, Any]) -> dict[str, Any]:
    """Open the same store on another service; answer the seller with the key. Raises SellerError, LookupError."""
    with world.state.changing() as writer:
        source = find(writer, seller_id)
        given = {name: command[name] for name in ("name", "store", "settings", "credentials") if name in command}
        given.setdefault("name", f"{source.name}-{service}")
        made = make_seller(
            world, service=service, command={"currency": source.currency, "country": source.country, **given}
        )
        shares = command.get("links")
        key = fill(
            world, writer, source=source, target_id=made["id"], seed=int(command.get("seed", 1)),
            drift=float(command.get("drift", 0.03)), links=shares,
        )  # fmt: skip
    return {"seller": made, **key}


def fill(
    world: World, writer: sqlite3.Connection, *, source: Seller, target_id: int, seed: int, drift: float,
    links: Mapping[str, int] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Put the goods of one store into another; answer the true pairs, the differences, and what has no place there."""
    target = find(writer, target_id)
    if target.service == source.service:
        raise SellerError("a twin is on another service")
    shares = tuple(links.items()) if links else _LINKS
    rows: list[dict[str, Any]] = []
    origins: list[int] = []
    differences: list[dict[str, Any]] = []
    unmapped: list[int] = []
    for lot in lots.each(writer, source):
        dice = Dice(seed, "twin", lot.id)
        values = translated(lot, source, target)
        if values is None:
            unmapped.append(lot.id)
            continue
        if dice.chance(drift * 100):
            differences.append({"kind": "missing", "id": lot.id})
            continue
        values["external_id"] = _link(dice, lot, shares)
        for kind, change in (
            ("quantity", {"quantity": lot.quantity + dice.one((-2, -1, 1, 5) if lot.quantity > _FEW else (1, 2, 5))}),
            ("price", {"price": lot.price * dice.one((80, 90)) // 100 // 10 * 10 or 20, **_NO_TIERS}),
            ("remarks", {"remarks": f"{lot.remarks or ''} moved".strip()}),
        ):
            if dice.chance(drift * 100):
                values |= change
                differences.append({"kind": kind, "id": lot.id})
        rows.append(values)
        origins.append(lot.id)
    made = lots.add(world, writer, target, rows)
    pairs = [[origin, lot.id] for origin, lot in zip(origins, made, strict=True)]
    extras = [
        {**row, "external_id": None, "quantity": 3, "remarks": "only here"}
        for place, row in enumerate(rows)
        if Dice(seed, "extra", place).chance(drift * 100)
    ]
    differences += [{"kind": "extra", "twin_id": lot.id} for lot in lots.add(world, writer, target, extras)]
    return {"pairs": pairs, "differences": differences, "unmapped": unmapped}


_NO_TIERS = {f"tier_{name}{place}": 0 for name in ("quantity", "price") for place in (1, 2, 3)}


def _link(dice: Dice, lot: Lot, shares: tuple[tuple[str, int], ...]) -> str | None:
    match dice.weighted(shares):
        case "right":
            return str(lot.id)
        case "wrong":
            return f"9{lot.id}"
    return None


def translated(lot: Lot, source: Seller, target: Seller) -> dict[str, Any] | None:
    """Answer a lot's values on another service; None for what that hasn't got."""
    item = lot.item
    if item is None or (lot.quantity < 1 and target.service == "brickowl"):
        return None
    price = lot.price if source.currency == target.currency else converted(lot.price, target.currency)
    values: dict[str, Any] = {
        "type": lot.type, "no": lot.no, "color_id": lot.color_id, "quantity": lot.quantity, "condition": lot.condition,
        "completeness": lot.completeness, "price": price, "description": lot.description, "remarks": lot.remarks or "",
        "bulk": lot.bulk, "sale": lot.sale, "my_cost": lot.my_cost,
        **{name: getattr(lot, name) for name in _NO_TIERS},
    }  # fmt: skip
    if target.service == "brickowl":
        owl = items().colors[lot.color_id].owl_id
        if not type_of(item) or (item.type in COLORED and lot.color_id and owl not in owl_colors(item)):
            return None
        grade = owl_code(lot.type, lot.condition, lot.completeness, _GRADES.get(lot.grade, "usedg"))
        values |= {"grade": grade, "price": max(10, price // 10 * 10), "is_for_sale": int(not lot.stockroom)}
        values |= {name: values[name] // 10 * 10 for name in _NO_TIERS if "price" in name}
    else:
        grades = {code: name for name, code in _GRADES.items() if name}
        values |= {"grade": grades.get(lot.grade, "") if target.service == "brikick" else ""}
        values |= {"stockroom": lot.stockroom, "is_retained": lot.is_retained}
    return values
