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


# Types that there is a mail about.
MAILED = (NotificationType.OVERSOLD,)
# Types that people are told of so far, in the order in which they choose, with what that is.
TOLD = {
    NotificationType.OVERSOLD: "An order came in, and pieces of it aren't there any more",
    NotificationType.ORDER_NEW: "An order came in from a channel",
    NotificationType.SYSTEM_ALERT: "Something waits for you: a store that needs you, a plan, new prices",
    NotificationType.SYNC_FAILED: "A sync run stopped",
    NotificationType.SYNC_COMPLETED: "Lines of a sync run failed, or the nightly check put something right",
    NotificationType.JOB_DONE: "A job that you started has ended",
}
