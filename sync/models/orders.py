"""Orders that couldn't be taken over, what channels tell by themselves, and what they are told of their orders."""

from django.db import models
from django.db.models import Q

from common.fields import EncryptedJSONField


class OrderTold(models.Model):
    """What a channel is to hear of an order that was moved here. Gone or equal: it knows.

    Level-triggered: the row says what was told last, and what is to be told is read from the order.
    """

    order = models.OneToOneField("orders.Order", primary_key=True, on_delete=models.CASCADE, related_name="told")
    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+", db_index=False)
    status = models.CharField(max_length=9, blank=True)
    tracking = models.CharField(max_length=600, blank=True)
    # What it was told and when, the latest last: [{"at": "…", "what": "shipped"}].
    said = models.JSONField(default=list)
    is_due = models.BooleanField(default=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    # The channel's word for where it stands there, from where it can't be told: as long as that is so, it waits.
    waits_at = models.CharField(max_length=60, blank=True, default="", db_default="")
    since = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["store", "since"], condition=Q(is_due=True), name="order_to_be_told")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.status}"


class OrderMessage(models.Model):
    """What was written about an order on its channel, as it was read last. Channels give messages no key: all of an
    order's are replaced at once. Personal data: it goes with the buyer's."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey("orders.Order", on_delete=models.CASCADE, related_name="messages", db_index=False)
    position = models.PositiveSmallIntegerField()
    # Written by the shop.
    is_ours = models.BooleanField()
    sender = models.CharField(max_length=120, blank=True)
    subject = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="order_message_position")]

    def __str__(self) -> str:
        return f"message {self.position} of {self.order_id}"


class StuckOrder(models.Model):
    """An order of a channel that couldn't be taken over. It is tried again by itself, and shown meanwhile."""

    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="stuck_orders", db_index=False)
    external_order_id = models.CharField(max_length=100)
    error = models.CharField(max_length=500)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField()
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["store", "external_order_id"], name="stuck_order"),
        ]

    def __str__(self) -> str:
        return f"{self.external_order_id}: {self.error}"


class Notice(models.Model):
    """What a channel told by itself: a hint that something is to be looked at, kept until somebody has looked."""

    id = models.BigAutoField(primary_key=True)
    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+", db_index=False)
    # Its own key, so that a repetition is one.
    hint_id = models.CharField(max_length=200)
    topic = models.CharField(max_length=10)
    resource_id = models.CharField(max_length=100, blank=True)
    received_at = models.DateTimeField()
    worked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["store", "hint_id"], name="notice_once")]
        indexes = [
            models.Index(fields=["store"], condition=Q(worked_at__isnull=True), name="notice_to_look_at"),
            models.Index(fields=["received_at"], name="notice_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.resource_id}"


class NotifyAddress(models.Model):
    """The address at which a channel tells us something about a store: a secret path, and what it signs with."""

    store = models.OneToOneField("stores.Store", primary_key=True, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=64, unique=True)
    # {"secret": "…", "webhook": "3"}: where the channel signs what it tells.
    encrypted_data = EncryptedJSONField(null=True)
    registered_at = models.DateTimeField(null=True)
    last_heard_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"address of {self.store_id}"
