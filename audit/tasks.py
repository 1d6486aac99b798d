"""Celery entry points of the trail."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from audit import services
from common import periodic


@shared_task(name="audit.purge")
def purge(**_future: Any) -> None:
    """Remove what is older than the shop keeps it."""
    services.purge_expired(now=timezone.now())


periodic.daily(purge, hour=3, minute=40)
