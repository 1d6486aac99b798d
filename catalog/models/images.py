"""Pictures of items, fetched from the sources once and kept as ours: whoever looks at a page asks no strange host."""

from django.db import models
from django.db.models import Q

from catalog.choices import ImageState, ItemType


class CatalogImage(models.Model):
    """The picture of an item in a color, or that there is none. Its files are in the installation's storage.

    By number and not by item: what a photo was identified as has a picture before the catalog has the item.
    """

    item_type = models.CharField(max_length=11, choices=ItemType)
    item_no = models.CharField(max_length=40)
    # BrickLink's; 0 for the item in no particular color.
    color_id = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=7, choices=ImageState)
    # Where somebody who identified it has a picture of it.
    offered_url = models.CharField(max_length=500, blank=True)
    # Where the kept one is from, and whether it shows the item in this color.
    source_url = models.CharField(max_length=500, blank=True)
    is_in_color = models.BooleanField(default=False)
    # Of the kept picture, SHA-256; empty where none is kept. It is part of the files' names.
    content_hash = models.CharField(max_length=64, blank=True)
    size_bytes = models.PositiveIntegerField(default=0)
    wanted_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True)
    # Nobody is asked before that. Of a wanted one: the worker that took it has so long.
    ask_again_at = models.DateTimeField()
    # To the day: what nobody looks at any more is deleted.
    used_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item_type", "item_no", "color_id"], name="catalog_image"),
            models.CheckConstraint(condition=Q(state__in=ImageState.values), name="catalog_image_state"),
            models.CheckConstraint(condition=Q(item_type__in=ItemType.values), name="catalog_image_type"),
            models.CheckConstraint(
                condition=~Q(state=ImageState.KEPT) | ~Q(content_hash=""), name="catalog_image_kept"
            ),
        ]
        indexes = [
            models.Index(fields=["-wanted_at"], name="catalog_image_wanted", condition=Q(state=ImageState.WANTED)),
            models.Index(fields=["used_at"], name="catalog_image_used"),
        ]

    def __str__(self) -> str:
        return f"{self.item_type} {self.item_no} in {self.color_id}"

    def file_name(self, side: int) -> str:
        """Answer the name in the storage of the picture that is `side` pixels wide and high."""
        return f"catalog_images/{self.pk % 256:02x}/{self.pk}-{self.content_hash[:16]}-{side}.webp"
