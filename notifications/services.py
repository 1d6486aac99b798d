"""What can be done: queue a mail, send it, tell people something, note that they read it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import queries as people
from common import live, workspace
from common.background import enqueue
from common.errors import NotFound
from common.steps import step
from notifications import queries
from notifications.choices import TOLD, MailStatus, NotificationType
from notifications.kinds import KINDS
from notifications.mail import outgoing, render
from notifications.models import Notification, NotificationPreference, NotificationState, QueuedEmail
from notifications.queries import Reader

logger = structlog.get_logger(__name__)

SEND = "notifications.send_mail"
TOPIC = "bell"
ATTEMPTS = 5
# After the first, second, third and fourth try that failed.
_RETRY_AFTER = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
# A try that hasn't said how it ended by then was killed.
_LEASE = timedelta(minutes=2)
_ERROR_LENGTH = 500
MAIL_KEPT = timedelta(days=30)
NOTIFICATIONS_KEPT = timedelta(days=90)


@transaction.atomic
def queue_email(
    *,
    template_key: str,
    to: str,
    context: Mapping[str, Any],
    idempotency_key: str,
    to_name: str = "",
    reference: tuple[str, str] = ("", ""),
) -> QueuedEmail:
    """Write a mail in the present transaction; it is sent after the commit, with retries. One for each idempotency key.

    `context`: the variables that `notifications.kinds` lists for the key; a missing one is a MissingVariableError.
    `reference`: what it is about, as type and id.
    """
    kind = KINDS[template_key]
    shop = workspace.current()
    given = {"workspace_name": shop.name, "workspace_url": shop.url}
    words = render.render(kind.key, {**given, **context})
    mail = QueuedEmail(
        to_email=to,
        to_name=" ".join(to_name.split())[:200],
        subject=words.subject[:300],
        body_html=words.html,
        body_text=words.text,
        template_key=kind.key,
        reference_type=reference[0],
        reference_id=reference[1],
        idempotency_key=idempotency_key,
        next_attempt_at=timezone.now(),
    )
    QueuedEmail.objects.bulk_create([mail], ignore_conflicts=True)
    kept = QueuedEmail.objects.get(idempotency_key=idempotency_key)
    if kept.pk == mail.pk:
        enqueue(SEND, mail_id=str(mail.pk))
    return kept


def send_mail(*, mail_id: UUID, now: datetime) -> None:
    """Send a mail that is due and that nobody else is sending. No transaction is open meanwhile."""
    due = QueuedEmail.objects.filter(pk=mail_id, status=MailStatus.PENDING, next_attempt_at__lte=now)
    if not due.update(attempts=F("attempts") + 1, last_attempt_at=now, next_attempt_at=now + _LEASE):
        return
    mail = QueuedEmail.objects.get(pk=mail_id)
    step("mail.leased")
    if mail.attempts > ATTEMPTS:
        _give_up(mail, mail.error_message or "Every try was cut off.")
        return
    try:
        outgoing.send(
            mail_id=mail.pk,
            to_email=mail.to_email,
            to_name=mail.to_name,
            subject=mail.subject,
            text=mail.body_text,
            html=mail.body_html,
        )
    except outgoing.RefusedError as error:
        _give_up(mail, str(error))
    except outgoing.UnsentError as error:
        if mail.attempts >= ATTEMPTS:
            _give_up(mail, str(error))
        else:
            _try_later(mail, str(error), now=now)
    else:
        step("mail.sent")
        _note_sent(mail, now=now)


def sweep_mails(*, now: datetime) -> None:
    """Find mails that are due and have no task: retries, and what a broker lost."""
    due = QueuedEmail.objects.filter(status=MailStatus.PENDING, next_attempt_at__lte=now)
    for mail_id in due.order_by("next_attempt_at").values_list("pk", flat=True)[:200]:
        enqueue(SEND, mail_id=str(mail_id))


def purge(*, now: datetime) -> None:
    """Delete old mails and notifications."""
    QueuedEmail.objects.filter(created_at__lt=now - MAIL_KEPT).exclude(status=MailStatus.PENDING).delete()
    Notification.objects.filter(created_at__lt=now - NOTIFICATIONS_KEPT).delete()


@transaction.atomic
def notify(
    *,
    user_id: UUID | None,
    type: NotificationType,  # the field's name in the data model and the API
    title: str,
    idempotency_key: str,
    body: str = "",
    action_url: str = "",
    action_label: str = "",
    permission: str = "",
    reference: tuple[str, str] = ("", ""),
) -> None:
    """Tell a user, or everybody (who has `permission`), something that happened by itself. Once for each key.

    `action_url`: a path of ours; ValueError for anything that leads elsewhere.
    """
    if action_url and not url_has_allowed_host_and_scheme(action_url, allowed_hosts=None):
        raise ValueError(f"{action_url} leads out of the shop")
    Notification.objects.bulk_create(
        [
            Notification(
                user_id=user_id,
                type=type,
                title=title[:200],
                body=body,
                action_url=action_url,
                action_label=action_label,
                permission=permission,
                reference_type=reference[0],
                reference_id=reference[1],
                idempotency_key=idempotency_key,
            )
        ],
        ignore_conflicts=True,
    )
    live.notify(TOPIC, user_id=user_id)


@transaction.atomic
def mail_all(
    *,
    type: NotificationType,  # the field's name in the data model and the API
    permission: str,
    template_key: str,
    context: Mapping[str, Any],
    idempotency_key: str,
    reference: tuple[str, str] = ("", ""),
) -> int:
    """Mail everybody who has the permission and wants mails of that type; answer how many. Once for each key and user.

    `context`: as `queue_email` takes it, but for `user_name` and `settings_url`.
    """
    unwanted = set(NotificationPreference.objects.filter(type=type, email=False).values_list("user_id", flat=True))
    wanted = [user for user in people.users_who_can(permission) if user.pk not in unwanted]
    for user in wanted:
        own = {"user_name": user.display_name or user.email, "settings_url": _settings_url()}
        queue_email(
            template_key=template_key,
            to=user.email,
            to_name=user.display_name,
            context={**context, **own},
            idempotency_key=f"{idempotency_key}:{user.pk}",
            reference=reference,
        )
    return len(wanted)


def _settings_url() -> str:
    return workspace.current().url + reverse("notifications:settings")


@transaction.atomic
def choose_ways(*, user_id: UUID, in_app: Collection[str], email: Collection[str]) -> None:
    """Have somebody be told of these types at the bell, and of these by mail, and of the others not."""
    rows = [
        NotificationPreference(user_id=user_id, type=each, in_app=each in in_app, email=each in email) for each in TOLD
    ]
    NotificationPreference.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["user", "type"], update_fields=["in_app", "email"]
    )
    live.notify(TOPIC, user_id=user_id)


@transaction.atomic
def mark_read(*, notification_ids: Iterable[UUID], reader: Reader, now: datetime) -> int:
    """Note that the reader has read these, as far as they are his; answer how many."""
    found = queries.addressed_to(reader).filter(pk__in=list(notification_ids))
    return _note(found, reader, now=now, is_dismissed=False)


@transaction.atomic
def mark_kind_read(*, type: str, reader: Reader, now: datetime) -> int:  # the field's name in the data model
    """Note that the reader has read all of a kind up to now; answer how many were unread."""
    return _note(queries.unread(reader).filter(type=type), reader, now=now, is_dismissed=False)


@transaction.atomic
def mark_all_read(*, reader: Reader, now: datetime) -> int:
    """Note that the reader has read everything up to now; answer how many were unread."""
    return _note(queries.unread(reader), reader, now=now, is_dismissed=False)


@transaction.atomic
def dismiss(*, notification_id: UUID, reader: Reader, now: datetime) -> None:
    """Take a notification off the reader's list, for him alone. NotFound where it isn't his."""
    found = queries.addressed_to(reader).filter(pk=notification_id)
    if not _note(found, reader, now=now, is_dismissed=True):
        raise NotFound


def _note(found: "QuerySet[Notification]", reader: Reader, *, now: datetime, is_dismissed: bool) -> int:
    keys = list(found.values_list("pk", flat=True))
    if not keys:
        return 0
    dismissed_at = now if is_dismissed else None
    states = [
        NotificationState(notification_id=key, user_id=reader.user_id, read_at=now, dismissed_at=dismissed_at)
        for key in keys
    ]
    NotificationState.objects.bulk_create(states, ignore_conflicts=True)
    if is_dismissed:
        # One that was read before has a row already.
        mine = NotificationState.objects.filter(notification__in=keys, user_id=reader.user_id, dismissed_at=None)
        mine.update(dismissed_at=now)
    live.notify(TOPIC, user_id=reader.user_id)
    return len(keys)


def _note_sent(mail: QueuedEmail, *, now: datetime) -> None:
    mail.status, mail.sent_at, mail.next_attempt_at, mail.error_message = MailStatus.SENT, now, None, ""
    _forget_secret(mail)
    mail.save()


def _try_later(mail: QueuedEmail, error: str, *, now: datetime) -> None:
    logger.warning("mail.unsent", mail_id=str(mail.pk), key=mail.template_key, attempt=mail.attempts)
    mail.next_attempt_at = now + _RETRY_AFTER[mail.attempts - 1]
    mail.error_message = error[:_ERROR_LENGTH]
    mail.save(update_fields=["next_attempt_at", "error_message", "updated_at"])


def _give_up(mail: QueuedEmail, error: str) -> None:
    logger.error("mail.failed", mail_id=str(mail.pk), key=mail.template_key, attempt=mail.attempts)
    mail.status, mail.next_attempt_at, mail.error_message = MailStatus.FAILED, None, error[:_ERROR_LENGTH]
    _forget_secret(mail)
    mail.save()


def _forget_secret(mail: QueuedEmail) -> None:
    if KINDS[mail.template_key].holds_secret:
        # The subject too: people read codes there without opening the mail.
        mail.subject = mail.body_html = mail.body_text = ""
