"""Listings: a lot as one store shows it."""

from django.db import models
from django.db.models import Q

from audit.tracking import history
from common.models import BaseModel
from inventory.models.lots import InventoryItem


class InventoryExternalId(BaseModel):
    """A lot's listing on one store. `base`: what the store and we last agreed on, by field."""

    # Null once the lot is gone: the listing there may outlive it.
    inventory_item = models.ForeignKey(
        InventoryItem, null=True, blank=True, on_delete=models.SET_NULL, related_name="listings", verbose_name="lot"
    )
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="listings")
    # The store's number of the lot; null until it has given one.
    external_lot_id = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001  # null is none given yet
    external_inventory_id = models.CharField(max_length=100, blank=True)
    base = models.JSONField(default=dict, blank=True)
    last_synced_at = models.DateTimeField(null=True, blank=True)

    history = history()

    class Meta:
        verbose_name = "listing"
        constraints = [
            models.UniqueConstraint(fields=["store", "external_lot_id"], name="listing_of_store"),
            models.CheckConstraint(condition=~Q(external_lot_id=""), name="listing_number"),
        ]

    def __str__(self) -> str:
        return self.external_lot_id or "new listing"
