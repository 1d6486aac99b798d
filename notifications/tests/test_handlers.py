"""Who is told what when something has happened, from the service that causes it to the mail and the bell."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts import services as accounts
from common import actor, workspace
from common.actor import Actor, ActorKind
from common.ids import new_id
from common.testing.people import make_user
from events.bus import publish
from inventory.events import RepricingHeld
from jobs.choices import JobStatus
from jobs.events import JobEnded
from jobs.models import JobRun
from notifications.models import Notification
from stores.events import StorePaused
from sync.events import SyncCompleted, SyncFailed, SyncPreviewReady

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


def test_tells_once_who_may_set_prices_that_some_wait(django_capture_on_commit_callbacks: Any) -> None:
    held = RepricingHeld(run_id=uuid4(), rule_name="Nightly", question="It would move 58.3 % of the lots' value.")
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            publish(held)
    told = Notification.objects.get()
    assert (told.title, told.body) == ("Nightly: new prices wait for you", held.question)
    assert (told.user_id, told.permission) == (None, "inventory:write")
    assert told.action_url == reverse("inventory:repricing_run", args=[held.run_id])


def test_tells_those_who_may_change_stores_that_one_is_left_alone(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        publish(
            StorePaused(
                store_id=str(new_id()), channel="bricklink", name="Demo Bricks", state="NEEDS_RECONNECT",
                reason="BrickLink refuses this server's address.",
            )
        )  # fmt: skip
    told = Notification.objects.get()
    assert (told.title, told.body) == (
        "Demo Bricks needs to be connected again", "BrickLink refuses this server's address.",
    )  # fmt: skip
    assert (told.permission, told.action_url[:8]) == ("stores:write", "/stores/")


def about_run(**more: Any) -> dict[str, Any]:
    """Answer what every event of a run says."""
    return {
        "run_id": str(new_id()), "number": 7, "trigger": "DRIFT", "source_store_id": str(new_id()),
        "target_store_id": str(new_id()), "source_name": "Own counter", "target_name": "Demo Bricks", **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("happened", "title", "permission"),
    [
        (SyncPreviewReady(**about_run(), to_do=3), "Demo Bricks differs from your stock", "sync:apply"),
        (SyncPreviewReady(**about_run(), to_do=0), "", ""),
        (SyncPreviewReady(**about_run(trigger="BY_HAND"), to_do=3), "", ""),
        (
            SyncCompleted(**about_run(), added=0, updated=2, removed=0, failed=0),
            "Demo Bricks was put right", "sync:read",
        ),
        (SyncCompleted(**about_run(), added=0, updated=0, removed=0, failed=0), "", ""),
        (SyncCompleted(**about_run(trigger="BY_HAND"), added=9, updated=2, removed=0, failed=0), "", ""),
        (
            SyncCompleted(**about_run(trigger="BY_HAND"), added=9, updated=2, removed=0, failed=1),
            "1 line of run 7 failed", "sync:read",
        ),
        (SyncFailed(**about_run(), error_message="Refused."), "The nightly check of Demo Bricks failed", "sync:read"),
        (SyncFailed(**about_run(trigger="BY_HAND"), error_message="Refused."), "Run 7 failed", "sync:read"),
    ],
)  # fmt: skip
def test_tells_of_runs_what_nobody_is_looking_at(
    django_capture_on_commit_callbacks: Any, happened: Any, title: str, permission: str
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        publish(happened)
    told = list(Notification.objects.values_list("title", "permission", "action_url"))
    expected = [(title, permission, reverse("sync:run", args=[happened.run_id]))] if title else []
    assert told == expected


def test_a_run_that_failed_is_told_once(django_capture_on_commit_callbacks: Any) -> None:
    job = JobRun.objects.create(
        job_type="sync_apply", label="Bring into step", idempotency_key="x", created_by=make_user(),
        status=JobStatus.FAILED, completed_at=timezone.now(),
    )  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        publish(JobEnded(job_id=job.id, job_type="sync_apply", status=JobStatus.FAILED.value))
        publish(SyncFailed(**about_run(trigger="BY_HAND"), error_message="Refused."))
    assert list(Notification.objects.values_list("title", flat=True)) == ["Run 7 failed"]
