"""Celery entry points of the outbox."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from common import periodic
from common.background import enqueue
from events import dispatch as dispatching
from events.bus import DISPATCH


@shared_task(name=DISPATCH)
def dispatch(**_future: Any) -> None:
    """Tell subscribers what they are owed."""
    if dispatching.dispatch() == dispatching.LIMIT:
        enqueue(DISPATCH)


@shared_task(name="events.purge")
def purge(**_future: Any) -> None:
    """Delete events that are long told."""
    dispatching.purge(now=timezone.now())


periodic.every(dispatch, seconds=30, only_if=dispatching.has_waiting)
periodic.daily(purge, hour=2, minute=10)
