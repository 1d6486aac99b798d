"""What the catalog was told long ago is asked again at night: which numbers mean which parts changes."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Q, QuerySet

from catalog.choices import ItemType, Source, System
from catalog.models import CatalogExternalId, CatalogItem
from catalog.services import keeping
from catalog.services.connecting import connect, is_connected
from catalog.sources.base import FoundItem
from common.errors import ProviderError, RateLimited
from common.wire import CallClass
from jobs import services as jobs
from jobs.choices import OPEN_STATUSES
from jobs.models import JobRun

JOB = "catalog_refresh"
STALE_AFTER = timedelta(days=30)
_SOURCE = Source.REBRICKABLE
# Of numbers in one call.
BATCH = 100
_SURE = Decimal("0.5")


def start_refresh(*, now: datetime) -> JobRun | None:
    """Have a job ask anew for what is older than 30 days; None where there is nothing, or nobody to ask.

    A job that is under way is answered again.
    """
    if not is_connected(_SOURCE.value) or not stale_count(now=now):
        return None
    under_way = JobRun.objects.filter(job_type=JOB, status__in=OPEN_STATUSES).first()
    return under_way or jobs.start(JOB, label="Refresh the catalog")


def stale_count(*, now: datetime) -> int:
    """Answer how many numbers of Rebrickable's were last asked for more than 30 days ago, or never."""
    return _stale(now).values("external_id").distinct().count()


def refresh_stale(*, now: datetime, on_progress: Callable[[int, str], None] = lambda _done, _why: None) -> int:
    """Ask Rebrickable anew for all its parts that are stale, a hundred with each call; answer how many.

    All of them, in stock anywhere or not: the dumps don't say what others call a part, 62,000 parts are 620 calls, and
    a search may be for any. Each hundred is kept before the next is asked for, so that whoever goes on later begins
    where it ended. Ends, and tells `on_progress` why, where the night's calls are used up or the source is away.
    """
    source = connect(_SOURCE.value, call_class=CallClass.SPARE)
    done = 0
    while numbers := _next(now):
        try:
            found = source.look_up_many(numbers)
        except (RateLimited, ProviderError) as error:
            on_progress(done, str(error.detail))
            break
        _keep(numbers, found, now=now)
        done += len(numbers)
        on_progress(done, "")
    return done


def _stale(now: datetime) -> QuerySet[CatalogExternalId]:
    return CatalogExternalId.objects.filter(
        Q(item__source_updated_at=None) | Q(item__source_updated_at__lte=now - STALE_AFTER),
        system=System.REBRICKABLE, confidence__gte=_SURE, item__item_type=ItemType.PART, item__retired_at=None,
    )  # fmt: skip


def _next(now: datetime) -> list[str]:
    """Answer the next hundred numbers: never asked for before long ago, and what many sets have before the rest."""
    rows = _stale(now).order_by(F("item__source_updated_at").asc(nulls_first=True), "-item__popularity", "id")
    return list(dict.fromkeys(rows.values_list("external_id", flat=True)[:BATCH]))


def _keep(numbers: list[str], found: tuple[FoundItem, ...], *, now: datetime) -> None:
    keeping.keep(_SOURCE, found, {}, now=now)
    # Also those that it no longer has, or that are another item by now: nobody is asked the same again tonight.
    CatalogItem.objects.filter(
        item_type=ItemType.PART, external_ids__system=System.REBRICKABLE, external_ids__external_id__in=numbers,
    ).update(source_updated_at=now)  # fmt: skip
