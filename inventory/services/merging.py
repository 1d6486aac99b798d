"""Merges lots into one: pieces by movements, places along with them, fields by a policy for each."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit import context
from audit.context import current_deed
from common.errors import Conflict, Invalid, NotFound
from inventory.choices import MovementKind
from inventory.models import InventoryItem, InventoryItemLocation
from inventory.services import purchases, stock
from inventory.services.checks import LENGTHS
from inventory.services.lots import delete_lots, update_lot
from jobs import services as jobs
from jobs.models import JobRun

JOB = "inventory_consolidation"
GROUPS_AT_ONCE = 100
# Merging at most so many by hand.
MOST = 200
# What makes lots the same thing. Only such lots merge.
IDENTITY = ("item_type", "item_no", "color_id", "condition", "completeness", "sub_condition")
# What else equal lots may be asked to share.
ALSO = ("unit_price", "remarks", "description", "cost_basis", "is_stock_room", "reserved_for")

TARGET, HIGHEST, LOWEST, WEIGHTED, JOINED = "target", "highest", "lowest", "weighted", "joined"
# By field, what can become of its values; the first is what happens where nothing is said.
POLICIES: Mapping[str, tuple[str, ...]] = {
    "unit_price": (TARGET, HIGHEST, LOWEST, WEIGHTED),
    "cost_basis": (WEIGHTED, TARGET, HIGHEST, LOWEST),
    "remarks": (TARGET, JOINED),
    "description": (TARGET, JOINED),
    "low_stock_threshold": (TARGET, HIGHEST, LOWEST),
    "sale_percent": (TARGET, HIGHEST, LOWEST),
}
_CENT = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Group:
    """Equal lots: the one that stays, and those that go into it."""

    target: UUID
    sources: tuple[UUID, ...]

    @property
    def lots(self) -> set[UUID]:
        """Answer all of them."""
        return {self.target, *self.sources}


def merged_values(target: InventoryItem, sources: Sequence[InventoryItem], policy: Mapping[str, str]) -> dict[str, Any]:
    """Answer what the fields of the lot that stays become. Raises Invalid for a policy that a field doesn't have."""
    wrong = {
        f"/policy/{name}": ["This field has no such policy."]
        for name, how in policy.items()
        if how not in POLICIES.get(name, ())
    }
    if wrong:
        raise Invalid(errors=wrong)
    lots = [target, *sources]
    values: dict[str, Any] = {}
    for name, ways in POLICIES.items():
        value = _value(lots, name, policy.get(name, ways[0]))
        if value != getattr(target, name):
            values[name] = value
    sold = [lot.last_sold_at for lot in lots if lot.last_sold_at]
    if sold and max(sold) != target.last_sold_at:
        values["last_sold_at"] = max(sold)
    return values


def _value(lots: Sequence[InventoryItem], name: str, how: str) -> Any:
    present = getattr(lots[0], name)
    found = [(getattr(lot, name), lot.qty_on_hand) for lot in lots if getattr(lot, name) is not None]
    match how:
        case "highest":
            return max((value for value, _ in found), default=present)
        case "lowest":
            return min((value for value, _ in found), default=present)
        case "weighted":
            pieces = sum(qty for _, qty in found)
            if not pieces:
                return present
            return (sum(value * qty for value, qty in found) / pieces).quantize(_CENT, rounding=ROUND_HALF_UP)
        case "joined":
            return " | ".join(dict.fromkeys(text for text, _ in found if text))[: LENGTHS[name]]
        case _:
            return present


@transaction.atomic
def merge_lots(
    *, target_id: UUID, source_ids: Collection[UUID], now: datetime, policy: Mapping[str, str] | None = None
) -> InventoryItem:
    """Put the pieces of lots into another of the same thing, and delete what is empty then; answer the one that stays.

    Raises Conflict where pieces of a source are promised to orders, Invalid for lots of different things, NotFound.
    """
    sources = [lot_id for lot_id in dict.fromkeys(source_ids) if lot_id != target_id]
    if not sources:
        raise Invalid(errors={"/source_ids": ["Choose two lots or more."]})
    held, balances = purchases.hold_with_purchases([target_id, *sources])
    if not {target_id, *sources} <= balances.keys():
        raise NotFound("A lot of these no longer exists.")
    if any(bought - held for bought in purchases.bought_with([target_id, *sources]).values()):
        raise Conflict("One of these lots was just added to a purchase. Try again.")
    _merge(Group(target_id, tuple(sources)), policy or {}, now=now)
    purchases.spread_again(purchase_ids=held, now=now)
    return InventoryItem.objects.get(pk=target_id)


def _merge(group: Group, policy: Mapping[str, str], *, now: datetime) -> None:
    """Merge lots that are held with their purchases, whose cost is to be spread again."""
    context.describe("inventory.merge_lots")
    lots = {lot.pk: lot for lot in InventoryItem.objects.filter(pk__in=group.lots)}
    target, others = lots[group.target], [lots[lot_id] for lot_id in group.sources]
    _check(target, others)
    values = merged_values(target, others, policy)
    purchases.hand_over_lines(target=target, sources=others)
    _move_pieces(group.target, {lot.pk: lot.qty_available for lot in others}, now=now)
    delete_lots(lot_ids=group.sources, now=now)
    update_lot(lot_id=group.target, changes=values, now=now)


def _check_equal(target: InventoryItem, others: Sequence[InventoryItem]) -> None:
    different = [lot for lot in others if any(getattr(lot, name) != getattr(target, name) for name in IDENTITY)]
    if different:
        raise Invalid(
            errors={"/source_ids": [f"{different[0]} isn't the same thing as {target}; only equal things merge."]}
        )


def _check(target: InventoryItem, others: Sequence[InventoryItem]) -> None:
    _check_equal(target, others)
    promised = [lot for lot in others if lot.qty_reserved]
    if promised:
        raise Conflict(
            f"{len(promised):,} of these lots {'has' if len(promised) == 1 else 'have'} pieces promised to orders."
            " Keep such a lot, or ship its orders first.",
            inventory_item_ids=[str(lot.pk) for lot in promised],
        )


def _move_pieces(target_id: UUID, pieces: Mapping[UUID, int], *, now: datetime) -> None:
    """Move what is for sale by movements, and have it lie where it lay."""
    wanted: dict[tuple[UUID, UUID], int] = {}
    for place in InventoryItemLocation.objects.filter(inventory_item__in=[target_id, *pieces]):
        key = (target_id, place.location_id)
        wanted[key] = wanted.get(key, 0) + place.qty
    deed = current_deed().row().id
    moves = []
    for lot_id, qty in pieces.items():
        if qty:
            move = partial(stock.Move, kind=MovementKind.MERGE, cause_type="lot")
            cause = f"{deed}:{lot_id}"
            moves += [
                move(lot_id=lot_id, available=-qty, cause_key=f"{cause}:from", cause_id=str(target_id)),
                move(lot_id=target_id, available=qty, cause_key=f"{cause}:to", cause_id=str(lot_id)),
            ]
    stock.move_stock(moves=moves, now=now)
    stock.write_placements(wanted)


# --- All equal ones --------------------------------------------------------------------------------------------------
def _fields(fields: Collection[str]) -> list[str]:
    unknown = set(fields) - set(ALSO)
    if unknown:
        raise Invalid(errors={"/fields": [f"Lots aren't compared by {', '.join(sorted(unknown))}."]})
    return [*IDENTITY, *(name for name in ALSO if name in fields)]


_MERGEABLE = (
    "count(*) > 1 AND count(*) FILTER (WHERE qty_reserved = 0) >= CASE WHEN bool_or(qty_reserved > 0) THEN 1 ELSE 2 END"
)


def count_equal(fields: Collection[str]) -> tuple[int, int]:
    """Answer how many groups of equal lots there are, and how many lots would go."""
    names = ", ".join(_fields(fields))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(sum(free - CASE WHEN held THEN 0 ELSE 1 END), 0) FROM ("  # noqa: S608  # names are ours
            "SELECT count(*) FILTER (WHERE qty_reserved = 0) AS free, bool_or(qty_reserved > 0) AS held"
            f" FROM {InventoryItem._meta.db_table} GROUP BY {names} HAVING {_MERGEABLE}) g"
        )
        groups, lots = cursor.fetchone()
    return groups, int(lots)


def equal_groups(fields: Collection[str], *, limit: int) -> list[Group]:
    """Answer groups of equal lots. The one that stays has pieces promised, or the most pieces, or was there first.

    Lots with promised pieces stay, however many a group has.
    """
    names = ", ".join(_fields(fields))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT array_agg(id ORDER BY qty_reserved > 0 DESC, qty_available DESC, date_added, id),"  # noqa: S608  # names are ours
            " array_agg(id) FILTER (WHERE qty_reserved > 0)"
            f" FROM {InventoryItem._meta.db_table} GROUP BY {names} HAVING {_MERGEABLE}"
            f" ORDER BY {', '.join(IDENTITY)} LIMIT %s",
            [limit],
        )
        rows = cursor.fetchall()
    return [
        Group(ids[0], tuple(lot_id for lot_id in ids[1:] if lot_id not in (promised or ()))) for ids, promised in rows
    ]


@transaction.atomic
def merge_equal(
    fields: Collection[str], *, policy: Mapping[str, str], now: datetime, limit: int = GROUPS_AT_ONCE
) -> tuple[int, int] | None:
    """Merge the next groups; answer how many groups, and how many lots went. None is that there are none.

    All their lots are held before the first is merged, and those that aren't equal any more by then are left for the
    next time.
    """
    found = equal_groups(fields, limit=limit)
    if not found:
        return None
    held, balances = purchases.hold_with_purchases({lot_id for group in found for lot_id in group.lots})
    groups = [group for group in equal_groups(fields, limit=limit) if balances.keys() >= group.lots]
    bought = purchases.bought_with([lot_id for group in groups for lot_id in group.lots])
    groups = [group for group in groups if all(bought.get(lot_id, set()) <= held for lot_id in group.lots)]
    placed = InventoryItemLocation.objects.filter(inventory_item__in=[lot for group in groups for lot in group.lots])
    stock.keep_locations(set(placed.values_list("location", flat=True)))
    for group in groups:
        _merge(group, policy, now=now)
    purchases.spread_again(purchase_ids=held, now=now)
    return len(groups), sum(len(group.sources) for group in groups)


def start_consolidation(*, fields: Sequence[str], policy: Mapping[str, str], key: str) -> JobRun:
    """Have all groups of equal lots merged by a job; the same key answers the same job. Raises Invalid."""
    groups, _ = count_equal(fields)
    args = {"fields": list(fields), "policy": dict(policy), "total": groups}
    return jobs.start(JOB, key=key, args=args, label=f"Consolidate {groups:,} groups of equal lots")


def equal_lots(lot: InventoryItem) -> list[InventoryItem]:
    """Answer the lots of the same thing, the lot itself first, then the largest ones."""
    alike = InventoryItem.objects.filter(**{name: getattr(lot, name) for name in IDENTITY}).exclude(pk=lot.pk)
    return [lot, *alike.defer("extra").order_by("-qty_available", "id")[: MOST - 1]]


def lots_to_merge(lot_ids: Collection[UUID]) -> list[InventoryItem]:
    """Answer the lots, the one that should stay first. Raises Invalid for too few, too many, or different things."""
    if not 1 < len(set(lot_ids)) <= MOST:
        raise Invalid(f"Choose 2 to {MOST} lots to merge.")
    found = InventoryItem.objects.filter(pk__in=lot_ids)
    lots = sorted(found, key=lambda lot: (lot.qty_reserved == 0, -lot.qty_available, lot.date_added, lot.pk))
    if lots:
        _check_equal(lots[0], lots[1:])
    return lots
