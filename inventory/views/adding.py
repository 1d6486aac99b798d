"""Lots added one after the other: what the form offers, what is known of what is typed, and what was added lately."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from audit.context import current_change_set_id
from catalog import colors
from catalog.choices import NEEDS_COLOR, ItemType
from catalog.models import CatalogItem
from catalog.queries import items as catalog
from common import entitlements, workspace
from common.access import require
from common.errors import Invalid
from common.htmx import go_on, render, undo_url
from common.http import HttpRequest
from common.ids import derived_id, new_id
from inventory import services
from inventory.choices import ItemCondition
from inventory.forms.lots import FIELDS, changes_of, typed
from inventory.models import InventoryItem
from inventory.queries import lots as queries
from inventory.queries.mappings import find_items
from inventory.queries.rows import LotRow, lot_url, row_of
from inventory.views.catalog import rows_of
from inventory.views.listing import symbol
from inventory.views.lots import as_id, color_names

_RECENT = 10
# Of items that the number field offers, and of what is typed there.
_OFFERED, _MOST_TYPED = 8, 100

_ADD = ("item_type", "item_no", "item_name", "category_name", "color_id", "condition", "completeness", "qty_available",
        "unit_price", "remarks")  # fmt: skip
# What the next lot of a row of lots is likely to share.
_CARRIED = ("item_type", "condition", "location")
_RECENT_KEY = "inventory.added"


def _entered(request: HttpRequest) -> dict[str, str]:
    source = request.POST if request.method == "POST" else request.GET
    return {name: source.get(name, "") for name in (*_ADD, "location", "add_to")}


def _values(entered: Mapping[str, str]) -> dict[str, Any]:
    errors: dict[str, list[str]] = {}
    values: dict[str, Any] = {}
    for name in _ADD:
        try:
            values |= changes_of(name, typed(name, entered[name] or ("0" if name == "unit_price" else "")))
        except Invalid as error:
            errors |= error.errors
    if values.get("item_type") not in NEEDS_COLOR and not entered["color_id"]:
        values["color_id"] = None
    if errors:
        raise Invalid(errors=errors)
    return values


@require("inventory:write")
def add(request: HttpRequest) -> HttpResponse:
    """Add lots one after the other, by keyboard: number, color, quantity."""
    entered, errors = _entered(request), {}
    entered["item_type"] = entered["item_type"] or ItemType.PART
    entered["condition"] = entered["condition"] or ItemCondition.NEW
    if request.method == "POST":
        try:
            made, message = _add(entered, _lot_key(request, entered))
        except Invalid as error:
            errors = {pointer.strip("/"): " ".join(messages) for pointer, messages in error.errors.items()}
        else:
            change_set = current_change_set_id()
            recent = request.session.get(_RECENT_KEY, [])
            if change_set:
                # A second press has changed nothing.
                recent = [[str(made.pk), str(change_set), message], *recent]
            request.session[_RECENT_KEY] = recent[:_RECENT]
            if "next" in request.POST:
                kept = "&".join(f"{name}={entered[name]}" for name in _CARRIED if entered[name])
                return go_on(request, f"{reverse('inventory:add')}?{kept}", message=message, undo=change_set)
            return go_on(request, lot_url(made.pk), message=message, undo=change_set)
    context = {
        "entered": entered,
        "key": new_id(),
        "errors": errors,
        "fields": FIELDS,
        "alike": _alike(entered),
        "identifies_photos": workspace.current().identifies_photos,
        "can_identify": entitlements.current().allows("visual_identification"),
        "color_names": color_names(),
        "symbol": symbol(),
        "recent": [
            (lot_url(UUID(lot_id)), message, undo_url(change_set))
            for lot_id, change_set, message in request.session.get(_RECENT_KEY, [])
        ],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return render(request, "inventory/add.html", context, status=status)


def _lot_key(request: HttpRequest, entered: Mapping[str, str]) -> UUID:
    """Answer under which key a lot is added: the same for a second press, of the same page with the same in it.

    Whoever goes back and enters another one means that one, though the page is the same.
    """
    try:
        page = UUID(request.POST.get("key", ""))
    except ValueError:
        return new_id()
    return derived_id(page, json.dumps(entered, sort_keys=True))


def _add(entered: Mapping[str, str], key: UUID) -> tuple[InventoryItem, str]:
    """Add what was entered, as a lot of its own or to one that is there; answer the lot and what was done."""
    now = timezone.now()
    values = _values(entered)
    qty = values.pop("qty_available")
    location_id = None
    if entered["location"]:
        location_id = queries.location_named(entered["location"])
        if location_id is None:
            raise Invalid(errors={"/location": ["There is no such location."]})
    if entered["add_to"]:
        present = queries.get_lot(as_id(entered["add_to"]))
        changed = services.add_pieces(lot_id=present.pk, qty=qty, location_id=location_id, cause_key=str(key), now=now)
        return changed, f"{qty:,} added to {row_of(changed).name}."
    made = services.create_lot(values=values, qty_available=qty, location_id=location_id, lot_id=key, now=now)
    return made, f"{row_of(made).name} added: {qty:,}."


def _alike(entered: Mapping[str, str]) -> list[LotRow]:
    if not entered["item_no"]:
        return []
    try:
        color_id = typed("color_id", entered["color_id"])
    except Invalid:
        return []
    return queries.alike(
        item_type=entered["item_type"], item_no=entered["item_no"].strip(), color_id=color_id,
        condition=entered["condition"],
    )  # fmt: skip


@require_GET
@require("inventory:read")
def known(request: HttpRequest) -> HttpResponse:
    """Answer what is known of a number while a lot is being added: its name, and the lots that are there already."""
    entered = _entered(request)
    entered["item_type"] = entered["item_type"] or ItemType.PART
    entered["condition"] = entered["condition"] or ItemCondition.NEW
    number = entered["item_no"].strip()
    lot = queries.known_item(number) if number else None
    item = catalog.items_of([(entered["item_type"], number)]).get((entered["item_type"], number)) if number else None
    context = {
        "alike": _alike(entered),
        "known": _known_as(lot, item),
        "unknown_color": _unknown_color(entered, item),
        "entered": entered,
        "symbol": symbol(),
    }
    return render(request, "inventory/known.html", context)


@dataclass(frozen=True, slots=True)
class KnownAs:
    """What a number is called, and what kind of thing it is: in the shop's own lots, else in the catalog."""

    name: str
    item_type: str
    category_name: str


def _known_as(lot: InventoryItem | None, item: CatalogItem | None) -> KnownAs | None:
    if lot and lot.item_name:
        return KnownAs(lot.item_name, lot.item_type, lot.category_name)
    if item and item.name:
        return KnownAs(item.name, item.item_type, catalog.categories_of([item.pk]).get(item.pk, ""))
    return None


def _unknown_color(entered: Mapping[str, str], item: CatalogItem | None) -> str:
    """Answer the color that was entered if no source knows the item in it, while it knows others."""
    color = colors.named(entered["color_id"])
    known = catalog.colors_of(item) if item and color else ()
    return color.name if color and known and all(each.color.id != color.id for each in known) else ""


@require_GET
@require("inventory:write")
def offered_items(request: HttpRequest) -> HttpResponse:
    """Answer the items that what stands in the number field may mean, on whichever platform."""
    hits = find_items(request.GET.get("q", "")[:_MOST_TYPED], limit=_OFFERED).hits
    categories = catalog.categories_of(hit.item_id for hit in hits) if hits else {}
    context = {"offers": [(row, categories.get(row.hit.item_id, "")) for row in rows_of(hits)]}
    return render(request, "inventory/offered_items.html", context)
