"""Pages on which a place or a lot is counted: enter what is there, look at the differences, accept them."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from audit.context import current_change_set_id
from common import htmx
from common.access import require
from common.errors import Invalid, ProblemError
from common.http import HttpRequest
from common.ids import new_id
from inventory import services
from inventory.forms.storage import as_uuid, quantities
from inventory.models import InventoryItem, Location
from inventory.queries import counting
from inventory.queries import locations as queries
from inventory.views.parts import scanned_lots

_UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
# So many lots of one place are counted on one page.
_MOST_LOTS = 1500


@dataclass(frozen=True, slots=True)
class Entry:
    """A lot on the page of a count. `qty`: what was typed, if anything."""

    lot: InventoryItem
    rgb: str
    kind: str
    expected: int
    qty: str
    is_added: bool
    is_wrong: bool


# --- A place --------------------------------------------------------------------------------------------------------
@require("inventory:write")
def count(request: HttpRequest, location_id: UUID) -> HttpResponse:
    """Count a location: what lies there is hidden until it is entered, unless one asks for it (`?show=1`)."""
    location = queries.get_location(location_id)
    if request.method != "POST":
        return _entering(request, location, problem="")
    found, wrong = quantities(request.POST, "qty_")
    step = request.POST.get("step", "compare")
    if wrong:
        return _entering(request, location, problem="Type whole numbers of pieces, 0 or more.", wrong=wrong)
    try:
        if request.POST.get("what", "").strip():
            return _add(request, location)
        if step == "accept":
            return _accept(request, location, found)
        if step == "add":
            raise Invalid("Scan a lot's label, or type its item number.")
        return _compare(request, location, found)
    except ProblemError as error:
        return _entering(request, location, problem=_words(error))


def _words(error: ProblemError) -> str:
    if isinstance(error, Invalid) and error.errors:
        return " ".join(message for messages in error.errors.values() for message in messages)
    return error.detail or error.title


def _entering(
    request: HttpRequest,
    location: Location,
    *,
    problem: str,
    wrong: list[str] | None = None,
    choices: list[InventoryItem] | None = None,
    added: InventoryItem | None = None,
) -> HttpResponse:
    expected = counting.expected_at(location.pk)
    listed = {name.removeprefix("qty_") for name in request.POST if name.startswith("qty_")}
    if added:
        listed.add(str(added.pk))
    ordered = queries.lots_of([*expected, *(key for text in listed if (key := as_uuid(text)))], limit=_MOST_LOTS)
    entries = [
        Entry(
            lot,
            *queries.color_look(lot.color_id),
            expected=expected.get(lot.pk, 0),
            qty=request.POST.get(f"qty_{lot.pk}", "") or (request.POST.get("what_qty", "") if lot == added else ""),
            is_added=lot.pk not in expected,
            is_wrong=f"qty_{lot.pk}" in (wrong or ()),
        )
        for lot in ordered
    ]
    context = {
        "location": location,
        "entries": entries,
        "is_shown": (request.POST or request.GET).get("show") == "1",
        "problem": problem,
        "choices": [{"lot": lot, "look": queries.color_look(lot.color_id)} for lot in choices or ()],
        "typed": "" if added else request.POST.get("what", ""),
        "typed_qty": "" if added else request.POST.get("what_qty", ""),
        "added": added,
    }
    status = _UNPROCESSABLE if problem else HTTPStatus.OK
    return htmx.render(request, "inventory/count.html", context, status=status)


def _add(request: HttpRequest, location: Location) -> HttpResponse:
    """Put another lot on the list of what is counted."""
    found = scanned_lots(request.POST["what"], field="what", at=location.pk)
    if len(found) > 1:
        return _entering(request, location, problem="Several lots have that number. Choose one.", choices=found)
    return _entering(request, location, problem="", added=found[0])


def _compare(request: HttpRequest, location: Location, found: dict[UUID, int]) -> HttpResponse:
    plan = counting.plan_count(location_id=location.pk, found=found)
    lines = [
        {
            "line": line,
            "look": queries.color_look(line.lot.color_id),
            # Nobody typed a zero here, so that it may have been overlooked.
            "is_entered": line.lot.pk in found,
            "is_ticked": line.lot.pk in found and not line.problem,
        }
        for line in plan.differences
    ]
    equal = [line for line in plan.lines if not line.is_different]
    context: dict[str, Any] = {
        "location": location,
        "plan": plan,
        "lines": lines,
        "equal": equal,
        "key": str(new_id()),
        "is_shown": request.POST.get("show") == "1",
    }
    return htmx.render(request, "inventory/count_compare.html", context)


def _accept(request: HttpRequest, location: Location, found: dict[UUID, int]) -> HttpResponse:
    seen, _ = quantities(request.POST, "seen_")
    ticked = set(request.POST.getlist("accept"))
    equal = {key for key in found if found[key] == seen.get(key)}
    accepted = {key: qty for key, qty in found.items() if str(key) in ticked or key in equal}
    changed = services.count_location(
        location_id=location.pk,
        found=accepted,
        seen=seen,
        now=timezone.now(),
        cause_key=request.POST.get("key", "")[:80],
    )
    difference = f"{changed:,} {'difference' if changed == 1 else 'differences'} accepted" if changed else "as expected"
    url = reverse("inventory:location", args=[location.pk])
    return htmx.go_on(request, url, message=f"{location.code} counted, {difference}", undo=current_change_set_id())


# --- A lot ----------------------------------------------------------------------------------------------------------
@require("inventory:write")
def count_lot(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Count a lot at all its places."""
    lot, places = queries.get_lot(lot_id), queries.places_of(lot_id)
    problem = ""
    if request.method == "POST":
        placed, wrong = quantities(request.POST, "qty_")
        seen, _ = quantities(request.POST, "seen_")
        text = request.POST.get("unplaced", "").strip()
        if wrong or not (text.isdecimal() and text.isascii() and len(text) < 11):  # noqa: PLR2004  # ten digits
            problem = "Type whole numbers of pieces, 0 or more."
        else:
            try:
                services.count_lot(
                    lot_id=lot_id,
                    placed=placed,
                    unplaced=int(text),
                    seen=seen,
                    now=timezone.now(),
                    cause_key=request.POST.get("key", "")[:80],
                )
            except ProblemError as error:
                problem = _words(error)
            else:
                undo = current_change_set_id()
                url = htmx.safe_next(request, reverse("inventory:lot_count", args=[lot_id]))
                return htmx.go_on(request, url, message="Lot counted" if undo else "As expected", undo=undo)
    context = {
        "lot": lot,
        "look": queries.color_look(lot.color_id),
        "places": [
            {"place": place, "qty": request.POST.get(f"qty_{place.location.pk}", place.qty)} for place in places
        ],
        "unplaced": request.POST.get("unplaced", queries.qty_loose(lot, places)),
        "problem": problem,
        "key": str(new_id()),
        "next": request.POST.get("next") or request.GET.get("next", ""),
    }
    status = _UNPROCESSABLE if problem else HTTPStatus.OK
    return htmx.render(request, "inventory/count_lot.html", context, status=status)
