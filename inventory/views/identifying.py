"""What somebody has in the hand: asked by a photo, or by a number that nobody here knows."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from catalog import services as catalog
from catalog.choices import ItemType
from catalog.errors import PhotosSwitchedOff
from catalog.services import Identified
from catalog.sources.base import ImageKind
from common import entitlements, images
from common.access import require
from common.errors import Invalid, ProviderError, ProviderRejected, RateLimited
from common.htmx import is_partial, render
from common.http import HttpRequest
from inventory.queries.holdings import Holding, held, holdings_of

_MAX_NUMBER = 60
_BY_HAND = "Go on by hand, or try again shortly."


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A thing that may be meant, as it is offered. `percent`: how sure that is, None where it is certain."""

    item_type: str
    item_no: str
    name: str
    qty_in_stock: int
    lots_in_stock: int
    percent: Decimal | None = None
    color_id: int | None = None
    is_top: bool = False

    @property
    def type_label(self) -> str:
        """Answer the kind of thing in words."""
        return str(ItemType(self.item_type).label)

    @property
    def add_url(self) -> str:
        """Answer the form for a lot of it."""
        values = {"item_type": self.item_type, "item_no": self.item_no, "item_name": self.name}
        if self.color_id is not None:
            values["color_id"] = str(self.color_id)
        return f"{reverse('inventory:add')}?{urlencode(values)}"

    @property
    def lots_url(self) -> str:
        """Answer the list of its lots."""
        return f"{reverse('inventory:list')}?{urlencode({'q': self.item_no})}"


@require_POST
@require("inventory:read")
def identify(request: HttpRequest) -> HttpResponse:
    """Answer what a photo may show, best first, or in a sentence why that can't be said."""
    entitlements.require("visual_identification")
    problem, status, suggestions = "", HTTPStatus.OK, []
    try:
        suggestions = _identified(request)
    except Invalid as error:
        problem = " ".join(message for messages in error.errors.values() for message in messages)
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    except PhotosSwitchedOff as error:
        problem, status = str(error.detail), HTTPStatus.CONFLICT
    except RateLimited as error:
        problem = f"{error.detail} {_BY_HAND}"
    except ProviderRejected:
        problem = "Brickognize can't read this picture. Take another one, or go on by hand."
    except ProviderError:
        problem = f"Brickognize, which looks at the photos, doesn't answer for the moment. {_BY_HAND}"
    context = {"problem": problem, "suggestions": suggestions}
    return render(request, "inventory/identified.html", context, partial="suggestions", status=status)


def _identified(request: HttpRequest) -> list[Suggestion]:
    upload = request.FILES.get("image")
    if upload is None:
        raise Invalid(errors={"/image": ["Choose a picture first."]})
    image = upload.read(images.LIMIT_BYTES + 1)
    found = catalog.identify_image(image=image, kind=ImageKind.ANY, now=timezone.now())
    holdings = holdings_of({_key(each) for each in found.predictions})
    return [_suggestion(each, held(holdings, _key(each)), is_top=each is found.top_match) for each in found.predictions]


def _key(each: Identified) -> tuple[str, str]:
    return each.item_type, each.item_no


def _suggestion(each: Identified, holding: Holding, *, is_top: bool) -> Suggestion:
    return Suggestion(
        item_type=each.item_type,
        item_no=each.item_no,
        name=each.name,
        qty_in_stock=holding.qty,
        lots_in_stock=holding.lots,
        percent=each.confidence * 100,
        is_top=is_top,
    )


@require_GET
@require("inventory:read")
def look_up(request: HttpRequest) -> HttpResponse:
    """Answer what a number means that isn't known here: as a page that asks, and as the part that it asks for."""
    number = request.GET.get("q", "").strip()[:_MAX_NUMBER]
    asked = catalog.asked_labels()
    context = {"number": number, "can_ask": bool(asked), "asked": _listed(asked)}
    if is_partial(request):
        context |= _looked_up(number, _listed(asked))
    return render(request, "inventory/looked_up.html", context, partial="looked-up")


def _listed(labels: Sequence[str], *, word: str = "and") -> str:
    """Answer names as a sentence has them: `Rebrickable, BrickLink and Brick Owl`."""
    *first, last = labels or ("",)
    return f"{', '.join(first)} {word} {last}" if first else last


def _looked_up(number: str, asked: str) -> dict[str, object]:
    try:
        found = catalog.look_up_anywhere(text=number, now=timezone.now())
    except RateLimited as error:
        return {"problem": f"{error.detail} Try again shortly."}
    except ProviderError:
        return {"problem": f"{asked} can't be asked for the moment. Try again shortly."}
    keys = [(item.item_type, item.item_no) for item in found.items]
    holdings = holdings_of(keys)
    return {
        "is_answer": True,
        "knows_not": _listed(found.asked, word="nor"),
        "away": _listed(found.away),
        "suggestions": [
            Suggestion(
                item_type=item.item_type,
                item_no=item.item_no,
                name=item.name,
                qty_in_stock=held(holdings, key).qty,
                lots_in_stock=held(holdings, key).lots,
                color_id=found.color_id,
            )
            for item, key in zip(found.items, keys, strict=True)
        ],
    }
