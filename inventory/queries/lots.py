"""What is asked about lots: the list in pages, its totals and views, what filters offer, one lot and those alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Count, DecimalField, F, Q, QuerySet, Sum
from django.utils import timezone

from common.api.pagination import CursorPagination, Page
from common.errors import NotFound
from inventory.models import InventoryItem, ListPage, Location, SavedView
from inventory.models.lots import (
    description_start,
    first_tier,
    margin,
    remarks_start,
    reserved_name,
    retained,
    sale,
    stock_room,
)
from inventory.queries.filters import Filters, Term, filtered, leaves_few
from inventory.queries.pricing import with_sold
from inventory.queries.rows import ColorLook, LotRow, look_of, places_read, row_of, rows_of, with_places
from stores.choices import Channel
from stores.models import Store

# Counting goes so far, and summing takes so long, before a list says "10,000+".
COUNTED = 10_000
_PATIENCE_MS = 400
_NEAR_TERMS, _NEAR_COUNTED = 6, 1000
_SHOWN_COLORS, _SHOWN_CATEGORIES = 60, 200


# --- The list -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Sort:
    """What a list can be sorted by: a column or an expression, each of which has its index."""

    name: str
    label: str
    key: str
    nulls_last: bool = False


SORTS: Mapping[str, Sort] = {
    sort.name: sort
    for sort in (
        Sort("number", "Item number", "item_no"),
        Sort("color", "Color", "color_name"),
        Sort("condition", "Condition", "condition"),
        Sort("category", "Category", "category_name"),
        Sort("available", "Available", "qty_available"),
        Sort("reserved", "Reserved", "qty_reserved"),
        Sort("price", "Price", "unit_price"),
        Sort("cost", "Cost", "cost_basis", nulls_last=True),
        Sort("margin", "Margin", "margin", nulls_last=True),
        Sort("location", "Location", "location_key"),
        Sort("remarks", "Remarks", "remarks_start"),
        Sort("added", "Added", "date_added"),
        Sort("sold", "Last sold", "last_sold_at", nulls_last=True),
        Sort("updated", "Changed", "updated_at"),
        Sort("threshold", "Low below", "low_stock_threshold", nulls_last=True),
        Sort("sale", "Sale", "sale", nulls_last=True),
        Sort("type", "Type", "item_type"),
        Sort("weight", "Weight", "weight_grams", nulls_last=True),
        Sort("description", "Description", "description_start", nulls_last=True),
        Sort("tiers", "Tier prices", "first_tier", nulls_last=True),
        Sort("stockroom", "Stockroom", "stock_room", nulls_last=True),
        Sort("retain", "Retain", "retained", nulls_last=True),
        Sort("reserved_for", "Reserved for", "reserved_name", nulls_last=True),
    )
}
DEFAULT_SORT = "number"
_EXPRESSIONS = {
    expression.__name__: expression
    for expression in (
        margin, remarks_start, sale, description_start, first_tier, stock_room, retained, reserved_name,
    )
}  # fmt: skip


def ordering_of(sort: str, filters: Filters | None = None) -> CursorPagination:
    """Answer how a list of lots is paged through: a sort's name, with a minus in front for the other way round."""
    found = SORTS.get(sort.removeprefix("-")) or SORTS[DEFAULT_SORT]
    direction = "-" if sort.startswith("-") else ""
    is_sorted = filters is not None and leaves_few(filters)
    return CursorPagination(f"{direction}{found.key}", nulls_last=found.nulls_last, sorts=is_sorted)


def sortable(lots: "QuerySet[InventoryItem]", sort: str) -> "QuerySet[InventoryItem]":
    """Answer the lots with what they are sorted by, where that is no column."""
    found = SORTS.get(sort.removeprefix("-"))
    expression = _EXPRESSIONS.get(found.key) if found else None
    return lots.annotate(**{found.key: expression()}) if found and expression else lots


def list_page(
    filters: Filters, *, sort: str = DEFAULT_SORT, cursor: str | None = None, limit: int = 50, has_sold: bool = False
) -> Page[Any]:
    """Answer a page of the list, as rows, on demand with what their items were sold for. One query; one more for a
    search, and where it reaches lots without a value to sort by.

    Raises BadRequest for a cursor that isn't one of this order.
    """
    # What a list never shows isn't read: files' leftovers can be long.
    lots = with_places(sortable(filtered(filters).defer("extra"), sort))
    lots = with_sold(lots) if has_sold else lots
    page = ordering_of(sort, filters).page(lots, cursor=cursor, limit=limit)
    now = timezone.now()
    rows = [row_of(lot, places_read(lot), now=now) for lot in page.rows]
    return Page(rows=rows, next=page.next, previous=page.previous)


@dataclass(frozen=True, slots=True)
class Totals:
    """What a filter leaves. Pieces and value are None where summing took too long; `is_capped`: there are more lots."""

    lots: int
    pieces: int | None = None
    value: Decimal | None = None
    is_capped: bool = False


def capped_count(lots: "QuerySet[Any]", limit: int = COUNTED) -> int:
    """Answer how many there are, or one more than the limit."""
    return lots.order_by()[: limit + 1].count()


def totals_of(filters: Filters) -> Totals:
    """Answer how many lots the filters leave, their pieces and their value at list price.

    A sum reads every lot; where that takes longer than a moment the lots are counted up to a limit instead.
    """
    lots = filtered(filters).order_by()
    worth = Sum(F("qty_available") * F("unit_price"), output_field=DecimalField(max_digits=24, decimal_places=4))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [_PATIENCE_MS])
            found = lots.aggregate(lots=Count("pk"), pieces=Sum("qty_available"), value=worth)
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError:
        count = capped_count(lots)
        return Totals(min(count, COUNTED), is_capped=count > COUNTED)
    return Totals(found["lots"], found["pieces"] or 0, found["value"] or Decimal(0))


# --- Views ----------------------------------------------------------------------------------------------------------
# Built-in views: a name for filters, with a live count where it calls for action.
BUILT_IN: tuple[tuple[str, str], ...] = (
    ("Low stock", "low=yes"),
    ("No location", "placed=no&qty_min=1"),
    ("Stale", "stale=yes&qty_min=1"),
)


def built_in_counts() -> dict[str, int]:
    """Answer how many lots each built-in view has, counted up to a limit."""
    return {query: capped_count(filtered(Filters.parse(query))) for _, query in BUILT_IN}


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many lots wait for somebody, counted up to a limit: too few of them left, or pieces without a place."""

    low: int
    unplaced: int


@dataclass(frozen=True, slots=True)
class NearMiss:
    """How many lots there would be without one of the filters."""

    term: Term
    count: int
    is_capped: bool


def near_misses(filters: Filters, *, most: int = 3) -> list[NearMiss]:
    """Answer without which of several filters there would be lots, the most helpful first. A query for each filter."""
    terms = [term for term in filters.terms if term.is_known][:_NEAR_TERMS]
    if len(terms) < 2:  # noqa: PLR2004  # without the only filter there is everything
        return []
    found = [(capped_count(filtered(filters.without(term)), _NEAR_COUNTED), term) for term in terms]
    misses = [
        NearMiss(term, min(count, _NEAR_COUNTED), is_capped=count > _NEAR_COUNTED) for count, term in found if count
    ]
    return sorted(misses, key=lambda miss: miss.count)[:most]


LOW, UNPLACED, STALE = (query for _, query in BUILT_IN)


def waiting() -> Waiting:
    """Answer how many lots wait for somebody. Two queries, read from indexes as far as they count."""
    low, unplaced = (capped_count(filtered(Filters.parse(query))) for query in (LOW, UNPLACED))
    return Waiting(low, unplaced)


@dataclass(frozen=True, slots=True)
class Worth:
    """The stock at a glance. `stale_percent` is None where counting took too long, or there is nothing."""

    totals: Totals
    stale_percent: Decimal | None


def worth_of_stock() -> Worth:
    """Answer what the stock amounts to, and how much of it hasn't sold for long."""
    totals, stale = totals_of(Filters()), totals_of(Filters.parse(STALE))
    if totals.is_capped or stale.is_capped or not totals.lots:
        return Worth(totals, None)
    return Worth(totals, Decimal(stale.lots * 100) / totals.lots)


@dataclass(frozen=True, slots=True)
class Begun:
    """What a new shop has already: stock, places for it, a store on a channel to sell it."""

    has_lots: bool
    has_locations: bool
    has_channels: bool


def begun() -> Begun:
    """Answer whether there are lots, locations, and connected stores. One query."""
    lots, locations, stores = (model._meta.db_table for model in (InventoryItem, Location, Store))
    statement = f"""
        SELECT EXISTS (SELECT 1 FROM {lots}), EXISTS (SELECT 1 FROM {locations}),
            EXISTS (SELECT 1 FROM {stores} WHERE channel <> %s AND disconnected_at IS NULL)
    """  # noqa: S608  # names come from the models
    with connection.cursor() as cursor:
        cursor.execute(statement, [Channel.LOCAL.value])
        [found] = cursor.fetchall()
    return Begun(*found)


def views_for(user_id: UUID | str, page: str = ListPage.LOTS) -> list[SavedView]:
    """Answer a user's saved views of a list and those that the team shares, by name."""
    mine = SavedView.objects.filter(Q(owner_id=user_id) | Q(is_shared=True), page=page)
    return sorted(mine, key=lambda view: view.name.casefold())


# --- What the filters offer -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ColorChoice:
    """A color of the stock, and how many lots have it."""

    id: int
    look: ColorLook
    count: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What there is to filter by: the colors and categories of the stock."""

    colors: tuple[ColorChoice, ...]
    categories: tuple[str, ...]


def offered() -> Offer:
    """Answer the colors and categories of the stock, the most frequent colors first. Read from indexes alone."""
    found = (
        InventoryItem.objects.filter(color_id__isnull=False)
        .values_list("color_id")
        .annotate(count=Count("color_id"))
        .order_by("-count", "color_id")[:_SHOWN_COLORS]
    )
    categories = InventoryItem.objects.filter(category_name__gt="").values_list("category_name", flat=True)
    return Offer(
        colors=tuple(ColorChoice(color_id, look_of(color_id), count) for color_id, count in found),
        categories=tuple(categories.distinct().order_by("category_name")[:_SHOWN_CATEGORIES]),
    )


# --- One lot --------------------------------------------------------------------------------------------------------
def get_lot(lot_id: UUID) -> InventoryItem:
    """Answer a lot; raises NotFound."""
    lot = InventoryItem.objects.filter(pk=lot_id).first()
    if lot is None:
        raise NotFound("This lot no longer exists.")
    return lot


def lot_row(lot: InventoryItem) -> LotRow:
    """Answer a lot as its page shows it, with where it lies. One query."""
    return rows_of([lot])[0]


def alike(*, item_type: str, item_no: str, color_id: int | None, condition: str, limit: int = 10) -> list[LotRow]:
    """Answer the lots that are already there of the same thing, the largest first."""
    found = InventoryItem.objects.filter(item_type=item_type, item_no=item_no, color_id=color_id, condition=condition)
    return rows_of(found.defer("extra").order_by("-qty_available", "id")[:limit])


def known_item(item_no: str) -> InventoryItem | None:
    """Answer a lot of that number, whose name and type a new one will share."""
    return InventoryItem.objects.filter(item_no=item_no).defer("extra").order_by("-date_added", "-id").first()


def find_lots(text: str, *, limit: int = 8) -> list[LotRow]:
    """Answer lots by number, name, color or remarks, for the palette."""
    return list_page(Filters.parse({"q": text[:200]}), limit=limit).rows


def own_view(view_id: UUID, *, owner_id: UUID, page: str = ListPage.LOTS) -> SavedView:
    """Answer a user's own saved view of a list; raises NotFound."""
    view = SavedView.objects.filter(pk=view_id, owner_id=owner_id, page=page).first()
    if view is None:
        raise NotFound
    return view


def neighbors_of(lot: InventoryItem) -> tuple[UUID | None, UUID | None]:
    """Answer the lots before and after one in the list's own order. Two looks into one index."""
    pages = CursorPagination(SORTS[DEFAULT_SORT].key)
    lots = InventoryItem.objects.only("id", "item_no")
    found: list[UUID | None] = []
    for backwards in (True, False):
        page = pages.page(lots, cursor=pages.cursor_at(lot, backwards=backwards), limit=1)
        found.append(page.rows[0].pk if page.rows else None)
    return found[0], found[1]


def location_named(code: str) -> UUID | None:
    """Answer the location of that code, in any case."""
    return Location.objects.filter(code__iexact=code.strip(), is_active=True).values_list("pk", flat=True).first()
