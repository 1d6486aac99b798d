"""Items, colors and categories, what an item is made of, and in which colors it exists."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from catalog.choices import CategoryKind, ItemType, RelationKind, Source

# What people mean when they have typed next to nothing.
POPULAR = 5


class CatalogCategory(models.Model):
    """A category of BrickLink's, or one of Rebrickable's, whose themes have parents."""

    kind = models.CharField(max_length=13, choices=CategoryKind)
    # The source's own number of it.
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=300)
    parent = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    source = models.CharField(max_length=11, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "number"], name="catalog_category"),
            models.CheckConstraint(condition=Q(kind__in=CategoryKind.values), name="catalog_category_kind"),
        ]

    def __str__(self) -> str:
        return self.name


class CatalogColor(models.Model):
    """A color by BrickLink's number, with its numbers elsewhere. The alternates mean this color too."""

    id = models.PositiveIntegerField(primary_key=True)
    name = models.CharField(max_length=80)
    rgb = models.CharField(max_length=6, blank=True)
    color_type = models.CharField(max_length=20, blank=True)
    brickowl_id = models.IntegerField(null=True)
    rebrickable_id = models.IntegerField(null=True)
    ldraw_id = models.IntegerField(null=True)
    lego_ids = ArrayField(models.IntegerField(), default=list)
    rebrickable_alternate_ids = ArrayField(models.IntegerField(), default=list)
    brickowl_alternate_ids = ArrayField(models.IntegerField(), default=list)
    year_from = models.PositiveSmallIntegerField(null=True)
    year_to = models.PositiveSmallIntegerField(null=True)
    source = models.CharField(max_length=11, choices=Source)

    def __str__(self) -> str:
        return self.name


class CatalogItem(models.Model):
    """A thing, by BrickLink's number; one that only Rebrickable knows by Rebrickable's (`is_provisional`)."""

    item_type = models.CharField(max_length=11, choices=ItemType)
    item_no = models.CharField(max_length=40)
    name = models.CharField(max_length=400, blank=True)
    category = models.ForeignKey(CatalogCategory, null=True, on_delete=models.SET_NULL)
    weight_grams = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    # As the source writes it: `2 x 4 x 1`, parts in studs, sets in centimeters.
    dimensions = models.CharField(max_length=60, blank=True)
    image_url = models.CharField(max_length=500, blank=True)
    thumbnail_url = models.CharField(max_length=500, blank=True)
    year_released = models.PositiveSmallIntegerField(null=True)
    year_ended = models.PositiveSmallIntegerField(null=True)
    alternate_nos = ArrayField(models.CharField(max_length=40), default=list)
    # What text is searched in: numbers and name in lower case, sizes as one word (`2x4`).
    words = models.TextField(blank=True)
    # In how many sets it is met, and how many element ids it has: what people mean when two things fit.
    popularity = models.PositiveIntegerField(default=0)
    is_provisional = models.BooleanField(default=False)
    # A later dump no longer has it; lots and orders may still mean it.
    retired_at = models.DateTimeField(null=True)
    source = models.CharField(max_length=11, choices=Source)
    source_updated_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item_type", "item_no"], name="catalog_item"),
            models.CheckConstraint(condition=Q(item_type__in=ItemType.values), name="catalog_item_type"),
        ]
        indexes = [
            # What a shop's numbers are held against, all of them at once: without a look at the rows.
            models.Index(fields=["item_type", "item_no"], condition=Q(is_provisional=False), name="catalog_item_known"),
            models.Index(Lower("item_no"), name="catalog_item_no"),
            # Numbers are completed while they are typed.
            models.Index(OpClass(Lower("item_no"), name="text_pattern_ops"), name="catalog_item_no_begins"),
            GinIndex(fields=["alternate_nos"], name="catalog_item_alternates"),
            GinIndex(SearchVector("words", config="simple"), name="catalog_item_words"),
            # Of one or two letters half the catalog has the beginning: then these alone are looked at.
            GinIndex(
                SearchVector("words", config="simple"),
                name="catalog_item_popular",
                condition=Q(popularity__gte=POPULAR),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_no} {self.name}".strip()


class CatalogWord(models.Model):
    """A word of items' names, and in how many it is: by these wrong spellings are recognized."""

    word = models.CharField(max_length=40, primary_key=True)
    items_count = models.PositiveIntegerField()

    class Meta:
        indexes = [GinIndex(OpClass(F("word"), name="gin_trgm_ops"), name="catalog_word_alike")]

    def __str__(self) -> str:
        return self.word


class CatalogItemColor(models.Model):
    """A color in which an item exists, and LEGO's element ids of it: an element is one item in one color."""

    item = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="colors")
    color = models.ForeignKey(CatalogColor, on_delete=models.PROTECT)
    # In how many sets it is met.
    qty_known = models.PositiveIntegerField(null=True)
    lego_element_ids = ArrayField(models.CharField(max_length=20), default=list)
    # Where a source has its picture in this color.
    image_url = models.CharField(max_length=500, blank=True, default="", db_default="")
    source = models.CharField(max_length=11, choices=Source)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "color"], name="catalog_item_color")]
        indexes = [GinIndex(fields=["lego_element_ids"], name="catalog_elements")]

    def __str__(self) -> str:
        return f"{self.item} in {self.color}"


class CatalogElement(models.Model):
    """A LEGO element id, and which part in which color a source says it is: by these the sources are joined."""

    source = models.CharField(max_length=11, choices=Source)
    element_id = models.CharField(max_length=20)
    # The source's own number of the part.
    part_no = models.CharField(max_length=40)
    color = models.ForeignKey(CatalogColor, null=True, on_delete=models.PROTECT)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["element_id", "source", "part_no"], name="catalog_element")]
        indexes = [models.Index(fields=["source", "part_no"], name="catalog_element_part")]

    def __str__(self) -> str:
        return self.element_id


class CatalogSetItem(models.Model):
    """So many of an item in a set. Of a `match_id` one is in the set, the alternates may be instead."""

    set = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="contents")
    item = models.ForeignKey(CatalogItem, on_delete=models.PROTECT, related_name="+")
    color = models.ForeignKey(CatalogColor, null=True, on_delete=models.PROTECT)
    qty = models.PositiveIntegerField()
    is_spare = models.BooleanField(default=False)
    is_alternate = models.BooleanField(default=False)
    is_counterpart = models.BooleanField(default=False)
    match_id = models.PositiveIntegerField(null=True)
    source = models.CharField(max_length=11, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["set", "item", "color", "is_spare", "is_alternate", "is_counterpart", "match_id"],
                name="catalog_set_item",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(qty__gt=0), name="catalog_set_item_qty"),
        ]

    def __str__(self) -> str:
        return f"{self.qty} x {self.item} in {self.set}"


class CatalogRelation(models.Model):
    """How one part is to another: a print, a mould, an alternate, a part of it."""

    kind = models.CharField(max_length=1, choices=RelationKind)
    child = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="relations_up")
    parent = models.ForeignKey(CatalogItem, on_delete=models.CASCADE, related_name="relations_down")
    source = models.CharField(max_length=11, choices=Source)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["child", "parent", "kind"], name="catalog_relation"),
            models.CheckConstraint(condition=Q(kind__in=RelationKind.values), name="catalog_relation_kind"),
        ]

    def __str__(self) -> str:
        return f"{self.child} {self.get_kind_display().lower()} {self.parent}"
