"""What is asked about lots: the list in pages, its totals, one lot with its ledger, and lots that are alike."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db import OperationalError, connection, transaction
from django.db.models import Count, DecimalField, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import JSONObject
from django.urls import reverse
from django.utils import timezone

from audit import labels
from audit.models import ChangeSet
from catalog import colors
from common.api.pagination import CursorPagination, Page
from common.errors import NotFound
from inventory.choices import MovementKind
from inventory.models import InventoryItem, InventoryItemLocation, ListPage, Location, SavedView, StockMovement
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
from inventory.queries.pricing import SoldFor, sold_read, with_sold
from inventory.tiers import as_text
from stores.choices import Channel
from stores.models import Store

# Counting goes so far, and summing takes so long, before a list says "10,000+".
COUNTED = 10_000
_PATIENCE_MS = 400
_NEAR_TERMS, _NEAR_COUNTED = 6, 1000
_SHOWN_COLORS, _SHOWN_CATEGORIES = 60, 200


# --- Rows -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ColorLook:
    """How a color is drawn: without RGB only by its name."""

    name: str
    rgb: str = ""
    kind: str = "solid"


_KINDS = {"transparent": "transparent", "chrome": "chrome", "pearl": "pearl", "metallic": "metallic",
          "glitter": "glitter", "speckle": "glitter", "satin": "transparent"}  # fmt: skip


def look_of(color_id: int | None, name: str = "") -> ColorLook:
    """Answer how a lot's color is drawn; (Not Applicable) and no color have only their name."""
    color = colors.get(color_id)
    if color is None:
        return ColorLook(name)
    return ColorLook(name or color.name, color.rgb, _KINDS.get(color.color_type.lower(), "solid"))


@dataclass(frozen=True, slots=True)
class Place:
    """So many pieces of a lot lie there."""

    location_id: UUID
    code: str
    qty: int


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot as lists and its page show it."""

    id: UUID
    version: int
    item_type: str
    type_label: str
    item_no: str
    item_name: str
    category_name: str
    color_id: int | None
    color: ColorLook
    condition: str
    condition_label: str
    completeness_label: str
    grade_label: str
    qty_available: int
    qty_reserved: int
    unit_price: Decimal
    currency: str
    cost_basis: Decimal | None
    sale_percent: int
    bulk: int
    tiers: str
    description: str
    remarks: str
    is_retain: bool
    stock_room: str
    weight_grams: Decimal | None
    low_stock_threshold: int | None
    is_locked: bool
    reserved_for: str
    date_added: datetime
    last_sold_at: datetime | None
    updated_at: datetime
    places: tuple[Place, ...]
    # Only where the list was asked for it.
    sold: SoldFor | None = None

    @property
    def url(self) -> str:
        """Answer the lot's page."""
        return lot_url(self.id)

    @property
    def name(self) -> str:
        """Answer what people call the lot: `3001 · Red · New`."""
        return " · ".join(part for part in (self.item_no, self.color.name, self.condition_label) if part)

    @property
    def qty_on_hand(self) -> int:
        """Answer how many pieces are in the house."""
        return self.qty_available + self.qty_reserved

    @property
    def qty_placed(self) -> int:
        """Answer how many of them lie somewhere."""
        return sum(place.qty for place in self.places)

    @property
    def qty_unplaced(self) -> int:
        """Answer how many of them lie nowhere."""
        return max(0, self.qty_on_hand - self.qty_placed)

    @property
    def is_low(self) -> bool:
        """Tell whether fewer are for sale than should be."""
        return self.low_stock_threshold is not None and self.qty_available < self.low_stock_threshold

    @property
    def value(self) -> Decimal:
        """Answer what the pieces for sale are worth at list price."""
        return self.qty_available * self.unit_price

    @property
    def margin(self) -> Decimal | None:
        """Answer what share of the price is earned, in percent."""
        if self.cost_basis is None or not self.unit_price:
            return None
        return (self.unit_price - self.cost_basis) / self.unit_price * 100

    @property
    def place(self) -> Place | None:
        """Answer where the walk finds the lot first."""
        return self.places[0] if self.places else None

    @property
    def more_places(self) -> int:
        """Answer at how many other places it lies too."""
        return len(self.places) - 1


def lot_url(lot_id: UUID) -> str:
    """Answer a lot's page."""
    return reverse("inventory:lot", args=[lot_id])


def is_locked(lot: InventoryItem, *, now: datetime) -> bool:
    """Tell whether rules and bulk edits leave the price alone."""
    return lot.price_locked and (lot.price_lock_expires_at is None or lot.price_lock_expires_at > now)


def row_of(lot: InventoryItem, places: Iterable[Place] = (), *, now: datetime | None = None) -> LotRow:
    """Answer the lot as it is shown."""
    now = now or timezone.now()
    return LotRow(
        id=lot.pk,
        version=lot.version,
        item_type=lot.item_type,
        type_label=lot.get_item_type_display(),
        item_no=lot.item_no,
        item_name=lot.item_name,
        category_name=lot.category_name,
        color_id=lot.color_id,
        color=look_of(lot.color_id, lot.color_name),
        condition=lot.condition,
        condition_label=lot.get_condition_display(),
        completeness_label=lot.get_completeness_display() if lot.completeness else "",
        grade_label=lot.get_sub_condition_display() if lot.sub_condition else "",
        qty_available=lot.qty_available,
        qty_reserved=lot.qty_reserved,
        unit_price=lot.unit_price,
        currency=lot.currency,
        cost_basis=lot.cost_basis,
        sale_percent=lot.sale_percent,
        bulk=lot.bulk,
        tiers=as_text(lot.tier_prices),
        description=lot.description,
        remarks=lot.remarks,
        is_retain=lot.is_retain,
        stock_room=lot.stock_room_id,
        weight_grams=lot.weight_grams,
        low_stock_threshold=lot.low_stock_threshold,
        is_locked=is_locked(lot, now=now),
        reserved_for=lot.reserved_for,
        date_added=lot.date_added,
        last_sold_at=lot.last_sold_at,
        updated_at=lot.updated_at,
        places=tuple(places),
        sold=sold_read(lot, now=now),
    )


def places_of(lot_ids: Iterable[UUID]) -> dict[UUID, list[Place]]:
    """Answer where the lots lie, in walking order. One query."""
    rows = (
        InventoryItemLocation.objects.filter(inventory_item__in=list(lot_ids), qty__gt=0)
        .order_by("location__route_key", "location_id")
        .values_list("inventory_item_id", "location_id", "location__code", "qty")
    )
    found: dict[UUID, list[Place]] = {}
    for lot_id, location_id, code, qty in rows:
        found.setdefault(lot_id, []).append(Place(location_id, code, qty))
    return found


def rows_of(lots: Iterable[InventoryItem]) -> list[LotRow]:
    """Answer the lots as they are shown, with where they lie. One query more."""
    found = list(lots)
    places = places_of([lot.pk for lot in found]) if found else {}
    now = timezone.now()
    return [row_of(lot, places.get(lot.pk, ()), now=now) for lot in found]


def with_places(lots: "QuerySet[InventoryItem]") -> "QuerySet[InventoryItem]":
    """Answer the lots with where they lie, in walking order, in the same query."""
    places = InventoryItemLocation.objects.filter(inventory_item=OuterRef("pk"), qty__gt=0)
    ordered = places.order_by("location__route_key", "location_id")
    found = ordered.values(place=JSONObject(id="location_id", code="location__code", qty="qty"))
    return lots.annotate(found_places=ArraySubquery(found))


def places_read(lot: InventoryItem) -> Iterable[Place]:
    """Answer where a lot of `with_places` lies."""
    read: list[dict[str, Any]] = getattr(lot, "found_places", [])
    return (Place(UUID(place["id"]), place["code"], place["qty"]) for place in read)


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


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One line of a lot's ledger: what moved, what was there then, who or what it was."""

    id: int
    kind: str
    label: str
    delta_available: int
    delta_reserved: int
    balance_available: int
    balance_reserved: int
    at: datetime
    note: str
    actor: str
    deed: str
    change_set_url: str
    cause_url: str
    cause_words: str
    cause_permission: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Some of a lot's movements, newest first; `before` asks for older ones, None is that there are none."""

    rows: tuple[MovementRow, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Where a kind of cause is shown, to whom, and how the link is called."""

    url_name: str
    words: str
    permission: str


_CAUSES = {
    "import": Cause("inventory:import", "The import", "inventory:import"),
    "lot": Cause("inventory:lot", "The other lot", "inventory:read"),
    "location": Cause("inventory:location", "The location", "inventory:read"),
    "order": Cause("orders:order", "The order", "orders:read"),
}


def movements_of(lot_id: UUID, *, before: int | None = None, limit: int = 50) -> Ledger:
    """Answer a lot's ledger, newest first, each line with its cause. Two queries."""
    moves = StockMovement.objects.filter(inventory_item_id=lot_id)
    if before is not None:
        moves = moves.filter(pk__lt=before)
    read = list(moves.order_by("-pk")[: limit + 1])
    shown = read[:limit]
    sets = {row.pk: row for row in ChangeSet.objects.filter(pk__in={move.change_set_id for move in shown})}
    return Ledger(
        rows=tuple(_movement_row(move, sets.get(move.change_set_id)) for move in shown),
        before=shown[-1].pk if len(read) > limit else None,
    )


def _movement_row(move: StockMovement, deed: ChangeSet | None) -> MovementRow:
    cause = _CAUSES.get(move.cause_type)
    return MovementRow(
        id=move.pk,
        kind=move.kind,
        label=str(MovementKind(move.kind).label),
        delta_available=move.delta_available,
        delta_reserved=move.delta_reserved,
        balance_available=move.balance_available,
        balance_reserved=move.balance_reserved,
        at=move.created_at,
        note=move.note,
        actor=deed.actor_name if deed else "",
        deed=labels.deed_words(deed.action, deed.reason) if deed else "",
        change_set_url=reverse("audit:change_set", args=[deed.pk]) if deed else "",
        cause_url=reverse(cause.url_name, args=[move.cause_id]) if cause and move.cause_id else "",
        cause_words=cause.words if cause else "",
        cause_permission=cause.permission if cause else "",
    )


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
