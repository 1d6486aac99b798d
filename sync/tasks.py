"""What keeping in step does in workers."""

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from django.urls import reverse
from django.utils import timezone

from common import periodic
from common.background import enqueue
from common.errors import Conflict, NotFound, ProblemError
from jobs.choices import LogLevel
from jobs.errors import TryAgain
from jobs.registry import job
from jobs.runner import Run
from sync import services
from sync.addresses import url_of
from sync.queries import asking, pending
from sync.services import bells, listing_new, messages, notifying, pulling, pushing, runs, telling
from sync.services.pulling import PULL
from sync.services.turns import Busy

# Comparing is one long look of a single process; its heartbeat has a thread of its own.
_COMPARING = timedelta(minutes=2)
# So often a store that is away is asked again by a job without anything getting done in between.
_MOST_TRIES = 10
_ALL_SAME = "Orders are read. Nothing had to be sent."
_TO_DO = (("add", "add"), ("update", "change"), ("remove", "remove"))


# --- Push -------------------------------------------------------------------------------------------------------------
@shared_task(name=bells.PUSH)
def push(store_id: str, **_future: Any) -> None:
    """Have a store show what is wanted there. Who is busy with it looks again when that is done."""
    key = UUID(store_id)
    bells.begin(key)
    try:
        result = services.push_store(store_id=key, now=timezone.now())
        if result.left or (not result.problem and pushing.has_more(key, now=timezone.now())):
            bells.ring(key)
    except (Conflict, NotFound):
        # Busy, or nobody to ask any more.
        return


@shared_task(name="sync.sweep_pushes")
def sweep_pushes(**_future: Any) -> None:
    """Find stores that are behind although nobody rang for them."""
    now = timezone.now()
    for store in pending.stores_to_push():
        is_behind = pending.is_behind(store, now=now) or listing_new.is_due(store)
        if pushing.may_push(store, by_hand=False, now=now) and is_behind:
            bells.ring(store.pk)


@job(services.SYNC_NOW, label="Sync now", queue="sync", permission="sync:read")
def sync_now(run: Run, *, store_id: str, **_future: Any) -> dict[str, Any]:
    """Read a store's orders, then send what is different there, all of it: nobody else may go on with it."""
    key, told = UUID(store_id), {"done": 0, "refused": 0, "tries": 0, **run.checkpoint}
    if not run.checkpoint:
        run.progress(0, 2, unit="steps", message="Reading orders")
        pulling.pull_orders(store_id=key, now=timezone.now())
    is_left = True
    while is_left:
        run.progress(1, 2, unit="steps", message=f"Sending stock; {_brought(told)}")
        try:
            result = services.push_store(store_id=key, now=timezone.now(), by_hand=True)
        except Busy:
            return {"message": "Orders are read. Stock is being sent already."}
        told |= {"done": told["done"] + result.done, "refused": told["refused"] + result.refused}
        told["tries"] = 0 if result.done else told["tries"] + bool(result.problem)
        if result.problem:
            run.log(result.problem, level=LogLevel.WARNING)
            if result.again_in is None or told["tries"] >= _MOST_TRIES or pushing.goes_by_itself(key):
                return {"message": f"Orders are read, {_brought(told)}. Sending stock stopped: {result.problem}"}
        run.save_checkpoint(**told)
        if result.problem:
            raise TryAgain(result.problem, after=result.again_in or timedelta())
        is_left = result.left
    refused = f", {told['refused']:,} refused" if told["refused"] else ""
    did = f"Orders are read, {_brought(told)}{refused}." if any((told["done"], refused)) else _ALL_SAME
    return {"message": did, "url": reverse("stores:store", args=[key]), "url_label": "Show store"}


def _brought(told: Mapping[str, int]) -> str:
    return f"{told['done']:,} listing{'' if told['done'] == 1 else 's'} brought up to date"


periodic.every(sweep_pushes, seconds=30, only_if=pending.has_listings)


# --- Runs -------------------------------------------------------------------------------------------------------------
@job(runs.PREVIEW, label="Compare stores", queue="sync", permission="sync:read", heartbeat_limit=_COMPARING)
def sync_preview(run: Run, *, run_id: str, **_future: Any) -> dict[str, Any]:
    """Fetch two stores and plan what brings them into step."""
    found = runs.make_preview(UUID(run_id), run, now=timezone.now())
    summary = found.plan_summary
    words = ", ".join(f"{summary.get(name, 0):,} to {verb}" for name, verb in _TO_DO)
    return {"message": f"{words}; {summary.get('equal', 0):,} equal."}


@job(runs.APPLY, label="Bring stores into step", queue="sync", permission="sync:read", heartbeat_limit=_COMPARING)
def sync_apply(run: Run, *, run_id: str, **_future: Any) -> dict[str, Any]:
    """Carry out what was approved."""
    found = runs.apply_run(UUID(run_id), run, now=timezone.now())
    done = found.plan_summary.get("applied", {})
    words = f"{done.get('add', 0):,} added, {done.get('update', 0):,} changed, {done.get('remove', 0):,} removed"
    return {"message": f"{words}{f', {failed:,} failed' if (failed := done.get('failed', 0)) else ''}."}


@shared_task(name="sync.start_due_checks")
def start_due_checks(**_future: Any) -> None:
    """Compare stores with what is wanted there that haven't been for long."""
    runs.start_due_checks(now=timezone.now())


periodic.every(start_due_checks, seconds=900, only_if=runs.has_stores_to_check)


# --- Orders -----------------------------------------------------------------------------------------------------------
@shared_task(name=PULL)
def pull_orders(store_id: str, **_future: Any) -> None:
    """Read a store's orders. Whoever reads them already reads on; what went wrong is kept with the store."""
    with contextlib.suppress(ProblemError):
        pulling.pull_orders(store_id=UUID(store_id), now=timezone.now(), waits_s=0)


@shared_task(name="sync.poll_orders")
def poll_orders(**_future: Any) -> None:
    """Have the orders read of each store whose turn it is, and be told of what happens there."""
    now = timezone.now()
    for store_id in asking.stores_to_read(now):
        enqueue(PULL, store_id=str(store_id))
    for store_id in asking.stores_to_look_at(now):
        enqueue(notifying.LOOK, store_id=str(store_id))
    for store_id in asking.stores_to_listen_to(now):
        enqueue(notifying.LISTEN, store_id=str(store_id))


@shared_task(name=notifying.LOOK)
def look_at_notices(store_id: str, **_future: Any) -> None:
    """Look at what a channel has told of a store by itself."""
    key = UUID(store_id)
    with contextlib.suppress(ProblemError):
        if notifying.orders_to_look_at(key):
            pulling.pull_orders(store_id=key, now=timezone.now(), waits_s=0)
    with contextlib.suppress(ProblemError):
        messages.read_noticed(store_id=key, now=timezone.now())
    with contextlib.suppress(ProblemError):
        notifying.look_at_lots(store_id=key, now=timezone.now())


@shared_task(name=notifying.LISTEN)
def listen(store_id: str, **_future: Any) -> None:
    """Give a store an address for notifications, and have its channel tell what happens to it."""
    key = UUID(store_id)
    with contextlib.suppress(ProblemError):
        address = notifying.give_address(store_id=key)
        if address is not None:
            notifying.listen(store_id=key, url=url_of(address), now=timezone.now())


@shared_task(name=telling.TELL)
def tell_orders(store_id: str, **_future: Any) -> None:
    """Tell a store's channel how its orders stand. What went wrong is kept, and tried again."""
    with contextlib.suppress(ProblemError):
        telling.tell_store(store_id=UUID(store_id), now=timezone.now())


@shared_task(name="sync.sweep_telling")
def sweep_telling(**_future: Any) -> None:
    """Find what channels should have heard by now."""
    for store_id in asking.stores_to_tell(timezone.now()):
        enqueue(telling.TELL, store_id=str(store_id))


@shared_task(name="sync.forget_notices")
def forget_notices(**_future: Any) -> None:
    """Delete what channels told long ago."""
    notifying.forget_old(now=timezone.now())


periodic.every(poll_orders, seconds=20, only_if=asking.has_stores)
periodic.every(sweep_telling, seconds=30, only_if=asking.has_stores)
periodic.daily(forget_notices, hour=3, minute=50, only_if=asking.has_stores)
