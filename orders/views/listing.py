"""The list of orders: the seller's day in tabs, filters as an address, and what is done to several at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_countries import countries

from common import actor
from common.access import require
from common.htmx import redirect, render
from common.http import HttpRequest
from common.tables import SIZES, canonical
from inventory.models import ListPage, SavedView
from inventory.queries.lots import views_for
from inventory.views import saved
from orders.choices import Flag, OrderStatus, PaymentStatus
from orders.queries import orders as queries
from orders.queries.filters import PARAMETERS, TABS
from orders.views.bulk import BULK_STATUSES
from orders.views.state import COLUMNS, ListState
from stores.queries import all_stores


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab above the list, with how many wait there."""

    label: str
    url: str
    is_current: bool
    count: int | None


@dataclass(frozen=True, slots=True)
class Pager:
    """What the pager shows."""

    first: int
    last: int
    total: int | None
    previous_url: str
    next_url: str


@dataclass(frozen=True, slots=True)
class ViewChip:
    """A kept view above the list."""

    label: str
    url: str
    is_current: bool
    edit_url: str
    is_default: bool


def _views(state: ListState, kept: list[SavedView]) -> list[ViewChip]:
    mine = actor.current().id
    return [
        ViewChip(
            view.name, state.list_url(view.query or "view=all"), canonical(view.query) == state.kept,
            reverse("orders:view", args=[view.pk]) if str(view.owner_id) == mine else "",
            view.is_default and str(view.owner_id) == mine,
        )
        for view in kept
    ]  # fmt: skip


def _tabs(state: ListState, counts: Mapping[str, int]) -> list[Tab]:
    here = state.query.get("tab", "")
    tabs = [
        Tab(label, state.list_url(f"tab={name}"), here == name, counts.get(name))
        for name, (label, _condition) in TABS.items()
    ]
    return [*tabs, Tab("All", state.list_url("tab=&view=all"), not here, None)]


@require_GET
@require("orders:read")
def order_list(request: HttpRequest) -> HttpResponse:
    """Show the orders; bare, those that wait. The whole state is the address."""
    kept = views_for(actor.current().id, ListPage.ORDERS)
    if not request.GET and queries.any_orders():
        first = next((view for view in kept if view.is_default and str(view.owner_id) == actor.current().id), None)
        return redirect(request, ListState.list_url(first.query if first and first.query else "tab=todo"))
    state = ListState.of(request.GET)
    page = queries.list_page(state.filters, sort=state.sort, cursor=state.cursor or None, limit=state.size)
    total = queries.count_of(state.filters)
    stores = all_stores()
    names = {str(store.pk): store.name for store in stores}
    counts, picks = queries.tab_counts(), state.query.get("tab") == "to_pick"
    chips = [chip for chip in state.chips if not chip.label.startswith("Tab:") and not _is_tab(state, chip)]
    context = {
        "state": state,
        "orders": page.rows,
        "heads": state.heads,
        "chips": chips,
        "tabs": _tabs(state, counts),
        # Those that the filter leaves where it is about them, else all that wait.
        "to_pick": total if picks else counts["to_pick"],
        "pick_query": state.filter_query if picks else "tab=to_pick",
        "views": _views(state, kept),
        "is_unused": not page.rows and state.filters.is_empty and not state.cursor and not queries.any_orders(),
        "pager": Pager(
            first=state.start if page.rows else 0,
            last=state.start + len(page.rows) - 1 if page.rows else 0,
            total=min(total, queries.COUNTED),
            previous_url=state.neighbor(page.previous, state.start - state.size),
            next_url=state.neighbor(page.next, state.start + state.size),
        ),
        "is_capped": total > queries.COUNTED,
        "sizes": [(size, state.url(size=str(size))) for size in SIZES],
        "hidden": [
            (name, value) for name in state.query if name not in {"q", "cursor", "start", "view"}
            for value in state.query.getlist(name)
        ],
        "store_name": names.get(state.query.get("store", ""), ""),
        "may_change": actor.current().can("orders:status_update"),
        "may_tag": actor.current().can("orders:write"),
        "now": timezone.now().isoformat(),
        "whole_filter": total if total > len(page.rows) else 0,
        "bulk_statuses": [(status.value, OrderStatus(status).label) for status in BULK_STATUSES],
    }  # fmt: skip
    return render(request, "orders/list.html", context, partial="rows")


def _is_tab(state: ListState, chip: Any) -> bool:
    """Tell whether a chip is the tab that is shown above anyway."""
    tab = state.query.get("tab", "")
    return tab in TABS and chip.label == TABS[tab][0]


@require_GET
@require("orders:read")
def filter_sheet(request: HttpRequest) -> HttpResponse:
    """Show everything that orders can be filtered by, as the address has it now."""
    state = ListState.of(request.GET)
    context = {
        "state": state,
        "typed": {name: state.query.get(name, "") for name in PARAMETERS},
        "statuses": [(value, label, value in state.query.getlist("status")) for value, label in OrderStatus.choices],
        "payments": PaymentStatus.choices,
        "flags": Flag.choices,
        "stores": [(str(store.pk), store.name) for store in all_stores()],
        "countries": list(countries),
        "hidden": [
            (name, value) for name in ("q", "tab", "sort", "size", "columns", "density", "buyer", "lot", "ids")
            for value in state.query.getlist(name)
        ],
    }  # fmt: skip
    return render(request, "orders/filters.html", context, partial="sheet")


@require_GET
@require("orders:read")
def column_sheet(request: HttpRequest) -> HttpResponse:
    """Show which columns there are, in their order."""
    state = ListState.of(request.GET)
    shown = [column.name for column in state.columns]
    context = {
        "state": state,
        "columns": [*state.columns, *(column for name, column in COLUMNS.items() if name not in shown)],
        "shown": shown,
        "choose_url": reverse("orders:choose_columns"),
        "hidden": [
            (name, value) for name in state.query if name not in {"columns", "cursor", "start"}
            for value in state.query.getlist(name)
        ],
    }  # fmt: skip
    return render(request, "orders/columns.html", context, partial="sheet")


@require_GET
@require("orders:read")
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Lead to the list with the columns that were ticked."""
    state = ListState.of(request.GET)
    query = QueryDict(state.url(columns=state.named(request.GET.getlist("column"))).partition("?")[2], mutable=True)
    query.pop("column", None)
    return redirect(request, ListState.list_url(query.urlencode()))


# --- Saved views ----------------------------------------------------------------------------------------------------
_OF_ORDERS = saved.Kept(
    page=ListPage.ORDERS, namespace="orders", home="Orders", permission="orders:write", list_url=ListState.list_url
)


@require("orders:read")
def new_view(request: HttpRequest) -> HttpResponse:
    """Ask for a name, and keep the list as it is under it."""
    return saved.keep(request, _OF_ORDERS)


@require("orders:read")
def view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Show a view of one's own, and change its name, who sees it, and whether it opens first."""
    return saved.change(request, _OF_ORDERS, view_id)


@require_POST
@require("orders:read")
def delete_view(request: HttpRequest, view_id: UUID) -> HttpResponse:
    """Forget a view of one's own."""
    return saved.forget(request, _OF_ORDERS, view_id)
