"""Stores: one seller's shops on the channels, what opens them, and how they fare."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from audit.tracking import history
from common.fields import EncryptedJSONField
from common.models import BaseModel, VersionedModel
from stores.choices import Channel, StoreState

_OWN_STOCK = "Your stock"


class Store(VersionedModel):
    """One seller's shop on a channel. The local one is the shop's own counter: orders typed in, and no server."""

    channel = models.CharField(max_length=9, choices=Channel)
    name = models.CharField(max_length=100)
    is_enabled = models.BooleanField("switched on", default=True)
    # The one whose word counts where two differ.
    is_primary = models.BooleanField("primary", default=False)
    # Checked by what the channel declares (stores.settings_schema).
    settings = models.JSONField(default=dict, blank=True)
    # Another server than the channel's own, such as the sandbox's; only our staff and the demo set it.
    base_url = models.CharField(max_length=200, blank=True)
    # Its own number on the channel, where that says so: by it, notifications find the store.
    account = models.CharField(max_length=60, blank=True)
    disconnected_at = models.DateTimeField(null=True, blank=True)

    history = history()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="store_channel"),
            models.CheckConstraint(condition=~Q(name=""), name="store_has_name"),
            models.UniqueConstraint(fields=["is_primary"], condition=Q(is_primary=True), name="store_one_primary"),
            models.UniqueConstraint(fields=["channel"], condition=Q(channel=Channel.LOCAL), name="store_one_local"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def stock_name(self) -> str:
        """Answer what it is called beside stores that it is compared with: the local one is the shop's own stock."""
        return _OWN_STOCK if self.channel == Channel.LOCAL else self.name


class StoreCredential(BaseModel):
    """What opens a store. Never in an answer, a log, an error or a history."""

    store = models.OneToOneField(Store, on_delete=models.CASCADE, related_name="credential")
    # By the names of the channel's credential fields.
    encrypted_data = EncryptedJSONField()
    encryption_key_id = models.CharField(max_length=12)
    # The last characters of each secret, by which its owner knows it again.
    hints = models.JSONField(default=dict)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    def __str__(self) -> str:
        return f"credentials of {self.store_id}"


class StoreSyncState(BaseModel):
    """How a store fares: when it was last talked to, what went wrong, and when it is tried again."""

    store = models.OneToOneField(Store, on_delete=models.CASCADE, related_name="sync_state")
    state = models.CharField(max_length=15, choices=StoreState, default=StoreState.OK)
    retry_at = models.DateTimeField(null=True, blank=True)
    last_inventory_sync = models.DateTimeField(null=True, blank=True)
    last_orders_sync = models.DateTimeField(null=True, blank=True)
    # Until where the channel's orders were read: its adapter's own words.
    order_cursor = models.TextField(blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    # {"day": "2026-11-26", "used": 812, "limit": 5000, "resets_at": "2026-11-27T00:00:00+00:00"}
    rate_limit_state = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=StoreState.values), name="store_state"),
        ]

    def __str__(self) -> str:
        return f"{self.store_id}: {self.state}"
