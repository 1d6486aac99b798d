"""Settings of picking: where lots are taken from, what a scale may be off, and the map of the storage."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from audit.context import current_change_set_id
from common import actor
from common.access import require
from common.errors import Invalid, StaleVersion
from common.htmx import go_on, render
from common.http import HttpRequest
from inventory.forms.storage import add_errors
from picker.choices import Layout
from picker.forms.setup import SetupForm, aisle_key, aisle_of, aisles_of_post
from picker.models import PickingSetup
from picker.queries.maps import Aisle, aisle_label, aisle_on, aisles_of, current_setup
from picker.queries.previews import aisles_found, preview_of, unplaced_codes
from picker.services.setup import MOST_AISLES, save_setup


@require_GET
@require("settings:read")
def setup(request: HttpRequest) -> HttpResponse:
    """Show how the shop picks."""
    found = current_setup()
    aisles = aisles_of(found)
    depot = aisles[found.depot_aisle] if found.depot_aisle < len(aisles) else None
    context = _shown(SetupForm(initial=SetupForm.values_of(found)), found, aisles, depot)
    return render(request, "picker/setup.html", {**context, "preview": preview_of(found)})


@require_POST
@require("settings:write")
def setup_change(request: HttpRequest) -> HttpResponse:
    """Save how the shop picks; any other button, or none, shows the map as it is typed so far."""
    form, do = SetupForm(request.POST), request.POST.get("do", "")
    aisles, depot = _moved(aisles_of_post(request.POST), do), aisle_of(request.POST.get("depot", ""))
    if do == "save" and form.is_valid():
        try:
            save_setup(
                values=form.values(aisles, depot), points=form.placed if _is_free(form) else None,
                expected_version=form.cleaned_data["version"],
            )  # fmt: skip
        except (Invalid, StaleVersion) as error:
            add_errors(form, error)
        else:
            return go_on(request, reverse("picker:setup"), message="Picking saved.", undo=current_change_set_id())
    drawn = form.drawn(current_setup(), aisles, depot)
    preview = preview_of(drawn, points=form.drawn_points() if _is_free(form) else None)
    status = HTTPStatus.OK
    if do == "save":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    else:
        # What is half typed isn't wrong yet; only lines that can't be read are worth a word.
        form.errors.pop("version", None)
    # Who puts one aisle on the map goes on with the next.
    context = {**_shown(form, drawn, aisles, depot), "preview": preview, "is_adding": do.startswith("add:")}
    return render(request, "picker/setup.html", context, partial="map", status=status)


def _is_free(form: SetupForm) -> bool:
    return bool(form.cleaned_data.get("layout") == Layout.FREE)


def _moved(aisles: list[Aisle], do: str) -> list[Aisle]:
    """Answer the aisles as the pressed button leaves them."""
    deed, _, text = do.partition(":")
    if deed == "all":
        free = [aisle for aisle, row in aisles_found().items() if not row.is_zone and not aisle_on(aisles, *aisle)]
        return [*aisles, *free]
    named = aisle_of(text)
    if named is None:
        return aisles
    if deed == "add":
        return [*aisles, *([named] if named not in aisles else [])]
    if named not in aisles:
        return aisles
    at = aisles.index(named)
    rest = [aisle for aisle in aisles if aisle != named]
    match deed:
        case "drop":
            return rest
        case "up":
            return [*rest[: max(0, at - 1)], named, *rest[max(0, at - 1) :]]
        case "down":
            return [*rest[: at + 1], named, *rest[at + 1 :]]
    return aisles


def _shown(form: SetupForm, found: PickingSetup, aisles: Sequence[Aisle], depot: Aisle | None) -> dict[str, Any]:
    named = aisles_found()
    on_map = [
        {
            "key": aisle_key(*aisle), "label": aisle_label(*aisle),
            "places": named[aisle].places if aisle in named else 0,
            "is_start": aisle == depot if depot in aisles else place == 0,
        }
        for place, aisle in enumerate(aisles)
    ]  # fmt: skip
    others = [
        {
            "key": aisle_key(*aisle), "label": aisle_label(*aisle) + (" as one aisle" if row.is_zone else ""),
            "places": row.places,
        }
        for aisle, row in sorted(named.items(), key=lambda one: not one[1].is_zone)
        if any(aisle) and not aisle_on(aisles, *aisle)
    ]  # fmt: skip
    return {
        "form": form,
        "layout": found.layout,
        "aisles": on_map,
        "others": others,
        "may_take_all": len(on_map) + len(others) <= MOST_AISLES,
        "unplaced": unplaced_codes(form.placed if form.is_bound else None) if found.layout == Layout.FREE else [],
        "can_write": actor.current().can("settings:write"),
    }
