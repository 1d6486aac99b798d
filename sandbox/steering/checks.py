"""What a test asks of the whole: is everything still there, is the stock as it should be, what was sent."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from sandbox.market import lots, notices, orders
from sandbox.market.orders import Order
from sandbox.sellers import World, find
from sandbox.steering.commands import Route, Sent, Words, needed
from sandbox.steering.stores import row_of


def _conservation(world: World, _found: Words, _sent: Sent) -> Any:
    """Answer what doesn't add up: pieces from nowhere or lost, money that isn't the sum of its parts."""
    with world.state.reading() as reader:
        problems = [
            f"lot {number} has {quantity}, came with {born}, and moved by {moved}"
            for number, quantity, born, moved in reader.execute(
                "SELECT lots.id, quantity, born, coalesce(sum(delta), 0) FROM lots "
                "LEFT JOIN movements ON lot_id = lots.id "
                "GROUP BY lots.id HAVING quantity != born + coalesce(sum(delta), 0) OR quantity < 0 LIMIT 50"
            )
        ]
        problems += [
            f"lot {number} is gone and has pieces"
            for (number,) in reader.execute("SELECT id FROM lots WHERE deleted_at IS NOT NULL AND quantity LIMIT 50")
        ]
        taken: Counter[int] = Counter()
        for row in reader.execute("SELECT * FROM orders"):
            order = Order.of(row)
            lines = orders.lines_of(reader, order.id)
            if not order.doc["is_restocked"]:
                for line in lines:
                    taken[line.lot_id] += int(line.doc["taken"])
            if order.doc["total_count"] != sum(line.quantity for line in lines):
                problems.append(f"order {order.id} counts {order.doc['total_count']} pieces, its lines others")
            service = find(reader, order.seller_id).service
            if service == "bricklink" and order.cost["subtotal"] != sum(line.total for line in lines):
                problems.append(f"order {order.id}: the subtotal is not the sum of its lines")
        moved = dict(
            reader.execute(
                "SELECT lot_id, -sum(delta) FROM movements WHERE cause IN ('order', 'cancel') GROUP BY lot_id"
            )
        )
        problems += [
            f"lot {number}: {taken[number]} pieces were ordered, {moved.get(number, 0)} taken"
            for number in {*taken, *moved}
            if taken[number] != moved.get(number, 0)
        ]
        counts = {
            "born": "SELECT coalesce(sum(born), 0) FROM lots",
            "left": "SELECT coalesce(sum(quantity), 0) FROM lots",
            "moved": "SELECT coalesce(sum(delta), 0) FROM movements",
        }
        sums = {name: reader.execute(query).fetchone()[0] for name, query in counts.items()}
    return {"is_conserved": not problems, "problems": problems[:50], **sums}


def _inventory(world: World, found: Words, sent: Sent) -> Any:
    """Compare a store with an expected list, by those fields that its rows name."""
    given: Any = sent or json.loads(found.get("expected", "{}"))
    expected = needed(given, "lots")
    names = sorted({name for row in expected for name in row})
    with world.state.reading() as reader:
        seller = find(reader, int(given.get("seller", found.get("seller", 0))))
        rows = [row_of(lot) for lot in lots.each(reader, seller)]
    wanted = Counter(tuple(row.get(name) for name in names) for row in expected)
    there = Counter(tuple(row[name] for name in names) for row in rows)
    missing, surplus = wanted - there, there - wanted

    def shown(counted: Counter[tuple[Any, ...]]) -> list[dict[str, Any]]:
        return [dict(zip(names, values, strict=True)) for values in list(counted.elements())[:200]]

    return {
        "is_equal": not missing and not surplus, "missing": shown(missing), "unexpected": shown(surplus),
        "missing_count": missing.total(), "unexpected_count": surplus.total(),
    }  # fmt: skip


def _deliveries(world: World, _found: Words, _sent: Sent) -> Any:
    with world.state.reading() as reader:
        return [notices.described(row) for row in reader.execute("SELECT * FROM deliveries ORDER BY id")]


ROUTES: Sequence[Route] = (
    ("GET", "/assert/conservation", _conservation),
    ("GET", "/assert/inventory", _inventory),
    ("POST", "/assert/inventory", _inventory),
    ("GET", "/deliveries", _deliveries),
)
