"""What a photo shows: asked once for the same photo, and remembered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import structlog
from django.db.models import Q

from catalog.choices import System
from catalog.errors import PhotosSwitchedOff
from catalog.models import CatalogExternalId, CatalogIdMapping, CatalogItem, ImageIdentification
from catalog.services.connecting import connect
from catalog.services.images import offer_images
from catalog.services.turns import a_place_to_wait, one_at_a_time
from catalog.sources.base import ImageKind, Prediction
from common import images, limits, workspace
from common.errors import ProviderRejected, RateLimited
from common.wire import CallClass

logger = structlog.get_logger(__name__)

KEPT_FOR = timedelta(days=90)
# From here on the first prediction is taken for what it is.
TOP_MATCH_FROM = Decimal("0.85")
_SOURCE = "brickognize"
# A shop's share of what all shops have together.
_A_DAY = limits.Limit(name="identify", amount=1000, window_s=86_400)
_CENTS = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Identified:
    """One thing that a photo may show. `platform_ids`: its number on each platform; `item` None: not in the catalog."""

    item_type: str
    item_no: str
    name: str
    confidence: Decimal
    platform_ids: Mapping[str, str]
    item: CatalogItem | None


@dataclass(frozen=True, slots=True)
class Identification:
    """What a photo may show, best first. `top_match`: the first, if it is sure enough."""

    predictions: tuple[Identified, ...]
    top_match: Identified | None


def identify_image(*, image: bytes, kind: ImageKind, now: datetime) -> Identification:
    """Answer what a photo shows, as sent by a person or as it was answered in the last 90 days.

    Not atomic: the source is asked outside of any transaction, and what it said is kept whatever happens after. Raises
    PhotosSwitchedOff where the shop lets none leave; Invalid for what is no picture; RateLimited and BudgetExhausted
    (with `retry_after`) before anything is sent; ProviderError where the source fails, which is not remembered.
    """
    if not workspace.current().identifies_photos:
        raise PhotosSwitchedOff(
            "This shop lets no photo leave, so none is identified. An owner or admin can change that in its inventory"
            " settings."
        )
    jpeg = images.clean(image).jpeg
    image_hash = sha256(jpeg).hexdigest()
    kept = _kept(image_hash, kind, now)
    if kept is None:
        with a_place_to_wait(), one_at_a_time(f"identify:{kind}:{image_hash}"):
            # Whoever was first has kept the answer by now.
            kept = _kept(image_hash, kind, now) or _asked(jpeg, image_hash, kind, now)
    return _resolved(kept.predictions)


def forget_identifications(*, now: datetime) -> int:
    """Delete what was answered more than 90 days ago; answer how many."""
    deleted, _ = ImageIdentification.objects.filter(created_at__lte=now - KEPT_FOR).delete()
    return deleted


def _kept(image_hash: str, kind: ImageKind, now: datetime) -> ImageIdentification | None:
    return ImageIdentification.objects.filter(image_hash=image_hash, kind=kind, created_at__gt=now - KEPT_FOR).first()


def _asked(jpeg: bytes, image_hash: str, kind: ImageKind, now: datetime) -> ImageIdentification:
    verdict = limits.take(_A_DAY, "shop")
    if not verdict.allowed:
        raise RateLimited(
            "So many photos were identified today; go on tomorrow, or by hand.", retry_after=verdict.reset_s
        )
    try:
        predictions = connect(_SOURCE, call_class=CallClass.URGENT).identify(jpeg, kind)
    except ProviderRejected as error:
        if error.extra.get("answer_status") in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            # The endpoints are announced to go one day.
            logger.error("source.moved", source=_SOURCE, status=error.extra["answer_status"])
        raise
    offer_images(predictions=predictions, now=now)
    top = predictions[0] if predictions else None
    row, _ = ImageIdentification.objects.update_or_create(
        image_hash=image_hash,
        kind=kind,
        defaults={
            "predictions": [_as_json(prediction) for prediction in predictions],
            "top_item_no": top.item_no if top else "",
            "top_confidence": top.score.quantize(_CENTS) if top else None,
            "matched_item": _items([(top.item_type, top.item_no)]).get((top.item_type, top.item_no)) if top else None,
            "created_at": now,
        },
    )
    return row


def _as_json(prediction: Prediction) -> dict[str, str]:
    return {
        "item_type": prediction.item_type.value,
        "item_no": prediction.item_no,
        "name": prediction.name,
        "confidence": str(prediction.score),
        "image_url": prediction.image_url,
    }


def _resolved(predictions: list[dict[str, Any]]) -> Identification:
    """Answer the kept predictions with what the catalog knows of them by now."""
    items = _items([(each["item_type"], each["item_no"]) for each in predictions])
    mappings = {
        (mapping.item_type, mapping.canonical_item_no): mapping
        for mapping in CatalogIdMapping.objects.filter(canonical_item_no__in={item.item_no for item in items.values()})
    }
    answer = []
    for each in predictions:
        item = items.get((each["item_type"], each["item_no"]))
        mapping = mappings.get((item.item_type, item.item_no)) if item else None
        answer.append(
            Identified(
                item_type=each["item_type"],
                item_no=item.item_no if item else each["item_no"],
                name=item.name if item and item.name else each["name"],
                confidence=Decimal(each["confidence"]),
                platform_ids=_platform_ids(mapping, each["item_no"]),
                item=item,
            )
        )
    is_sure = bool(answer) and answer[0].confidence >= TOP_MATCH_FROM
    return Identification(predictions=tuple(answer), top_match=answer[0] if is_sure else None)


def _platform_ids(mapping: CatalogIdMapping | None, number: str) -> dict[str, str]:
    found = {"bricklink": number}
    if mapping is not None:
        ids = {
            "bricklink": mapping.bricklink_id,
            "brickowl": mapping.brickowl_id,
            "brikick": mapping.brikick_id,
            "rebrickable": mapping.rebrickable_id,
            "ldraw": mapping.ldraw_id,
        }
        found |= {platform: value for platform, value in ids.items() if value}
    return found


def _items(wanted: list[tuple[str, str]]) -> dict[tuple[str, str], CatalogItem]:
    """Answer the items of BrickLink's numbers: under that number, or under the one that has replaced it."""
    numbers = {number for _, number in wanted}
    found = {
        (row.item.item_type, row.external_id): row.item
        for row in CatalogExternalId.objects.filter(system=System.BRICKLINK, external_id__in=numbers)
        .select_related("item")
        .order_by("confidence", "-item_id")
    }
    for item in CatalogItem.objects.filter(Q(item_no__in=numbers) | Q(alternate_nos__overlap=list(numbers))):
        for number in item.alternate_nos:
            found.setdefault((item.item_type, number), item)
    for item in CatalogItem.objects.filter(item_no__in=numbers):
        found[item.item_type, item.item_no] = item
    return found
