"""The store's lots."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.brickowl.boids import TYPES, Boid, ids_of, name_of, slug, type_of
from sandbox.brickowl.call import Call, Endpoint, OwlError, Rows, dumped, fixed
from sandbox.brickowl.fields import new_lot, numbers, updated
from sandbox.items import COLORED, items
from sandbox.market import lots
from sandbox.market.lists import as_of, shortened
from sandbox.market.lots import Lot
from sandbox.sellers import Seller
from sandbox.switches import Switches

_DONE = {"status": "success"}


def boid_of(lot: Lot) -> Boid | None:
    """Answer Brick Owl's number of what a lot is of."""
    item = lot.item
    if item is None:
        return None
    owl = items().colors[lot.color_id].owl_id if item.type in COLORED and lot.color_id else None
    return Boid(item, owl)


def lot_row(lot: Lot, seller: Seller, switches: Switches) -> dict[str, Any]:
    """Answer a lot: numbers as text, as PHP has them."""
    boid = boid_of(lot)
    base, final = fixed(lot.price, 3), fixed(lot.price_for(1, 10), 3)
    nothing = "null" if switches["bo.null_text"] == "yes" else None
    return {
        "con": "used" if lot.grade in ("usedn", "usedg", "useda") else lot.grade or "used",
        "full_con": lot.grade or None,
        "qty": str(lot.quantity),
        "lot_id": str(lot.id),
        "price": final if switches["bo.price_meaning"] == "final" else base,
        "base_price": base,
        "final_price": final,
        "url": f"http://{slug(seller.store)}.brickowl.com/store/{slug(name_of(boid)) if boid else lot.id}",
        "owl_id": str(lot.id - 2_600_000),
        "public_note": lot.description,
        "personal_note": lot.remarks or "",
        "sale_percent": str(lot.sale),
        "bulk_qty": str(lot.bulk),
        "for_sale": str(lot.is_for_sale),
        "my_cost": fixed(lot.my_cost, 3) if lot.my_cost else nothing,
        "lot_weight": fixed(lot.weight, 3) if lot.weight else nothing,
        "reserve_uid": lot.reserved_for or None,
        "boid": boid.text if boid else "",
        "external_lot_ids": {"other": lot.external_id} if lot.external_id else [],
        "type": type_of(boid.item) if boid else "",
        "ids": ids_of(boid) if boid else [],
        "tier_price": [[str(least), fixed(price, 3)] for least, price in lot.tiers] or None,
    }


def _list(call: Call) -> Any:
    kind, active = call.word("type"), call.word("active_only", "1")
    if kind and kind not in TYPES:
        raise OwlError("Invalid type")
    if active not in ("0", "1"):
        raise OwlError("Invalid active_only")

    def is_shown(lot: Lot) -> bool:
        return (active == "0" or bool(lot.is_for_sale and lot.quantity)) and (
            not kind or (lot.item is not None and type_of(lot.item) == kind)
        )

    switches = call.world.switches
    if numbers(call.arguments, "lot_id", "external_id_1"):
        with call.world.state.reading() as reader:
            found = [
                lot_row(lot, call.seller, switches) for lot in _named(call, reader, "external_id_1") if is_shown(lot)
            ]
        return found[0] if found and switches["bo.single_lot"] == "object" else found

    def rows() -> Iterator[bytes]:
        with call.world.state.reading() as reader:
            for lot in shortened(call.request, lots.each(reader, call.seller, as_of=as_of(call))):
                if is_shown(lot):
                    yield dumped(lot_row(lot, call.seller, switches))

    return Rows(rows())


def _named(call: Call, connection: sqlite3.Connection, external: str) -> list[Lot]:
    """Answer the lot that the arguments name, none where there is no such."""
    lot = None
    if call.word("lot_id"):
        lot = lots.get(connection, call.whole("lot_id"))
    elif call.word(external):
        lot = lots.by_external(connection, call.seller, call.word(external))
    is_own = lot is not None and lot.seller_id == call.seller.id and lot.deleted_at is None
    return [lot] if lot is not None and is_own else []


def _one(call: Call, connection: sqlite3.Connection) -> Lot:
    if len(numbers(call.arguments, "lot_id", "external_id")) != 1:
        raise OwlError("Exactly one of lot_id and external_id is required")
    found = _named(call, connection, "external_id")
    if not found:
        raise OwlError("Lot not found")
    return found[0]


def _create(call: Call) -> Any:
    values = new_lot(call)
    with call.world.state.changing() as writer:
        _check_external(call, writer, values["external_id"])
        made = lots.add(call.world, writer, call.seller, [values])
    return {**_DONE, "lot_id": str(made[0].id)}


def _check_external(call: Call, writer: sqlite3.Connection, external_id: str | None, lot_id: int = 0) -> None:
    known = lots.by_external(writer, call.seller, external_id) if external_id else None
    if known is not None and known.id != lot_id:
        raise OwlError("external_id is already in use")


def _update(call: Call) -> Any:
    with call.world.state.changing() as writer:
        lot = _one(call, writer)
        values = updated(call, lot)
        _check_external(call, writer, values.get("external_id"), lot.id)
        lots.change(writer, call.seller, lot, now_ms=call.now_ms, cause="seller", **values)
    return dict(_DONE)


def _delete(call: Call) -> Any:
    with call.world.state.changing() as writer:
        lots.remove(writer, _one(call, writer), now_ms=call.now_ms, cause="seller")
    return dict(_DONE)


ENDPOINTS: Mapping[str, Endpoint] = {
    "inventory/list": Endpoint("GET", _list, "inventory"),
    "inventory/create": Endpoint("POST", _create, "inventory"),
    "inventory/update": Endpoint("POST", _update, "inventory"),
    "inventory/delete": Endpoint("POST", _delete, "inventory"),
}
