"""Orders: they take their pieces at once, their money adds up, and what happens to them is written down."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.market import lots
from sandbox.market.lots import Lot
from sandbox.sellers import Seller, World

# The status of a new order, one that was paid, and one that was cancelled, in the service's own words.
FIRST = {"bricklink": "PENDING", "brickowl": "0", "brikick": "PENDING"}
PAID = {"bricklink": "PAID", "brickowl": "2", "brikick": "PAID"}
CANCELLED = {"bricklink": "CANCELLED", "brickowl": "8", "brikick": "CANCELLED"}
RECEIVED = {"bricklink": "RECEIVED", "brickowl": "6", "brikick": "DELIVERED"}
# In which steps a service counts the price of a piece, and a sum.
_PRICE_UNIT = {"bricklink": 1, "brickowl": 10, "brikick": 1}
_SUM_UNIT = {"bricklink": 1, "brickowl": 100, "brikick": 100}


class OrderError(ValueError):
    """The order can't be made or changed like that; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """So many pieces of a lot, as the lot was when they were ordered."""

    id: int
    order_id: int
    batch: int
    lot_id: int
    quantity: int
    refunded: int
    doc: Mapping[str, Any]

    @property
    def total(self) -> int:
        """Answer what the line costs."""
        return self.quantity * int(self.doc["final_price"])


@dataclass(frozen=True, slots=True)
class Order:
    """One order. `doc`: buyer, payment, shipping, cost; everything in ten-thousandths."""

    id: int
    seller_id: int
    placed_at: int
    changed_at: int
    status: str
    buyer: str
    version: int
    doc: dict[str, Any]

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Order":
        """Read a row."""
        number, seller_id, placed_at, changed_at, status, buyer, version, doc = row
        return cls(number, seller_id, placed_at, changed_at, status, buyer, version, json.loads(doc))

    @property
    def cost(self) -> Mapping[str, int]:
        """Answer what it costs, in parts."""
        cost: Mapping[str, int] = self.doc["cost"]
        return cost


def grand_total(cost: Mapping[str, int]) -> int:
    """Answer what the buyer pays."""
    plus = cost["subtotal"] + cost["shipping"] + cost["insurance"] + cost["etc1"] + cost["etc2"] + cost["tax"]
    return plus - cost["credit"] - cost["coupon"]


def place(
    world: World, writer: sqlite3.Connection, seller: Seller, *, wanted: Sequence[tuple[int, int]],
    buyer: Mapping[str, Any], at: int | None = None, options: Mapping[str, Any] | None = None,
) -> Order:  # fmt: skip
    """Take the pieces and make the order; raises ShortageError, OrderError, and then nothing was taken.

    `options`: `shipping_method`, `insurance` (a truth), `coupon` and `credit` (amounts), `tax_percent`,
    `tax_by` (`seller`, `site`), `remarks`.
    """
    if not wanted or any(quantity < 1 for _, quantity in wanted):
        raise OrderError("an order has lines of one piece at least")
    given, now_ms = dict(options or {}), world.clock.now_ms()
    number = world.state.next(f"{seller.service}.order")
    placed_at = now_ms if at is None else at
    doc: dict[str, Any] = {
        "buyer": dict(buyer),
        "remarks": given.get("remarks", ""),
        "payment": {"method": given.get("payment_method", "PayPal (Onsite)"), "status": "None", "paid_at": None},
        "shipping": {**_METHOD, **given.get("shipping_method", {})},
        "insurance": bool(given.get("insurance")),
        "tax_percent": int(given.get("tax_percent", 0)),
        "tax_by": given.get("tax_by", "seller"),
        "cost": {"coupon": int(given.get("coupon", 0)), "credit": int(given.get("credit", 0)), "etc1": 0, "etc2": 0},
        "is_filed": False, "is_invoiced": False, "has_drive_thru": False, "note": None,
        "processed_at": None, "shipped_at": None, "paid_at": None, "is_restocked": False, "fixed_shipping": None,
    }  # fmt: skip
    order = Order(number, seller.id, placed_at, placed_at, FIRST[seller.service], str(buyer["username"]), 1, doc)
    _take(world, writer, seller, order, wanted, batch=1)
    _recount(writer, seller, order)
    writer.execute(
        "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, seller.id, placed_at, placed_at, order.status, order.buyer, 1, json.dumps(doc)),
    )
    return order


_METHOD: Mapping[str, Any] = {
    "id": 116410, "name": "Letter tracked", "tracking_number": None, "tracking_url": None, "shipped_at": None,
    "carrier": None,
}  # fmt: skip


def add_batch(
    world: World, writer: sqlite3.Connection, seller: Seller, order: Order, wanted: Sequence[tuple[int, int]]
) -> Order:
    """Add lines to an order that was placed."""
    last = writer.execute("SELECT max(batch) FROM order_lines WHERE order_id = ?", (order.id,)).fetchone()[0]
    _take(world, writer, seller, order, wanted, batch=int(last) + 1)
    _recount(writer, seller, order)
    status = "UPDATED" if seller.service == "bricklink" else order.status
    return change(world, writer, order, status=status)


def change(world: World, writer: sqlite3.Connection, order: Order, *, status: str | None = None, **doc: Any) -> Order:
    """Change an order; the time of its status moves only with it."""
    now_ms = world.clock.now_ms()
    is_moved = status is not None and status != order.status
    changed = replace(
        order, status=status or order.status, changed_at=now_ms if is_moved else order.changed_at,
        version=order.version + 1, doc={**order.doc, **doc, "updated_at": now_ms},
    )  # fmt: skip
    writer.execute(
        "INSERT INTO past VALUES (?, 'order', ?, ?, ?)",
        (
            order.seller_id, order.id, now_ms,
            json.dumps([order.status, order.changed_at, order.version, order.doc]),
        ),
    )  # fmt: skip
    writer.execute(
        "UPDATE orders SET status = ?, changed_at = ?, version = ?, doc = ? WHERE id = ?",
        (changed.status, changed.changed_at, changed.version, json.dumps(changed.doc), order.id),
    )
    return changed


def pay(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, *, status: str = "Received") -> Order:
    """Have the buyer pay: the payment's day, and the order's status where it waited for that."""
    now_ms = world.clock.now_ms()
    payment = {**order.doc["payment"], "status": status, "paid_at": now_ms}
    is_waiting = order.status in ("PENDING", "UPDATED", "PROCESSING", "READY", "PENDING_APPROVAL", "0", "1")
    return change(
        world, writer, order, status=PAID[seller.service] if is_waiting else None, payment=payment, is_invoiced=True,
        paid_at=now_ms,
    )  # fmt: skip


def cancel(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, *, restock: bool) -> Order:
    """Cancel an order; its pieces go back once, if they do."""
    if restock and not order.doc["is_restocked"]:
        for line in lines_of(writer, order.id):
            lot = lots.get(writer, line.lot_id)
            if lot is not None:
                lots.give_back(writer, seller, lot, line.doc["taken"], now_ms=world.clock.now_ms(), order_id=order.id)
    is_back = order.doc["is_restocked"] or restock
    return change(world, writer, order, status=CANCELLED[seller.service], is_restocked=is_back)


def recount(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, cost: Mapping[str, int]) -> Order:
    """Set parts of the cost; the sums and the tax follow."""
    order.doc["cost"].update(cost)
    if "shipping" in cost:
        order.doc["fixed_shipping"] = cost["shipping"]
    _recount(writer, seller, order)
    return change(world, writer, order)


def get(connection: sqlite3.Connection, number: int) -> Order | None:
    """Answer an order."""
    row = connection.execute("SELECT * FROM orders WHERE id = ?", (number,)).fetchone()
    return None if row is None else Order.of(row)


def each(connection: sqlite3.Connection, seller: Seller, *, as_of: int | None = None) -> Iterator[Order]:
    """Answer a seller's orders by their numbers, as they are, or as they were at some time."""
    before: dict[int, list[Any]] = {}
    if as_of is not None:
        for ref, doc in connection.execute(
            "SELECT ref, doc FROM past WHERE seller_id = ? AND kind = 'order' AND at > ? ORDER BY at, rowid",
            (seller.id, as_of),
        ):
            before.setdefault(ref, json.loads(doc))
    for row in connection.execute("SELECT * FROM orders WHERE seller_id = ? ORDER BY id", (seller.id,)):
        order = Order.of(row)
        if as_of is not None and order.placed_at > as_of:
            continue
        if order.id in before:
            status, changed_at, version, doc = before[order.id]
            order = replace(order, status=status, changed_at=changed_at, version=version, doc=doc)
        yield order


def lines_of(connection: sqlite3.Connection, order_id: int) -> list[Line]:
    """Answer the lines of an order."""
    rows = connection.execute("SELECT * FROM order_lines WHERE order_id = ? ORDER BY batch, id", (order_id,))
    return [
        Line(number, of, batch, lot_id, quantity, refunded, json.loads(doc))
        for number, of, batch, lot_id, quantity, refunded, doc in rows
    ]


def _take(
    world: World, writer: sqlite3.Connection, seller: Seller, order: Order, wanted: Sequence[tuple[int, int]], *,
    batch: int,
) -> None:  # fmt: skip
    may_oversell = bool(seller.settings.get("oversell"))
    first = world.state.next("order_line", len(wanted))
    for place_, (lot_id, quantity) in enumerate(wanted):
        lot = lots.get(writer, lot_id)
        if lot is None or lot.seller_id != seller.id:
            raise OrderError(f"there is no lot {lot_id}")
        if lot.is_for_sale != 1 or lot.stockroom:
            raise OrderError(f"lot {lot_id} is not for sale")
        if quantity % lot.bulk and not may_oversell:
            raise OrderError(f"lot {lot_id} is sold in multiples of {lot.bulk}")
        left = lots.take(
            writer, seller, lot, quantity, now_ms=world.clock.now_ms(), order_id=order.id, may_oversell=may_oversell
        )
        writer.execute(
            "INSERT INTO order_lines VALUES (?, ?, ?, ?, ?, 0, ?)",
            (
                first + place_, order.id, batch, lot_id, quantity,
                json.dumps(_line(seller, lot, quantity, taken=lot.quantity - left.quantity, left=left.quantity)),
            ),
        )  # fmt: skip


def _line(seller: Seller, lot: Lot, quantity: int, *, taken: int, left: int) -> dict[str, Any]:
    return {
        "type": lot.type, "no": lot.no, "name": lot.item.name if lot.item else lot.no,
        "category_id": lot.item.category_id if lot.item else 0, "color_id": lot.color_id, "condition": lot.condition,
        "completeness": lot.completeness, "grade": lot.grade, "unit_price": lot.price,
        "final_price": lot.price_for(quantity, _PRICE_UNIT[seller.service]), "description": lot.description,
        "remarks": lot.remarks or "", "weight": lot.piece_weight, "external_id": lot.external_id, "taken": taken,
        "left": left,
    }  # fmt: skip


def _recount(connection: sqlite3.Connection, seller: Seller, order: Order) -> None:
    """Work the sums out of the lines; BrickLink counts them exactly, the others each line in cents."""
    cost, unit = order.doc["cost"], _SUM_UNIT[seller.service]
    found = lines_of(connection, order.id)
    cost["subtotal"] = sum(_rounded(line.total, unit) for line in found)
    weights = [line.doc["weight"] * line.quantity for line in found]
    grams = sum(weights) // 100
    is_fixed = order.doc["fixed_shipping"] is not None
    cost["shipping"] = order.doc["fixed_shipping"] if is_fixed else 20_000 + grams // 50 * 2_500
    cost["insurance"] = cost.get("insurance", 0) if is_fixed else 0
    if order.doc["insurance"]:
        cost["insurance"] = 15_000 + _rounded(cost["subtotal"] // 50, 100)
    cost["coupon"] = min(cost["coupon"], cost["subtotal"])
    taxed = cost["subtotal"] + cost["shipping"] - cost["coupon"]
    cost["tax"] = _rounded(taxed * order.doc["tax_percent"] // 100, 100)
    order.doc["total_count"] = sum(line.quantity for line in found)
    order.doc["unique_count"] = len(found)
    # What weighs nothing is not known, and the whole is not known then.
    order.doc["weight"] = sum(weights) if all(line.doc["weight"] for line in found) else 0


def _rounded(amount: int, unit: int) -> int:
    return (amount + unit // 2) // unit * unit
