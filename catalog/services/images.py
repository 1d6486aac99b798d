"""Pictures of items: wanted by who looks at them, fetched once by a worker, kept as ours, forgotten in time."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

import redis
import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, Sum

from catalog import colors
from catalog.choices import ImageState
from catalog.models import CatalogImage, CatalogItem
from catalog.queries import images as queries
from catalog.services.fetching_pictures import LIMIT_BYTES, Answer, Outcome, fetch_picture
from catalog.sources.base import Prediction
from catalog.sources.pictures import absolute, host_of
from common import background, limits
from common.errors import Invalid
from common.images import squares
from common.redis_client import client

logger = structlog.get_logger(__name__)

TASK = "catalog.fetch_images"
LIMIT_PIXELS = 25_000_000
# When somebody is asked again: for a newer picture, for one that there wasn't, for one that there may be.
KEPT_FOR, NONE_FOR, TROUBLE_FOR = timedelta(days=120), timedelta(days=30), timedelta(hours=1)
UNUSED_FOR = timedelta(days=180)
# A worker that took a picture has so long, and takes so many at once.
_CLAIM, _BATCH = timedelta(minutes=5), 4
# Of a picture that nobody came to fetch: whoever looks again wants it again.
_WAITS_FOR = timedelta(days=2)
_SOON = timedelta(seconds=30)
# A shop's share of what is fetched for all.
_A_DAY = limits.Limit(name="images", amount=20_000, window_s=86_400)
_UNDER_WAY, _UNDER_WAY_S = "catalog:images:under_way", 5


# --- What is wanted -------------------------------------------------------------------------------------------------
def want_image(
    *, known: CatalogImage | None, item_type: str, item_no: str, color_id: int, now: datetime
) -> bool:  # fmt: skip
    """Have a picture fetched soon, unless it is under way or was asked for lately; tell whether it is to come.

    Only of what the catalog knows, or what somebody identified: nobody can have us ask for anything else. `known`: its
    row, as it was read a moment ago.
    """
    if known is None:
        is_known = CatalogItem.objects.filter(item_type=item_type, item_no=item_no).exists()
        if not is_known or (color_id and colors.get(color_id) is None) or not _has_share():
            return False
        values = {"state": ImageState.WANTED, "wanted_at": now, "ask_again_at": now, "used_at": now}
        CatalogImage.objects.get_or_create(
            item_type=item_type, item_no=item_no, color_id=color_id, defaults=values
        )  # fmt: skip
    elif known.state != ImageState.WANTED:
        if known.ask_again_at > now or not _has_share():
            return False
        due = CatalogImage.objects.filter(pk=known.pk, ask_again_at__lte=now).exclude(state=ImageState.WANTED)
        due.update(state=ImageState.WANTED, wanted_at=now, ask_again_at=now, used_at=now)
    _fetch_soon()
    return True


def note_used(*, image: CatalogImage, now: datetime) -> None:
    """Remember, to the day, that somebody looked at a picture."""
    if image.used_at <= now - timedelta(days=1):
        CatalogImage.objects.filter(pk=image.pk).update(used_at=now)


def note_lost(*, image: CatalogImage, now: datetime) -> None:
    """Have a picture whose file is gone fetched again by whoever looks next."""
    lost = CatalogImage.objects.filter(pk=image.pk, content_hash=image.content_hash)
    lost.update(state=ImageState.NONE, content_hash="", size_bytes=0, ask_again_at=now)


def offer_images(*, predictions: Iterable[Prediction], now: datetime) -> None:
    """Remember where those who identified things have pictures of them, for who looks at them."""
    offered = {
        (each.item_type.value, each.item_no): absolute(each.image_url)
        for each in predictions
        if host_of(absolute(each.image_url)) is not None and len(each.image_url) <= 500  # noqa: PLR2004  # the column's
    }
    CatalogImage.objects.bulk_create(
        [
            CatalogImage(
                item_type=item_type, item_no=item_no, color_id=0, state=ImageState.NONE, offered_url=url,
                wanted_at=now, ask_again_at=now, used_at=now,
            )
            for (item_type, item_no), url in sorted(offered.items())
        ],
        update_conflicts=True,
        unique_fields=["item_type", "item_no", "color_id"],
        update_fields=["offered_url"],
    )  # fmt: skip


def _has_share() -> bool:
    return limits.take(_A_DAY, "shop").allowed


def _fetch_soon() -> None:
    """Have a worker come, unless one was called a moment ago; a sweeper finds what was missed."""
    try:
        is_first = client().set(_UNDER_WAY, "1", nx=True, ex=_UNDER_WAY_S)
    except redis.RedisError as error:
        logger.warning("catalog.redis_away", error=type(error).__name__)
        return
    if is_first:
        background.enqueue(TASK)


# --- Fetching -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Found:
    """What came of asking. `wait_s`: for how long the hosts that may have it want to be left alone."""

    made: Mapping[int, bytes] = field(default_factory=dict)
    url: str = ""
    is_in_color: bool = False
    had_trouble: bool = False
    is_put_off: bool = False
    wait_s: float = 0.0


def fetch_wanted(*, now: datetime) -> int:
    """Fetch the pictures that were wanted last, a few; answer how many were tried, 0 where none waits.

    Not atomic: the hosts are asked outside of any transaction. Two workers never fetch the same; what one that died
    took is free again after five minutes.
    """
    try:
        # Whoever wants one from here on calls a worker again, or is seen by this one.
        client().delete(_UNDER_WAY)
    except redis.RedisError as error:
        logger.warning("catalog.redis_away", error=type(error).__name__)
    taken = _take(now)
    for image in taken:
        _keep(image, _find(image), now)
    return len(taken)


def _take(now: datetime) -> list[CatalogImage]:
    with transaction.atomic():
        waiting = CatalogImage.objects.select_for_update(skip_locked=True).filter(
            state=ImageState.WANTED, ask_again_at__lte=now
        )
        taken = list(waiting.order_by("-wanted_at", "-pk")[:_BATCH])
        CatalogImage.objects.filter(pk__in=[image.pk for image in taken]).update(ask_again_at=now + _CLAIM)
    return taken


def _find(image: CatalogImage) -> _Found:
    """Ask one place after the other until one has a picture."""
    places = queries.places_of(image)
    color = colors.get(image.color_id) if image.color_id else None
    trouble = _Found()
    for url in places.in_color:
        answer = fetch_picture(url)
        if answer.outcome is Outcome.FOUND and (made := _made(answer.body, url)):
            return replace(trouble, made=made, url=url, is_in_color=True)
        trouble = _with(trouble, answer)
    # In no particular color it is the same picture for all of them.
    if color and (plain := queries.get_image(image.item_type, image.item_no, 0)) and plain.content_hash:
        kept = read_image(image=plain, side=queries.ON_PAGES)
        if kept and (made := _made(kept, plain.source_url, corner=color.rgb)):
            return replace(trouble, made=made, url=plain.source_url)
    for url in places.in_any:
        answer = fetch_picture(url)
        if answer.outcome is Outcome.FOUND and (made := _made(answer.body, url, corner=color.rgb if color else "")):
            return replace(trouble, made=made, url=url)
        trouble = _with(trouble, answer)
    return trouble


def _made(data: bytes, url: str, *, corner: str = "") -> dict[int, bytes]:
    """Answer the picture in our sizes; nothing where it is none that we take."""
    try:
        return squares(
            data, sides=queries.SIDES, limit_bytes=LIMIT_BYTES, limit_pixels=LIMIT_PIXELS, corner=corner
        )  # fmt: skip
    except Invalid as error:
        logger.warning("image.refused", url=url, reason=str(error))
        return {}


def _with(found: _Found, answer: Answer) -> _Found:
    return replace(
        found,
        had_trouble=found.had_trouble or answer.outcome is Outcome.TROUBLE,
        is_put_off=found.is_put_off or answer.outcome is Outcome.NOT_YET,
        wait_s=max(found.wait_s, answer.retry_after),
    )


def _keep(image: CatalogImage, found: _Found, now: datetime) -> None:
    """Write down what came of it, and put the files into the storage before they are named in the row."""
    old = [image.file_name(side) for side in queries.SIDES] if image.content_hash else []
    values: dict[str, object]
    if found.made:
        image.content_hash = sha256(b"".join(found.made[side] for side in queries.SIDES)).hexdigest()
        for side, data in found.made.items():
            _store(image.file_name(side), data)
        values = {
            "state": ImageState.KEPT, "content_hash": image.content_hash, "source_url": found.url,
            "is_in_color": found.is_in_color, "size_bytes": sum(map(len, found.made.values())), "fetched_at": now,
            # Where a better place may have had one, it is asked soon.
            "ask_again_at": now + (TROUBLE_FOR if found.had_trouble or found.is_put_off else KEPT_FOR),
        }  # fmt: skip
    elif found.is_put_off:
        values = {"state": ImageState.WANTED, "ask_again_at": now + max(_SOON, timedelta(seconds=found.wait_s))}
    elif found.had_trouble:
        wait = max(TROUBLE_FOR, timedelta(seconds=found.wait_s))
        values = {"state": ImageState.TROUBLE, "ask_again_at": now + min(wait, NONE_FOR)}
    else:
        values = {"state": ImageState.NONE, "ask_again_at": now + NONE_FOR}
    CatalogImage.objects.filter(pk=image.pk).update(**values)
    if found.made:
        _delete(name for name in old if name not in {image.file_name(side) for side in queries.SIDES})


def read_image(*, image: CatalogImage, side: int) -> bytes | None:
    """Answer a kept picture, `side` pixels wide and high; None where its file is gone."""
    with suppress(FileNotFoundError), default_storage.open(image.file_name(side)) as file:
        data: bytes = file.read()
        return data
    return None


def _store(name: str, data: bytes) -> None:
    # An earlier attempt may have got as far as this; the same name has the same content.
    if not default_storage.exists(name):
        default_storage.save(name, ContentFile(data))


def _delete(names: Iterable[str]) -> None:
    for name in names:
        default_storage.delete(name)


# --- Forgetting -----------------------------------------------------------------------------------------------------
def tidy_images(*, now: datetime) -> int:
    """Delete what nobody looked at for long, and beyond the installation's measure what nobody did for longest.

    Answers how many pictures went.
    """
    nobody_came = Q(state=ImageState.WANTED, wanted_at__lte=now - _WAITS_FOR, content_hash="")
    gone = _forget(list(CatalogImage.objects.filter(Q(used_at__lte=now - UNUSED_FOR) | nobody_came)))
    over = (CatalogImage.objects.aggregate(all=Sum("size_bytes"))["all"] or 0) - settings.CATALOG_IMAGES_LIMIT_BYTES
    oldest = []
    for image in CatalogImage.objects.filter(size_bytes__gt=0).order_by("used_at", "pk").iterator():
        if over <= 0:
            break
        oldest.append(image)
        over -= image.size_bytes
    return gone + _forget(oldest)


def _forget(images: list[CatalogImage]) -> int:
    # The rows first: a row whose files are gone would be shown broken, files without a row are only bytes.
    CatalogImage.objects.filter(pk__in=[image.pk for image in images]).delete()
    _delete(image.file_name(side) for image in images if image.content_hash for side in queries.SIDES)
    return len(images)
