"""What can be asked about purchases: the list, one with its lines, and what each has brought in so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from common import workspace
from common.errors import NotFound
from inventory.models import InventoryItem, Purchase, PurchaseLine
from inventory.queries.locations import color_look

_ZERO = Decimal(0)
_WHOLE = Decimal(100)


@dataclass(frozen=True, slots=True)
class Payback:
    """What a purchase cost, what its lots were sold for since, and what is left of them at list price."""

    cost: Decimal
    sold: Decimal
    left: Decimal
    lots: int
    qty_bought: int
    qty_sold: int

    @property
    def percent(self) -> Decimal:
        """Answer how much of the cost has come in, in percent; 100 of what cost nothing."""
        return self.sold * _WHOLE / self.cost if self.cost else _WHOLE

    @property
    def is_even(self) -> bool:
        """Tell whether it has paid for itself."""
        return self.sold >= self.cost

    @property
    def open(self) -> Decimal:
        """Answer what still has to come in until then."""
        return max(self.cost - self.sold, _ZERO)

    @property
    def share_of_rest(self) -> Decimal | None:
        """Answer how much of what is left has to be sold at list price until then, in percent; None: it won't do."""
        if not self.open:
            return _ZERO
        return self.open * _WHOLE / self.left if self.left >= self.open else None

    @property
    def margin(self) -> Decimal:
        """Answer what it has brought above its cost; below zero what is missing."""
        return self.sold - self.cost


NOTHING = Payback(_ZERO, _ZERO, _ZERO, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class PurchaseRow:
    """A purchase in the list."""

    purchase: Purchase
    payback: Payback


@dataclass(frozen=True, slots=True)
class LineRow:
    """A lot of a purchase: its share of the cost, and what it has brought."""

    id: UUID
    lot: InventoryItem
    rgb: str
    kind: str
    qty: int
    cost: Decimal
    qty_sold: int
    sold: Decimal
    left: Decimal
    other_purchases: int

    @property
    def unit_cost(self) -> Decimal:
        """Answer what a piece of it cost."""
        return self.cost / self.qty


# A lot of several purchases: each has the part of its sales and of its rest that its pieces are of all bought ones.
# What was sold before a purchase isn't its own; of the rest a purchase has no more pieces than it brought.
_LINES = """
WITH chosen AS (SELECT l.* FROM inventory_purchaseline l WHERE l.purchase_id = ANY(%s)),
lots AS (SELECT l.inventory_item_id, sum(l.qty) AS qty, count(*) AS purchases FROM inventory_purchaseline l
         WHERE l.inventory_item_id IN (SELECT inventory_item_id FROM chosen) GROUP BY l.inventory_item_id)
SELECT c.id, c.purchase_id, c.qty, c.cost, c.inventory_item_id,
    round(coalesce(m.qty, 0) * c.qty::numeric / o.qty)::int AS qty_sold,
    round(coalesce(m.amount, 0) * c.qty / o.qty, 2) AS sold,
    round(least((t.qty_available + t.qty_reserved) * c.qty::numeric / o.qty, c.qty) * t.unit_price, 2) AS remaining,
    o.purchases - 1 AS others
FROM chosen c
JOIN lots o ON o.inventory_item_id = c.inventory_item_id
JOIN inventory_inventoryitem t ON t.id = c.inventory_item_id
JOIN inventory_purchase p ON p.id = c.purchase_id
LEFT JOIN LATERAL (
    SELECT sum(s.amount) AS amount, sum(-s.delta_available - s.delta_reserved) AS qty
    FROM inventory_stockmovement s
    WHERE s.inventory_item_id = c.inventory_item_id AND s.kind = 'SHIP'
      AND s.created_at >= p.purchase_date::timestamp AT TIME ZONE %s
) m ON TRUE
"""


def _params(purchase_ids: Sequence[UUID]) -> list[Any]:
    return [list(purchase_ids), workspace.current().timezone]


def paybacks(purchases: Sequence[Purchase]) -> dict[UUID, Payback]:
    """Answer what each purchase has brought in. One query."""
    statement = (
        f"SELECT purchase_id, sum(sold), sum(remaining), count(*), sum(qty), sum(qty_sold) FROM ({_LINES}) f"  # noqa: S608  # only what stands above
        " GROUP BY purchase_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, _params([purchase.pk for purchase in purchases]))
        sums = {key: values for key, *values in cursor.fetchall()}
    found = {}
    for purchase in purchases:
        sold, left, lots, bought, qty_sold = sums.get(purchase.pk, (_ZERO, _ZERO, 0, 0, 0))
        found[purchase.pk] = Payback(purchase.total_cost, sold, left, lots, int(bought), int(qty_sold))
    return found


def purchases_matching(text: str = "") -> "QuerySet[Purchase]":
    """Answer the purchases whose name or seller has the text."""
    found = Purchase.objects.all()
    return found.filter(name__icontains=text) | found.filter(bought_from__icontains=text) if text else found


def list_purchases(found: "QuerySet[Purchase]", *, first: int = 0, count: int = 50) -> tuple[list[PurchaseRow], int]:
    """Answer a page of the purchases, newest first, and how many there are."""
    page = list(found.order_by("-purchase_date", "-id")[first : first + count])
    by_key = paybacks(page)
    return [PurchaseRow(purchase, by_key[purchase.pk]) for purchase in page], found.count()


def get_purchase(purchase_id: UUID) -> Purchase:
    """Answer a purchase. Raises NotFound."""
    purchase = Purchase.objects.filter(pk=purchase_id).first()
    if purchase is None:
        raise NotFound
    return purchase


def lines_of(purchase_id: UUID, *, first: int = 0, count: int = 100) -> tuple[list[LineRow], int]:
    """Answer a page of a purchase's lots, the dearest first, and how many these are."""
    statement = f"SELECT * FROM ({_LINES}) f ORDER BY cost DESC, id LIMIT %s OFFSET %s"  # noqa: S608  # only what stands above
    with connection.cursor() as cursor:
        cursor.execute(statement, [*_params([purchase_id]), count, first])
        rows = cursor.fetchall()
    lots = InventoryItem.objects.in_bulk([row[4] for row in rows])
    return [
        LineRow(
            id=key,
            lot=lots[lot],
            **dict(zip(("rgb", "kind"), color_look(lots[lot].color_id), strict=True)),
            qty=qty,
            cost=cost,
            qty_sold=qty_sold,
            sold=sold,
            left=left,
            other_purchases=others,
        )
        for key, _, qty, cost, lot, qty_sold, sold, left, others in rows
        if lot in lots
    ], PurchaseLine.objects.filter(purchase=purchase_id).count()


def names_of_purchases(limit: int = 50) -> list[tuple[UUID, str]]:
    """Answer the newest purchases by name, for adding a lot to one."""
    rows = Purchase.objects.order_by("-purchase_date", "-id").values_list("pk", "name")
    return list(rows[:limit])
