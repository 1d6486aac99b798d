"""The enumerations of mail and notifications."""

from django.db import models


class MailStatus(models.TextChoices):
    """Where a mail stands."""

    PENDING = "PENDING", "Waiting"
    SENT = "SENT", "Sent"
    FAILED = "FAILED", "Failed"


class NotificationType(models.TextChoices):
    """What a notification is about (notifications.md); users choose by it how they are told."""

    ORDER_NEW = "order_new", "New orders"
    ORDER_STATUS = "order_status", "Order changes"
    SYNC_COMPLETED = "sync_completed", "Sync runs completed"
    SYNC_FAILED = "sync_failed", "Sync runs failed"
    LOW_STOCK = "low_stock", "Low stock"
    OVERSOLD = "oversold", "Oversold"
    JOB_DONE = "job_done", "Jobs done"
    SYSTEM_ALERT = "system_alert", "Alerts"
    FEATURE_ANNOUNCEMENT = "feature_announcement", "What's new"
    BILLING = "billing", "Billing"
