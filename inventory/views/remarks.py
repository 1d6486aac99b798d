"""The page on which locations are read from remarks and written into them."""

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from common import htmx, workspace
from common.access import require
from common.errors import Invalid
from common.http import HttpRequest
from common.ids import new_id
from inventory import services
from inventory.services import remarks as service

# What a preview says of each outcome, in the order in which people read it.
_READING = {
    "changed": "are placed",
    "equal": "lie there already",
    "placed": "lie elsewhere and stay, because you keep what is known",
    "sold_out": "have no pieces to place",
    "inactive": "name a location that isn't in use",
    "unreadable": "name what can't be a code",
    "without": "name no location",
}
_WRITING = {
    "changed": "get other remarks",
    "equal": "say so already",
    "no_room": "have other text in their remarks that the pattern leaves no room for",
    "without": "have no place, and keep their remarks",
}


def _outcomes(counts: dict[str, int], words: dict[str, str]) -> list[tuple[int, str]]:
    return [(counts[name], text) for name, text in words.items() if counts.get(name)]


@require("inventory:write")
def remarks(request: HttpRequest) -> HttpResponse:
    """Show the pattern, and what reading or writing would do (`?step=`)."""
    pattern = workspace.current().remarks_pattern
    step = request.GET.get("step", "") if pattern else ""
    replace = request.GET.get("replace") == "on"
    outcomes: list[tuple[int, str]] = []
    counts: dict[str, int] = {}
    if step == "read":
        counts = service.preview_reading(replace=replace).as_data()
        outcomes = _outcomes(counts, _READING)
    elif step == "write":
        counts = service.preview_writing().as_data()
        outcomes = _outcomes(counts, _WRITING)
    context = {
        "pattern": pattern,
        "step": step if step in {"read", "write"} else "",
        "replace": replace,
        "outcomes": outcomes,
        "changed": counts.get("changed", 0),
        "new_locations": counts.get("new_locations", 0),
        "key": str(new_id()),
    }
    return htmx.render(request, "inventory/remarks.html", context, partial="preview")


@require_POST
@require("inventory:write")
def remarks_start(request: HttpRequest) -> HttpResponse:
    """Have it done, in a job."""
    key = request.POST.get("key", "")[:80]
    match request.POST.get("step"):
        case "read":
            job = services.start_reading(replace=request.POST.get("replace") == "on", key=key)
        case "write":
            job = services.start_writing(key=key)
        case _:
            raise Invalid("Say whether to read or to write.")
    return htmx.redirect(request, reverse("jobs:detail", args=[job.pk]))
