"""The price guide beside a lot and on an item's page: what is kept, asked for where a person waits for it."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone

from catalog import colors
from catalog import services as catalog
from catalog.choices import NEEDS_COLOR, ItemType, PriceKind
from catalog.queries import items
from catalog.queries import pricing as guides
from catalog.queries.pricing import FRESH_FOR, KeptFigures, KeptGuide, PriceKey
from catalog.services.pricing import REFRESHED_AFTER
from common.access import require
from common.errors import BadRequest, NotFound, ProviderError, RateLimited
from common.htmx import is_partial, render
from common.http import HttpRequest
from common.wire import CallClass
from inventory.choices import ItemCondition
from inventory.queries import lots
from inventory.queries.holdings import color_rows
from inventory.queries.pricing import explanation_of, guides_of, key_of, market
from inventory.queries.rows import ColorLook, look_of
from inventory.views.listing import symbol

_MAX_DIGITS = 5
_WORDS = {PriceKind.SOLD: "sold", PriceKind.STOCK: "offered"}


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One kind of figures as the page shows it. `percent`: what the lot's own price is of the quantity average."""

    label: str
    figures: KeptFigures | None
    is_old: bool
    percent: Decimal | None


def _rows(kept: dict[str, KeptGuide], *, own: str = "", price: Decimal | None = None) -> list[FigureRow]:
    now, found = timezone.now(), []
    for condition in sorted(ItemCondition, key=lambda each: each != own):
        for kind in PriceKind:
            figures = kept.get(condition, KeptGuide()).of(kind)
            average = figures.price_qty_avg if figures else None
            found.append(
                FigureRow(
                    label=f"{condition.label}, {_WORDS[kind]}",
                    figures=figures,
                    is_old=figures is not None and not figures.is_fresh(now=now),
                    percent=price / average * 100 if price is not None and average and condition == own else None,
                )
            )
    return found


def _in_both(key: PriceKey) -> list[PriceKey]:
    return [PriceKey(key.item_type, key.item_no, key.color_id, condition) for condition in ItemCondition.values]


def _ask(keys: list[PriceKey], *, within: timedelta) -> str:
    """Ask for what a person waits for; answer what is wrong, if anything."""
    here = market()
    for key in keys:
        try:
            catalog.fetch_guide(
                key=key, currency=here.currency, region=here.region, now=timezone.now(), within=within,
                call_class=CallClass.URGENT,
            )  # fmt: skip
        except RateLimited as error:
            return f"{error.detail} Try again later."
        except ProviderError:
            return "The price guide doesn't answer for the moment. Try again shortly."
    return ""


@require("inventory:read")
def lot_prices(request: HttpRequest, lot_id: UUID) -> HttpResponse:
    """Show what the price guide has of a lot's item. What is missing is asked for; a POST asks for newer figures."""
    lot = lots.get_lot(lot_id)
    key, problem = key_of(lot), ""
    if request.method == "POST":
        problem = _ask(_in_both(key), within=REFRESHED_AFTER)
    elif is_partial(request):
        # The other condition is asked for by the button: most people never look at it.
        problem = _ask([key], within=FRESH_FOR)
    found = guides_of(_in_both(key))
    kept = {each.condition: guide for each, guide in found.items()}
    own = kept.get(lot.condition, KeptGuide())
    context = {
        "lot": lots.lot_row(lot),
        "rows": _rows(kept, own=lot.condition, price=lot.unit_price),
        "has_figures": bool(kept),
        "is_unknown": own.sold is not None and not own.sold.is_known,
        "is_askable": key.is_askable,
        "can_ask": catalog.can_fetch_prices(),
        "problem": problem,
        "explanation": explanation_of(lot),
        "symbol": symbol(),
        "is_incomplete": lot.completeness == "INCOMPLETE",
    }
    return render(request, "inventory/price_guide.html", context, partial="price-guide")


# --- An item --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ColorPrices:
    """What an item goes for in a color: the quantity averages, new and used."""

    color_id: int | None
    look: ColorLook
    cells: tuple[KeptFigures | None, ...]

    @property
    def has_any(self) -> bool:
        """Tell whether anything is kept."""
        return any(self.cells)


@require("inventory:read")
def item_prices(request: HttpRequest, item_type: str, item_no: str) -> HttpResponse:
    """Show what the price guide has of an item in each of its colors; a POST asks for one color."""
    if item_type not in ItemType.values:
        raise NotFound("There is no such type of item.")
    item = items.get_item(item_type, item_no)
    said = request.POST if request.method == "POST" else request.GET
    problem, color_id = "", _color_id(said.get("color", ""))
    if request.method == "POST":
        if (item_type in NEEDS_COLOR) != (colors.get(color_id) is not None):
            raise BadRequest("This can't be its color.")
        key = PriceKey(item.item_type, item.item_no, color_id, ItemCondition.NEW)
        problem = _ask(_in_both(key), within=REFRESHED_AFTER)
    here = market()
    kept = guides.guides_of_item(item.item_type, item.item_no, currency=here.currency, region=here.region)
    rows = _color_prices(item, kept)
    context: dict[str, Any] = {
        "item": item,
        "url": reverse("catalog:item_prices", args=[item.item_type, item.item_no]),
        "kinds": [f"{condition.label}, {_WORDS[kind]}" for condition in ItemCondition for kind in PriceKind],
        "rows": [row for row in rows if row.has_any],
        "choices": [row for row in rows if row.color_id is not None],
        "asked_color": color_id,
        "problem": problem,
        "can_ask": catalog.can_fetch_prices(),
        "is_askable": item_type != ItemType.CUSTOM and not item.is_provisional,
        "symbol": symbol(),
    }
    return render(request, "inventory/item_prices.html", context, partial="item-prices")


def _color_prices(item: Any, kept: dict[tuple[int | None, str], KeptGuide]) -> list[ColorPrices]:
    looks: dict[int | None, ColorLook] = {row.id: row.look for row in color_rows(item)}
    looks |= {color_id: look_of(color_id) for color_id, _ in kept if color_id not in looks}
    if item.item_type not in NEEDS_COLOR:
        looks.setdefault(None, ColorLook(""))
    return [
        ColorPrices(
            color_id,
            look,
            tuple(
                kept.get((color_id, condition), KeptGuide()).of(kind)
                for condition in ItemCondition
                for kind in PriceKind
            ),
        )
        for color_id, look in looks.items()
    ]


def _color_id(text: str) -> int | None:
    is_number = text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS
    return int(text) or None if is_number else None
