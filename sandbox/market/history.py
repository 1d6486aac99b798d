"""Orders that were placed before today: who bought what when, and how far each has come."""

import json
import sqlite3
from typing import Any

from sandbox.clock import DAY_MS, iso, moment
from sandbox.dice import Dice
from sandbox.market import orders, papers
from sandbox.market.buyers import buyer
from sandbox.market.lots import ShortageError
from sandbox.market.orders import Order, OrderError
from sandbox.sellers import Seller, World

# Orders of a weekday, from Monday on, against each other.
_RATES = (14, 12, 12, 11, 13, 18, 20)
_LINES = (1, 1, 2, 4, 6, 8, 12, 20, 40)
_PIECES = (1, 1, 1, 2, 4, 10)
_MESSAGES = ("When will it be sent?", "Please pack well, thanks &#40;again&#41;", "Could you add 2 more of lot 3? 🙂")
# How far an order has come after so many days, as `(statuses, weight)`.
_PATHS = {
    "bricklink": (
        (
            2,
            (
                ("PENDING", 6), ("UPDATED", 1), ("PROCESSING", 2), ("READY", 2), ("PAID", 6), ("OCR", 1),
                ("CANCELLED", 1),
            ),
        ),
        (10, (("PAID", 2), ("PACKED", 3), ("SHIPPED", 8), ("NPB", 1), ("NRS", 1), ("CANCELLED", 1))),
        (60, (("SHIPPED", 2), ("RECEIVED", 5), ("COMPLETED", 8), ("NPX", 1), ("NSS", 1), ("CANCELLED", 1))),
        (180, (("RECEIVED", 1), ("COMPLETED", 12), ("CANCELLED", 1))),
        (10_000, (("PURGED", 1),)),
    ),
    "brickowl": (
        (2, (("0", 3), ("1", 2), ("2", 5), ("3", 3), ("7", 1), ("8", 1))),
        (10, (("3", 2), ("4", 3), ("5", 8), ("8", 1))),
        (10_000, (("5", 2), ("6", 10), ("8", 1))),
    ),
    "brikick": (
        (2, (("PENDING", 3), ("PENDING_APPROVAL", 1), ("PAID", 5), ("PROCESSING", 3), ("CANCELLED", 1))),
        (10, (("PROCESSING", 2), ("SHIPPED", 8), ("CANCELLED", 1), ("DISPUTED", 1))),
        (10_000, (("DELIVERED", 2), ("COMPLETED", 10), ("REFUNDED", 1))),
    ),
}  # fmt: skip
_UNPAID = (
    "PENDING", "UPDATED", "PROCESSING", "READY", "CANCELLED", "OCR", "NPB", "NPX", "0", "1", "8", "PENDING_APPROVAL",
)  # fmt: skip
_SENT = ("SHIPPED", "RECEIVED", "COMPLETED", "PURGED", "5", "6", "DELIVERED")


def make(
    world: World, writer: sqlite3.Connection, seller: Seller, *, seed: int, count: int, days: int, until_ms: int
) -> int:
    """Place so many orders in the days before a day; answer how many could be, as the stock lasted."""
    dice = Dice(seed, "orders", seller.service)
    times = sorted(_moment(dice, days, until_ms) for _ in range(count))
    known = [
        row[0]
        for row in writer.execute(
            "SELECT id FROM lots WHERE seller_id = ? AND deleted_at IS NULL AND quantity > 0 AND stockroom = '' "
            "AND is_for_sale = 1 ORDER BY id",
            (seller.id,),
        )
    ]
    made = 0
    for place, at in enumerate(times):
        lines = _lines(Dice(seed, "lines", place), writer, known)
        who = buyer(Dice(seed, "who", place).along((0, 3, 12, 60, 400)))
        options = _options(Dice(seed, "options", place), who)
        try:
            order = orders.place(world, writer, seller, wanted=lines, buyer=who, at=at, options=options)
        except (ShortageError, OrderError):
            continue
        _age(world, writer, seller, order, dice=Dice(seed, "age", place), days=(until_ms - at) // DAY_MS)
        made += 1
    return made


def _moment(dice: Dice, days: int, until_ms: int) -> int:
    """Answer a time; of two days the busier one is likelier."""
    first, second = (until_ms - dice.below(days * DAY_MS) - 1 for _ in range(2))
    busier = _RATES[moment(first).weekday()] >= _RATES[moment(second).weekday()]
    return first if busier == dice.chance(60) else second


def _lines(dice: Dice, writer: sqlite3.Connection, known: list[int]) -> list[tuple[int, int]]:
    found: dict[int, int] = {}
    for _ in range(min(dice.along(_LINES), len(known))):
        lot_id = dice.one(known)
        row = writer.execute(
            "SELECT quantity, bulk FROM lots WHERE id = ? AND deleted_at IS NULL", (lot_id,)
        ).fetchone()
        pieces = dice.along(_PIECES)
        if row is not None and lot_id not in found and row["quantity"] >= row["bulk"]:
            most = row["quantity"] // row["bulk"]
            found[lot_id] = min(most, -(-pieces // row["bulk"])) * row["bulk"]
    return list(found.items())


def _options(dice: Dice, who: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"remarks": dice.one(("", "", "", "gift", "Please combine &amp; pack well"))}
    if dice.chance(15):
        found["insurance"] = True
    if dice.chance(5):
        found["coupon"] = dice.between(1, 5) * 5_000
    if who["country"] == "US":
        found |= {"tax_percent": 7, "tax_by": "site"}
    elif dice.chance(20):
        found |= {"tax_percent": 21}
    return found


def _age(world: World, writer: sqlite3.Connection, seller: Seller, order: Order, *, dice: Dice, days: int) -> None:
    """Bring an order as far as it came in so many days, at times in between."""
    path = next(choices for limit, choices in _PATHS[seller.service] if days < limit)
    status = dice.weighted(path)
    if status in (orders.CANCELLED[seller.service], "REFUNDED"):
        order = orders.cancel(world, writer, seller, order, restock=bool(seller.settings["restock"]))
    changed_at = min(order.placed_at + dice.below(max(1, days) * DAY_MS), order.placed_at + 30 * DAY_MS)
    doc = order.doc
    doc.pop("updated_at", None)
    if status not in _UNPAID:
        paid_at = order.placed_at + dice.below(min(max(1, days), 3) * DAY_MS)
        doc["payment"] |= {"status": "Completed" if seller.service == "brikick" else "Received", "paid_at": paid_at}
        doc |= {"is_invoiced": True, "paid_at": paid_at}
    if status in _SENT:
        tracking = f"RX{dice.below(10**9):09d}DE" if dice.chance(60) else None
        doc["shipping"] |= {"shipped_at": changed_at, "tracking_number": tracking}
        doc |= {"shipped_at": changed_at, "processed_at": changed_at}
    writer.execute(
        "UPDATE orders SET status = ?, changed_at = ?, doc = ? WHERE id = ?",
        (status, changed_at, json.dumps(doc), order.id),
    )
    if dice.chance(12):
        text = dice.one(_MESSAGES)
        message = {"subject": "Your order", "body": text, "from": order.buyer, "to": seller.name,
                   "dateSent": iso(order.placed_at + 3_600_000)}  # fmt: skip
        papers.write(writer, seller, "message", message, at=order.placed_at, ref=order.id)
    if status in ("COMPLETED", "6") and dice.chance(60):
        feedback(writer, seller, order, rating=dice.weighted(((0, 20), (1, 1), (2, 1))), at=changed_at)


def feedback(
    writer: sqlite3.Connection, seller: Seller, order: Order, *, rating: int, at: int, comment: str = "Fast & safe"
) -> None:
    """Have the buyer rate the seller."""
    doc = {
        "order_id": order.id, "from": order.buyer, "to": seller.name, "date_rated": iso(at), "rating": rating,
        "rating_of_bs": "S", "comment": comment,
    }  # fmt: skip
    papers.write(writer, seller, "feedback", doc, at=at, ref=order.id)
