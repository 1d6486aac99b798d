"""What is done for people while nobody looks."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from accounts import services
from common import periodic


@shared_task(name="accounts.clear_expired")
def clear_expired(**_future: Any) -> None:
    """Delete sessions and tokens that have ended."""
    services.clear_expired(now=timezone.now())


periodic.daily(clear_expired, hour=2, minute=30)
