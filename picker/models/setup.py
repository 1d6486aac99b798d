"""How a shop picks, and the map of its storage."""

from django.db import models
from django.db.models import Q

from audit.tracking import history
from common.models import BaseModel, VersionedModel
from picker.choices import Layout, WhereFrom


class PickingSetup(VersionedModel):
    """A shop's one row of how it picks and what its storage looks like."""

    # There is one.
    is_only = models.BooleanField(default=True, unique=True, editable=False)
    where_from = models.CharField("take from", max_length=10, choices=WhereFrom, default=WhereFrom.ON_THE_WAY)
    # How far a scale may be off, in percent of what an order's lots should weigh.
    weight_tolerance = models.PositiveSmallIntegerField("tolerance in percent", default=5)
    layout = models.CharField(max_length=6, choices=Layout, default=Layout.NONE)
    # Parallel aisles, as they stand beside each other: [{"zone": "A", "aisle": "1"}].
    aisles = models.JSONField(default=list, blank=True)
    # How often a cross aisle parts the aisles: with 1 there is one in front and one at the back.
    blocks = models.PositiveSmallIntegerField(default=1)
    # Metres from aisle to aisle, and of an aisle within a block.
    spacing = models.DecimalField("metres between aisles", max_digits=5, decimal_places=2, default=2)
    length = models.DecimalField("metres of an aisle", max_digits=6, decimal_places=2, default=10)
    # In front of which aisle one begins and ends, from 0.
    depot_aisle = models.PositiveSmallIntegerField("start at aisle", default=0)
    # Free layouts: where one begins and ends, in metres.
    depot_x = models.DecimalField("start x", max_digits=7, decimal_places=2, default=0)
    depot_y = models.DecimalField("start y", max_digits=7, decimal_places=2, default=0)

    history = history(exclude=["is_only"])

    class Meta:
        verbose_name = "picking settings"
        constraints = [
            models.CheckConstraint(condition=Q(is_only=True), name="picking_setup_only_one"),
            models.CheckConstraint(condition=Q(where_from__in=WhereFrom.values), name="picking_setup_where_from"),
            models.CheckConstraint(condition=Q(layout__in=Layout.values), name="picking_setup_layout"),
            models.CheckConstraint(condition=Q(blocks__gte=1, blocks__lte=9), name="picking_setup_blocks"),
            models.CheckConstraint(condition=Q(spacing__gt=0, length__gt=0), name="picking_setup_metres"),
            models.CheckConstraint(condition=Q(weight_tolerance__lte=50), name="picking_setup_tolerance"),
        ]

    def __str__(self) -> str:
        return "Picking"


class MapPoint(BaseModel):
    """Where a place is in a free layout, in metres."""

    location = models.OneToOneField("inventory.Location", on_delete=models.CASCADE, related_name="map_point")
    x = models.DecimalField(max_digits=7, decimal_places=2)
    y = models.DecimalField(max_digits=7, decimal_places=2)

    history = history()

    class Meta:
        verbose_name = "place on the map"

    def __str__(self) -> str:
        return f"{self.x}, {self.y}"
