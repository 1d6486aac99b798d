"""Bulk edits: what is to change, what that would do, and doing it."""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from audit.context import current_change_set_id
from common import actor, htmx
from common.access import require
from common.errors import BadRequest, Invalid, PermissionDenied
from common.http import HttpRequest
from common.ids import new_id
from common.templatetags.ui import unit_price
from inventory import services
from inventory.forms.lots import FIELDS, shown
from inventory.queries import lots as queries
from inventory.queries.filters import Filters
from inventory.queries.rows import lot_url
from inventory.services.bulk_edit import Example, Selection
from inventory.views.listing import symbol
from inventory.views.state import list_url

_MAX_IDS = 20_000
_STARTS = ("edit", "price", "move", "delete")
_LABELS = {"is_stock_room": "Stockroom", "price_lock_expires_at": "Lock expires"}
# Typed where a field is to be emptied: empty itself means that it stays.
_NONE = "none"


def selection_of(request: HttpRequest) -> Selection:
    """Read which lots are meant: those ticked, or all that the filter leaves."""
    if request.POST.get("all"):
        return Selection(query=request.POST.get("query", ""))
    parts = " ".join(request.POST.getlist("ids")).replace(",", " ").split()
    if len(parts) > _MAX_IDS:
        raise BadRequest(f"Choose at most {_MAX_IDS:,} lots, or all that a filter leaves.")
    try:
        return Selection(ids=tuple(UUID(part) for part in parts))
    except ValueError:
        raise BadRequest("These are no lots of ours.") from None


def chosen_count(selection: Selection) -> int:
    """Answer how many lots are meant."""
    if selection.query is None:
        return len(set(selection.ids))
    return queries.totals_of(Filters.parse(selection.query)).lots


def errors_of(problem: Invalid) -> list[str]:
    """Answer what is wrong, line by line."""
    return [message for messages in problem.errors.values() for message in messages] or [problem.detail]


@require_POST
@require("inventory:write")
def edit(request: HttpRequest) -> HttpResponse:
    """Ask what is to change about the chosen lots."""
    start = request.POST.get("start", "edit")
    return _form(request, start if start in _STARTS else "edit")


def _form(request: HttpRequest, start: str, problem: Invalid | None = None) -> HttpResponse:
    selection = selection_of(request)
    context = {
        "start": start,
        "selection": selection,
        "ids": request.POST.get("ids", ""),
        "count": chosen_count(selection),
        "posted": request.POST,
        "problems": errors_of(problem) if problem else [],
        "symbol": symbol(),
        "fields": FIELDS,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
    return htmx.render(request, "inventory/bulk.html", context, partial="sheet", status=status)


# --- Reading --------------------------------------------------------------------------------------------------------
def _changes(post: Any) -> dict[str, Any]:
    """Answer what the form says is to change, as the service takes it."""
    match post.get("start"):
        case "delete":
            return {"delete": True}
        case "move":
            location_id = queries.location_named(post.get("location", ""))
            if location_id is None:
                raise Invalid(errors={"/location": ["There is no such location."]})
            return {"location": str(location_id)}
        case "price":
            return {
                "price": {
                    name: post.get(f"price_{name}", "").strip()
                    for name in ("how", "by", "round_to", "floor", "ceiling")
                }
            }
        case _:
            return _field_changes(post)


def _field_changes(post: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name in ("remarks", "description"):
        if how := post.get(f"{name}_how"):
            made[name] = {"how": how, "text": post.get(f"{name}_text", ""), "find": post.get(f"{name}_find", "")}
    for name in ("is_retain", "price_locked"):
        if post.get(name):
            made[name] = post[name] == "yes"
    if post.get("condition"):
        made["condition"] = post["condition"]
    if post.get("stock_room_id"):
        made["stock_room_id"] = "" if post["stock_room_id"] == _NONE else post["stock_room_id"]
    if post.get("tier_prices"):
        made["tier_prices"] = []
    for name in ("low_stock_threshold", "sale_percent", "bulk", "cost_basis", "reserved_for", "category_name",
                 "item_name"):  # fmt: skip
        if text := post.get(name, "").strip():
            made[name] = "" if text.lower() == _NONE and name not in {"sale_percent", "bulk"} else text
    return made


def _posted_changes(request: HttpRequest) -> dict[str, Any]:
    try:
        changes = json.loads(request.POST.get("changes", ""))
    except ValueError:
        raise BadRequest("The changes can't be read.") from None
    if not isinstance(changes, dict):
        raise BadRequest("The changes can't be read.")
    return changes


def _check_permission(changes: dict[str, Any]) -> None:
    if changes.get("delete") and not actor.current().can("inventory:delete"):
        raise PermissionDenied("This needs the permission inventory:delete.", permission="inventory:delete")


# --- Before ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Difference:
    """A field of a lot before and after (components/_diff.html)."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ExampleRow:
    """A lot of the preview with what would change about it."""

    name: str
    url: str
    changes: tuple[Difference, ...]


def _words(name: str, value: Any) -> str:
    if name == "tier_prices":
        # Raw from the database: JSON as text.
        return shown(name, json.loads(value) if isinstance(value, str) else value)
    if name in FIELDS and FIELDS[name].kind == "amount":
        return unit_price(value) if value is not None else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in FIELDS:
        return dict(FIELDS[name].choices).get(str(value or ""), "" if value is None else str(value))
    return "" if value is None else str(value)


def _example(example: Example) -> ExampleRow:
    changes = tuple(
        Difference(
            FIELDS[name].label if name in FIELDS else _LABELS.get(name, name), _words(name, before),
            _words(name, example.after[name]),
        )
        for name, before in example.before.items()
        if before != example.after[name] and name != "is_stock_room"
    )  # fmt: skip
    return ExampleRow(example.name, lot_url(example.lot_id), changes)


@require_POST
@require("inventory:write")
def preview(request: HttpRequest) -> HttpResponse:
    """Show what the changes would do: how many lots, the first before and after, and what isn't done and why."""
    start = request.POST.get("start", "edit")
    try:
        changes = _changes(request.POST)
        _check_permission(changes)
        found = services.preview_bulk_edit(selection=selection_of(request), changes=changes, now=timezone.now())
    except Invalid as problem:
        return _form(request, start, problem)
    context = {
        "preview": found,
        "examples": [_example(example) for example in found.examples],
        "changes": json.dumps(changes),
        "ids": request.POST.get("ids", ""),
        "query": request.POST.get("query", ""),
        "all": request.POST.get("all", ""),
        "start": start,
        "key": new_id(),
    }
    return htmx.render(request, "inventory/bulk_preview.html", context, partial="sheet")


# --- Doing it -------------------------------------------------------------------------------------------------------
@require_POST
@require("inventory:write")
def apply(request: HttpRequest) -> HttpResponse:
    """Do what was shown: at once, or by a job where it is long."""
    changes, selection, now = _posted_changes(request), selection_of(request), timezone.now()
    _check_permission(changes)
    found = services.preview_bulk_edit(selection=selection, changes=changes, now=now)
    if found.is_long:
        label = f"{found.words}: {found.changing:,} lots"
        services.start_bulk_edit(
            selection=selection,
            changes=changes,
            label=label,
            total=found.changing,
            key=request.POST.get("key", "")[:36],
        )
        return done(request, f"{label}. The header shows how far it is.")
    count = services.edit_lots(selection=selection, changes=changes, now=now)
    lots = f"{count:,} lot{'' if count == 1 else 's'}"
    message = f"{lots} deleted." if found.is_deletion else f"{found.words}: {lots} changed."
    return done(request, message, undo=current_change_set_id())


def done(request: HttpRequest, message: str, *, undo: object = None) -> HttpResponse:
    """Tell that what was to be done with the selection is done; the list shows it."""
    if not htmx.is_partial(request):
        return htmx.go_on(request, list_url("view=all"), message=message, undo=undo)
    response = htmx.toast(HttpResponse(), message, undo=undo)
    return htmx.trigger(htmx.trigger(response, "lots:done"), "live:jobs")
