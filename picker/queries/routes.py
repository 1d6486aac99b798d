"""A walk as a device shows it: stops in their order with what lies there, and who picks where."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Prefetch, Q

from catalog import colors
from catalog.choices import RelationKind
from catalog.models import CatalogRelation
from inventory.models import InventoryItem, InventoryItemLocation
from picker.lookalikes import are_near, distance
from picker.models import Picker, PickNeed, PickSession, PickSessionOrder, PickStop
from picker.queries.sessions import entries_of

# More warnings than these aren't read while walking.
_MOST_LOOKALIKES = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Another place of a lot, with how many pieces the books have there."""

    location: UUID
    code: str
    qty: int


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A neighbor that a lot is easily mistaken for, and where that lies."""

    text: str
    location: str


@dataclass(frozen=True, slots=True)
class Stop:
    """A stop with its lot. `lot` is None where that was deleted meanwhile."""

    row: PickStop
    lot: InventoryItem | None
    needs: Sequence[PickNeed]
    others: Sequence[Place] = ()
    lookalikes: Sequence[Lookalike] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """A session with its orders, pickers and stops. `codes`: the batch code of each order."""

    session: PickSession
    entries: Sequence[PickSessionOrder]
    pickers: Sequence[Picker]
    stops: Sequence[Stop]

    @property
    def codes(self) -> Mapping[UUID, str]:
        """Answer the batch code of each order."""
        return {entry.order_id: entry.batch_code for entry in self.entries}


def pickers_of(session: PickSession) -> list[Picker]:
    """Answer who takes part, the first first. One query."""
    return list(session.pickers.select_related("user").order_by("created_at", "pk"))


def route_of(session: PickSession) -> Route:
    """Answer the whole walk of a session. Eight queries, however many stops there are."""
    needs = PickNeed.objects.select_related("order_line").order_by("order_line__position", "pk")
    rows = session.stops.select_related("location").prefetch_related(Prefetch("needs", queryset=needs))
    stops = list(rows.order_by("position", "pk"))
    lots = InventoryItem.objects.defer("extra").in_bulk({stop.inventory_item_id for stop in stops})
    alike = _alike(lots)
    places = _places({*lots, *(lot.pk for found in alike.values() for lot in found)})
    entries = entries_of(session)
    sequence = {entry.order_id: entry.sort_order for entry in entries}
    return Route(
        session, entries, pickers_of(session),
        [
            Stop(
                row, lots.get(row.inventory_item_id),
                sorted(row.needs.all(), key=lambda need: sequence.get(need.order_line.order_id, 0)),
                [place for place in places[row.inventory_item_id] if place.location != row.location_id],
                _warnings(lots.get(row.inventory_item_id), alike.get(row.inventory_item_id, ()), places),
            )
            for row in stops
        ],
    )  # fmt: skip


def changed_since(session: PickSession, version: int) -> list[PickStop]:
    """Answer the stops that changed after a version of the session, with their needs. Two queries."""
    needs = PickNeed.objects.order_by("pk")
    changed = session.stops.filter(changed_in__gt=version)
    return list(changed.prefetch_related(Prefetch("needs", queryset=needs)).order_by("position"))


def _places(lot_ids: set[UUID]) -> Mapping[UUID, list[Place]]:
    found: dict[UUID, list[Place]] = defaultdict(list)
    rows = InventoryItemLocation.objects.filter(inventory_item__in=lot_ids, qty__gt=0, location__is_active=True)
    named = rows.order_by("location__route_key").values_list("inventory_item", "location", "location__code", "qty")
    for lot_id, location, code, qty in named:
        found[lot_id].append(Place(location, code, qty))
    return found


def _alike(lots: Mapping[UUID, InventoryItem]) -> dict[UUID, list[InventoryItem]]:
    """Answer of each lot the others in stock that it is mistaken for: a near color of the item, or its other mould."""
    moulds = _moulds({(lot.item_type, lot.item_no) for lot in lots.values()})
    numbers = {lot.item_no for lot in lots.values()} | {no for others in moulds.values() for _type, no in others}
    if not numbers:
        return {}
    stock = InventoryItem.objects.filter(item_no__in=numbers, placements__qty__gt=0).distinct().defer("extra")
    by_item: dict[tuple[str, str], list[InventoryItem]] = defaultdict(list)
    for lot in stock:
        by_item[lot.item_type, lot.item_no].append(lot)
    found = {}
    for key, lot in lots.items():
        near: list[InventoryItem] = [
            other for other in by_item[lot.item_type, lot.item_no]
            if other.color_id != lot.color_id and are_near(rgb_of(lot), rgb_of(other))
        ]  # fmt: skip
        near += [
            other for item in moulds.get((lot.item_type, lot.item_no), ()) for other in by_item[item]
            if other.color_id == lot.color_id
        ]  # fmt: skip
        found[key] = sorted(near, key=lambda other: _far(lot, other))
    return found


def _far(lot: InventoryItem, other: InventoryItem) -> float:
    """Answer how far apart two lots look; another mould of the color is the same."""
    return distance(rgb_of(lot), rgb_of(other)) if lot.color_id != other.color_id else 0.0


def _moulds(items: set[tuple[str, str]]) -> dict[tuple[str, str], set[tuple[str, str]]]:
    numbers = {number for _type, number in items}
    kinds = (RelationKind.MOLD, RelationKind.ALTERNATE)
    rows = CatalogRelation.objects.filter(
        Q(child__item_no__in=numbers) | Q(parent__item_no__in=numbers), kind__in=kinds
    ).values_list("child__item_type", "child__item_no", "parent__item_type", "parent__item_no")
    found: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for child_type, child, parent_type, parent in rows:
        found[child_type, child].add((parent_type, parent))
        found[parent_type, parent].add((child_type, child))
    return found


def _warnings(
    lot: InventoryItem | None, alike: Sequence[InventoryItem], places: Mapping[UUID, Sequence[Place]]
) -> list[Lookalike]:
    if lot is None:
        return []
    found: dict[str, Lookalike] = {}
    for other in alike:
        where = next((place.code for place in places.get(other.pk, ())), "")
        text = other.color_name if other.item_no == lot.item_no else f"{other.item_no} {other.color_name}".strip()
        if where and text not in found:
            found[text] = Lookalike(text, where)
    return list(found.values())[:_MOST_LOOKALIKES]


def rgb_of(lot: InventoryItem) -> str:
    """Answer a lot's color as six hexadecimal digits; empty for none."""
    color = colors.get(lot.color_id) if lot.color_id is not None else None
    return color.rgb if color else ""
