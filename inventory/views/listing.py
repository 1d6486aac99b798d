"""The list of lots: its pages, totals, filters, columns, and the views that are kept of it."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from catalog.choices import ItemType
from common import actor, workspace
from common.access import require
from common.htmx import redirect, render
from common.http import HttpRequest
from common.tables import SIZES
from common.templatetags.ui import SYMBOLS
from inventory import formats
from inventory.choices import Completeness, ItemCondition, StockRoom, SubCondition
from inventory.models import ListPage, SavedView
from inventory.queries import filters as narrowing
from inventory.queries import lots as queries
from inventory.views import saved
from inventory.views.catalog import item_url
from inventory.views.state import COLUMNS, ListState, canonical, list_url

_TRANSLATIONS = 3


@dataclass(frozen=True, slots=True)
class Pager:
    """What the pager shows; the total comes with the totals."""

    first: int
    last: int
    previous_url: str
    next_url: str


@dataclass(frozen=True, slots=True)
class ViewChip:
    """A view above the list. `counted`: the query by which its live count is found."""

    label: str
    url: str
    is_current: bool
    counted: str = ""
    edit_url: str = ""
    is_shared: bool = False
    is_default: bool = False


def symbol() -> str:
    """Answer the sign of the shop's currency, for the heads of columns."""
    currency = workspace.current().currency
    return SYMBOLS.get(currency, currency)


def _view_chips(state: ListState, saved: list[SavedView]) -> list[ViewChip]:
    kept = state.kept
    built_in = [
        ViewChip(label, list_url(query), canonical(query) == kept, counted=canonical(query))
        for label, query in queries.BUILT_IN
    ]
    mine = actor.current().id
    own = [
        ViewChip(
            label=view.name,
            url=list_url(view.query or "view=all"),
            is_current=canonical(view.query) == kept,
            edit_url=reverse("inventory:view", args=[view.pk]) if str(view.owner_id) == mine else "",
            is_shared=view.is_shared,
            is_default=view.is_default and str(view.owner_id) == mine,
        )
        for view in saved
    ]
    return [ViewChip("All", list_url("view=all"), not kept), *built_in, *own]


@require_GET
@require("inventory:read")
def lots(request: HttpRequest) -> HttpResponse:
    """Show the lots. The whole state is the address; bare, it opens the user's own first view."""
    state = ListState.of(request.GET)
    kept_views = queries.views_for(actor.current().id)
    if not request.GET:
        first = next(
            (view for view in kept_views if view.is_default and str(view.owner_id) == actor.current().id), None
        )
        if first and first.query:
            return redirect(request, list_url(first.query))
    filters = narrowing.resolved(state.filters)
    has_sold = any(column.name == "sold_for" for column in state.columns)
    page = queries.list_page(filters, sort=state.sort, cursor=state.cursor or None, limit=state.size, has_sold=has_sold)
    chips = state.chips
    context = {
        "state": state,
        "lots": page.rows,
        # What the number that was searched for means, where no lot has it as it stands.
        "translations": [
            (hit.translation or hit.label, item_url(hit.item_type, hit.item_no, hit.color_id))
            for hit in (filters.meant or ())[:_TRANSLATIONS]
        ],
        "heads": state.heads,
        "chips": chips,
        "views": _view_chips(state, kept_views),
        "pager": Pager(
            first=state.start if page.rows else 0,
            last=state.start + len(page.rows) - 1 if page.rows else 0,
            previous_url=state.neighbor(page.previous, state.start - state.size),
            next_url=state.neighbor(page.next, state.start + state.size),
        ),
        "sizes": [(size, state.url(size=str(size))) for size in SIZES],
        "density_url": state.url(density="" if state.is_compact else "compact"),
        "symbol": symbol(),
        "may_select": actor.current().can("inventory:write"),
        # What the search adds its words to.
        "hidden": [
            (name, value)
            for name in state.query
            if name not in {"q", "cursor", "start", "view"}
            for value in state.query.getlist(name)
        ],
        "formats": [each.spec for each in formats.all_formats() if each.spec.can_write],
        "near": []
        if page.rows or state.cursor
        else [(miss, state.without(miss.term)) for miss in queries.near_misses(state.filters)],
        # The stock is empty, not only this view of it.
        "is_unused": not page.rows and not chips and not state.cursor,
    }
    return render(request, "inventory/list.html", context, partial="rows")


@require_GET
@require("inventory:read")
def totals(request: HttpRequest) -> HttpResponse:
    """Answer how many lots the filters leave, their pieces and their value: what the list asks for when it is there."""
    state = ListState.of(request.GET)
    context = {"totals": queries.totals_of(state.filters), "state": state}
    return render(request, "inventory/totals.html", context)


@require_GET
@require("inventory:read")
def worth(request: HttpRequest) -> HttpResponse:
    """Answer what the stock amounts to: what the dashboard asks for when it is there."""
    return render(request, "inventory/worth.html", {"worth": queries.worth_of_stock(), "stale_query": queries.STALE})


@require_GET
@require("inventory:read")
def view_counts(request: HttpRequest) -> HttpResponse:
    """Answer how many lots each built-in view has."""
    counts = queries.built_in_counts()
    rows = [(canonical(query), min(count, queries.COUNTED), count > queries.COUNTED) for query, count in counts.items()]
    return render(request, "inventory/view_counts.html", {"counts": rows})


# --- Filters, columns -----------------------------------------------------------------------------------------------
_NAMED = ("type", "condition", "completeness", "grade", "stockroom")
_YES_NO = ("reserved", "placed", "low", "stale", "sale", "cost", "tiers", "locked", "retain")


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """A filter that is picked from a list."""

    name: str
    label: str
    options: tuple[tuple[str, str, bool], ...]


def _filter_choices(state: ListState) -> list[FilterChoice]:
    options = {
        "type": ItemType.choices,
        "condition": ItemCondition.choices,
        "completeness": Completeness.choices,
        "grade": SubCondition.choices,
        "stockroom": [("none", "For sale"), ("any", "In any stockroom"), *StockRoom.choices],
        **{name: [(value, narrowing.PARAMETERS[name].words(value)) for value in ("yes", "no")] for name in _YES_NO},
    }
    return [
        FilterChoice(
            name,
            narrowing.PARAMETERS[name].label,
            tuple((str(value), str(label), str(value) in state.query.getlist(name)) for value, label in options[name]),
        )
        for name in (*_NAMED, *_YES_NO)
    ]


@require_GET
@require("inventory:read")
def filter_sheet(request: HttpRequest) -> HttpResponse:
    """Show everything that lots can be filtered by, as the address has it now."""
    state = ListState.of(request.GET)
    offer = queries.offered()
    chosen = set(state.filters.values.get("color", ()))
    context = {
        "state": state,
        "choices": _filter_choices(state),
        "colors": [(choice, choice.id in chosen) for choice in offer.colors],
        "categories": offer.categories,
        "category": state.query.get("category", ""),
        "typed": {name: state.query.get(name, "") for name in narrowing.PARAMETERS},
        "hidden": [
            (name, value)
            for name in ("q", "ids", "sort", "size", "columns", "density")
            for value in state.query.getlist(name)
        ],
    }
    return render(request, "inventory/filters.html", context, partial="sheet")


@require_GET
@require("inventory:read")
def column_sheet(request: HttpRequest) -> HttpResponse:
    """Show which columns there are, in their order."""
    state = ListState.of(request.GET)
    shown = [column.name for column in state.columns]
    context = {
        "state": state,
        "columns": [*state.columns, *(column for name, column in COLUMNS.items() if name not in shown)],
        "shown": shown,
        "hidden": [
            (name, value)
            for name in state.query
            if name not in {"columns", "cursor", "start"}
            for value in state.query.getlist(name)
        ],
    }
    return render(request, "inventory/columns.html", context, partial="sheet")


@require_GET
@require("inventory:read")
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Lead to the list with the columns that were ticked."""
    state = ListState.of(request.GET)
    ticked = state.named(request.GET.getlist("column"))
    query = QueryDict(state.url(columns=ticked).partition("?")[2], mutable=True)
    query.pop("column", None)
    return redirect(request, list_url(query.urlencode()))


# --- Saved views ----------------------------------------------------------------------------------------------------
_OF_LOTS = saved.Kept(
    page=ListPage.LOTS, namespace="inventory", home="Inventory", permission="inventory:write", list_url=list_url
)


@require("inventory:read")
def new_view(request: HttpRequest) -> HttpResponse:
    """Ask for a name, and keep the list as it is under it."""
    return saved.keep(request, _OF_LOTS)


@require("inventory:read")
def view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Show a view of one's own, and change its name, who sees it, and whether it opens first."""
    return saved.change(request, _OF_LOTS, view_id)


@require_POST
@require("inventory:read")
def delete_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Forget a view of one's own."""
    return saved.forget(request, _OF_LOTS, view_id)
