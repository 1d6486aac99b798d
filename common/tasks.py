"""Celery entry points of what all apps share."""

from celery import shared_task
from django.utils import timezone

from common import limits, periodic
from common.api import idempotency


@shared_task(name="common.purge")
def purge(**_future: object) -> None:
    """Delete remembered answers and counted limits whose time is over."""
    now = timezone.now()
    idempotency.purge_expired(now=now)
    limits.purge_expired(now=now)


periodic.daily(purge, hour=2, minute=40)
