"""Pages on which pieces find their places: move by scanning, and the put-away list."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from common import htmx
from common.access import require
from common.errors import Conflict, Invalid, ProblemError
from common.http import HttpRequest
from inventory import services
from inventory.codes import CodeError, clean, lot_payload, read_scan
from inventory.forms.storage import MoveForm, add_errors, as_uuid
from inventory.models import InventoryItem
from inventory.queries import locations as queries
from inventory.queries import lots, placing
from inventory.services import PieceMove
from inventory.views.parts import page_of, scanned_location, scanned_lots, start_of

PAGE = 50


# --- Moving ---------------------------------------------------------------------------------------------------------
@require("inventory:write")
def move(request: HttpRequest) -> HttpResponse:
    """Scan from where, what and to where; then the next."""
    if request.method == "POST":
        return _move(request)
    lot_id = as_uuid(request.GET.get("lot", ""))
    lot = queries.get_lot(lot_id) if lot_id else None
    initial = {"source": request.GET.get("from", "")[:200], "target": request.GET.get("to", "")[:200]}
    if lot:
        initial["what"] = lot_payload(lot.pk)
        places = queries.places_of(lot.pk)
        if not initial["source"] and len(places) == 1 and places[0].qty == lot.qty_on_hand:
            initial["source"] = places[0].location.code
    return _move_page(request, MoveForm(initial=initial), lot=lot)


def _move_page(
    request: HttpRequest,
    form: MoveForm,
    *,
    lot: InventoryItem | None = None,
    choices: list[InventoryItem] | None = None,
) -> HttpResponse:
    places = queries.places_of(lot.pk) if lot else []
    context: dict[str, Any] = {
        "form": form,
        "lot": lot,
        "look": queries.color_look(lot.color_id) if lot else ("", ""),
        "places": places,
        "qty_unplaced": queries.qty_loose(lot, places) if lot else 0,
        "suggestion": placing.suggest_for(lot) if lot else None,
        "choices": [
            {"lot": one, "payload": lot_payload(one.pk), "look": queries.color_look(one.color_id)}
            for one in choices or ()
        ],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return htmx.render(request, "inventory/move.html", context, status=status)


def _move(request: HttpRequest) -> HttpResponse:
    form = MoveForm(request.POST)
    if not form.is_valid():
        return _move_page(request, form)
    values = form.cleaned_data
    lot = None
    try:
        source = scanned_location(values["source"], field="source") if values["source"] else None
        target = scanned_location(values["target"], field="target") if values["target"] else None
        found = scanned_lots(values["what"], field="what", at=source.pk if source else None)
        if len(found) > 1:
            form.add_error("what", "Several lots have that number. Choose one.")
            return _move_page(request, form, choices=found)
        [lot] = found
        if source is None and target is None:
            raise Invalid(errors={"/target": ["Say where they go, or where they are taken from."]})
        count = services.move_pieces(
            moves=[
                PieceMove(
                    lot_id=lot.pk,
                    source_id=source.pk if source else None,
                    target_id=target.pk if target else None,
                    qty=values["qty"],
                )
            ],
            now=timezone.now(),
        )
    except ProblemError as error:
        add_errors(form, error)
        return _move_page(request, form, lot=lot)
    where = f"to {target.code}" if target else f"taken out of {source.code}" if source else ""
    message = f"{count:,} × {lot.item_no} {lot.color_name}".rstrip() + f" {'moved ' if target else ''}{where}"
    # The next one is most likely taken from the same place.
    url = f"{reverse('inventory:move')}?{urlencode({'from': source.code})}" if source else reverse("inventory:move")
    return htmx.go_on(request, url, message=message, undo=current_change_set_id())


# --- From the list --------------------------------------------------------------------------------------------------
@require_GET
@require("inventory:write")
def places(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Offer places for a lot while a code is typed, and to make one of a code that none has."""
    scan = read_scan(request.GET.get("q", "")[:200])
    text = scan.text.strip()
    offers = placing.places_offered(queries.get_lot(lot_id), text)
    is_taken = any(offer.code.lower() == text.lower() for offer in offers)
    makes = text if scan.lot_id is None and not is_taken and _is_new(text) else ""
    return htmx.render(request, "inventory/places.html", {"offers": offers, "makes": makes, "text": text})


def _is_new(text: str) -> bool:
    try:
        return not queries.is_code(clean(text))
    except CodeError:
        return False


@require_POST
@require("inventory:write")
def place_lot(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Put a lot where its cell in the list says now."""
    entry, seen = request.POST.get("entry", "")[:200], request.POST.get("seen", "")
    scan, error = read_scan(entry), ""
    try:
        if scan.lot_id is not None:
            raise Invalid(errors={"/location": ["That is a lot's label; scan a location."]})
        count = services.relocate_lot(
            lot_id=lot_id,
            seen=seen,
            code=scan.text,
            may_create=request.POST.get("make") == "1",
            now=timezone.now(),
        )
    except (Invalid, Conflict) as problem:
        lines = [line for found in getattr(problem, "errors", {}).values() for line in found]
        error = " ".join(lines) or problem.detail
    lot = lots.lot_row(queries.get_lot(lot_id))
    if error:
        context = {"lot": lot, "entry": entry, "error": error}
        return htmx.render(request, "inventory/place.html", context, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    response = htmx.render(request, "inventory/place.html", {"lot": lot})
    where = f"moved to {scan.text.strip()}" if entry.strip() else f"taken out of {seen}"
    name = f"{lot.item_no} {lot.color.name}".strip()
    return htmx.toast(response, f"{count:,} × {name} {where}", undo=current_change_set_id())


# --- Putting away ---------------------------------------------------------------------------------------------------
@require("inventory:read")
def put_away(request: HttpRequest) -> HttpResponse:
    """Show all that has no place yet, where each goes best, in walking order; to be printed."""
    first = start_of(request)
    total, pieces = placing.count_unplaced()
    rows = placing.put_away(first=first, count=PAGE)
    context = {
        "rows": rows,
        "total": total,
        "pieces": pieces,
        "suggested": sum(row.suggestion is not None for row in rows),
        "page": page_of(request, first=first, shown=len(rows), total=total, size=PAGE),
        "has_locations": queries.has_locations(),
    }
    return htmx.render(request, "inventory/put_away.html", context)


@require_POST
@require("inventory:write")
def put_away_save(request: HttpRequest) -> HttpResponse:
    """Say that the ticked lots lie where it was suggested. `put`: lot, location and pieces, with colons between."""
    moves = [made for text in request.POST.getlist("put") if (made := _wish(text)) is not None]
    if not moves:
        raise Invalid("Tick the lots that you have put away.")
    count = services.move_pieces(moves=moves, now=timezone.now())
    message = f"{len(moves):,} {'lot' if len(moves) == 1 else 'lots'} put away, {count:,} pieces"
    return htmx.go_on(request, reverse("inventory:put_away"), message=message, undo=current_change_set_id())


def _wish(text: str) -> PieceMove | None:
    lot, _, rest = text.partition(":")
    location, _, qty = rest.partition(":")
    lot_id, location_id = as_uuid(lot), as_uuid(location)
    if lot_id is None or location_id is None or not (qty.isdecimal() and qty.isascii()):
        return None
    return PieceMove(lot_id=lot_id, target_id=location_id, qty=int(qty[:10]))
