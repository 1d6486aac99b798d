"""One lot: its page with ledger and history, its fields edited in place, and lots split and deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from catalog import colors
from catalog.choices import ItemType
from common import actor
from common.access import require
from common.errors import BadRequest, Conflict, Invalid, StaleVersion
from common.htmx import go_on, is_partial, render, toast, trigger
from common.http import HttpRequest
from inventory import services
from inventory.choices import ItemCondition
from inventory.forms.lots import FIELDS, IN_CELLS, LotField, changes_of, shown, typed, value_of
from inventory.models import InventoryItem
from inventory.queries import lots as queries
from inventory.queries.movements import movements_of
from inventory.queries.rows import LotRow, lot_url, row_of
from inventory.views.listing import symbol
from inventory.views.state import list_url

_TABS = (("overview", "Overview"), ("movements", "Movements"), ("history", "History"), ("listings", "Listings"))
_BIGINT_DIGITS = 19


# --- The page -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Control:
    """A field with what stands in it, as the lot's page shows it."""

    field: LotField
    text: str
    seen: str
    words: str
    error: str = ""

    @property
    def name(self) -> str:
        """Answer which field it is."""
        return self.field.name


@dataclass(frozen=True, slots=True)
class Section:
    """Fields that belong together."""

    title: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab of the lot's page."""

    label: str
    url: str
    is_current: bool


_SECTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Stock and price", ("qty_available", "unit_price", "cost_basis", "sale_percent", "bulk", "tier_prices")),
    ("Texts", ("description", "remarks")),
    ("Condition", ("condition", "completeness", "sub_condition")),
    ("Flags", ("is_retain", "price_locked", "price_lock_reason", "stock_room_id", "low_stock_threshold",
               "reserved_for")),
    ("Item", ("item_type", "item_no", "item_name", "color_id", "category_name", "weight_grams", "acquired_from")),
)  # fmt: skip


def _is_shown(lot: InventoryItem, name: str) -> bool:
    match name:
        case "completeness":
            return lot.item_type == ItemType.SET
        case "sub_condition":
            return lot.condition == ItemCondition.USED
        case "price_lock_reason":
            return lot.price_locked
        case _:
            return True


def _control(lot: InventoryItem, name: str, *, entry: str | None = None, error: str = "") -> Control:
    field = FIELDS[name]
    seen = shown(name, value_of(lot, name))
    words = dict(field.choices).get(seen, "yes" if seen and field.kind == "flag" else seen)
    return Control(field, seen if entry is None else entry, seen, words or "–", error)


def _page_context(request: HttpRequest, lot: InventoryItem) -> dict[str, Any]:
    wanted = request.GET.get("tab", "overview")
    shown_tabs = [each for each in _TABS if each[0] != "history" or actor.current().can("audit:read")]
    tab = wanted if wanted in dict(shown_tabs) else "overview"
    url = lot_url(lot.pk)
    before, after = queries.neighbors_of(lot)
    context: dict[str, Any] = {
        "lot": queries.lot_row(lot),
        "tab": tab,
        "tabs": [
            Tab(label, url if name == "overview" else f"{url}?tab={name}", name == tab) for name, label in shown_tabs
        ],
        "symbol": symbol(),
        "previous_url": lot_url(before) if before else "",
        "next_url": lot_url(after) if after else "",
    }
    if tab == "overview":
        context["sections"] = [
            Section(title, tuple(_control(lot, name) for name in names if _is_shown(lot, name)))
            for title, names in _SECTIONS
        ]
        context["color_names"] = color_names()
    elif tab == "movements":
        text = request.GET.get("before", "")
        older = int(text) if text.isascii() and text.isdecimal() and len(text) < _BIGINT_DIGITS else None
        context["ledger"] = movements_of(lot.pk, before=older)
    return context


def color_names() -> list[str]:
    """Answer the names of all colors, for typing."""
    return sorted(color.name for color in colors.all_colors().values() if color.id != colors.NOT_APPLICABLE)


@require_GET
@require("inventory:read")
def lot(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Show a lot: as a page, in the sheet beside the list, or only what a tab changes."""
    context = _page_context(request, queries.get_lot(lot_id))
    return render(request, "inventory/lot.html", context, partial=("sheet", "lot-body"))


# --- Editing in place -----------------------------------------------------------------------------------------------
def _said(error: Invalid) -> str:
    return " ".join(message for messages in error.errors.values() for message in messages) or error.detail


def _toast_words(row: LotRow, field: LotField, before: str, after: str) -> str:
    name = f"{row.item_no} {row.color.name}".strip()
    if field.kind in {"long", "tiers", "text", "flag"}:
        return f"{field.label} of {name} changed"
    return f"{field.label} of {name}: {before or '–'} → {after or '–'}"


@require_POST
@require("inventory:write")
def edit_field(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Save one field: from a cell of the list, or from the lot's page."""
    name, entry, is_cell = request.POST.get("field", ""), request.POST.get("entry", ""), "cell" in request.POST
    if name not in FIELDS or (is_cell and name not in IN_CELLS):
        raise BadRequest("There is no such field to edit.")
    seen_text = request.POST.get("seen", "")
    try:
        seen = typed(name, seen_text)
        value = typed(name, entry, present=seen)
        changed = services.update_lot(
            lot_id=lot_id, changes=changes_of(name, value), seen={name: seen}, now=timezone.now()
        )
    except Invalid as error:
        return _field_refused(request, lot_id, name, entry, _said(error), is_cell=is_cell)
    except StaleVersion as error:
        return _conflict(request, lot_id, error)
    row, control = queries.lot_row(changed), _control(changed, name)
    template = "inventory/cell.html" if is_cell else "inventory/field.html"
    context = {"lot": row, "control": control, "symbol": symbol(), "is_answer": True, "color_names": color_names()}
    response = render(request, template, context)
    if not (change_set := current_change_set_id()):
        return response
    return toast(response, _toast_words(row, control.field, seen_text, control.seen), undo=change_set)


def _field_refused(
    request: HttpRequest, lot_id: UUID, name: str, entry: str, message: str, *, is_cell: bool
) -> HttpResponse:
    found = queries.get_lot(lot_id)
    context = {
        "lot": queries.lot_row(found),
        "control": _control(found, name, entry=entry, error=message),
        "symbol": symbol(),
        "color_names": color_names(),
    }
    template = "inventory/cell.html" if is_cell else "inventory/field.html"
    return render(request, template, context, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A field that somebody else changed meanwhile: what it was, what it is, what was to be."""

    field: LotField
    before: str
    theirs: str
    yours: str

    @property
    def name(self) -> str:
        """Answer which field it is."""
        return self.field.name


def _conflict(request: HttpRequest, lot_id: UUID, error: StaleVersion) -> HttpResponse:
    fields: Mapping[str, Mapping[str, Any]] = error.extra.get("fields", {})
    overtaken = [
        Overtaken(FIELDS[name], *(shown(name, values[side]) for side in ("before", "theirs", "yours")))
        for name, values in fields.items()
    ]
    context = {"lot": queries.lot_row(queries.get_lot(lot_id)), "overtaken": overtaken}
    response = render(request, "inventory/conflict.html", context, partial="dialog", status=HTTPStatus.CONFLICT)
    if request.headers.get("HX-Request") == "true":
        response = render(request, "inventory/conflict.html#dialog", context, status=HTTPStatus.CONFLICT)
        response["HX-Retarget"], response["HX-Reswap"] = "#dialog", "innerHTML"
    return response


@require_POST
@require("inventory:write")
def resolve(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Save what was chosen where somebody else had changed the same fields; asked again if it happens again."""
    changes: dict[str, Any] = {}
    seen: dict[str, Any] = {}
    for name in request.POST.getlist("field"):
        if name not in FIELDS:
            raise BadRequest("There is no such field to edit.")
        changes |= changes_of(name, typed(name, request.POST.get(f"value.{name}", "")))
        seen[name] = typed(name, request.POST.get(f"seen.{name}", ""))
    try:
        changed = services.update_lot(lot_id=lot_id, changes=changes, seen=seen, now=timezone.now())
    except StaleVersion as error:
        return _conflict(request, lot_id, error)
    message = f"{changed.item_no} {changed.color_name} is as you chose."
    # Who was editing in the list goes on there.
    came_from = (request.htmx.current_url_abs_path or "").partition("?")[0]
    if is_partial(request) and came_from == reverse("inventory:list"):
        return trigger(toast(HttpResponse(), message, undo=current_change_set_id()), "lots:refresh")
    return go_on(request, lot_url(changed.pk), message=message, undo=current_change_set_id())


# --- Split, delete --------------------------------------------------------------------------------------------------
@require("inventory:write")
def split(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Ask how many pieces become a lot of their own, and what is different about it; then split."""
    found = queries.get_lot(lot_id)
    row = queries.lot_row(found)
    problem = ""
    if request.method == "POST":
        try:
            made = _split(request, found)
        except (Invalid, Conflict) as error:
            problem = _said(error) if isinstance(error, Invalid) else error.detail
        else:
            return go_on(
                request,
                lot_url(made.pk),
                message=f"{made.qty_available:,} pieces split off {row.name}.",
                undo=current_change_set_id(),
            )
    context = {"lot": row, "problem": problem, "posted": request.POST, "symbol": symbol(), "choices": FIELDS}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return render(request, "inventory/split.html", context, partial="dialog", status=status)


def _split(request: HttpRequest, found: InventoryItem) -> InventoryItem:
    changes: dict[str, Any] = {}
    for name in ("condition", "unit_price", "remarks"):
        if name in request.POST:
            changes |= changes_of(name, typed(name, request.POST[name], present=value_of(found, name)))
    location = request.POST.get("location", "")
    return services.split_lot(
        lot_id=found.pk,
        qty=typed("qty_available", request.POST.get("qty", "")),
        changes=changes,
        location_id=as_id(location) if location else None,
        now=timezone.now(),
    )


def as_id(text: str) -> UUID:
    """Answer the id that a form sent; raises BadRequest."""
    try:
        return UUID(text)
    except ValueError:
        raise BadRequest("This is no id of ours.") from None


@require_POST
@require("inventory:delete")
def delete(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Delete a lot. Its movements stay, and Undo brings it back."""
    name = row_of(queries.get_lot(lot_id)).name
    services.delete_lots(lot_ids=[lot_id], now=timezone.now())
    return go_on(request, list_url("view=all"), message=f"{name} deleted.", undo=current_change_set_id())
