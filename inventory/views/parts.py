"""What the pages of storage share: pages of a list, filters in the URL, scans turned into rows, what can be undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import TextChoices
from django.utils import timezone

from audit import queries as trail
from audit.services import reverting
from common import actor
from common.errors import Invalid, NotFound
from common.http import HttpRequest
from inventory.choices import ImportStatus
from inventory.codes import read_scan
from inventory.models import GivenFile, InventoryItem, Location
from inventory.queries import locations as queries
from jobs import queries as jobs

MAX_DIGITS = 7
_DIGITS_OF_POSITION = 9
Outcome = TypeVar("Outcome", bound=TextChoices)


@dataclass(frozen=True, slots=True)
class Page:
    """Where in a list one is (components/_pager.html)."""

    first: int
    last: int
    total: int
    previous_url: str
    next_url: str

    @property
    def is_needed(self) -> bool:
        """Tell whether there is more than this page."""
        return bool(self.previous_url or self.next_url)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that narrows a list (components/_chips.html)."""

    label: str
    remove_url: str
    unknown: bool = False


def url_with(request: HttpRequest, **changes: str) -> str:
    """Answer the page's address with some of its parameters changed; an empty one goes."""
    query = request.GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value:
            query[name] = value
    return f"{request.path}{'?' if query else ''}{query.urlencode()}"


def start_of(request: HttpRequest) -> int:
    """Answer at which row the page begins, from 0."""
    text = request.GET.get("from", "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= MAX_DIGITS else 0


def page_of(request: HttpRequest, *, first: int, shown: int, total: int, size: int) -> Page:
    """Answer what the pager shows."""
    return Page(
        first=first + 1 if shown else 0,
        last=first + shown,
        total=total,
        previous_url=url_with(request, **{"from": str(max(0, first - size) or "")}) if first else "",
        next_url=url_with(request, **{"from": str(first + size)}) if first + shown < total else "",
    )


def scanned_location(text: str, *, field: str) -> Location:
    """Answer the location that was scanned or typed. Raises Invalid at the field."""
    scan = read_scan(text)
    if scan.lot_id is not None:
        raise Invalid(errors={f"/{field}": ["That is a lot's label; scan a location."]})
    location = queries.location_named(scan.text)
    if location is None:
        raise Invalid(errors={f"/{field}": [f"There is no location {scan.text[:40]}."]})
    return location


def scanned_lots(text: str, *, field: str, at: UUID | None = None) -> list[InventoryItem]:
    """Answer the lots that were scanned or typed, those at a place first of all. Raises Invalid at the field."""
    scan = read_scan(text)
    if scan.is_location:
        raise Invalid(errors={f"/{field}": ["That is a location's label; scan a lot, or type its number."]})
    if scan.lot_id is not None:
        found = queries.lots_of([scan.lot_id], limit=1)
    else:
        found = (queries.lots_called(scan.text, at=at) if at else []) or queries.lots_called(scan.text)
    if not found:
        raise Invalid(errors={f"/{field}": [f"There is no lot {scan.text[:60]}."]})
    return found


def taking_back(change_set_id: UUID | None) -> dict[str, Any]:
    """Answer what a job changed, if anything, and whether whoever looks may take it back."""
    if change_set_id is None:
        return {}
    try:
        changed = trail.change_set_row(change_set_id)
    except NotFound:
        return {}
    may_revert = changed.undone != "undone" and bool(reverting.offered([changed]))
    return {"changed": changed, "may_revert": may_revert}


# --- Files that were given -------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Tab:
    """An outcome with how many parts of a file have it."""

    label: str
    count: int
    url: str
    current: bool


def outcome_of(run: GivenFile, wanted: str, outcomes: Sequence[Outcome]) -> Outcome | None:
    """Answer which outcome is shown: the wanted one, else the first that there is."""
    chosen = next((each for each in outcomes if each == wanted), None)
    return chosen or next((each for each in outcomes if run.counts.get(each)), None)


def tabs_of(run: GivenFile, address: str, outcomes: Sequence[Outcome], current: Outcome | None) -> list[Tab]:
    """Answer a tab for each outcome that there is. `address`: of a tab, but for its outcome."""
    return [
        Tab(str(each.label), run.counts[each], f"{address}{each}", each == current)
        for each in outcomes
        if run.counts.get(each)
    ]


def position_of(request: HttpRequest) -> int:
    """Answer behind which position a page begins."""
    text = request.GET.get("after", "")
    return int(text) if text.isdecimal() and len(text) <= _DIGITS_OF_POSITION else 0


def standing_of(run: GivenFile) -> dict[str, Any]:
    """Answer where a file stands: its status, what went wrong, its job, and what that has changed once it is done."""
    status = run.standing
    job = run.apply_job if status != ImportStatus.READING and run.apply_job else run.read_job
    is_busy = status in (ImportStatus.READING, ImportStatus.APPLYING)
    return {
        "run": run,
        "status": status,
        "error": run.error_message or (job.error_message if job else ""),
        "job": jobs.row_of(job, who=actor.current(), now=timezone.now()) if job else None,
        "is_busy": is_busy,
        **({} if is_busy else taking_back(run.change_set_id)),
    }
