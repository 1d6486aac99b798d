"""What a shop itself says that a platform's number means."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from audit.tracking import history
from catalog.choices import ItemType, System
from common.models import BaseModel


class ItemMapping(BaseModel):
    """A shop's own answer to "what is this?". It wins over the catalog's mappings."""

    system = models.CharField("platform", max_length=11, choices=System)
    external_id = models.CharField("number there", max_length=60)
    # The platform's own number of the color; empty where the item is meant in any.
    external_color = models.CharField("color there", max_length=20, blank=True)
    item_type = models.CharField("type", max_length=11, choices=ItemType)
    item_no = models.CharField("item number", max_length=60)
    # BrickLink's; null where the number says nothing of it.
    color_id = models.PositiveIntegerField("color", null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    history = history()

    class Meta:
        verbose_name = "own mapping"
        constraints = [
            # The number first: it is looked up whosever it is.
            models.UniqueConstraint(fields=["external_id", "system", "external_color"], name="item_mapping"),
            models.CheckConstraint(condition=Q(system__in=System.values), name="item_mapping_system"),
            models.CheckConstraint(condition=Q(item_type__in=ItemType.values), name="item_mapping_type"),
            models.CheckConstraint(condition=~Q(external_id="") & ~Q(item_no=""), name="item_mapping_numbers"),
        ]

    def __str__(self) -> str:
        return f"{self.get_system_display()} {self.external_id}"
