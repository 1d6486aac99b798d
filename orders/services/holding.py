"""What an order holds of the stock: told from its status and its lines, and brought about once, under the order's lock.

The house's lock order is buyer, order, session, purchase, lot, location, listing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from audit import bulk
from common import workspace
from common.errors import NotFound, StaleVersion
from common.ids import new_id
from common.money import Money
from events.bus import publish
from inventory import services as inventory
from inventory.choices import MovementKind
from inventory.models import InventoryItem
from inventory.queries.placements import active_locations, placed_qty
from inventory.services.stock import Balance, Need
from orders.choices import Flag
from orders.events import OrderUpdated
from orders.lifecycle import GONE, PROMISED, Status, line_status
from orders.models import Order, OrderLine

OVERTAKEN = "Somebody else changed this order meanwhile. Look at it again and repeat your change."
CAUSE = "order"
# Flags that want a person as long as the order is open; those of the second kind also afterwards.
_WHILE_OPEN = frozenset(
    {Flag.ON_HOLD, Flag.CANCEL_REQUESTED, Flag.PAYMENT_PROBLEM, Flag.ITEMS_CHANGED, Flag.PROBLEM, Flag.DISPUTE}
)
_AFTERWARDS = frozenset({Flag.DISPUTE, Flag.PROBLEM})


def hold_name(*names: str) -> None:
    """Keep everybody else from the names until the transaction ends: what isn't there yet can't be locked."""
    keys = [f"{workspace.current_key()}:orders:{name}" for name in sorted(names)]
    with connection.cursor() as cursor:
        # One after the other, in the order of the list.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) key", [keys])


def lock_order(order_id: UUID, *, expected_version: int | None = None) -> Order:
    """Hold an order until the transaction ends. Raises NotFound; StaleVersion where the caller saw an older one."""
    return lock_orders([order_id], expected={order_id: expected_version} if expected_version is not None else {})[0]


def lock_orders(order_ids: Collection[UUID], *, expected: dict[UUID, int | None] | None = None) -> list[Order]:
    """Hold orders, in the order of their keys. Raises NotFound, StaleVersion."""
    found = list(
        Order.objects.select_for_update(of=("self",), no_key=True)
        .select_related("store")
        .filter(pk__in=order_ids)
        .order_by("pk")
    )
    if len(found) < len(set(order_ids)):
        raise NotFound("This order doesn't exist.")
    for order in found:
        version = (expected or {}).get(order.pk)
        if version is not None and version != order.version:
            raise StaleVersion(OVERTAKEN, current_version=order.version)
    return found


def lines_of(order: Order) -> list[OrderLine]:
    """Answer the lines of a locked order, in their order."""
    return list(order.lines.order_by("position"))


def next_number() -> int:
    """Answer a fresh number of the shop's own: they rise, with gaps where something was rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'number'))", [Order._meta.db_table])
        return int(cursor.fetchone()[0])


def own_number(store_id: UUID, number: int, *, now: datetime) -> str:
    """Answer by which number an order of our own is called: its own, or another where a file has brought that one.

    It is kept from everybody else until the transaction ends.
    """
    for name in (str(number), f"L-{now.astimezone(workspace.current().zone):%Y%m%d}-{number}"):
        hold_name(f"order:{store_id}:{name}")
        if not Order.objects.filter(store=store_id, external_order_id=name).exists():
            return name
    return f"L-{new_id()}"


def total_of(line: OrderLine, currency: str) -> Decimal:
    """Answer what the line's pieces cost together, rounded once."""
    return (
        Money(line.unit_price * line.qty_ordered, currency)
        .rounded()
        .amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    )


# --- Stock ----------------------------------------------------------------------------------------------------------
def hold_stock(lines: Iterable[OrderLine], *more: UUID) -> dict[UUID, Balance]:
    """Hold all the lots that are needed at once, so that everybody holds them in one order; answer what each has."""
    return inventory.hold_lots({*(line.inventory_item_id for line in lines if line.inventory_item_id), *more})


def settle(order: Order, lines: Sequence[OrderLine], *, now: datetime) -> None:
    """Bring what the order holds into line with its status and its lines' quantities. The order is locked.

    A line that has moved nothing moves what is needed, once that has moved the difference, and a second time nothing.
    What isn't there is short, and told as `inventory.oversold`.
    """
    if not order.moves_stock:
        return
    there = hold_stock(lines)
    status = Status(order.status)
    if status in PROMISED:
        if _release(order, [(line, line.qty_reserved - _wanted(line)) for line in lines], now=now):
            there = hold_stock(lines)
        _reserve(order, [line for line in lines if line.inventory_item_id in there], there, now=now)
        for line in lines:
            line.qty_short = _wanted(line) - line.qty_reserved
    elif status in GONE:
        _consume(order, [line for line in lines if line.qty_reserved], now=now)
    else:
        _release(order, [(line, line.qty_reserved) for line in lines], now=now)
    put_excess_down(order, lines)
    if status not in PROMISED:
        for line in lines:
            line.qty_short = 0


def settle_birth(order: Order, lines: Sequence[OrderLine], *, now: datetime) -> None:
    """Do for an order that is first heard of in its status what all the steps before would have done."""
    reached = order.status
    if reached in GONE:
        order.status = Status.NEW
        settle(order, lines, now=now)
        order.status = reached
    settle(order, lines, now=now)


def take_back(order: Order, lines: Sequence[OrderLine], *, now: datetime) -> None:
    """Have what was shipped back in the house and promise it again: the revert of a shipment.

    Where the pieces lay is put back by who owns that.
    """
    put_back(order, [(line, line.qty_shipped - line.qty_restocked) for line in lines], now=now, to_place=False)
    for line in lines:
        line.qty_shipped = line.qty_restocked = 0
        # What was picked is in its tote again, and goes back from there to where it was taken.
        line.picked_from, line.shipped_from = _first(line.shipped_from, line.qty_picked), []
    settle(order, lines, now=now)


def put_back(order: Order, pieces: Sequence[tuple[OrderLine, int]], *, now: datetime, to_place: bool = True) -> int:
    """Put pieces that were shipped up for sale again, in the places where they lay as far as these are there.

    Answers how many went back; those of lots that are gone don't.
    """
    there = hold_stock(line for line, _qty in pieces)
    wanted = [(line, qty) for line, qty in pieces if qty > 0 and line.inventory_item_id in there]
    places = _open_places(line for line, _qty in wanted) if to_place else frozenset()
    moves, count = [], 0
    for line, qty in wanted:
        left = qty
        for place in line.shipped_from if to_place else ():
            location_id = UUID(place["location_id"])
            part = min(left, int(place["qty"]))
            if part and location_id in places:
                moves.append(_restock(order, line, part, location_id))
                left -= part
        if left:
            moves.append(_restock(order, line, left, None))
        line.qty_restocked += qty
        count += qty
    inventory.move_stock(moves=moves, now=now)
    return count


def _wanted(line: OrderLine) -> int:
    """Answer how many pieces should be promised to the line, if they are there."""
    return max(0, line.qty_ordered - line.qty_missing - line.qty_shipped)


def cause_of(order: Order, line: OrderLine) -> dict[str, Any]:
    """Answer a fresh cause of a movement of the line: it happens once, and the next one is another."""
    line.stock_moves += 1
    return {"cause_key": f"{line.pk}:{line.stock_moves}", "cause_type": CAUSE, "cause_id": str(order.pk)}


def _release(order: Order, pieces: Iterable[tuple[OrderLine, int]], *, now: datetime) -> bool:
    """Give promised pieces back; tell whether there were any."""
    needs = []
    for line, qty in pieces:
        if qty > 0 and line.inventory_item_id:
            needs.append(Need(line.inventory_item_id, qty, **cause_of(order, line)))
            line.qty_reserved -= qty
    if needs:
        inventory.release_stock(needs=needs, now=now)
    return bool(needs)


def _reserve(order: Order, lines: Sequence[OrderLine], there: Mapping[UUID, Balance], *, now: datetime) -> None:
    wishes = [line for line in lines if _wanted(line) > line.qty_reserved]
    if not wishes:
        return
    needs, fresh = [], {}
    for line in wishes:
        assert line.inventory_item_id is not None  # noqa: S101  # those without a lot are left out
        qty = _wanted(line) - line.qty_reserved
        needs.append(Need(line.inventory_item_id, qty, **cause_of(order, line)))
        fresh[line.pk] = max(0, qty - line.qty_short)
    made = inventory.reserve_held(needs=needs, balances=there, now=now)
    oversold: dict[UUID, int] = {}
    for line, reservation in zip(wishes, made, strict=True):
        line.qty_reserved += reservation.qty_reserved
        # A cause by which nothing has moved is none.
        line.stock_moves -= not reservation.qty_reserved
        # Told once: pieces that were short before are known to be.
        if (short := min(reservation.qty_short, fresh[line.pk])) and line.inventory_item_id:
            oversold[line.inventory_item_id] = oversold.get(line.inventory_item_id, 0) + short
    if oversold:
        inventory.tell_oversold(short=oversold, cause_type=CAUSE, cause_id=str(order.pk))


def _consume(order: Order, lines: Sequence[OrderLine], *, now: datetime) -> None:
    lots = {line.inventory_item_id for line in lines if line.inventory_item_id}
    before = placed_qty(lots)
    needs, amounts = [], {}
    is_own = order.currency == workspace.current().currency and order.replaces_id is None
    for line in lines:
        assert line.inventory_item_id is not None  # noqa: S101  # the database says so of what is reserved
        need = Need(line.inventory_item_id, line.qty_reserved, **cause_of(order, line))
        needs.append(need)
        if is_own:
            amounts[need.cause_key] = Money(line.unit_price * line.qty_reserved, order.currency).rounded().amount
    inventory.consume_stock(needs=needs, amounts=amounts, now=now)
    after = placed_qty(lots)
    taken = {key: qty - after.get(key, 0) for key, qty in before.items() if qty > after.get(key, 0)}
    for line in lines:
        places = _first(line.picked_from, line.qty_reserved)
        left = line.qty_reserved - sum(place["qty"] for place in places)
        line.picked_from = []
        for key in [key for key in taken if key[0] == line.inventory_item_id]:
            part = min(left, taken[key])
            if part:
                places.append({"location_id": str(key[1]), "qty": part})
                taken[key] -= part
                left -= part
        line.shipped_from = [*line.shipped_from, *places]
        line.qty_shipped += line.qty_reserved
        line.qty_reserved = 0


def remember_place(line: OrderLine, location_id: UUID, qty: int) -> None:
    """Note that so many of a line's picked pieces were taken there."""
    if not qty:
        return
    # Never changed in place: what it was before is compared with later.
    places = [dict(place) for place in line.picked_from]
    same = next((place for place in places if place["location_id"] == str(location_id)), None)
    if same:
        same["qty"] += qty
    else:
        places.append({"location_id": str(location_id), "qty": qty})
    line.picked_from = places


def forget_place(line: OrderLine, location_id: UUID, qty: int) -> int:
    """Have so many of a line's picked pieces be from there no longer; answer how many were."""
    key, gone, places = str(location_id), 0, []
    for place in line.picked_from:
        part = min(qty, place["qty"]) if place["location_id"] == key else 0
        gone += part
        if place["qty"] > part:
            places.append({**place, "qty": place["qty"] - part})
    line.picked_from = places
    return gone


def put_excess_down(order: Order, lines: Sequence[OrderLine]) -> None:
    """Put what lies in totes without being picked any more back to its places. The lots are held.

    An order that has ended keeps what was picked as a fact; its pieces go back nevertheless.
    """
    if order.status in GONE:
        return
    pieces: dict[tuple[UUID, UUID], int] = {}
    for line in lines:
        kept = _first(line.picked_from, line.qty_picked if order.status in PROMISED else 0)
        if kept == line.picked_from:
            continue
        left = {place["location_id"]: place["qty"] for place in kept}
        for place in line.picked_from:
            extra = place["qty"] - left.get(place["location_id"], 0)
            if extra and line.inventory_item_id:
                key = (line.inventory_item_id, UUID(place["location_id"]))
                pieces[key] = pieces.get(key, 0) + extra
        line.picked_from = kept
    if pieces:
        inventory.put_down(pieces=pieces)


def _first(places: Sequence[dict[str, Any]], qty: int) -> list[dict[str, Any]]:
    """Answer where the first so many of the pieces were."""
    found = []
    for place in places:
        part = min(qty, place["qty"])
        if part > 0:
            found.append({**place, "qty": part})
            qty -= part
    return found


def _restock(order: Order, line: OrderLine, qty: int, location_id: UUID | None) -> inventory.Move:
    assert line.inventory_item_id is not None  # noqa: S101  # the caller has looked
    return inventory.Move(
        lot_id=line.inventory_item_id, kind=MovementKind.RESTOCK, available=qty, location_id=location_id,
        **cause_of(order, line),
    )  # fmt: skip


def _open_places(lines: Iterable[OrderLine]) -> frozenset[UUID]:
    wanted = {UUID(place["location_id"]) for line in lines for place in line.shipped_from}
    return active_locations(wanted)


def want_fewer(line: OrderLine, qty: int) -> None:
    """Have so many pieces less ordered: those that are missing or short go first. `settle` gives the others back."""
    line.qty_ordered -= qty
    line.qty_missing = max(0, line.qty_missing - qty)
    line.qty_short = max(0, line.qty_short - qty)
    line.qty_picked = min(line.qty_picked, line.qty_ordered - line.qty_missing)


def be_of(order: Order, line: OrderLine, lot: InventoryItem, *, now: datetime) -> None:
    """Have a line be of another lot; what was promised of the old one is free again. `settle` reserves of the new."""
    if line.inventory_item_id == lot.pk:
        return
    _release(order, [(line, line.qty_reserved)], now=now)
    _put_all_down(order, line)
    line.inventory_item_id = lot.pk
    line.item_type, line.item_no, line.item_name = lot.item_type, lot.item_no, lot.item_name or line.item_name
    line.color_id, line.color_name = lot.color_id, lot.color_name
    line.condition, line.completeness = lot.condition, lot.completeness or ""


def be_of_none(order: Order, line: OrderLine, *, now: datetime) -> None:
    """Have a line be of no lot that is known; what was promised is free again."""
    _release(order, [(line, line.qty_reserved)], now=now)
    _put_all_down(order, line)
    line.inventory_item_id = None


def _put_all_down(order: Order, line: OrderLine) -> None:
    line.qty_picked = 0
    put_excess_down(order, [line])


# --- What follows from the lines ------------------------------------------------------------------------------------
def follow(order: Order, lines: Sequence[OrderLine]) -> None:
    """Set what follows from an order's lines and flags: the status of each line, and whether a person should look."""
    for line in lines:
        line.status = line_status(
            qty_ordered=line.qty_ordered, qty_picked=line.qty_picked, qty_missing=line.qty_missing
        )
    flags = set(order.flags)
    if order.status in PROMISED:
        is_short = any(line.qty_short or line.qty_missing for line in lines)
        is_unmatched = any(line.inventory_item_id is None and line.qty_ordered for line in lines)
        order.needs_attention = is_short or is_unmatched or bool(flags & _WHILE_OPEN)
    else:
        order.needs_attention = bool(flags & _AFTERWARDS)


def set_flags(order: Order, *, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
    """Raise and lower flags of a locked order, kept in one order."""
    chosen = (set(order.flags) | {str(flag) for flag in add}) - {str(flag) for flag in remove}
    order.flags = [flag for flag in Flag.values if flag in chosen]


_LINE_FIELDS = tuple(
    field.attname for field in OrderLine._meta.concrete_fields if field.name not in {"id", "created_at", "updated_at"}
)
_QUIET = frozenset({"updated_at", "version", "channel_as_of"})


def state_of(row: Order | OrderLine) -> dict[str, Any]:
    """Answer the row's values, to be compared later."""
    return {
        field.attname: list(value) if isinstance(value := getattr(row, field.attname), list) else value
        for field in row._meta.concrete_fields
    }


def changed(row: Order | OrderLine, before: dict[str, Any]) -> tuple[str, ...]:
    """Answer which values differ from then."""
    return tuple(name for name, value in state_of(row).items() if value != before[name] and name not in _QUIET)


def save_lines(lines: Sequence[OrderLine], before: dict[UUID, dict[str, Any]]) -> bool:
    """Store the lines that are new or differ, by a few statements; tell whether there were any."""
    new = [line for line in lines if line.pk not in before]
    other = [line for line in lines if line.pk in before and changed(line, before[line.pk])]
    if new:
        bulk.bulk_create(OrderLine, new)
    if other:
        bulk.bulk_update(OrderLine, other, fields=_LINE_FIELDS)
    return bool(new or other)


def save_order(order: Order, fields: Collection[str], *, publishes: bool = True) -> None:
    """Store a locked order whose values or lines changed, as a new version, and tell so."""
    order.version += 1
    order.save()
    if publishes:
        publish(
            OrderUpdated(
                order_id=order.pk, store_id=order.store_id, external_order_id=order.external_order_id,
                fields=tuple(sorted(fields)),
            )
        )  # fmt: skip


def remember_as_of(order: Order) -> None:
    """Store for which moment the channel said last that nothing has changed: no version and no history of its own."""
    if Order.objects.filter(pk=order.pk).exclude(channel_as_of=order.channel_as_of).exists():
        bulk.bulk_update(Order, [order], fields=["channel_as_of"])


def finish(
    order: Order, before: dict[str, Any], lines: Sequence[OrderLine], lines_before: dict[UUID, dict[str, Any]]
) -> tuple[str, ...]:
    """Store what differs of an order and its lines, with its event; answer which fields, `lines` for these."""
    follow(order, lines)
    have_lines = save_lines(lines, lines_before)
    fields = changed(order, before)
    told = tuple(name for name in fields if name not in ("needs_attention", "channel_flags"))
    if have_lines:
        told = (*told, "lines")
    if told or fields:
        save_order(order, told, publishes=bool(told))
    return told


class Held:
    """A locked order with its lines as they were, for a service to change and `finish`."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.before = state_of(order)
        self.lines = lines_of(order)
        self.lines_before = {line.pk: state_of(line) for line in self.lines}

    def line(self, line_id: UUID) -> OrderLine:
        """Answer one of its lines; raises NotFound."""
        found = next((line for line in self.lines if line.pk == line_id), None)
        if found is None:
            raise NotFound("This order has no such line.")
        return found

    def finish(self) -> tuple[str, ...]:
        """Store what differs; answer which fields."""
        return finish(self.order, self.before, self.lines, self.lines_before)


def hold(order_id: UUID, *, expected_version: int | None = None) -> Held:
    """Lock an order, and read its lines. Raises NotFound, StaleVersion."""
    return Held(lock_order(order_id, expected_version=expected_version))
