"""One order with all that belongs to it, as its page shows it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import Q, Value
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django_countries import countries

from audit import labels
from audit.models import ChangeSet
from audit.recording import history_of
from inventory.choices import Completeness, ItemCondition
from inventory.models import InventoryItem, StockMovement
from inventory.queries.rows import ColorLook, Place, look_of, lot_url, places_read, with_places
from orders import lifecycle
from orders.choices import OrderStatus
from orders.lifecycle import By, Status
from orders.models import Order, OrderLine, Refund
from orders.queries.orders import flag_labels, order_url

_OTHERS, _ALTERNATIVES, _TIMELINE, _READ = 5, 3, 50, 400


@dataclass(frozen=True, slots=True)
class Alternative:
    """A lot that could step in."""

    lot_id: UUID
    name: str
    qty: int
    place: str


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line as the page shows it."""

    id: UUID
    position: int
    lot_id: UUID | None
    lot_url: str
    item_type: str
    item_no: str
    item_name: str
    # Empty where only the channel's own number is known: elsewhere it may be another thing.
    picture_no: str
    color_id: int | None
    color: ColorLook
    condition: str
    description: str
    channel_number: str
    ordered: int
    reserved: int
    short: int
    picked: int
    missing: int
    shipped: int
    restocked: int
    unit_price: Decimal
    total: Decimal
    status: str
    places: tuple[Place, ...]
    # Where many sellers say where it lies.
    remarks: str
    is_cover: bool
    alternatives: tuple[Alternative, ...]

    @property
    def name(self) -> str:
        """Answer what people call it: `3001 · Red · New`."""
        return " · ".join(part for part in (self.item_no or self.item_name, self.color.name, self.condition) if part)

    @property
    def short_words(self) -> str:
        """Answer how many pieces no stock covers."""
        return f"{self.short:,} short"

    @property
    def missing_words(self) -> str:
        """Answer how many pieces picking didn't find."""
        return f"{self.missing:,} missing"

    @property
    def is_removed(self) -> bool:
        """Tell whether nothing of it is ordered any more."""
        return not self.ordered

    @property
    def to_solve(self) -> int:
        """Answer how many pieces are short or missing."""
        return self.short + self.missing

    @property
    def left_outside(self) -> int:
        """Answer how many shipped pieces haven't come back."""
        return self.shipped - self.restocked


def lines_of(order: Order) -> list[LineRow]:
    """Answer an order's lines as they were ordered, with where their pieces lie. Up to three queries."""
    lines = list(order.lines.order_by("position"))
    lots = {line.inventory_item_id for line in lines if line.inventory_item_id}
    there = with_places(InventoryItem.objects.filter(pk__in=lots).only("pk", "remarks")) if lots else ()
    kept = {lot.pk: (tuple(places_read(lot)), lot.remarks) for lot in there}
    wanting = [line for line in lines if order.is_open and (line.qty_short + line.qty_missing)]
    others = alternatives_of(wanting)
    return [_line(line, kept, others.get(line.pk, ())) for line in lines]


def _line(
    line: OrderLine, kept: Mapping[UUID, tuple[tuple[Place, ...], str]], others: Iterable[Alternative]
) -> LineRow:
    lot = line.inventory_item_id
    places, remarks = kept.get(lot, ((), "")) if lot else ((), "")
    condition = str(ItemCondition(line.condition).label)
    if line.completeness:
        condition = f"{condition}, {str(Completeness(line.completeness).label).lower()}"
    return LineRow(
        id=line.pk, position=line.position, lot_id=lot, lot_url=lot_url(lot) if lot and lot in kept else "",
        item_type=line.item_type, item_no=line.item_no or line.external_item_no, item_name=line.item_name,
        picture_no=line.item_no, color_id=line.color_id, color=look_of(line.color_id, line.color_name),
        condition=condition, description=line.description, channel_number=line.external_item_no,
        ordered=line.qty_ordered, reserved=line.qty_reserved, short=line.qty_short, picked=line.qty_picked,
        missing=line.qty_missing, shipped=line.qty_shipped, restocked=line.qty_restocked,
        unit_price=line.unit_price, total=line.line_total, status=line.status,
        places=places, remarks=remarks, is_cover=line.covers_id is not None, alternatives=tuple(others),
    )  # fmt: skip


def alternatives_of(lines: list[OrderLine]) -> dict[UUID, tuple[Alternative, ...]]:
    """Answer lots of the same item and color that have pieces, for the lines that want some. One query."""
    if not lines:
        return {}
    keys = sorted({_thing_of(line) for line in lines}, key=str)
    best = RawSQL(_BEST, [[*column] for column in zip(*keys, strict=True)])  # noqa: S611  # names come from the models
    found = with_places(InventoryItem.objects.filter(pk__in=best).defer("extra"))
    by_thing: dict[_Thing, list[Alternative]] = defaultdict(list)
    for lot in found.order_by("-qty_available", "pk"):
        place = next((place.code for place in places_read(lot)), "")
        by_thing[_thing_of(lot)].append(Alternative(lot.pk, str(lot), lot.qty_available, place))
    return {
        line.pk: tuple(each for each in by_thing[_thing_of(line)] if each.lot_id != line.inventory_item_id)[
            :_ALTERNATIVES
        ]
        for line in lines
    }


_Thing = tuple[str, str, int | None]
# Of each thing the lots with the most pieces; one more than is shown, since a line's own lot is left out.
_BEST = f"""
SELECT best.id FROM unnest(%s::text[], %s::text[], %s::int[]) wanted (item_type, item_no, color_id)
CROSS JOIN LATERAL (
    SELECT t.id FROM {InventoryItem._meta.db_table} t
    WHERE t.item_no = wanted.item_no AND t.item_type = wanted.item_type
        AND t.color_id IS NOT DISTINCT FROM wanted.color_id AND t.qty_available > 0
    ORDER BY t.qty_available DESC, t.id LIMIT {_ALTERNATIVES + 1}
) best
"""  # noqa: S608  # names come from the models


def _thing_of(row: OrderLine | InventoryItem) -> _Thing:
    return (row.item_type, row.item_no, row.color_id)


# --- The stepper ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Step:
    """One station of an order's way. `state`: past, present, ahead or off the way."""

    status: str
    label: str
    state: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Move:
    """A step that somebody may take next."""

    status: str
    label: str
    is_back: bool

    @property
    def verb(self) -> str:
        """Answer what the button says."""
        return _VERBS.get(self.status, f"Set to {self.label.lower()}")


_VERBS = {
    "PENDING": "Clear for picking",
    "PICKING": "Start picking",
    "PACKING": "Start packing",
    "READY": "Ready to ship",
    "SHIPPED": "Ship order",
    "DELIVERED": "Mark delivered",
    "COMPLETED": "Complete",
}


@dataclass(frozen=True, slots=True)
class Past:
    """What a version of an order tells of its way, and the deed that made it."""

    status: str
    status_changed_at: datetime
    change_set_id: UUID


def past_of(order: Order) -> list[Past]:
    """Answer the versions of an order, the oldest first. One query."""
    rows = history_of(Order).objects.filter(id=order.pk).order_by("history_id")
    return [Past(*row) for row in rows.values_list("status", "status_changed_at", "change_set_id")]


def steps_of(order: Order, past: Sequence[Past]) -> list[Step]:
    """Answer the way of an order: what it has passed and when, where it is, what lies ahead."""
    reached: dict[str, datetime] = {}
    for version in past:
        reached.setdefault(version.status, version.status_changed_at)
    here = Status(order.status)
    ended = here in lifecycle.ENDS
    way: list[Step] = []
    for status in lifecycle.WAY:
        if ended and status not in reached:
            continue
        if status is here:
            state, at = "present", order.status_changed_at
        elif not ended and lifecycle.RANK[status] > lifecycle.RANK[here]:
            state, at = "ahead", None
        else:
            state, at = "past", reached.get(status)
        way.append(Step(status.value, str(OrderStatus(status).label), state, at))
    if ended:
        way.append(Step(here.value, str(OrderStatus(here).label), "ended", order.status_changed_at))
    return way


def moves_of(order: Order) -> list[Move]:
    """Answer the steps that a person may take, without the two ends: these have their own buttons."""
    here = Status(order.status)
    return [
        Move(each.value, str(OrderStatus(each).label), lifecycle.is_backwards(here, each))
        for each in lifecycle.allowed(here, By.USER)
        if each not in lifecycle.ENDS
    ]


# --- Around it ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline: a deed, and what it moved."""

    at: datetime
    words: str
    actor: str
    url: str
    moves: str


def timeline_of(order: Order, past: Sequence[Past]) -> list[Entry]:
    """Answer what happened to an order, newest first: deeds of the trail and the pieces that they moved. Three queries.

    Picks of the same person one after the other are one entry. Only the newest of an order that has seen very many.
    """
    ids = {version.change_set_id for version in past}
    refunded, picked = _of_parts(order)
    lots = order.lines.filter(inventory_item__isnull=False).values("inventory_item_id")
    moved: dict[Any, list[StockMovement]] = {}
    found = StockMovement.objects.filter(inventory_item__in=lots, cause_type="order", cause_id=str(order.pk)).order_by(
        "pk"
    )
    for move in found:
        moved.setdefault(move.change_set_id, []).append(move)
    wanted = ids | refunded | picked.keys() | moved.keys()
    sets = ChangeSet.objects.filter(pk__in=wanted).order_by("-created_at", "-pk")[:_READ]
    entries: list[Entry] = []
    for (_action, _actor, is_pick), deeds in groupby(sets, key=lambda deed: _neighborhood(deed, picked)):
        together = list(deeds)
        if is_pick:
            entries.append(_entry(together[0], _pick_words([picked[deed.pk] for deed in together])))
        else:
            entries += [_entry(deed, _move_words(moved.get(deed.pk, []))) for deed in together]
    return entries[:_TIMELINE]


def _entry(deed: ChangeSet, moves: str) -> Entry:
    words = labels.deed_words(deed.action, deed.reason)
    return Entry(deed.created_at, words, deed.actor_name, reverse("audit:change_set", args=[deed.pk]), moves)


# How many pieces more a deed has picked, and how many more it has found missing.
_Picks = tuple[int, int]


def _neighborhood(deed: ChangeSet, picked: Mapping[UUID, _Picks]) -> tuple[str, str, bool]:
    """Answer what deeds have in common that are told as one."""
    return deed.action, deed.actor_name, deed.pk in picked


def _of_parts(order: Order) -> tuple[set[UUID], dict[UUID, _Picks]]:
    """Answer the deeds that gave money back, and those that picked lines, with their pieces. One query."""
    line_rows = (
        history_of(OrderLine).objects.filter(id__in=order.lines.values("pk")).annotate(is_line=Value(value=True))
    )
    money_rows = (
        history_of(Refund).objects.filter(order_id=order.pk).annotate(none=Value(0), is_line=Value(value=False))
    )
    rows = line_rows.values_list("history_id", "change_set_id", "id", "qty_picked", "qty_missing", "is_line").union(
        money_rows.values_list("history_id", "change_set_id", "id", "none", "none", "is_line"), all=True
    )
    refunded: set[UUID] = set()
    picked: dict[UUID, _Picks] = {}
    before: dict[UUID, _Picks] = {}
    for _place, deed, key, here, missing, is_line in sorted(rows, key=lambda row: (not row[5], row[0])):
        if not is_line:
            refunded.add(deed)
            continue
        earlier = before.get(key, (0, 0))
        before[key] = (here, missing)
        if before[key] != earlier:
            so_far = picked.get(deed, (0, 0))
            picked[deed] = (so_far[0] + here - earlier[0], so_far[1] + missing - earlier[1])
    return refunded, picked


def _pick_words(picks: Sequence[_Picks]) -> str:
    found, missing = sum(pick[0] for pick in picks), sum(pick[1] for pick in picks)
    words = [f"{found:,} piece{'' if found == 1 else 's'}"] if found or not missing else []
    return ", ".join([*words, *([f"{missing:,} missing"] if missing else [])])


def _move_words(moves: list[StockMovement]) -> str:
    sums: dict[str, int] = {}
    for move in moves:
        label = str(move.get_kind_display()).lower()
        sums[label] = sums.get(label, 0) + max(abs(move.delta_available), abs(move.delta_reserved))
    return ", ".join(f"{qty:,} piece{'' if qty == 1 else 's'} {label}" for label, qty in sums.items())


@dataclass(frozen=True, slots=True)
class Kin:
    """Another order that belongs to this one."""

    id: UUID
    number: str
    status: str
    ordered_at: datetime

    @property
    def may_join(self) -> bool:
        """Tell whether it can still go in a parcel with others."""
        return self.status in lifecycle.PROMISED

    @property
    def url(self) -> str:
        """Answer the order's page."""
        return order_url(self.id)


@dataclass(frozen=True, slots=True)
class Family:
    """The orders around one: the buyer's newest others, those in the same parcel, those that send pieces again."""

    others: tuple[Kin, ...]
    parcel: tuple[Kin, ...]
    replacements: tuple[Kin, ...]


def family_of(order: Order) -> Family:
    """Answer the orders around one. One query, each part of it from an index of its own."""
    lead = order.ships_with_id or order.pk
    all_others = Order.objects.exclude(pk=order.pk)
    parts = {
        "parcel": all_others.filter(Q(pk=lead) | Q(ships_with=lead)),
        "replacements": all_others.filter(replaces=order.pk),
    }
    if order.buyer_id:
        parts["others"] = all_others.filter(buyer=order.buyer_id).order_by("-ordered_at", "-id")[:_OTHERS]
    first, *rest = [
        part.annotate(part=Value(name)).values_list("part", "pk", "external_order_id", "status", "ordered_at")
        for name, part in parts.items()
    ]
    found: dict[str, list[Kin]] = defaultdict(list)
    for name, key, number, status, at in first.union(*rest, all=True).order_by("ordered_at", "pk"):
        found[str(name)].append(Kin(key, number, status, at))
    told = {kin.id for kin in (*found["parcel"], *found["replacements"])}
    others = tuple(kin for kin in reversed(found["others"]) if kin.id not in told)
    return Family(others, tuple(found["parcel"]), tuple(found["replacements"]))


def refunds_of(order: Order) -> list[Refund]:
    """Answer what was given back, the newest first."""
    return list(order.refunds.order_by("-refunded_at", "-id"))


def address_lines(order: Order) -> list[str]:
    """Answer the address as it is written on a parcel."""
    to = order.ship_to
    town = " ".join(part for part in (to.get("postal", ""), to.get("city", "")) if part)
    country = str(countries.name(to.get("country", "")) or to.get("country", ""))
    lines = (to.get("name"), to.get("address1"), to.get("address2"), town, to.get("state"), country)
    return [line for line in lines if line]


def flags_of(order: Order) -> tuple[str, ...]:
    """Answer an order's flags in words."""
    return flag_labels(order.flags)
