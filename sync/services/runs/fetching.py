"""Fetches the stores of a run: orders, the whole inventory, orders again, so that a sale in between is seen as one."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from common.collecting import no_search_for_cycles
from common.errors import BudgetExhausted, Conflict, CredentialsRefused, ProblemError, ProviderError, Unavailable
from common.steps import step
from common.wire import CallClass
from jobs.errors import TryAgain
from jobs.runner import Run
from stores import services as stores
from stores.choices import Channel
from stores.models import Store
from sync.models import Snapshot, SyncRun
from sync.queries.asking import is_first_look, is_short, lots_expected, twin_of
from sync.services import pulling
from sync.services.connecting import connect
from sync.services.doubts import ShortError
from sync.services.runs.options import Options
from sync.services.sending import settle_doubtful
from sync.services.turns import Busy, turn
from sync.snapshots import Packer

# Of each store; older ones are no use to anybody.
_KEPT = 2
_PATIENCE = timedelta(minutes=10)
_PAUSE = timedelta(minutes=1)
_MOST_TRIES = 5


def fetch_stores(run: SyncRun, job: Run, options: Options) -> SyncRun:
    """Fetch each store of a run that has a server and hasn't been fetched. Raises Conflict for what can't be all.

    A store that is away for a moment is asked again later (TryAgain).
    """
    for name in ("source", "target"):
        store: Store = getattr(run, f"{name}_store")
        if store.channel == Channel.LOCAL or getattr(run, f"{name}_snapshot_id") is not None:
            continue
        try:
            snapshot = fetch_store(store, job, accepts_few=options.accepts_few)
        except (ProviderError, BudgetExhausted, Unavailable) as error:
            raise again_or_over(store, error, job) from error
        setattr(run, f"{name}_snapshot", snapshot)
        SyncRun.objects.filter(pk=run.pk).update(**{f"{name}_snapshot": snapshot})
        step("sync.snapshot_kept")
    return run


def again_or_over(store: Store, error: ProblemError, job: Run) -> Exception:
    """Answer how a job goes on where a store couldn't be asked: later by itself, or not at all."""
    wait = error.extra.get("retry_after")
    pause = timedelta(seconds=wait) if isinstance(wait, int | float) else _PAUSE
    tries = job.checkpoint.get("tries", 0) + 1
    if isinstance(error, CredentialsRefused) or pause > _PATIENCE or tries >= _MOST_TRIES:
        return error
    job.save_checkpoint(**{**job.checkpoint, "tries": tries})
    return TryAgain(f"{store.name}: {error.detail or error.title}", after=pause)


def fetch_store(store: Store, job: Run, *, accepts_few: bool = False) -> Snapshot:
    """Fetch a store's inventory and keep it. Raises Conflict where it is suspiciously small, and ProviderError."""
    expected = lots_expected(store.pk)
    channel = connect(store.pk, call_class=CallClass.USUAL)
    try:
        _clear_doubts(store)
        pulling.pull_orders(store_id=store.pk, now=timezone.now())
        # From before the first page: what is sold from now on may be in it or not.
        read_at, packer, is_first = timezone.now(), Packer(), is_first_look(store.pk)
        job.progress(0, expected or None, unit="lots", message=f"Fetching {store.name}")
        with no_search_for_cycles():
            for page in channel.fetch_inventory():
                if is_first:
                    _refuse_twin(store, [lot.lot_id for lot in page])
                packer.add(page)
                job.progress(packer.count, max(expected, packer.count) or None, unit="lots")
        step("sync.fetched")
        pulling.pull_orders(store_id=store.pk, now=timezone.now())
    except (ProviderError, BudgetExhausted) as error:
        stores.note_failure(store_id=store.pk, error=error, now=timezone.now())
        raise
    stores.note_success(store_id=store.pk, now=timezone.now())
    if not accepts_few:
        # By now, as what was sold meanwhile is gone.
        _refuse_few(store, packer.count, lots_expected(store.pk))
    return _keep(store, packer, read_at)


def _refuse_twin(store: Store, numbers: Collection[str]) -> None:
    """Stop where another store here has these lots: what opens them is two keys of one store."""
    twin = twin_of(store, numbers)
    if twin is None:
        return
    same = (
        f"This is {twin.name}, which is connected already: the lots are the same. Its stock would be sold twice, so"
        " nothing is read or sent here. Disconnect this one, or give it the credentials of another store."
    )
    raise CredentialsRefused(same, provider=store.channel, operation="fetch_inventory")


def _clear_doubts(store: Store) -> None:
    """Look at what nobody knows before all is looked at; where somebody else is at it, the plan leaves that out."""
    try:
        with turn(store.pk):
            channel = connect(store.pk, call_class=CallClass.USUAL)
            settle_doubtful(store_id=store.pk, channel=channel, now=timezone.now())
    except (Busy, ShortError):
        # Whether so few are all that there are is said where all are fetched.
        return


def _refuse_few(store: Store, count: int, expected: int) -> None:
    if expected and count == 0:
        raise Conflict(
            f"{store.name} answered with no lots at all; the last time there were {expected:,}. Nothing was compared."
            " Look at the store there. If it really is empty, compare again and say so."
        )
    if is_short(count, expected):
        raise Conflict(
            f"{store.name} answered with {count:,} lots; the last time there were {expected:,}. That may be half an"
            " answer, so nothing was compared. If it really has so few, compare again and say so."
        )


@transaction.atomic
def _keep(store: Store, packer: Packer, read_at: datetime) -> Snapshot:
    body = packer.body()
    made: Snapshot = Snapshot.objects.create(store=store, fetched_at=read_at, lots_count=packer.count, body=body)
    kept = Snapshot.objects.filter(store=store).order_by("-fetched_at", "-id").values_list("pk", flat=True)[:_KEPT]
    Snapshot.objects.filter(store=store).exclude(pk__in=list(kept)).delete()
    return made
