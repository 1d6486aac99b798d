"""Pages of labels with QR codes, of locations and of lots, in the sizes that label printers and sheets have."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from common import htmx
from common.access import require
from common.http import HttpRequest
from inventory.codes import location_payload, lot_payload
from inventory.forms.storage import as_uuid
from inventory.queries import locations as queries
from inventory.views.locations import path_of

# So many labels are drawn on one page.
MOST = 1000
MOST_COPIES = 20


@dataclass(frozen=True, slots=True)
class Size:
    """A paper that labels are printed on. `per_page`: how many fit on one; the style sheet knows its measures."""

    code: str
    label: str
    per_page: int


SIZES = {
    size.code: size
    for size in (
        Size("62x29", "62 × 29 mm, one label", 1),
        Size("100x150", "100 × 150 mm, two labels", 2),
        Size("a4-24", "A4 sheet, 3 × 8 labels", 24),
        Size("a4-12", "A4 sheet, 2 × 6 labels", 12),
    )
}


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on a label. `payload`: what its QR code holds."""

    payload: str
    title: str
    lines: tuple[str, ...]


def _copies(request: HttpRequest) -> int:
    text = request.GET.get("copies", "1")
    return min(max(int(text), 1), MOST_COPIES) if text.isdecimal() and text.isascii() and len(text) < 4 else 1  # noqa: PLR2004  # three digits


def _page(request: HttpRequest, labels: list[Label], *, kept: list[tuple[str, str]], back: str) -> HttpResponse:
    size = SIZES.get(request.GET.get("size", ""), SIZES["62x29"])
    copies = _copies(request)
    made = [label for label in labels for _ in range(copies)][:MOST]
    sheets = [made[start : start + size.per_page] for start in range(0, len(made), size.per_page)]
    context = {
        "sheets": sheets,
        "count": len(made),
        "is_cut": len(labels) * copies > MOST,
        "most": MOST,
        "sizes": SIZES.values(),
        "size": size,
        "copies": copies,
        # What was chosen, so that another size is of the same.
        "kept": kept,
        "back": back,
    }
    return htmx.render(request, "inventory/labels.html", context)


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    return [
        (name, value) for name in request.GET if name not in {"size", "copies"} for value in request.GET.getlist(name)
    ]


@require_GET
@require("inventory:read")
def location_labels(request: HttpRequest) -> HttpResponse:
    """Show labels of the named locations (`id`), or of a part of the storage, for printing."""
    ids = [key for text in request.GET.getlist("id") if (key := as_uuid(text))]
    found = queries.labels_of(path=path_of(request), ids=ids, text=request.GET.get("q", ""), limit=MOST + 1)
    labels = [Label(location_payload(row.code), row.code, (queries.where_of(row),)) for row in found]
    return _page(request, labels, kept=_kept(request), back="inventory:locations")


@require_GET
@require("inventory:read")
def lot_labels(request: HttpRequest) -> HttpResponse:
    """Show labels of the named lots (`id`), or of those at a location (`at`), for printing."""
    ids = [key for text in request.GET.getlist("id") if (key := as_uuid(text))]
    found = queries.lots_of(ids, at=as_uuid(request.GET.get("at", "")), limit=MOST + 1)
    labels = [
        Label(
            lot_payload(lot.pk),
            lot.item_no,
            (lot.item_name, " · ".join(filter(None, (lot.color_name, lot.get_condition_display())))),
        )
        for lot in found
    ]
    return _page(request, labels, kept=_kept(request), back="inventory:locations")
