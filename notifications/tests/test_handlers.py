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
from events.dispatch import dispatch
from events.models import Telling
from inventory.events import RepricingHeld
from inventory.testing import make_lot
from jobs.choices import JobStatus
from jobs.events import JobEnded
from jobs.models import JobRun
from notifications import queries, services
from notifications.models import Notification, QueuedEmail
from notifications.queries import Reader
from orders.models import Order
from orders.testing import arrive, incoming, incoming_line, later, make_store, type_in
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


# --- Sold twice ------------------------------------------------------------------------------------------------------
def sold_twice(**values: Any) -> Order:
    """Have an order come in of which some pieces aren't there."""
    there, sold = make_lot(qty=3), make_lot(qty=0, item_no="3003")
    told = incoming(incoming_line(there, qty=2), incoming_line(sold, qty=4), **values)
    return arrive(make_store(), told)


def shortages() -> list[list[str]]:
    return [sent.to for sent in mail.outbox if "is short" in sent.subject]


def test_tells_by_bell_and_mail_which_pieces_were_sold_twice(django_capture_on_commit_callbacks: Any) -> None:
    for name, role in (("Ana", "owner"), ("Ben", "staff"), ("Cem", "readonly")):
        make_user(role=role, email=f"{name.lower()}@example.com", name=name)
    with django_capture_on_commit_callbacks(execute=True):
        order = sold_twice()
    # Who may only look isn't mailed.
    assert sorted(shortages()) == [["Ana <ana@example.com>"], ["Ben <ben@example.com>"]]
    sent = next(each for each in mail.outbox if "is short" in each.subject)
    assert sent.subject == f"Order {order.external_order_id} is short"
    assert "3003 Red: 0 of 4 there" in sent.body
    assert "3001" not in sent.body
    assert workspace.current().url + reverse("orders:order", args=[order.pk]) in sent.body
    assert Notification.objects.get(type="oversold").reference_id == str(order.pk)
    assert not QueuedEmail.objects.exclude(status="SENT").exists()


def test_mails_once_for_each_order_however_often_it_changes(django_capture_on_commit_callbacks: Any) -> None:
    make_user(role="owner")
    store, lot = make_store(), make_lot(qty=1)
    told = incoming(incoming_line(lot, qty=2))
    with django_capture_on_commit_callbacks(execute=True):
        arrive(store, told)
    with django_capture_on_commit_callbacks(execute=True):
        arrive(store, later(told, lines=(incoming_line(lot, qty=9),)))
        Telling.objects.update(done_at=None)
    dispatch()
    assert len(shortages()) == 1


def test_who_wants_no_mail_gets_none_and_who_wants_no_bell_sees_none(django_capture_on_commit_callbacks: Any) -> None:
    ana, ben = make_user(role="owner", email="ana@example.com"), make_user(role="owner", email="ben@example.com")
    services.choose_ways(user_id=ana.pk, in_app=["oversold"], email=[])
    services.choose_ways(user_id=ben.pk, in_app=[], email=["oversold"])
    with django_capture_on_commit_callbacks(execute=True):
        sold_twice()
    assert [to for (to,) in shortages() if "ana@" in to] == []
    assert len(shortages()) == 1
    may = frozenset({"orders:read"})
    assert [row.type for row in queries.bell(Reader(ana.pk, may)).rows] == ["oversold"]
    assert queries.bell(Reader(ben.pk, may)).rows == ()


def test_what_is_typed_in_is_mailed_to_nobody(django_capture_on_commit_callbacks: Any) -> None:
    make_user(role="owner")
    with django_capture_on_commit_callbacks(execute=True):
        type_in((make_lot(qty=1), 2))
    assert shortages() == []
    assert Notification.objects.filter(type="oversold").exists()
