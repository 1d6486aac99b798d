"""Who is told what when something has happened, from the service that causes it to the mail and the bell."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts import services as accounts
from common import actor, workspace
from common.actor import Actor, ActorKind
from common.testing.people import make_user
from events.bus import publish
from jobs.choices import JobStatus
from jobs.events import JobEnded
from jobs.models import JobRun
from notifications.models import Notification

pytestmark = pytest.mark.django_db


def test_mails_an_invitation_each_time_it_is_sent(django_capture_on_commit_callbacks: Any) -> None:
    marta = make_user(name="Marta")
    who = Actor(ActorKind.USER, str(marta.pk), "Marta", frozenset({"users:invite", "picker:read"}))
    with actor.use(actor.SYSTEM), django_capture_on_commit_callbacks(execute=True):
        invitation = accounts.invite_user(email="new@example.com", roles=["picker"], now=timezone.now())
    with actor.use(actor.SYSTEM), django_capture_on_commit_callbacks(execute=True):
        accounts.resend_invitation(invitation_id=invitation.pk, now=timezone.now())
    to_new = [sent for sent in mail.outbox if "new@example.com" in sent.to[0]]
    assert len(to_new) == 2
    assert accounts.invitation_url(invitation) in to_new[0].body
    assert "invites you to Test shop" in to_new[0].subject
    assert who.name == marta.display_name


def test_mails_no_invitation_that_was_taken_back(django_capture_on_commit_callbacks: Any) -> None:
    with actor.use(actor.SYSTEM), django_capture_on_commit_callbacks(execute=True):
        invitation = accounts.invite_user(email="new@example.com", roles=["picker"], now=timezone.now())
        accounts.revoke_invitation(invitation_id=invitation.pk, now=timezone.now())
    assert mail.outbox == []


def test_welcomes_new_users(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        make_user(email="ana@example.com", name="Ana")
    assert [sent.subject for sent in mail.outbox] == ["Welcome to Test shop"]
    assert "Hello Ana" in mail.outbox[0].body


def test_mails_a_reset_link_to_users_alone(django_capture_on_commit_callbacks: Any) -> None:
    make_user(email="ana@example.com", name="Ana")
    with django_capture_on_commit_callbacks(execute=True):
        accounts.request_password_reset(email="ana@example.com")
        accounts.request_password_reset(email="stranger@example.com")
    resets = [sent for sent in mail.outbox if "password" in sent.subject]
    assert [sent.to for sent in resets] == [["Ana <ana@example.com>"]]
    link = re.search(r"^https?://\S+$", str(resets[0].body), re.MULTILINE)
    assert link
    assert link[0].startswith(workspace.current().url)
    assert "1 hour" in resets[0].body


@pytest.mark.parametrize(
    ("status", "took", "title"),
    [
        (JobStatus.COMPLETED, timedelta(seconds=30), "Export is done"),
        (JobStatus.COMPLETED, timedelta(seconds=2), None),
        (JobStatus.FAILED, timedelta(seconds=2), "Export failed"),
        (JobStatus.CANCELLED, timedelta(seconds=30), None),
    ],
)
def test_tells_how_a_job_ended(
    django_capture_on_commit_callbacks: Any, status: JobStatus, took: timedelta, title: str | None
) -> None:
    ana, now = make_user(), timezone.now()
    job = JobRun.objects.create(
        job_type="x", label="Export", idempotency_key="x", created_by=ana, status=status, completed_at=now + took
    )
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            publish(JobEnded(job_id=job.id, job_type="x", status=status.value))
    assert list(Notification.objects.values_list("title", flat=True)) == ([title] if title else [])
