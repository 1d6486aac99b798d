"""The dictionary: what each platform calls an item."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from catalog.choices import ItemType, Source, System
from catalog.models.items import CatalogItem


class CatalogExternalId(models.Model):
    """A number that a platform has for an item. One number can mean several items, and an item can have several."""

    item = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="external_ids")
    system = models.CharField(max_length=11, choices=System)
    external_id = models.CharField(max_length=60)
    source = models.CharField(max_length=11, choices=Source)
    # 0 to 1 (catalog-sources.md, 4.3); below one half it is a hint and decides nothing.
    confidence = models.DecimalField(max_digits=3, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "external_id", "item"], name="catalog_external_id"),
            models.CheckConstraint(condition=Q(confidence__gte=0, confidence__lte=1), name="catalog_confidence"),
            models.CheckConstraint(condition=Q(system__in=System.values), name="catalog_external_system"),
        ]
        indexes = [models.Index(fields=["external_id", "system"], name="catalog_external_lookup")]

    def __str__(self) -> str:
        return f"{self.get_system_display()} {self.external_id}"


class CatalogIdMapping(models.Model):
    """The one number of each platform that is preferred for an item. Worked out from its external ids."""

    item_type = models.CharField(max_length=11, choices=ItemType)
    canonical_item_no = models.CharField(max_length=40)
    bricklink_id = models.CharField(max_length=60, blank=True)
    brickowl_id = models.CharField(max_length=60, blank=True)
    brikick_id = models.CharField(max_length=60, blank=True)
    rebrickable_id = models.CharField(max_length=60, blank=True)
    ldraw_id = models.CharField(max_length=60, blank=True)
    lego_element_ids = ArrayField(models.CharField(max_length=20), default=list)
    mapping_source = models.CharField(max_length=11, choices=Source)
    confidence = models.DecimalField(max_digits=3, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item_type", "canonical_item_no"], name="catalog_mapping"),
        ]
        indexes = [GinIndex(fields=["lego_element_ids"], name="catalog_mapping_elements")]

    def __str__(self) -> str:
        return self.canonical_item_no
