"""What was asked of others and what they said: dumps, budgets, prices, pictures, rates."""

from django.db import models
from django.db.models import Q

from catalog.choices import PriceKind
from catalog.models.items import CatalogItem


class CatalogDump(models.Model):
    """The last time that a table of a source was read: a dump that has shrunk since is refused."""

    # `rebrickable/parts`, `bricklink/codes` …
    name = models.CharField(max_length=60, primary_key=True)
    rows_count = models.PositiveIntegerField()
    problems_count = models.PositiveIntegerField(default=0)
    # Of the file: the same again needs no work.
    sha256 = models.CharField(max_length=64)
    imported_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class CatalogDownload(models.Model):
    """What a dump's address served when it was last imported: unchanged, it isn't fetched again."""

    url = models.CharField(max_length=500, primary_key=True)
    # The dump (CatalogDump) that was in it, and its digest: once another file brought that table, this no longer says.
    dump = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64)
    etag = models.CharField(max_length=200, blank=True)
    last_modified = models.CharField(max_length=60, blank=True)
    fetched_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.url


class SourceBudget(models.Model):
    """How many calls of a source a day has used, and may."""

    source = models.CharField(max_length=20)
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)
    limit = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "day"], name="catalog_source_day")]

    def __str__(self) -> str:
        return f"{self.source} {self.day}: {self.used} of {self.limit}"


class LookUpMiss(models.Model):
    """A number that no source knew, so that it isn't asked for again today."""

    system = models.CharField(max_length=11)
    external_id = models.CharField(max_length=60)
    until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "external_id"], name="catalog_miss")]

    def __str__(self) -> str:
        return f"{self.system} {self.external_id}"


class PriceGuide(models.Model):
    """What an item goes for: six months of sales, or what is offered now. An amount is per piece.

    By BrickLink's number and not by the catalog's row: a lot may be of what the catalog doesn't know yet, and all
    figures of a shop's lots are found by one join.
    """

    item_type = models.CharField(max_length=11)
    item_no = models.CharField(max_length=60)
    # 0: it has none, as BrickLink writes it. So the whole key is one of an index.
    color_id = models.PositiveIntegerField()
    condition = models.CharField(max_length=4)
    # A country, a region of BrickLink's, or empty for the world.
    region = models.CharField(max_length=20, blank=True)
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=5, choices=PriceKind)
    # False: the source doesn't know the item, which is remembered as figures are.
    is_known = models.BooleanField(default=True)
    price_min = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    price_avg = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    price_qty_avg = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    price_max = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    lots_count = models.PositiveIntegerField(default=0)
    qty = models.PositiveIntegerField(default=0)
    fetched_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item_no", "item_type", "color_id", "condition", "currency", "region", "kind"],
                name="catalog_price_guide",
            ),
            models.CheckConstraint(condition=Q(kind__in=PriceKind.values), name="catalog_price_guide_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.item_no} {self.condition} {self.kind}: {self.price_qty_avg} {self.currency}"


class ImageIdentification(models.Model):
    """What a picture was said to show, so that the same picture isn't sent again."""

    # SHA-256 of the cleaned picture.
    image_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=6, choices=[("any", "Anything"), ("part", "Part"), ("set", "Set"),
                                                   ("figure", "Minifigure")])  # fmt: skip
    predictions = models.JSONField(default=list)
    top_item_no = models.CharField(max_length=40, blank=True)
    top_confidence = models.DecimalField(max_digits=3, decimal_places=2, null=True)
    matched_item = models.ForeignKey(CatalogItem, null=True, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["image_hash", "kind"], name="catalog_identification")]

    def __str__(self) -> str:
        return f"{self.image_hash[:8]}: {self.top_item_no}"


class CurrencyRate(models.Model):
    """What one unit of a currency was worth in another on a day."""

    from_currency = models.CharField(max_length=3)
    to_currency = models.CharField(max_length=3)
    day = models.DateField()
    rate = models.DecimalField(max_digits=12, decimal_places=6)
    fetched_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["from_currency", "to_currency", "day"], name="catalog_rate"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="catalog_rate_positive"),
        ]

    def __str__(self) -> str:
        return f"1 {self.from_currency} = {self.rate} {self.to_currency}"
