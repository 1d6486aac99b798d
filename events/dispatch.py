"""Tells subscribers what happened, one by one, each in a transaction with what the subscriber does about it."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from common import actor, shutdown
from common.steps import step
from events.bus import Subscriber, find_subscriber
from events.models import Event, Telling
from events.schemas import Occurrence

logger = structlog.get_logger(__name__)

_FIRST_DELAY_S = 5
_LONGEST_DELAY_S = 3600
_ERROR_LENGTH = 500
# A subscriber that this process doesn't know may belong to newer code that is being rolled out.
_STRANGERS_WAIT = timedelta(days=1)
# Kept for looking things up; what happened is in the audit trail for good.
KEPT = timedelta(days=7)
LIMIT = 1000

_around: Callable[[str], AbstractContextManager[Any]] = nullcontext


def tell_inside(manager: Callable[[str], AbstractContextManager[Any]]) -> None:
    """Tell each subscriber inside `manager(name of the deed)`: the audit trail, which lies above, makes it one."""
    global _around  # noqa: PLW0603  # wired once, when Django starts
    _around = manager


def has_waiting(*, now: datetime | None = None) -> bool:
    """Tell whether somebody must be told something by now."""
    return Telling.objects.filter(done_at=None, next_attempt_at__lte=now or timezone.now()).exists()


def dispatch(*, limit: int = LIMIT) -> int:
    """Tell everybody what they are owed by now, oldest first; answer how many tellings were tried.

    Several may run at once: each takes tellings that no other holds. Killed in between, nothing is lost: a telling is
    done only with the transaction of what its subscriber did.
    """
    for told in range(limit):
        if shutdown.is_requested() or not _tell_next(now=timezone.now()):
            return told
    return limit


def purge(*, now: datetime) -> int:
    """Delete events that everybody was told of long ago; answer how many."""
    deleted, _ = Event.objects.filter(processed_at__lt=now - KEPT).delete()
    return deleted


def _tell_next(*, now: datetime) -> bool:
    with transaction.atomic():
        telling = _next(now=now)
        if telling is None:
            return False
        event = telling.event
        subscriber = find_subscriber(event.event_type, telling.subscriber)
        if subscriber is None and now - telling.created_at < _STRANGERS_WAIT:
            _put_off(telling, "There is no such subscriber here.", now=now)
            return True
        if subscriber is None:
            logger.error("event.dropped", event_id=str(event.id), event_type=event.event_type, to=telling.subscriber)
        elif not _tell(subscriber, event, telling, now=now):
            return True
        _done(telling, now=now)
    step("events.told")
    return True


def _next(*, now: datetime) -> Telling | None:
    """Lock and answer the oldest telling that is due and not behind another of the same subscriber and entity."""
    earlier = Telling.objects.filter(
        done_at=None,
        subscriber=OuterRef("subscriber"),
        entity_key=OuterRef("entity_key"),
        sequence__lt=OuterRef("sequence"),
    )
    return (
        Telling.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("event")
        .filter(Q(entity_key="") | ~Exists(earlier), done_at=None, next_attempt_at__lte=now)
        .order_by("sequence", "id")
        .first()
    )


def _tell(subscriber: Subscriber, event: Event, telling: Telling, *, now: datetime) -> bool:
    """Run the subscriber in a savepoint; on failure take back what it did and put the telling off."""
    occurrence = _occurrence(event)
    origin = actor.Origin(request_id="", correlation_id=event.correlation_id)
    try:
        with (
            actor.use(actor.SYSTEM),
            actor.use_origin(origin),
            _around(_deed_of(subscriber)),
            transaction.atomic(),
        ):
            step("events.before_handler")
            subscriber.handler(occurrence)
            step("events.after_handler")
    except Exception as error:
        # A worker's outermost loop: whatever a subscriber does wrong must not stop the others.
        logger.exception("event.refused", event_id=str(event.id), event_type=event.event_type, to=subscriber.name)
        _put_off(telling, f"{type(error).__name__}: {error}", now=now)
        return False
    return True


def _deed_of(subscriber: Subscriber) -> str:
    """Answer the audit trail's name for what a subscriber does: `notifications.on_user_invited`."""
    return f"{subscriber.name.partition('.')[0]}.{subscriber.name.rpartition('.')[2]}"


def _put_off(telling: Telling, error: str, *, now: datetime) -> None:
    telling.attempts += 1
    telling.next_attempt_at = now + _delay(telling.attempts)
    telling.last_error = error[:_ERROR_LENGTH]
    telling.save(update_fields=["attempts", "next_attempt_at", "last_error"])


def _done(telling: Telling, *, now: datetime) -> None:
    telling.attempts += 1
    telling.done_at, telling.last_error = now, ""
    telling.save(update_fields=["attempts", "done_at", "last_error"])
    # Of two last tellings at once the second waits here, and then sees that the first is done.
    Event.objects.select_for_update().get(pk=telling.event_id)
    if not Telling.objects.filter(event_id=telling.event_id, done_at=None).exists():
        Event.objects.filter(pk=telling.event_id).update(processed_at=now)


def _occurrence(event: Event) -> Occurrence:
    occurred_at = parse_datetime(event.payload["occurred_at"])
    return Occurrence(
        id=event.id,
        event_type=event.event_type,
        version=event.payload["version"],
        sequence=event.sequence,
        occurred_at=occurred_at or event.created_at,
        correlation_id=event.correlation_id,
        data=event.payload["data"],
    )


def _delay(attempts: int) -> timedelta:
    longest = min(_FIRST_DELAY_S * 2 ** (attempts - 1), _LONGEST_DELAY_S)
    return timedelta(seconds=longest * random.uniform(0.5, 1))  # noqa: S311  # spreads retries; nothing secret
