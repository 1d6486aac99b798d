"""Places of the storage, and how many pieces of which lot lie where."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from audit.tracking import history
from common.models import BaseModel
from inventory.models.lots import InventoryItem


class Location(BaseModel):
    """A place that can be walked to. `code` is what stands on its label."""

    code = models.CharField(max_length=40)
    zone = models.CharField(max_length=20, blank=True)
    aisle = models.CharField(max_length=20, blank=True)
    shelf = models.CharField(max_length=20, blank=True)
    bin = models.CharField(max_length=20, blank=True)
    # Where the walk comes by; places with the same number follow each other naturally, A2 before A10.
    sort_order = models.IntegerField("route order", default=0)
    # The code in a form that sorts naturally, after the route order: what the lists are ordered by.
    route_key = models.CharField(max_length=180, editable=False)
    # How many lots fit in; null: as many as one likes.
    capacity = models.PositiveIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    last_counted_at = models.DateTimeField(null=True, blank=True)

    history = history(exclude=["route_key"])

    class Meta:
        indexes = [models.Index(fields=["route_key", "id"], name="location_route")]
        constraints = [
            models.UniqueConstraint(
                Lower("code"), name="location_code", violation_error_message="There is a location of that code."
            ),
            models.CheckConstraint(condition=~Q(code=""), name="location_has_code"),
            models.CheckConstraint(condition=Q(capacity__isnull=True) | Q(capacity__gte=1), name="location_capacity"),
        ]

    def __str__(self) -> str:
        return self.code


class InventoryItemLocation(BaseModel):
    """So many pieces of a lot lie there. Over all its locations never more than are on hand; the rest is unplaced."""

    inventory_item = models.ForeignKey(
        InventoryItem, on_delete=models.CASCADE, related_name="placements", verbose_name="lot"
    )
    location = models.ForeignKey(Location, on_delete=models.PROTECT, related_name="placements")
    qty = models.PositiveIntegerField("pieces")

    history = history()

    class Meta:
        verbose_name = "placement"
        constraints = [
            models.UniqueConstraint(fields=["inventory_item", "location"], name="placement_once"),
            models.CheckConstraint(condition=Q(qty__gte=0), name="placement_qty"),
        ]

    def __str__(self) -> str:
        return f"{self.qty} at {self.location_id}"
