"""What a shop itself says that a platform's number means, what has no mapping yet, and what never will."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from audit.tracking import history
from catalog.choices import ItemType
from common.models import BaseModel
from inventory.choices import Direction, NumberSystem, UnmappedOrigin, UnmappedReason
from inventory.models.imports import InventoryImport
from inventory.questions import COLOR_LENGTH, NUMBER_LENGTH


class ItemMapping(BaseModel):
    """A shop's own answer to "what is this?". It wins over the catalog's mappings."""

    system = models.CharField("platform", max_length=11, choices=NumberSystem)
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
            models.CheckConstraint(condition=Q(system__in=NumberSystem.values), name="item_mapping_system"),
            models.CheckConstraint(condition=Q(item_type__in=ItemType.values), name="item_mapping_type"),
            models.CheckConstraint(condition=~Q(external_id="") & ~Q(item_no=""), name="item_mapping_numbers"),
        ]

    def __str__(self) -> str:
        return f"{self.get_system_display()} {self.external_id}"


class _Question(BaseModel):
    """What is asked, and by what it is known again. `color`: the platform's number of it where the number is its own,
    BrickLink's where the item is ours; empty where it is meant in any."""

    direction = models.CharField(max_length=8, choices=Direction)
    system = models.CharField("platform", max_length=11, choices=NumberSystem)
    # Of our own item; empty where nobody says what kind of thing a platform's number is.
    item_type = models.CharField("type", max_length=11, blank=True, choices=ItemType)
    number = models.CharField("number", max_length=NUMBER_LENGTH)
    color = models.CharField("color", max_length=COLOR_LENGTH, blank=True)

    KEY = ("direction", "system", "item_type", "number", "color")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.get_system_display()} {self.number}"


class UnmappedItem(_Question):
    """A number that a file or a channel left without an answer, and what hangs on it. Made anew each time it is met.

    What lies in stock under a number that the catalog doesn't know is worked out when it is asked for.
    """

    origin = models.CharField(max_length=7, choices=UnmappedOrigin)
    reason = models.CharField(max_length=14, choices=UnmappedReason)
    # As the file or the channel says.
    item_name = models.CharField("name", max_length=300, blank=True)
    color_name = models.CharField("color", max_length=80, blank=True)
    lots_count = models.PositiveIntegerField(default=0)
    qty = models.BigIntegerField(default=0)
    # In the shop's currency: what can't be sold as long as nobody answers.
    amount = models.DecimalField(max_digits=20, decimal_places=4, default=0)
    # The import that met it last.
    run = models.ForeignKey(InventoryImport, null=True, on_delete=models.SET_NULL, related_name="unmapped")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=[*_Question.KEY, "origin"], name="unmapped_item"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="unmapped_direction"),
            models.CheckConstraint(condition=Q(system__in=NumberSystem.values), name="unmapped_system"),
            models.CheckConstraint(condition=Q(item_type__in=["", *ItemType.values]), name="unmapped_type"),
            models.CheckConstraint(condition=Q(origin__in=UnmappedOrigin.values), name="unmapped_origin"),
            models.CheckConstraint(condition=Q(reason__in=UnmappedReason.values), name="unmapped_reason"),
            models.CheckConstraint(condition=~Q(number=""), name="unmapped_number"),
            models.CheckConstraint(condition=Q(qty__gte=0) & Q(amount__gte=0), name="unmapped_amount"),
        ]


class LeftUnmapped(_Question):
    """What a shop said that it is none of the catalog's items: not asked again, unless it is opened again."""

    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    history = history()

    class Meta:
        verbose_name = "number without an item"
        constraints = [
            models.UniqueConstraint(fields=_Question.KEY, name="left_unmapped"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="left_unmapped_direction"),
            models.CheckConstraint(condition=Q(system__in=NumberSystem.values), name="left_unmapped_system"),
            models.CheckConstraint(condition=Q(item_type__in=["", *ItemType.values]), name="left_unmapped_type"),
            models.CheckConstraint(condition=~Q(number=""), name="left_unmapped_number"),
        ]
