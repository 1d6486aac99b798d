"""The seller's own hand on the website: stock that comes, changes and goes without the API."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from sandbox.clock import parsed
from sandbox.items import items
from sandbox.market import events, files, generator, lots, twins
from sandbox.market.lots import COLUMNS, Lot
from sandbox.sellers import Seller, World, find
from sandbox.steering.commands import SELLER, CommandError, Route, Sent, Words, needed

_CHUNK = 10_000
# What a website's form can't set: it follows by itself.
_OWN = ("id", "seller_id", "created_at", "updated_at", "version", "born", "deleted_at")
_WRITABLE = frozenset(COLUMNS) - frozenset(_OWN)
_NULLABLE = ("remarks", "external_id")
_DEFAULTS = asdict(Lot(0, 0, "", "", 0, 0, ""))


def row_of(lot: Lot) -> dict[str, Any]:
    """Answer a lot as the control API shows it: prices in ten-thousandths, BrickLink's numbers and colors."""
    return asdict(lot)


def _put(world: World, found: Words, sent: Sent) -> Any:
    """Bring lots into a store: `generate` so many, or those of `lots`, `xml` (BrickLink's upload), `bsx`."""
    with world.state.reading() as reader:
        seller = find(reader, int(found["seller"]))
    if "generate" in sent:
        until = parsed(str(sent["until"])) if sent.get("until") else generator.FIXED_DAY_MS
        rows = generator.lots(
            int(sent.get("seed", 1)), int(sent["generate"]), service=seller.service, currency=seller.currency,
            until_ms=until,
        )  # fmt: skip
    elif "xml" in sent or "bsx" in sent:
        rows = iter(files.read_bsx(sent["bsx"]) if "bsx" in sent else files.read_xml(sent["xml"]))
    else:
        rows = iter([_checked(row) for row in needed(sent, "lots")])
    numbers: list[int] = []
    while chunk := list(islice(rows, _CHUNK)):
        with world.state.changing() as writer:
            made = lots.add(world, writer, seller, [_graded(seller, row) for row in chunk])
            numbers += [lot.id for lot in made]
    return {"count": len(numbers), "ids": numbers if len(numbers) <= _CHUNK else []}


def _checked(row: Mapping[str, Any], *, is_new: bool = True) -> dict[str, Any]:
    if not isinstance(row, dict) or (unknown := set(row) - _WRITABLE):
        raise CommandError(f"unknown fields: {', '.join(sorted(unknown)) if isinstance(row, dict) else row}")
    for name, value in row.items():
        if value is None and name in _NULLABLE:
            continue
        wanted = int if isinstance(_DEFAULTS[name], int) else str
        if type(value) is not wanted:
            raise CommandError(f"'{name}' is {'a whole number' if wanted is int else 'a text'}, not {value!r}")
        if isinstance(value, int) and name != "sale" and value < 0:
            raise CommandError(f"'{name}' is not below 0")
    if is_new:
        kind, number = str(needed(row, "type")), str(needed(row, "no"))
        if (kind, number) not in items().by_no:
            raise CommandError(f"there is no {kind} {number}")
        needed(row, "quantity")
        return {"color_id": 0, "condition": "N", "price": 1_000, **row}
    return dict(row)


def _graded(seller: Seller, row: dict[str, Any]) -> dict[str, Any]:
    """Answer a lot with the code that Brick Owl has for its condition, where none was given."""
    if seller.service != "brickowl" or row.get("grade"):
        return row
    return {**row, "grade": generator.owl_code(row["type"], row["condition"], row.get("completeness", ""))}


def _list(world: World, found: Words, _sent: Sent) -> Any:
    with world.state.reading() as reader:
        return [row_of(lot) for lot in lots.each(reader, find(reader, int(found["seller"])))]


def _lot(world: World, found: Words, sent: Sent) -> Any:
    with world.state.changing() as writer:
        seller = find(writer, int(found["seller"]))
        lot = lots.get(writer, int(found["lot"]))
        if lot is None or lot.seller_id != seller.id or lot.deleted_at is not None:
            raise LookupError(f"lot {found['lot']}")
        if not sent:
            lots.remove(writer, lot, now_ms=world.clock.now_ms(), cause="website")
            _tell(world, writer, seller, "lot.deleted", lot)
            return {}
        values = _checked(sent, is_new=False)
        changed = lots.change(writer, seller, lot, now_ms=world.clock.now_ms(), cause="website", **values)
        _tell(world, writer, seller, "lot.updated", changed)
        return row_of(changed)


def _tell(world: World, writer: Any, seller: Seller, kind: str, lot: Lot) -> None:
    if seller.service == "brikick":
        events.webhook(world, writer, seller, kind, lot.id, version=lot.version)


def _twin(world: World, found: Words, sent: Sent) -> Any:
    """Open the same store on another service; answer its seller, the true pairs, and where they differ."""
    return twins.make(
        world, int(found["seller"]), service=str(needed(sent, "service")), command=sent,
    )  # fmt: skip


_LOT = rf"{SELLER}/lots/(?P<lot>\d+)"
ROUTES: Sequence[Route] = (
    ("POST", f"{SELLER}/lots", _put),
    ("GET", f"{SELLER}/lots", _list),
    ("PATCH", _LOT, _lot),
    ("DELETE", _LOT, _lot),
    ("POST", f"{SELLER}/twin", _twin),
)
