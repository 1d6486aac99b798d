"""What the pages of storage share: pages of a list, filters in the URL, scans turned into rows."""

from dataclasses import dataclass
from uuid import UUID

from common.errors import Invalid
from common.http import HttpRequest
from inventory.codes import read_scan
from inventory.models import InventoryItem, Location
from inventory.queries import locations as queries

MAX_DIGITS = 7


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
