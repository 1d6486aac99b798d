"""Lots: one row of stock each, with its own price and remarks."""

from decimal import Decimal

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Left, Lower, NullIf, Round
from django.db.models.lookups import IsNull

from audit.tracking import history
from catalog.choices import MAY_HAVE_COLOR, NEEDS_COLOR, ItemType
from common.models import VersionedModel
from inventory.choices import Completeness, ItemCondition, StockRoom, SubCondition


def searchable() -> Func:
    """Answer the text in which lots are searched, as the index has it; immutable, so concat() won't do."""
    text: Func = Lower(F("item_no"))
    for name in ("item_name", "color_name", "remarks", "description"):
        text = _Joined(_Joined(text, Value("\n")), Lower(F(name)))
    return text


class _Joined(Func):
    """Text || text, which an index takes, unlike concat()."""

    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = models.TextField()


def margin() -> Round:
    """Answer what share of its price a lot earns, as the index has it; null where cost or price is missing."""
    return Round((F("unit_price") - F("cost_basis")) / NullIf(F("unit_price"), Value(Decimal(0))), precision=4)


def sale() -> NullIf:
    """Answer how many percent are off, as the index has it; null where nothing is."""
    return NullIf(F("sale_percent"), Value(0))


def has_value(expression: Func) -> IsNull:
    """Answer the condition that an expression isn't null, as the indexes of expressions have it."""
    return IsNull(expression, False)  # noqa: FBT003  # the lookup's right side


def remarks_start() -> Left:
    """Answer as much of the remarks as a list is sorted by, as the index has it."""
    return Left("remarks", 60)


def description_start() -> NullIf:
    """Answer as much of the description as a list is sorted by, as the index has it; null where there is none."""
    return NullIf(Left("description", 60), Value(""))


def first_tier() -> Func:
    """Answer the price of the first step, as the index has it; null where there are no tier prices."""
    return _FirstTier(F("tier_prices"))


class _FirstTier(Func):
    """The first step's price as a number, immutable, which a cast of Django's isn't known to be."""

    template = "((%(expressions)s -> 0 ->> 'price')::numeric)"
    output_field = models.DecimalField(max_digits=12, decimal_places=4)


def stock_room() -> NullIf:
    """Answer the stockroom, as the index has it; null for what is for sale."""
    return NullIf(F("stock_room_id"), Value(""))


def retained() -> NullIf:
    """Answer true for what stays listed when it is sold out, as the index has it; null for the rest."""
    return NullIf(F("is_retain"), Value(False))  # noqa: FBT003  # a value, not a switch


def reserved_name() -> NullIf:
    """Answer for whom a lot is reserved, as the index has it; null where for nobody."""
    return NullIf(F("reserved_for"), Value(""))


class InventoryItem(VersionedModel):
    """One lot. Two lots may be equal in everything that says what they are; they are two lots and stay two lots."""

    item_type = models.CharField("type", max_length=11, choices=ItemType)
    item_no = models.CharField("item number", max_length=60)
    # As the catalog or the seller's file calls it; a custom item has no other name.
    item_name = models.CharField("name", max_length=300, blank=True)
    category_name = models.CharField("category", max_length=200, blank=True)
    # BrickLink's; null where the type has none.
    color_id = models.PositiveIntegerField("color", null=True, blank=True)
    color_name = models.CharField("color name", max_length=60, blank=True)
    condition = models.CharField(max_length=4, choices=ItemCondition)
    completeness = models.CharField(max_length=10, choices=Completeness, null=True, blank=True)  # noqa: DJ001  # null where the type has none, as the data model says
    sub_condition = models.CharField("grade", max_length=10, choices=SubCondition, null=True, blank=True)  # noqa: DJ001  # as above
    qty_available = models.PositiveIntegerField("available", default=0)
    qty_reserved = models.PositiveIntegerField("reserved", default=0)
    unit_price = models.DecimalField("price", max_digits=12, decimal_places=4, default=0)
    currency = models.CharField(max_length=3)
    # What one piece cost.
    cost_basis = models.DecimalField("cost", max_digits=12, decimal_places=4, null=True, blank=True)
    sale_percent = models.PositiveSmallIntegerField("sale", default=0)
    bulk = models.PositiveIntegerField(default=1)
    # [{"qty": 50, "price": "0.1100"}, …]: up to three steps, ascending.
    tier_prices = models.JSONField(default=list, blank=True)
    description = models.TextField(blank=True)
    remarks = models.TextField(blank=True)
    is_retain = models.BooleanField("retain", default=False)
    is_stock_room = models.BooleanField("stockroom", default=False)
    stock_room_id = models.CharField("stockroom", max_length=1, choices=StockRoom, blank=True)
    # Of one piece; null: as the catalog says.
    weight_grams = models.DecimalField("weight in grams", max_digits=10, decimal_places=4, null=True, blank=True)
    low_stock_threshold = models.PositiveIntegerField("low stock below", null=True, blank=True)
    # Rules leave a locked price alone.
    price_locked = models.BooleanField(default=False)
    price_lock_reason = models.CharField(max_length=200, blank=True)
    price_lock_expires_at = models.DateTimeField(null=True, blank=True)
    reserved_for = models.CharField(max_length=60, blank=True)
    acquired_from = models.CharField(max_length=200, blank=True)
    date_added = models.DateTimeField()
    last_sold_at = models.DateTimeField(null=True, blank=True)
    # BrickLink's own number of the lot, as a file of theirs names it.
    bricklink_lot_id = models.BigIntegerField("BrickLink lot", null=True, blank=True)
    # What a file said that we don't use ourselves, so that it can be given back: {"bsx": {…}}.
    extra = models.JSONField(default=dict, blank=True)
    # Where the walk through the storage finds it first: the natural key of its first location, empty if it has none.
    location_key = models.CharField("location", max_length=200, blank=True, editable=False)

    history = history(exclude=["location_key"])

    class Meta:
        verbose_name = "lot"
        indexes = [
            models.Index(fields=["item_type", "item_no", "color_id", "condition"], name="lot_item"),
            models.Index(fields=["item_no", "id"], name="lot_by_number"),
            models.Index(OpClass(F("item_no"), name="text_pattern_ops"), name="lot_number_prefix"),
            models.Index(fields=["color_name", "id"], name="lot_by_color"),
            models.Index(fields=["color_id"], name="lot_color"),
            models.Index(fields=["condition", "id"], name="lot_by_condition"),
            models.Index(fields=["category_name", "id"], name="lot_by_category"),
            models.Index(fields=["qty_available", "id"], name="lot_by_available"),
            models.Index(fields=["qty_reserved", "id"], name="lot_by_reserved"),
            models.Index(fields=["unit_price", "id"], name="lot_by_price"),
            models.Index(fields=["location_key", "id"], name="lot_by_location"),
            models.Index(fields=["date_added", "id"], name="lot_by_added"),
            models.Index(fields=["last_sold_at", "id"], name="lot_by_sold"),
            models.Index(fields=["updated_at", "id"], name="lot_by_updated"),
            models.Index(
                fields=["id"],
                condition=Q(low_stock_threshold__isnull=False) & Q(qty_available__lt=F("low_stock_threshold")),
                name="lot_low_stock",
            ),
            models.Index(remarks_start(), F("id"), name="lot_by_remarks"),
            # What not every lot has, and what few lots are: an index of those alone, for sorts and filters.
            models.Index(fields=["cost_basis", "id"], condition=Q(cost_basis__isnull=False), name="lot_by_cost"),
            models.Index(margin(), F("id"), condition=Q(has_value(margin())), name="lot_by_margin"),
            models.Index(
                fields=["low_stock_threshold", "id"],
                condition=Q(low_stock_threshold__isnull=False),
                name="lot_by_threshold",
            ),
            models.Index(sale(), F("id"), condition=Q(has_value(sale())), name="lot_by_sale"),
            models.Index(fields=["item_type", "id"], name="lot_by_type"),
            models.Index(fields=["weight_grams", "id"], condition=Q(weight_grams__isnull=False), name="lot_by_weight"),
            models.Index(
                description_start(), F("id"), condition=Q(has_value(description_start())), name="lot_by_description"
            ),
            models.Index(first_tier(), F("id"), condition=Q(has_value(first_tier())), name="lot_by_first_tier"),
            models.Index(stock_room(), F("id"), condition=Q(has_value(stock_room())), name="lot_by_stock_room"),
            models.Index(retained(), F("id"), condition=Q(has_value(retained())), name="lot_by_retain"),
            models.Index(reserved_name(), F("id"), condition=Q(has_value(reserved_name())), name="lot_by_reserved_for"),
            models.Index(fields=["id"], condition=Q(sale_percent__gt=0), name="lot_on_sale"),
            models.Index(fields=["id"], condition=Q(is_retain=True), name="lot_retained"),
            models.Index(fields=["stock_room_id", "id"], condition=Q(is_stock_room=True), name="lot_in_stock_room"),
            models.Index(fields=["id"], condition=Q(price_locked=True), name="lot_price_locked"),
            models.Index(fields=["id"], condition=~Q(tier_prices=[]), name="lot_has_tiers"),
            models.Index(fields=["reserved_for"], condition=~Q(reserved_for=""), name="lot_reserved_for"),
            models.Index(fields=["sub_condition"], condition=Q(sub_condition__isnull=False), name="lot_grade"),
            models.Index(fields=["completeness"], condition=Q(completeness__isnull=False), name="lot_completeness"),
            GinIndex(OpClass(searchable(), name="gin_trgm_ops"), name="lot_search"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(item_type__in=ItemType.values), name="lot_item_type"),
            models.CheckConstraint(condition=~Q(item_no=""), name="lot_has_number"),
            models.CheckConstraint(condition=Q(condition__in=ItemCondition.values), name="lot_condition"),
            models.CheckConstraint(
                condition=Q(color_id__isnull=True) | Q(item_type__in=list(MAY_HAVE_COLOR)), name="lot_color_of_type"
            ),
            models.CheckConstraint(
                condition=Q(color_id__isnull=False) | ~Q(item_type__in=list(NEEDS_COLOR)), name="lot_part_has_color"
            ),
            models.CheckConstraint(
                condition=Q(completeness__isnull=True)
                | Q(item_type=ItemType.SET, completeness__in=Completeness.values),
                name="lot_completeness_of_set",
            ),
            models.CheckConstraint(
                condition=~Q(condition=ItemCondition.USED, completeness=Completeness.SEALED), name="lot_used_not_sealed"
            ),
            models.CheckConstraint(
                condition=Q(sub_condition__isnull=True)
                | Q(condition=ItemCondition.USED, sub_condition__in=SubCondition.values),
                name="lot_grade_of_used",
            ),
            models.CheckConstraint(condition=Q(currency__in=["EUR", "USD", "GBP"]), name="lot_currency"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="lot_price"),
            models.CheckConstraint(condition=Q(cost_basis__isnull=True) | Q(cost_basis__gte=0), name="lot_cost"),
            models.CheckConstraint(condition=Q(sale_percent__lte=100), name="lot_sale"),
            models.CheckConstraint(condition=Q(bulk__gte=1), name="lot_bulk"),
            models.CheckConstraint(condition=Q(weight_grams__isnull=True) | Q(weight_grams__gte=0), name="lot_weight"),
            models.CheckConstraint(
                condition=Q(is_stock_room=False, stock_room_id="")
                | Q(is_stock_room=True, stock_room_id__in=StockRoom.values),
                name="lot_stock_room",
            ),
            models.CheckConstraint(
                condition=Q(price_locked=True) | Q(price_lock_reason="", price_lock_expires_at__isnull=True),
                name="lot_price_lock",
            ),
            models.UniqueConstraint(
                fields=["bricklink_lot_id"], condition=Q(bricklink_lot_id__isnull=False), name="lot_bricklink_lot"
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(part for part in (self.item_no, self.color_name, self.get_condition_display()) if part)

    @property
    def qty_on_hand(self) -> int:
        """Answer how many pieces are in the house, promised or not."""
        return self.qty_available + self.qty_reserved
