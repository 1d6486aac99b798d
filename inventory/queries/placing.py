"""Where lots are best put: what is empty, a suggestion for a lot, and the list of all that waits to be put away."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.models import Case, IntegerField, QuerySet, When

from inventory.lookalikes import Thing, base_number
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.placing import Place, Storage, Suggestion
from inventory.queries import totes
from inventory.queries.locations import color_look, locations_matching, places_of, with_contents


def empty_locations(*, text: str = "", path: Sequence[str] = ()) -> "QuerySet[Location]":
    """Answer the places in use that hold nothing, in walking order."""
    return locations_matching(text=text, path=path, state="empty").order_by("route_key", "id")


# Every lot of the wanted kinds at any place; item numbers by their index, since 3001 is the beginning of 3001pb12.
_RELATIVES = """
SELECT p.location_id, t.id, t.item_type, t.item_no, t.color_id, t.color_name, t.condition
FROM unnest(%s::text[]) b (base)
JOIN inventory_inventoryitem t ON t.item_no ~>=~ b.base AND t.item_no ~<~ (b.base || '~')
JOIN inventory_inventoryitemlocation p ON p.inventory_item_id = t.id AND p.qty > 0
"""


def storage_for(things: Iterable[Thing]) -> Storage:
    """Answer the places in use, and what lies there of things that could be like these. Two queries."""
    active = with_contents(Location.objects.filter(is_active=True)).order_by("route_key", "id")
    columns = active.values_list("id", "code", "zone", "aisle", "shelf", "capacity", "lot_count")
    places = [
        Place(id=key, code=code, shelf=(zone, aisle, shelf), capacity=capacity, lots=lots)
        for key, code, zone, aisle, shelf, capacity, lots in columns
    ]
    wanted = {(thing.item_type, base_number(thing.item_type, thing.item_no)) for thing in things}
    bases = sorted({base for _, base in wanted} | {thing.item_no for thing in things})
    held: dict[UUID, list[tuple[UUID, Thing]]] = defaultdict(list)
    seen: set[tuple[UUID, UUID]] = set()
    with connection.cursor() as cursor:
        cursor.execute(_RELATIVES, [bases])
        for place, lot, *values in cursor.fetchall():
            other = Thing(*values)
            if (place, lot) not in seen and (other.item_type, base_number(other.item_type, other.item_no)) in wanted:
                seen.add((place, lot))
                held[place].append((lot, other))
    return Storage(places, held)


def placed_of(lot_ids: Iterable[UUID]) -> dict[UUID, dict[UUID, int]]:
    """Answer how many pieces of each lot lie where. One query."""
    found: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    placed = InventoryItemLocation.objects.filter(inventory_item__in=list(lot_ids), qty__gt=0)
    for lot_id, place_id, qty in placed.values_list("inventory_item", "location", "qty"):
        found[lot_id][place_id] = qty
    return found


def thing_of(lot: InventoryItem) -> Thing:
    """Answer what a lot is to the eye."""
    return Thing(lot.item_type, lot.item_no, lot.color_id, lot.color_name, lot.condition)


def suggest_for(lot: InventoryItem) -> Suggestion | None:
    """Answer where to put pieces of a lot, and why; None where nothing is free."""
    thing = thing_of(lot)
    own = {place.location.pk: place.qty for place in places_of(lot.pk)}
    return storage_for([thing]).suggest(lot.pk, thing, own)


@dataclass(frozen=True, slots=True)
class PlaceOffer:
    """A place that a lot can be put to, and what speaks for it or lies there."""

    code: str
    words: str


def places_offered(lot: InventoryItem, text: str, *, most: int = 8) -> list[PlaceOffer]:
    """Answer places in use whose code has the text, in walking order, those that begin so first; without a text those
    that suit the lot best."""
    text = text.strip()
    if not text:
        thing = thing_of(lot)
        own = {place.location.pk: place.qty for place in places_of(lot.pk)}
        offers = storage_for([thing]).offers(lot.pk, thing, own, most=most)
        return [PlaceOffer(offer.place.code, offer.reason) for offer in offers]
    found = locations_matching(text=text).filter(is_active=True)
    begins = Case(When(code__istartswith=text, then=0), default=1, output_field=IntegerField())
    rows = with_contents(found).order_by(begins, "route_key", "id")[:most]
    return [PlaceOffer(row.code, _contents(row.lot_count)) for row in rows]


def _contents(lots: int) -> str:
    return f"{lots:,} {'lot' if lots == 1 else 'lots'}" if lots else "Empty"


@dataclass(frozen=True, slots=True)
class PutAwayRow:
    """A lot with pieces that have no place, and where they go best."""

    lot: InventoryItem
    rgb: str
    kind: str
    qty: int
    suggestion: Suggestion | None


_UNPLACED = """
SELECT {what} FROM inventory_inventoryitem t
LEFT JOIN (SELECT inventory_item_id, sum(qty) AS placed FROM inventory_inventoryitemlocation GROUP BY inventory_item_id)
    p ON p.inventory_item_id = t.id
LEFT JOIN ({totes}) o ON o.lot_id = t.id
WHERE {left} > 0 {order}
"""
# What is picked lies in totes, and nobody puts it away.
_LEFT = "t.qty_available + t.qty_reserved - coalesce(p.placed, 0) - coalesce(o.picked, 0)"


def count_unplaced() -> tuple[int, int]:
    """Answer how many lots have pieces without a place, and how many pieces these are."""
    what = f"count(*), coalesce(sum({_LEFT}), 0)"
    with connection.cursor() as cursor:
        cursor.execute(_UNPLACED.format(what=what, left=_LEFT, totes=totes.source(), order=""))
        [(lots, pieces)] = cursor.fetchall()
    return lots, int(pieces)


def put_away(*, first: int = 0, count: int = 100) -> list[PutAwayRow]:
    """Answer lots with pieces that have no place, newest last, each with a suggestion that counts on those before it.

    What is put beside its own comes first, in walking order; what finds no place comes last.
    """
    statement = _UNPLACED.format(
        what=f"t.id, {_LEFT}",
        left=_LEFT,
        totes=totes.source(),
        order="ORDER BY t.item_no, t.color_name, t.id LIMIT %s OFFSET %s",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [count, first])
        open_qty: dict[UUID, int] = dict(cursor.fetchall())
    lots = InventoryItem.objects.in_bulk(list(open_qty))
    storage = storage_for({thing_of(lot) for lot in lots.values()})
    own = placed_of(lots)
    rows = [_put_away_row(lots[key], qty, storage, own[key]) for key, qty in open_qty.items() if key in lots]
    position = {place.id: number for number, place in enumerate(storage.places)}
    rows.sort(key=lambda row: position[row.suggestion.place.id] if row.suggestion else len(position))
    return rows


def _put_away_row(lot: InventoryItem, qty: int, storage: Storage, own: Mapping[UUID, int]) -> PutAwayRow:
    thing = thing_of(lot)
    suggestion = storage.suggest(lot.pk, thing, own)
    if suggestion:
        storage.put(suggestion.place, lot.pk, thing)
    return PutAwayRow(lot, *color_look(lot.color_id), qty, suggestion)
