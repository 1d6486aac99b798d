"""Celery entry points of mail and notifications."""

from typing import Any
from uuid import UUID

from celery import shared_task
from django.utils import timezone

from common import periodic
from notifications import queries, services


@shared_task(name=services.SEND)
def send_mail(mail_id: str, **_future: Any) -> None:
    """Send a mail."""
    services.send_mail(mail_id=UUID(mail_id), now=timezone.now())


@shared_task(name="notifications.sweep_mails")
def sweep_mails(**_future: Any) -> None:
    """Find mails that are due."""
    services.sweep_mails(now=timezone.now())


@shared_task(name="notifications.purge")
def purge(**_future: Any) -> None:
    """Delete old mails and notifications."""
    services.purge(now=timezone.now())


periodic.every(sweep_mails, seconds=30, only_if=queries.has_due_mail)
periodic.daily(purge, hour=2, minute=30)
