"""What shops say that platforms' numbers mean, offered to our staff for everybody's dictionary."""

from django.db import models
from django.db.models import Q

from catalog.choices import ItemType, OfferStatus, System


class MappingOffer(models.Model):
    """A number of a platform and an item that it may be. It waits for our staff; what was rejected stays so."""

    system = models.CharField("platform", max_length=11, choices=System)
    external_id = models.CharField("number there", max_length=60)
    # The platform's own number of the color; empty where the item is meant in any.
    external_color = models.CharField("color there", max_length=20, blank=True)
    # By its number: an item that only Rebrickable knew gives way to BrickLink's.
    item_type = models.CharField("type", max_length=11, choices=ItemType)
    item_no = models.CharField("item number", max_length=60)
    color_id = models.PositiveIntegerField("color", null=True)
    status = models.CharField(max_length=8, choices=OfferStatus, default=OfferStatus.WAITING)
    first_at = models.DateTimeField("first said")
    last_at = models.DateTimeField("last said")
    decided_at = models.DateTimeField("decided", null=True)
    # Of our staff.
    decided_by = models.CharField("decided by", max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["external_id", "system", "external_color", "item_type", "item_no", "color_id"],
                name="catalog_offer",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(system__in=System.values), name="catalog_offer_system"),
            models.CheckConstraint(condition=Q(item_type__in=ItemType.values), name="catalog_offer_type"),
            models.CheckConstraint(condition=Q(status__in=OfferStatus.values), name="catalog_offer_status"),
            models.CheckConstraint(
                condition=Q(status=OfferStatus.WAITING) | Q(decided_at__isnull=False), name="catalog_offer_decided"
            ),
        ]
        indexes = [models.Index(fields=["status", "-last_at", "id"], name="catalog_offer_newest")]

    def __str__(self) -> str:
        return f"{self.get_system_display()} {self.external_id} is {self.item_no}"


class MappingVoice(models.Model):
    """That a shop says so. `shop` is a keyed hash: shops can be counted by it and not named."""

    offer = models.ForeignKey(MappingOffer, on_delete=models.CASCADE, related_name="voices")
    shop = models.CharField(max_length=40)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["shop", "offer"], name="catalog_voice")]

    def __str__(self) -> str:
        return f"{self.shop[:8]}: {self.offer_id}"
