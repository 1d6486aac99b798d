"""The store's lots: list, read, make, change, take away."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sandbox.bricklink.call import TYPES, Call, Handler
from sandbox.bricklink.catalog import color_name, short
from sandbox.bricklink.envelope import Answer, Refusal, entities, money, nothing
from sandbox.bricklink.fields import new_lot, updated
from sandbox.clock import eastern_midnight, iso
from sandbox.http import dumped
from sandbox.market import lots
from sandbox.market.lists import as_of, shortened
from sandbox.market.lots import Lot

_MINUTE_MS = 60_000
_STATUSES = ("Y", "S", "B", "C", "N", "R")
_ROOMS = {"A": "S", "B": "B", "C": "C"}


def lot_row(lot: Lot, *, has_color_name: bool, has_minute: bool = False) -> dict[str, Any]:
    """Answer a lot; fields without a value are left out as the real service leaves them out."""
    item = lot.item
    at = lot.created_at - lot.created_at % _MINUTE_MS if has_minute else eastern_midnight(lot.created_at)
    row: dict[str, Any] = {
        "inventory_id": lot.id,
        "item": short(item) if item else {"no": lot.no, "name": lot.no, "type": lot.type, "category_id": 0},
        "color_id": lot.color_id,
    }
    if has_color_name:
        row["color_name"] = color_name(lot.color_id)
    row |= {"quantity": lot.quantity, "new_or_used": lot.condition}
    if lot.type == "SET":
        row["completeness"] = lot.completeness
    row |= {"unit_price": money(lot.price), "bind_id": lot.superlot, "description": entities(lot.description)}
    if lot.remarks is not None:
        row["remarks"] = entities(lot.remarks)
    row |= {"bulk": lot.bulk, "is_retain": bool(lot.is_retained), "is_stock_room": bool(lot.stockroom)}
    if lot.stockroom:
        row["stock_room_id"] = lot.stockroom
    row |= {
        "date_created": iso(at), "my_cost": money(lot.my_cost), "sale_rate": lot.sale,
        "tier_quantity1": lot.tier_quantity1, "tier_price1": money(lot.tier_price1),
        "tier_quantity2": lot.tier_quantity2, "tier_price2": money(lot.tier_price2),
        "tier_quantity3": lot.tier_quantity3, "tier_price3": money(lot.tier_price3), "my_weight": money(lot.weight),
    }  # fmt: skip
    return row


def chosen(text: str, known: Callable[[str], bool], name: str) -> Callable[[str], bool]:
    """Answer what tells whether a value is wanted by a comma list: first those in it, then not those with a dash."""
    wanted: set[str] = set()
    unwanted: set[str] = set()
    for part in filter(None, (part.strip().upper() for part in text.split(","))):
        value = part.removeprefix("-")
        if not known(value):
            raise Refusal.parameter(f"{name}: {part}")
        (unwanted if part.startswith("-") else wanted).add(value)
    return lambda value: (not wanted or value in wanted) and value not in unwanted


def _status(lot: Lot) -> str:
    if lot.stockroom:
        return _ROOMS[lot.stockroom]
    if lot.reserved_for:
        return "R"
    return "Y" if lot.quantity else "N"


def _filter(call: Call) -> Callable[[Lot], bool]:
    number: Callable[[str], bool] = lambda value: value.isascii() and value.isdigit()  # noqa: E731  # passed on
    tests: list[tuple[Callable[[str], bool], Callable[[Lot], str]]] = []
    for name, known, value in (
        ("item_type", TYPES.__contains__, lambda lot: lot.type),
        ("status", _STATUSES.__contains__, _status),
        ("category_id", number, lambda lot: str(lot.item.category_id if lot.item else 0)),
        ("color_id", number, lambda lot: str(lot.color_id)),
    ):
        if text := call.word(name):
            tests.append((chosen(text, known, name), value))
    return lambda lot: all(test(value(lot)) for test, value in tests)


def _list(call: Call) -> Answer:
    is_wanted = _filter(call)

    def rows() -> Iterator[bytes]:
        with call.world.state.reading() as reader:
            for lot in shortened(call.request, lots.each(reader, call.seller, as_of=as_of(call))):
                if is_wanted(lot):
                    yield dumped(lot_row(lot, has_color_name=True))

    return Answer(rows=rows())


def _own(call: Call, connection: sqlite3.Connection) -> Lot:
    text = call.found["number"]
    lot = lots.get(connection, int(text)) if text.isascii() and text.isdigit() and len(text) < 16 else None  # noqa: PLR2004  # digits
    if lot is None or lot.deleted_at is not None:
        raise Refusal.unknown(f"inventory_id: {text}")
    if lot.seller_id != call.seller.id:
        raise Refusal.forbidden(f"inventory_id: {text}")
    return lot


def _one(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        return Answer(lot_row(_own(call, reader), has_color_name=True))


def _create(call: Call) -> Answer:
    sent, switches = call.body(), call.world.switches
    if not isinstance(sent, list):
        values = new_lot(sent, switches)
        with call.world.state.changing() as writer:
            made = lots.add(call.world, writer, call.seller, [values])
        return Answer(lot_row(made[0], has_color_name=False, has_minute=True), code=201)
    if not sent:
        raise Refusal.parameter("inventory: empty")
    good, refusals = [], []
    for row in sent:
        try:
            good.append(new_lot(row, switches))
        except Refusal as refusal:
            refusals.append(refusal)
    if refusals and switches["bl.bulk_partial"] == "all_or_nothing":
        raise refusals[0]
    if fault := call.request.fault_of("batch_partial"):
        # Some are lost without a word.
        good = [row for place, row in enumerate(good) if place % max(1, int(fault.options.get("every", 2)))]
    with call.world.state.changing() as writer:
        made = lots.add(call.world, writer, call.seller, good)
    if refusals and not made:
        raise refusals[0]
    if len(sent) == 1 and made and switches["bl.single_array_returns"] == "lot":
        return Answer(lot_row(made[0], has_color_name=False, has_minute=True), code=201)
    return nothing(201)


def _update(call: Call) -> Answer:
    sent = call.body()
    if not isinstance(sent, dict):
        raise Refusal.parameter("inventory: expected an object")
    with call.world.state.changing() as writer:
        lot = _own(call, writer)
        values = updated(lot, sent, call.world.switches)
        changed = lots.change(writer, call.seller, lot, now_ms=call.now_ms, cause="seller", **values)
    return Answer(lot_row(changed, has_color_name=False))


def _delete(call: Call) -> Answer:
    with call.world.state.changing() as writer:
        lots.remove(writer, _own(call, writer), now_ms=call.now_ms, cause="seller")
    if call.world.switches["bl.delete_answer"] == "envelope":
        return nothing(204)
    return Answer(is_bare=True)


_LOT = r"/inventories/(?P<number>[^/]+)"
ROUTES: Sequence[tuple[str, str, Handler]] = (
    ("GET", "/inventories", _list),
    ("POST", "/inventories", _create),
    ("GET", _LOT, _one),
    ("PUT", _LOT, _update),
    ("DELETE", _LOT, _delete),
)
