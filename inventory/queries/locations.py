"""What can be asked about locations: the tree, the list, one place with its contents, labels, codes to come."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Lower

from catalog import colors
from common.errors import NotFound
from inventory.codes import parts_of
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.naturals import natural_key
from inventory.queries.totes import in_totes_of, loose

LEVELS = ("zone", "aisle", "shelf")
STATES = {
    "used": "With contents",
    "empty": "Empty",
    "full": "Full",
    "over": "Over capacity",
    "uncounted": "Never counted",
    "inactive": "Not in use",
}
SORTS = {
    "route": ("route_key", "id"),
    "code": ("code", "id"),
    "lots": ("lot_count", "id"),
    "pieces": ("piece_count", "id"),
    "capacity": ("capacity", "id"),
    "counted": ("last_counted_at", "id"),
}


# --- The tree -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Branch:
    """A zone, aisle or shelf: how many places it has, and how many of them hold something."""

    level: str
    name: str
    place_count: int
    used_count: int
    is_open: bool
    # Nothing below it is open.
    is_current: bool = False
    branches: tuple["Branch", ...] = ()

    @property
    def name_quoted(self) -> str:
        """Answer its name as an address has it."""
        return quote(self.name, safe="")


_BRANCHES = """
SELECT {column}, count(*), count(*) FILTER (
    WHERE EXISTS (SELECT 1 FROM inventory_inventoryitemlocation p WHERE p.location_id = l.id AND p.qty > 0))
FROM inventory_location l WHERE TRUE {where} GROUP BY {column}
"""


def tree(path: Sequence[str]) -> tuple[Branch, ...]:
    """Answer the zones, and the aisles and shelves of those that `path` (zone, aisle, shelf) opens. A query a level."""
    return _branches((), tuple(path))


def _branches(above: tuple[str, ...], path: tuple[str, ...]) -> tuple[Branch, ...]:
    level = LEVELS[len(above)]
    where = "".join(f" AND l.{name} = %s" for name in LEVELS[: len(above)])
    with connection.cursor() as cursor:
        cursor.execute(_BRANCHES.format(column=f"l.{level}", where=where), above)
        rows: list[tuple[str, int, int]] = cursor.fetchall()
    rows.sort(key=lambda row: (row[0] == "", natural_key(row[0])))
    opened = path[len(above)] if len(path) > len(above) else None
    deeper = len(above) + 1 < len(LEVELS)
    return tuple(
        Branch(
            level=level,
            name=name,
            place_count=count,
            used_count=used,
            is_open=name == opened,
            is_current=name == opened and len(path) == len(above) + 1,
            branches=_branches((*above, name), path) if deeper and name == opened else (),
        )
        for name, count, used in rows
        if name or not above
    )


# --- The list -------------------------------------------------------------------------------------------------------
def _of(field: str, aggregate: Any) -> Coalesce:
    rows = InventoryItemLocation.objects.filter(location=OuterRef("pk"), qty__gt=0).order_by().values("location")
    return Coalesce(Subquery(rows.annotate(made=aggregate).values("made"), output_field=IntegerField()), 0)


def with_contents(found: "QuerySet[Location]") -> Any:
    """Answer the locations with `lot_count` and `piece_count`."""
    return found.annotate(lot_count=_of("lots", Count("id")), piece_count=_of("pieces", Sum("qty")))


def locations_matching(*, text: str = "", path: Sequence[str] = (), state: str = "") -> "QuerySet[Location]":
    """Answer the locations whose code has the text, in the part of the storage that `path` names, in that state."""
    found = Location.objects.all()
    for level, name in zip(LEVELS, path, strict=False):
        found = found.filter(**{level: name})
    if text:
        found = found.filter(code__icontains=text.strip().removesuffix("*"))
    holds = Exists(InventoryItemLocation.objects.filter(location=OuterRef("pk"), qty__gt=0))
    match state:
        case "used":
            found = found.filter(holds)
        case "empty":
            found = found.filter(~holds, is_active=True)
        case "full":
            found = with_contents(found).filter(capacity__isnull=False, lot_count__gte=F("capacity"))
        case "over":
            found = with_contents(found).filter(capacity__isnull=False, lot_count__gt=F("capacity"))
        case "uncounted":
            found = found.filter(last_counted_at__isnull=True)
        case "inactive":
            found = found.filter(is_active=False)
    return found


def is_code(code: str) -> bool:
    """Tell whether a location has that code, in any case."""
    return Location.objects.filter(code__iexact=code).exists()


@dataclass(frozen=True, slots=True)
class LocationRow:
    """A location as the list shows it."""

    id: UUID
    code: str
    where: str
    lots: int
    pieces: int
    capacity: int | None
    sort_order: int
    is_active: bool
    last_counted_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Tell whether more lots lie there than it takes."""
        return self.capacity is not None and self.lots > self.capacity


def where_of(location: Location) -> str:
    """Answer a place's parts in words: `zone A › aisle 01 › shelf 2`."""
    parts = ((name, getattr(location, name)) for name in (*LEVELS, "bin"))
    return " › ".join(f"{name} {value}" for name, value in parts if value)


def list_locations(
    found: "QuerySet[Location]", *, sort: str = "route", descending: bool = False, first: int = 0, count: int = 50
) -> tuple[list[LocationRow], int]:
    """Answer a page of the locations, and how many there are."""
    names = SORTS.get(sort, SORTS["route"])
    order = [F(name).desc(nulls_last=True) if descending else F(name).asc(nulls_last=True) for name in names]
    rows = with_contents(found).order_by(*order)[first : first + count]
    return [
        LocationRow(
            id=row.id,
            code=row.code,
            where=where_of(row),
            lots=row.lot_count,
            pieces=row.piece_count,
            capacity=row.capacity,
            sort_order=row.sort_order,
            is_active=row.is_active,
            last_counted_at=row.last_counted_at,
        )
        for row in rows
    ], found.count()


def get_location(location_id: UUID) -> Location:
    """Answer a location. Raises NotFound."""
    location = Location.objects.filter(pk=location_id).first()
    if location is None:
        raise NotFound
    return location


def location_with_contents(location_id: UUID) -> Location:
    """Answer a location with `lot_count` and `piece_count`. Raises NotFound."""
    location: Location | None = with_contents(Location.objects.filter(pk=location_id)).first()
    if location is None:
        raise NotFound
    return location


def location_named(code: str) -> Location | None:
    """Answer the location of that code, in any case."""
    return Location.objects.alias(lowered=Lower("code")).filter(lowered=code.strip().lower()).first()


def has_locations() -> bool:
    """Tell whether the shop has any location yet."""
    return Location.objects.exists()


def codes_present(codes: Iterable[str]) -> set[str]:
    """Answer which of the codes exist, in lower case."""
    lowered = [code.lower() for code in codes]
    found = Location.objects.alias(lowered=Lower("code")).filter(lowered__in=lowered)
    return {code.lower() for code in found.values_list("code", flat=True)}


# --- One place ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LotAt:
    """A lot at a place: how many pieces here, how many elsewhere, how many have no place."""

    lot: InventoryItem
    rgb: str
    kind: str
    qty: int
    qty_elsewhere: int
    qty_unplaced: int


def color_look(color_id: int | None) -> tuple[str, str]:
    """Answer a color's RGB and kind as swatches take them."""
    color = colors.get(color_id)
    if color is None:
        return "", ""
    kind = color.color_type.lower()
    return color.rgb, kind if kind in {"transparent", "chrome", "pearl", "metallic", "glitter"} else "solid"


def contents_of(location_id: UUID, *, first: int = 0, count: int = 100) -> tuple[list[LotAt], int]:
    """Answer a page of what lies at a place, by number and color, and how many lots these are. Three queries."""
    found = InventoryItemLocation.objects.filter(location=location_id, qty__gt=0)
    ordered = found.select_related("inventory_item").order_by(
        "inventory_item__item_no", "inventory_item__color_name", "inventory_item_id"
    )
    rows = list(ordered[first : first + count])
    placed = placed_sums({row.inventory_item_id for row in rows})
    return [
        LotAt(
            row.inventory_item,
            *color_look(row.inventory_item.color_id),
            qty=row.qty,
            qty_elsewhere=placed[row.inventory_item_id] - row.qty,
            qty_unplaced=row.inventory_item.qty_on_hand - placed[row.inventory_item_id],
        )
        for row in rows
    ], found.count()


def placed_sums(lot_ids: Collection[UUID]) -> dict[UUID, int]:
    """Answer how many pieces of each lot lie at places; 0 for those that lie nowhere."""
    rows = InventoryItemLocation.objects.filter(inventory_item__in=lot_ids).values("inventory_item")
    sums = dict(rows.annotate(total=Sum("qty")).values_list("inventory_item", "total"))
    return {lot: sums.get(lot, 0) for lot in lot_ids}


@dataclass(frozen=True, slots=True)
class PlaceOf:
    """A place of a lot."""

    location: Location
    qty: int


def places_of(lot_id: UUID) -> list[PlaceOf]:
    """Answer where a lot lies, in walking order."""
    rows = InventoryItemLocation.objects.filter(inventory_item=lot_id, qty__gt=0).select_related("location")
    return [PlaceOf(row.location, row.qty) for row in rows.order_by("location__route_key", "location_id")]


def qty_loose(lot: InventoryItem, places: Collection[PlaceOf]) -> int:
    """Answer how many of a lot's pieces lie at none of its places and in no tote. One query."""
    return loose(lot.qty_on_hand - sum(place.qty for place in places), in_totes_of([lot.pk])[lot.pk])


def get_lot(lot_id: UUID) -> InventoryItem:
    """Answer a lot. Raises NotFound."""
    lot = InventoryItem.objects.filter(pk=lot_id).first()
    if lot is None:
        raise NotFound
    return lot


def lots_called(text: str, *, at: UUID | None = None, limit: int = 20) -> list[InventoryItem]:
    """Answer lots whose number is the text, or begins with it if none is; `at`: only those that lie there."""
    found = InventoryItem.objects.all()
    if at is not None:
        held = InventoryItemLocation.objects.filter(location=at, qty__gt=0)
        found = found.filter(pk__in=held.values("inventory_item"))
    exact = list(found.filter(item_no__iexact=text).order_by("color_name", "id")[:limit])
    if exact or not text:
        return exact
    return list(found.filter(item_no__startswith=text).order_by("item_no", "id")[:limit])


# --- Codes to come --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Generation:
    """What generating a range of codes would make."""

    new: tuple[str, ...]
    existing: tuple[str, ...]

    @property
    def sample(self) -> tuple[tuple[str, str], ...]:
        """Answer the first and last new codes with what each is read as; an empty pair stands for those between."""
        shown = self.new if len(self.new) <= _SHOWN else (*self.new[: _SHOWN - 3], "", *self.new[-2:])
        return tuple((code, _words(code)) for code in shown)


_SHOWN = 12


def _words(code: str) -> str:
    parts = parts_of(code)
    return " › ".join(f"{name} {getattr(parts, name)}" for name in (*LEVELS, "bin") if getattr(parts, name))


def plan_generation(codes: Sequence[str]) -> Generation:
    """Answer which of the codes are new, and which exist."""
    present = codes_present(codes)
    return Generation(
        new=tuple(code for code in codes if code.lower() not in present),
        existing=tuple(code for code in codes if code.lower() in present),
    )


def labels_of(*, path: Sequence[str] = (), ids: Sequence[UUID] = (), text: str = "", limit: int) -> list[Location]:
    """Answer the locations to print labels of: those named, or those in a part of the storage, in walking order."""
    found = Location.objects.filter(pk__in=ids) if ids else locations_matching(text=text, path=path)
    return list(found.order_by("route_key", "id")[:limit])


def lots_of(ids: Sequence[UUID], *, at: UUID | None = None, limit: int) -> list[InventoryItem]:
    """Answer the lots to print labels of: those named, or those that lie at a place."""
    chosen = Q(pk__in=ids)
    if at is not None:
        chosen |= Q(pk__in=InventoryItemLocation.objects.filter(location=at, qty__gt=0).values("inventory_item"))
    return list(InventoryItem.objects.filter(chosen).order_by("item_no", "color_name", "id")[:limit])
