"""What can be asked about mail and notifications."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise

from common import actor
from common.actor import ActorKind
from common.errors import NotFound, PermissionDenied
from notifications.choices import MAILED, TOLD, MailStatus, NotificationType
from notifications.models import Notification, NotificationPreference, NotificationState, QueuedEmail

_BELL_LENGTH = 50
# So many unread ones of a kind are shown as one line.
_GROUPED_FROM = 4

_ICONS = {
    NotificationType.JOB_DONE: "list-checks",
    NotificationType.SYSTEM_ALERT: "triangle-alert",
    NotificationType.SYNC_FAILED: "circle-alert",
    NotificationType.OVERSOLD: "circle-alert",
}


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads, and what he may see of what everybody is told."""

    user_id: UUID
    permissions: frozenset[str]

    @classmethod
    def present(cls) -> "Reader":
        """Answer who acts now; PermissionDenied for what is no person."""
        who = actor.current()
        if who.kind is not ActorKind.USER:
            raise PermissionDenied("Notifications are for people.")
        return cls(UUID(who.id), who.permissions)


@dataclass(frozen=True, slots=True)
class Row:
    """A notification as pages show it, or several of a kind in one line; then `count` says how many."""

    id: UUID
    type: NotificationType
    title: str
    body: str
    action_url: str
    action_label: str
    created_at: datetime
    is_read: bool
    count: int = 1

    @property
    def icon(self) -> str:
        """Answer the name of the icon of its kind."""
        return _ICONS.get(self.type, "bell")


@dataclass(frozen=True, slots=True)
class Bell:
    """What the header shows."""

    unread_count: int
    rows: tuple[Row, ...]


def has_due_mail(*, now: datetime | None = None) -> bool:
    """Tell whether a mail waits for its next try."""
    return QueuedEmail.objects.filter(status=MailStatus.PENDING, next_attempt_at__lte=now or timezone.now()).exists()


def addressed_to(reader: Reader) -> QuerySet[Notification]:
    """Answer what the reader is told: his own, and everybody's that his permissions let him see."""
    everybodys = Q(user=None) & (Q(permission="") | Q(permission__in=reader.permissions))
    return Notification.objects.filter(Q(user_id=reader.user_id) | everybodys)


def listed(reader: Reader) -> QuerySet[Notification]:
    """Answer what the reader wants to be told and has not dismissed."""
    dismissed = _states(reader).filter(dismissed_at__isnull=False)
    return _wanted_by(reader).filter(~Exists(dismissed))


def unread(reader: Reader) -> QuerySet[Notification]:
    """Answer what the reader wants to be told and has neither read nor dismissed."""
    return _wanted_by(reader).filter(~Exists(_states(reader)))


def get_addressed(notification_id: UUID, reader: Reader) -> Notification:
    """Answer one notification; NotFound where it isn't the reader's."""
    found = addressed_to(reader).filter(pk=notification_id).first()
    if found is None:
        raise NotFound
    return found


def rows_of(notifications: list[Notification], reader: Reader) -> list[Row]:
    """Answer notifications as pages show them."""
    keys = [notification.pk for notification in notifications]
    states = NotificationState.objects.filter(user_id=reader.user_id, notification__in=keys, read_at__isnull=False)
    read = set(states.values_list("notification_id", flat=True))
    return [_row(notification, is_read=notification.pk in read) for notification in notifications]


def bell(reader: Reader) -> Bell:
    """Answer what is unread, newest first, many of a kind in one line."""
    found = unread(reader)
    newest = list(found.order_by("-created_at", "-id")[:_BELL_LENGTH])
    kinds = Counter(dict(found.values_list("type").annotate(count=Count("id"))))
    rows: list[Row] = []
    shown: set[str] = set()
    for notification in newest:
        if kinds[notification.type] < _GROUPED_FROM:
            rows.append(_row(notification, is_read=False))
        elif notification.type not in shown:
            shown.add(notification.type)
            rows.append(_group(notification, kinds[notification.type]))
    return Bell(unread_count=kinds.total(), rows=tuple(rows))


def _wanted_by(reader: Reader) -> QuerySet[Notification]:
    muted = NotificationPreference.objects.filter(user_id=reader.user_id, type=OuterRef("type"), in_app=False)
    return addressed_to(reader).filter(~Exists(muted))


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody is told of a type. `email` is None where there is no mail about it."""

    type: NotificationType
    label: str
    about: str
    in_app: bool
    email: bool | None


def ways_of(user_id: UUID) -> list[Way]:
    """Answer how somebody is told of what."""
    chosen = {row.type: row for row in NotificationPreference.objects.filter(user_id=user_id)}
    return [
        Way(
            type=each,
            label=str(each.label),
            about=about,
            in_app=each not in chosen or chosen[each].in_app,
            email=(each not in chosen or chosen[each].email) if each in MAILED else None,
        )
        for each, about in TOLD.items()
    ]


def _states(reader: Reader) -> QuerySet[NotificationState]:
    return NotificationState.objects.filter(notification=OuterRef("pk"), user_id=reader.user_id)


def _row(notification: Notification, *, is_read: bool) -> Row:
    return Row(
        id=notification.pk,
        type=NotificationType(notification.type),
        title=notification.title,
        body=notification.body,
        action_url=notification.action_url,
        action_label=notification.action_label or "Open",
        created_at=notification.created_at,
        is_read=is_read,
    )


def _group(newest: Notification, count: int) -> Row:
    kind = NotificationType(newest.type)
    return Row(
        id=newest.pk,
        type=kind,
        title=f"{count:,} {_lower(kind.label)}",
        body=f"Newest: {newest.title}",
        action_url="",
        action_label="",
        created_at=newest.created_at,
        is_read=False,
        count=count,
    )


def _lower(label: "str | Promise") -> str:
    text = str(label)
    return text[:1].lower() + text[1:]
