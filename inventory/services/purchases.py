"""What can be done to purchases: keep them, add lots to them, spread their cost over these."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import bulk, context
from common import workspace
from common.errors import Conflict, Invalid, NotFound
from common.ids import new_id
from events.bus import publish
from inventory.choices import CostSpread
from inventory.costs import UNIT, blended, spread
from inventory.events import InventoryUpdated
from inventory.models import InventoryItem, Purchase, PurchaseLine
from inventory.services.columns import write_column
from inventory.services.stock import Balance, hold_lots

EDITABLE = frozenset({"name", "bought_from", "purchase_date", "total_cost", "spread", "notes"})
_LENGTHS = {"name": 200, "bought_from": 200, "notes": 5000}
_COST_LIMIT = Decimal(10) ** 8
_QTY_LIMIT = 2**31
_CENT = Decimal("0.01")


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = set(values) - EDITABLE
    if unknown:
        raise ValueError(f"a purchase has no {', '.join(sorted(unknown))} to set")
    made, errors = dict(values), dict[str, list[str]]()
    for name, length in _LENGTHS.items():
        if name in made:
            made[name] = made[name].strip()
            if len(made[name]) > length:
                errors[f"/{name}"] = [f"At most {length:,} characters."]
    if made.get("name", "-") == "":
        errors["/name"] = ["A purchase needs a name."]
    cost = made.get("total_cost", Decimal(0))
    if not cost.is_finite() or not 0 <= cost < _COST_LIMIT or cost != cost.quantize(_CENT):
        errors["/total_cost"] = ["An amount of 0 or more, with two decimals, and below 100,000,000."]
    if made.get("spread", CostSpread.VALUE) not in CostSpread.values:
        errors["/spread"] = ["This is no way to spread a cost."]
    if errors:
        raise Invalid(errors=errors)
    return made


def _locked(purchase_id: UUID) -> Purchase:
    purchase = Purchase.objects.select_for_update(of=("self",), no_key=True).filter(pk=purchase_id).first()
    if purchase is None:
        raise NotFound("This purchase no longer exists.")
    return purchase


def _held(purchase_id: UUID, *, with_lots: Collection[UUID] = ()) -> tuple[Purchase, dict[UUID, Balance]]:
    """Hold a purchase, and then all its lots with those that come: its cost is spread over all of them."""
    purchase = _locked(purchase_id)
    lots = set(purchase.lines.values_list("inventory_item", flat=True)) | set(with_lots)
    balances = hold_lots(lots)
    if not set(with_lots) <= balances.keys():
        raise NotFound("A lot of these no longer exists.")
    return purchase, balances


@transaction.atomic
def create_purchase(*, values: Mapping[str, Any], purchase_id: UUID | None = None) -> Purchase:
    """Add a purchase, without lots yet, in the shop's currency. Raises Invalid."""
    made = _checked({"name": "", **values})
    context.describe("inventory.create_purchase")
    purchase = Purchase(**made, id=purchase_id or new_id(), currency=workspace.current().currency)
    purchase.save(force_insert=True)
    return purchase


@transaction.atomic
def update_purchase(*, purchase_id: UUID, changes: Mapping[str, Any], now: datetime) -> Purchase:
    """Change some fields of a purchase; another cost or spread is spread anew. Raises Invalid, NotFound."""
    made = _checked(changes)
    purchase, _ = _held(purchase_id)
    different = {name: value for name, value in made.items() if getattr(purchase, name) != value}
    if not different:
        return purchase
    context.describe("inventory.update_purchase")
    for name, value in different.items():
        setattr(purchase, name, value)
    purchase.save(update_fields=[*different, "updated_at"])
    if {"total_cost", "spread"} & set(different):
        _spread(purchase, now=now)
    return purchase


@transaction.atomic
def delete_purchase(*, purchase_id: UUID, now: datetime) -> str:
    """Delete a purchase with its lines; its lots cost what they did without it. Answer its name. Raises NotFound."""
    purchase, _ = _held(purchase_id)
    context.describe("inventory.delete_purchase")
    lines = list(purchase.lines.all())
    bulk.bulk_delete(PurchaseLine.objects.filter(purchase=purchase_id))
    _cost_lots(lines, now=now)
    name = purchase.name
    purchase.delete()
    return name


@transaction.atomic
def add_lots(*, purchase_id: UUID, quantities: Mapping[UUID, int | None], now: datetime) -> int:
    """Say that a purchase brought so many pieces to these lots, None: all that are on hand; answer how many lots.

    Lots that it has already get that quantity. Raises Invalid, NotFound.
    """
    purchase, balances = _held(purchase_id, with_lots=quantities)
    wanted = {lot: balances[lot].on_hand if qty is None else qty for lot, qty in quantities.items()}
    if not all(0 < qty < _QTY_LIMIT for qty in wanted.values()):
        raise Invalid(errors={"/qty": ["A number of pieces, 1 or more."]})
    context.describe("inventory.add_lots_to_purchase")
    present = {line.inventory_item_id: line for line in purchase.lines.filter(inventory_item__in=wanted)}
    costs = dict(InventoryItem.objects.filter(pk__in=wanted).values_list("pk", "cost_basis"))
    bases = _bases(wanted)
    new = []
    for lot, qty in sorted(wanted.items()):
        if lot in present:
            present[lot].qty = qty
            continue
        qty_before, cost_before = bases.get(lot, (max(0, balances[lot].on_hand - qty), costs[lot]))
        new.append(
            PurchaseLine(
                purchase=purchase, inventory_item_id=lot, qty=qty, qty_before=qty_before, cost_before=cost_before
            )
        )
    if new:
        bulk.bulk_create(PurchaseLine, new)
    if present:
        bulk.bulk_update(PurchaseLine, list(present.values()), fields=["qty"])
    _spread(purchase, now=now)
    return len(wanted)


def _bases(lot_ids: Mapping[UUID, int]) -> dict[UUID, tuple[int, Decimal | None]]:
    """Answer what the lots had before their first purchase; every line of a lot knows it."""
    rows = PurchaseLine.objects.filter(inventory_item__in=lot_ids)
    return {lot: (qty, cost) for lot, qty, cost in rows.values_list("inventory_item", "qty_before", "cost_before")}


@transaction.atomic
def set_line(*, line_id: UUID, qty: int, now: datetime) -> None:
    """Change how many pieces a purchase brought to a lot. Raises Invalid, NotFound."""
    line = _line(line_id)
    add_lots(purchase_id=line.purchase_id, quantities={line.inventory_item_id: qty}, now=now)


@transaction.atomic
def restore_line_values(*, line_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Set a line's pieces back, and what the lot had before its first purchase. For reverts. Raises NotFound."""
    line = _line(line_id)
    purchase, _ = _held(line.purchase_id, with_lots=[line.inventory_item_id])
    context.describe("inventory.add_lots_to_purchase")
    for name, value in values.items():
        setattr(line, name, value)
    bulk.bulk_update(PurchaseLine, [line], fields=list(values))
    _spread(purchase, now=now)


@transaction.atomic
def restore_line(*, line_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Make a line again that was there, with its key. For reverts. Raises Conflict, NotFound."""
    lot = values["inventory_item_id"]
    purchase, _ = _held(values["purchase_id"], with_lots=[lot])
    if purchase.lines.filter(inventory_item=lot).exists():
        raise Conflict("The purchase has this lot already.")
    context.describe("inventory.add_lots_to_purchase")
    names = ("inventory_item_id", "qty", "qty_before", "cost_before")
    PurchaseLine(id=line_id, purchase=purchase, **{name: values[name] for name in names}).save(force_insert=True)
    _spread(purchase, now=now)


@transaction.atomic
def remove_line(*, line_id: UUID, now: datetime) -> None:
    """Take a lot out of a purchase; the cost is spread over the others. Raises NotFound."""
    line = _line(line_id)
    purchase, _ = _held(line.purchase_id, with_lots=[line.inventory_item_id])
    context.describe("inventory.remove_lot_from_purchase")
    bulk.bulk_delete(PurchaseLine.objects.filter(pk=line_id))
    _cost_lots([line], now=now)
    _spread(purchase, now=now)


def _line(line_id: UUID) -> PurchaseLine:
    line = PurchaseLine.objects.filter(pk=line_id).first()
    if line is None:
        raise NotFound("This lot is no longer in the purchase.")
    return line


# --- Lots that merge -------------------------------------------------------------------------------------------------
def hold_with_purchases(lot_ids: Collection[UUID]) -> tuple[set[UUID], dict[UUID, Balance]]:
    """Hold the purchases of lots, and then these lots with all others of the purchases; answer purchases and lots."""
    bought = PurchaseLine.objects.filter(inventory_item__in=lot_ids).values("purchase")
    held = Purchase.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=bought).order_by("pk")
    purchases = set(held.values_list("pk", flat=True))
    beside = PurchaseLine.objects.filter(purchase__in=purchases).values_list("inventory_item", flat=True)
    return purchases, hold_lots({*lot_ids, *beside})


def bought_with(lot_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Answer the purchases of those of the lots that have any."""
    found: dict[UUID, set[UUID]] = {}
    rows = PurchaseLine.objects.filter(inventory_item__in=lot_ids)
    for lot, purchase in rows.values_list("inventory_item", "purchase"):
        found.setdefault(lot, set()).add(purchase)
    return found


def hand_over_lines(*, target: InventoryItem, sources: Sequence[InventoryItem]) -> None:
    """Let a lot have the lines of those that merge into it; all are held, and still have their pieces.

    What each had before its first purchase, or all of it without any, was there before the target's now. What the lots
    cost then, `spread_again` says.
    """
    lots = {lot.pk: lot for lot in [target, *sources]}
    lines = list(PurchaseLine.objects.filter(inventory_item__in=lots).order_by("pk"))
    if not lines:
        return
    bases = {lot.pk: (lot.qty_on_hand, lot.cost_basis) for lot in lots.values()} | {
        line.inventory_item_id: (line.qty_before, line.cost_before) for line in lines
    }
    qty_before, cost_before = _together(list(bases.values()))
    kept = {line.purchase_id: line for line in lines if line.inventory_item_id == target.pk}
    for line in lines:
        if line.inventory_item_id == target.pk:
            continue
        own = kept.setdefault(
            line.purchase_id, PurchaseLine(purchase_id=line.purchase_id, inventory_item=target, qty=0)
        )
        own.qty += line.qty
        own.cost += line.cost
    for line in kept.values():
        line.qty_before, line.cost_before = qty_before, cost_before
    bulk.bulk_delete(PurchaseLine.objects.filter(inventory_item__in=[lot.pk for lot in sources]))
    if new := [line for line in kept.values() if line._state.adding]:
        bulk.bulk_create(PurchaseLine, new)
    if old := [line for line in kept.values() if not line._state.adding]:
        bulk.bulk_update(PurchaseLine, old, fields=["qty", "cost", "qty_before", "cost_before"])


def _together(bases: Sequence[tuple[int, Decimal | None]]) -> tuple[int, Decimal | None]:
    """Answer how many pieces there were, and what one had cost on average; those of no known cost say nothing."""
    known = [(qty, cost) for qty, cost in bases if cost is not None and qty]
    if not known:
        return sum(qty for qty, _ in bases), None
    pieces = sum(qty for qty, _ in known)
    mean = sum((cost * qty for qty, cost in known), Decimal(0)) / pieces
    return pieces, mean.quantize(UNIT, rounding=ROUND_HALF_UP)


def spread_again(*, purchase_ids: Collection[UUID], now: datetime) -> None:
    """Spread the costs of purchases over the lots that they have now. All are held."""
    for purchase in Purchase.objects.filter(pk__in=purchase_ids).order_by("pk"):
        _spread(purchase, now=now)


# --- Spreading ------------------------------------------------------------------------------------------------------
def _weight(how: str, line: PurchaseLine) -> Decimal:
    match how:
        case CostSpread.PIECES:
            return Decimal(line.qty)
        case CostSpread.LOTS:
            return Decimal(1)
        case _:
            return line.inventory_item.unit_price * line.qty


def _spread(purchase: Purchase, *, now: datetime) -> None:
    """Give each line its share of the cost, and each lot what its pieces cost on average. All are held."""
    lines = list(purchase.lines.select_related("inventory_item").order_by("pk"))
    shares = spread(purchase.total_cost, [_weight(purchase.spread, line) for line in lines])
    for line, share in zip(lines, shares, strict=True):
        line.cost = share
    if lines:
        bulk.bulk_update(PurchaseLine, lines, fields=["cost"])
    _cost_lots(lines, now=now)


def _cost_lots(lines: Sequence[PurchaseLine], *, now: datetime) -> None:
    """Write what a piece of the lots of these lines costs: the average of what was there before their first purchase,
    at what it had cost, and of what all their purchases brought. Without a purchase left it costs what it had before.
    """
    before = {line.inventory_item_id: (line.qty_before, line.cost_before) for line in lines}
    bought: dict[UUID, tuple[int, Decimal]] = {}
    rows = PurchaseLine.objects.filter(inventory_item__in=before)
    columns = ("inventory_item", "qty", "cost", "qty_before", "cost_before")
    for lot, qty, cost, qty_before, cost_before in rows.values_list(*columns):
        # What the lines that are still there say counts, not what one says that was just taken out.
        before[lot] = (qty_before, cost_before)
        pieces, sum_so_far = bought.get(lot, (0, Decimal(0)))
        bought[lot] = (pieces + qty, sum_so_far + cost)
    costs: dict[UUID, str | Decimal | None] = {}
    for lot, (qty_before, cost_before) in before.items():
        if lot in bought:
            qty, cost = bought[lot]
            costs[lot] = blended(qty_bought=qty, cost_bought=cost, qty_before=qty_before, cost_before=cost_before)
        else:
            costs[lot] = cost_before
    if write_column("cost_basis", costs, now=now):
        publish(InventoryUpdated(inventory_item_ids=tuple(sorted(costs))))
