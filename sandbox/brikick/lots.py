"""The store's lots, one at a time and many."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.brikick.call import LETTERS, TYPES, Answer, BrikickError, Call, Route, checked, version_conflict, whole
from sandbox.brikick.fields import BLOCKED, WRITABLE, changes, money, new_lot
from sandbox.clock import DAY_MS, iso
from sandbox.items import COLORED
from sandbox.market import lots
from sandbox.market.lists import as_of
from sandbox.market.lots import Lot

STATUSES = ("AVAILABLE", "HIDDEN", "SOLD_OUT", "BLOCKED")
_TOMBSTONES_MS = 30 * DAY_MS
_MOST_OPERATIONS = 500
_SQL_OF_STATUS = {
    "AVAILABLE": "is_for_sale = 1 AND quantity > 0", "HIDDEN": "is_for_sale = 0",
    "SOLD_OUT": "is_for_sale = 1 AND quantity = 0", "BLOCKED": "is_for_sale = 2",
}  # fmt: skip


def lot_row(lot: Lot, currency: str) -> dict[str, Any]:
    """Answer a lot; what is not set is null."""
    return {
        "id": lot.id, "version": lot.version, "external_id": lot.external_id, "item_type": LETTERS[lot.type],
        "item_no": lot.no, "item_name": lot.item.name if lot.item else lot.no,
        "color_id": lot.color_id if lot.type in COLORED and lot.color_id else None, "condition": lot.condition,
        "completeness": lot.completeness or None, "sub_condition": lot.grade or None, "quantity": lot.quantity,
        "reserved_quantity": lot.in_carts, "bulk_quantity": lot.bulk, "unit_price": money(lot.price),
        "currency": currency, "sale_percentage": lot.sale,
        "tiers": [{"quantity": least, "price": money(price)} for least, price in lot.tiers],
        "description": lot.description, "remarks": lot.remarks or "", "is_retain": bool(lot.is_retained),
        "stock_room": lot.stockroom or None, "superlot_id": lot.superlot or None,
        "my_cost": money(lot.my_cost) if lot.my_cost else None,
        "weight_grams": money(lot.weight) if lot.weight else None, "status": _status(lot),
        "listed_at": iso(lot.created_at), "updated_at": iso(lot.updated_at),
    }  # fmt: skip


def _status(lot: Lot) -> str:
    if lot.is_for_sale == BLOCKED:
        return "BLOCKED"
    if not lot.is_for_sale:
        return "HIDDEN"
    return "AVAILABLE" if lot.quantity else "SOLD_OUT"


def _list(call: Call) -> Answer:
    since = call.since()
    where, values = ["seller_id = ?"], [call.seller.id]
    if since is None:
        where.append("deleted_at IS NULL")
    else:
        where += ["updated_at >= ?", "(deleted_at IS NULL OR deleted_at > ?)"]
        values += [since, call.now_ms - _TOMBSTONES_MS]
    filters, filtered = _filters(call)
    statement = f"SELECT * FROM lots WHERE {' AND '.join([*where, *filters])} AND id > ? ORDER BY id"  # noqa: S608  # our names

    def show(row: sqlite3.Row) -> Any:
        lot = lots.before(call.world.state, lots.of(tuple(row)), as_of(call))
        if lot is None:
            return None
        if lot.deleted_at is not None:
            return {"id": lot.id, "deleted": True, "updated_at": iso(lot.updated_at)}
        return lot_row(lot, call.seller.currency)

    return call.page(lambda after: (statement, (*values, *filtered, after)), show)


def _filters(call: Call) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    word = call.request.word
    if kind := word("item_type"):
        if kind not in TYPES:
            raise BrikickError.invalid("item_type", f"is one of {', '.join(TYPES)}")
        where.append("type = ?")
        values.append(TYPES[kind])
    for name, column in (("item_no", "no"), ("condition", "condition"), ("external_id", "external_id")):
        if word(name):
            where.append(f"{column} = ?")
            values.append(word(name))
    if color := word("color_id"):
        if not color.isascii() or not color.isdigit() or len(color) > 9:  # noqa: PLR2004  # digits
            raise BrikickError.invalid("color_id", "is a number")
        where.append("color_id = ?")
        values.append(int(color))
    if status := word("status"):
        if status not in STATUSES:
            raise BrikickError.invalid("status", f"is one of {', '.join(STATUSES)}")
        where.append(_SQL_OF_STATUS[status])
    return where, values


def own(call: Call, connection: sqlite3.Connection, number: int) -> Lot:
    """Answer a lot of the seller who asks."""
    lot = lots.get(connection, number)
    if lot is None or lot.seller_id != call.seller.id or lot.deleted_at is not None:
        raise BrikickError.missing(f"lot {number}")
    return lot


def _shown(call: Call, lot: Lot, status: int = 200) -> Answer:
    return Answer(lot_row(lot, call.seller.currency), status, lot.version)


def _one(call: Call) -> Answer:
    with call.world.state.reading() as reader:
        return _shown(call, own(call, reader, call.number("lot")))


def create(call: Call, writer: sqlite3.Connection, sent: Any) -> Lot:
    """Make a lot."""
    values = new_lot(call, sent)
    _check_external(call, writer, values.get("external_id"))
    return lots.add(call.world, writer, call.seller, [values])[0]


def update(call: Call, writer: sqlite3.Connection, lot: Lot, sent: Mapping[str, Any], *, expected: int | None) -> Lot:
    """Change a lot; raises BrikickError."""
    if expected not in (None, lot.version):
        raise version_conflict(lot.version)
    given = checked(sent, (*WRITABLE, "quantity", "quantity_delta"))
    if not given:
        raise BrikickError(422, "validation_error", "Nothing to change", {})
    values = changes(call, {name: value for name, value in given.items() if name in WRITABLE}, lot)
    if "quantity" in given and "quantity_delta" in given:
        raise BrikickError.invalid("quantity", "and quantity_delta exclude each other")
    if "quantity" in given:
        if expected is None:
            raise BrikickError.invalid("quantity", "needs the version that it replaces")
        values["quantity"] = whole("quantity", given["quantity"])
    if "quantity_delta" in given:
        after = lot.quantity + whole("quantity_delta", given["quantity_delta"], least=-(10**7))
        if after < 0:
            raise BrikickError(409, "insufficient_quantity", f"There are {lot.quantity}", {"available": lot.quantity})
        values["quantity"] = after
    _check_external(call, writer, values.get("external_id"), lot.id)
    return lots.change(writer, call.seller, lot, now_ms=call.now_ms, cause="seller", **values)


def _check_external(call: Call, writer: sqlite3.Connection, external_id: str | None, lot_id: int = 0) -> None:
    known = lots.by_external(writer, call.seller, external_id) if external_id else None
    if known is not None and known.id != lot_id:
        raise BrikickError.invalid("external_id", f"is that of lot {known.id}")


def _create(call: Call) -> Answer:
    sent = call.body((*_CREATABLE,))
    with call.world.state.changing() as writer:
        return _shown(call, create(call, writer, sent), 201)


_CREATABLE = ("item_type", "item_no", "color_id", "quantity", *WRITABLE)


def _update(call: Call) -> Answer:
    sent = call.body((*WRITABLE, "quantity", "quantity_delta"))
    with call.world.state.changing() as writer:
        lot = own(call, writer, call.number("lot"))
        return _shown(call, update(call, writer, lot, sent, expected=call.expected()))


def _delete(call: Call) -> Answer:
    with call.world.state.changing() as writer:
        lot = own(call, writer, call.number("lot"))
        call.check_version(lot.version)
        lots.remove(writer, lot, now_ms=call.now_ms, cause="seller")
    return Answer(status=204)


def _batch(call: Call) -> Answer:
    operations = call.body(("operations",), ("operations",))["operations"]
    if not isinstance(operations, list) or not operations:
        raise BrikickError.invalid("operations", "is a list of operations")
    if len(operations) > _MOST_OPERATIONS:
        raise BrikickError(413, "too_many_items", f"At most {_MOST_OPERATIONS} operations", {"limit": _MOST_OPERATIONS})
    fault, results = call.request.fault_of("batch_partial"), []
    for place, operation in enumerate(operations):
        try:
            if fault is not None and (place + 1) % max(1, int(fault.options.get("every", 2))) == 0:
                if fault.options.get("silently"):
                    results.append({"index": place, "status": 200, "id": None, "version": None})
                    continue
                raise BrikickError(500, "internal", "Something went wrong")
            # Each by itself: one that is refused leaves the others alone.
            with call.world.state.changing() as writer:
                results.append({"index": place, **_operate(call, writer, operation)})
        except BrikickError as error:
            results.append({"index": place, "status": error.status, **error.body})
    return Answer({"results": results})


def _operate(call: Call, writer: sqlite3.Connection, operation: Any) -> dict[str, Any]:
    given = checked(operation, ("op", "lot", "id", "if_version", "set", "quantity_delta"), ("op",))
    if given["op"] == "create":
        lot = create(call, writer, given.get("lot"))
        return {"status": 201, "id": lot.id, "version": lot.version}
    if given["op"] not in ("update", "delete"):
        raise BrikickError.invalid("op", "is one of create, update, delete")
    lot = own(call, writer, whole("id", given.get("id"), most=10**15))
    expected = None if given.get("if_version") is None else whole("if_version", given["if_version"])
    if given["op"] == "delete":
        if expected not in (None, lot.version):
            raise version_conflict(lot.version)
        lots.remove(writer, lot, now_ms=call.now_ms, cause="seller")
        return {"status": 204}
    wanted = dict(checked(given.get("set") or {}, (*WRITABLE, "quantity")))
    if "quantity_delta" in given:
        wanted["quantity_delta"] = given["quantity_delta"]
    lot = update(call, writer, lot, wanted, expected=expected)
    return {"status": 200, "id": lot.id, "version": lot.version}


ROUTES: Sequence[Route] = (
    Route("GET", "/lots", _list, "lots:read"),
    Route("POST", "/lots", _create, "lots:write"),
    Route("POST", "/lots/batch", _batch, "lots:write"),
    Route("GET", r"/lots/(?P<lot>\d+)", _one, "lots:read"),
    Route("PATCH", r"/lots/(?P<lot>\d+)", _update, "lots:write"),
    Route("DELETE", r"/lots/(?P<lot>\d+)", _delete, "lots:write"),
)
