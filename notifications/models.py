"""Mail that waits to be sent, and what the bell shows."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.ids import new_id
from common.models import BaseModel
from notifications.choices import MailStatus, NotificationType


class QueuedEmail(BaseModel):
    """One mail to one address, written in the transaction that causes it, sent by a task."""

    to_email = models.EmailField(max_length=254)
    to_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=300)
    body_html = models.TextField()
    body_text = models.TextField()
    status = models.CharField(max_length=7, choices=MailStatus, default=MailStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    last_attempt_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error_message = models.TextField(blank=True)
    template_key = models.CharField(max_length=60)
    reference_type = models.CharField(max_length=60, blank=True)
    reference_id = models.CharField(max_length=64, blank=True)
    # One mail for each event and recipient, however often the event is told.
    idempotency_key = models.CharField(max_length=200, unique=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(status="PENDING"), name="mail_waiting"),
        ]
        constraints = [models.CheckConstraint(condition=Q(status__in=MailStatus.values), name="mail_status")]

    def __str__(self) -> str:
        return f"{self.template_key} ({self.status})"


class Notification(models.Model):
    """Something that happened by itself and that people should know; without a user, everybody of the shop."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=20, choices=NotificationType)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    action_url = models.CharField(max_length=300, blank=True)
    action_label = models.CharField(max_length=60, blank=True)
    # Who of everybody: only those who have it. Empty: all.
    permission = models.CharField(max_length=40, blank=True)
    reference_type = models.CharField(max_length=60, blank=True)
    reference_id = models.CharField(max_length=64, blank=True)
    idempotency_key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="notification_newest"),
            models.Index(fields=["user", "-created_at"], name="notification_user"),
        ]
        constraints = [models.CheckConstraint(condition=Q(type__in=NotificationType.values), name="notification_type")]

    def __str__(self) -> str:
        return self.title


class NotificationState(models.Model):
    """What one person did with a notification."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="states")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notification", "user"], name="notification_state_once")]

    def __str__(self) -> str:
        return f"{self.notification_id}: {self.user_id}"


class NotificationPreference(models.Model):
    """How one person wants to be told of a type. Without it: at the bell, and by mail where there is one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=20, choices=NotificationType)
    in_app = models.BooleanField(default=True)
    email = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "type"], name="notification_preference_once"),
            models.CheckConstraint(condition=Q(type__in=NotificationType.values), name="notification_preference_type"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.type}"
