"""Orders, their lines, and what was given back of their money."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower

from audit.tracking import history
from catalog.choices import ItemType
from common.ids import new_id
from common.models import BaseModel, VersionedModel
from inventory.choices import Completeness, ItemCondition
from orders.choices import Flag, LineStatus, OrderStatus, PaymentStatus
from orders.lifecycle import GONE, PROMISED
from orders.models.buyers import Buyer


class _Joined(Func):
    """Text || text, which an index takes, unlike concat()."""

    template = "(%(expressions)s)"
    arg_joiner = " || "
    output_field = models.TextField()


def order_text() -> Func:
    """Answer the text in which orders are searched, as the index has it."""
    text: Func = Lower(F("external_order_id"))
    for name in ("buyer_name", "buyer_username", "buyer_email", "tracking_number"):
        text = _Joined(_Joined(text, Value("\n")), Lower(F(name)))
    return text


ADDRESS_PARTS = ("name", "address1", "address2", "city", "state", "postal", "country", "phone")
_AMOUNTS = ("subtotal", "shipping_cost", "insurance", "tax_amount", "discount_amount", "grand_total")
_ON_THE_WAY = sorted(PROMISED)


def _amount(name: str) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(name, max_digits=12, decimal_places=2, default=0)


class Order(VersionedModel):
    """What somebody ordered, on a channel or at the counter. Never deleted: it is cancelled."""

    # Our own, counted by shop.
    number = models.BigIntegerField(unique=True, editable=False)
    store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="orders")
    external_order_id = models.CharField("number on the channel", max_length=100)
    status = models.CharField(max_length=9, choices=OrderStatus, default=OrderStatus.NEW)
    status_changed_at = models.DateTimeField()
    # As the channel says it, and for which moment it said so the last time.
    channel_status = models.CharField("status on the channel", max_length=60, blank=True)
    channel_as_of = models.DateTimeField("told by the channel", null=True, blank=True)
    status_reason = models.CharField("reason", max_length=300, blank=True)

    buyer = models.ForeignKey(Buyer, null=True, blank=True, on_delete=models.SET_NULL, related_name="orders")
    buyer_name = models.CharField("buyer", max_length=200, blank=True)
    buyer_email = models.CharField("e-mail", max_length=254, blank=True)
    buyer_username = models.CharField("user name", max_length=120, blank=True)
    # What the buyer wrote with the order.
    buyer_note = models.TextField("buyer's note", blank=True)
    # {"name", "address1", "address2", "city", "state", "postal", "country", "phone"}
    ship_to = models.JSONField("address", default=dict, blank=True)
    # ISO 3166; stays when the buyer is erased.
    ship_country = models.CharField("country", max_length=2, blank=True)
    shipping_method = models.CharField(max_length=120, blank=True)
    # As the channel tells it, or typed in when it was shipped another way.
    tracking_number = models.CharField(max_length=100, blank=True)
    tracking_url = models.URLField("tracking page", max_length=500, blank=True)

    currency = models.CharField(max_length=3)
    subtotal = _amount("goods")
    shipping_cost = _amount("shipping")
    insurance = _amount("insurance")
    tax_amount = _amount("tax")
    discount_amount = _amount("discount")
    grand_total = _amount("total")
    refunded_total = _amount("refunded")
    payment_status = models.CharField("payment", max_length=18, choices=PaymentStatus, default=PaymentStatus.UNPAID)

    ordered_at = models.DateTimeField("placed")
    paid_at = models.DateTimeField("paid", null=True, blank=True)
    ship_by = models.DateTimeField(null=True, blank=True)
    shipped_at = models.DateTimeField("shipped", null=True, blank=True)

    notes = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    flags = ArrayField(models.CharField(max_length=20, choices=Flag), default=list, blank=True)
    # Those that the channel has raised: it alone lowers them. One that a person has raised stays with people.
    channel_flags = ArrayField(
        models.CharField(max_length=20, choices=Flag), default=list, blank=True, db_default=[], editable=False
    )
    # What was odd about what the channel told: [{"code": "total", "text": "…"}].
    warnings = models.JSONField(default=list, blank=True)
    # Follows from flags and lines: an order that a person should look at.
    needs_attention = models.BooleanField(default=False, editable=False)
    # Orders from before the store was connected: their pieces had left before the stock was counted.
    moves_stock = models.BooleanField(default=True, editable=False)
    # What the file said from which it came, as a digest: the same once more changes nothing.
    file_digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    # The order in whose parcel this one lies.
    ships_with = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="companions")
    # The order whose missing or broken pieces this one sends again; it sells nothing.
    replaces = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="replacements")

    history = history(exclude=["needs_attention", "channel_as_of", "channel_flags", "file_digest"])

    class Meta:
        indexes = [
            models.Index(fields=["ordered_at", "id"], name="order_by_placed"),
            models.Index(fields=["status", "ordered_at", "id"], name="order_by_status"),
            models.Index(fields=["store", "ordered_at", "id"], name="order_by_store"),
            models.Index(fields=["buyer", "ordered_at"], name="order_by_buyer"),
            models.Index(fields=["ship_country", "ordered_at", "id"], name="order_by_country"),
            models.Index(fields=["grand_total", "id"], name="order_by_total"),
            models.Index(fields=["status_changed_at", "id"], name="order_by_changed"),
            models.Index(fields=["ship_by", "id"], condition=Q(ship_by__isnull=False), name="order_by_ship_by"),
            models.Index(fields=["ordered_at", "id"], condition=Q(status__in=_ON_THE_WAY), name="order_on_the_way"),
            models.Index(fields=["ordered_at", "id"], condition=Q(needs_attention=True), name="order_needs_attention"),
            models.Index(fields=["ships_with"], condition=Q(ships_with__isnull=False), name="order_ships_with"),
            models.Index(fields=["replaces"], condition=Q(replaces__isnull=False), name="order_replaces"),
            GinIndex(fields=["tags"], name="order_tags"),
            GinIndex(OpClass(order_text(), name="gin_trgm_ops"), name="order_search"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["store", "external_order_id"], name="order_of_store"),
            models.CheckConstraint(condition=~Q(external_order_id=""), name="order_has_number"),
            models.CheckConstraint(condition=Q(status__in=OrderStatus.values), name="order_status"),
            models.CheckConstraint(condition=Q(payment_status__in=PaymentStatus.values), name="order_payment"),
            models.CheckConstraint(condition=Q(flags__contained_by=Flag.values), name="order_flags"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="order_currency"),
            models.CheckConstraint(condition=Q(**{f"{name}__gte": 0 for name in _AMOUNTS}), name="order_amounts"),
            models.CheckConstraint(
                condition=Q(refunded_total__gte=0, refunded_total__lte=F("grand_total")), name="order_refunded"
            ),
            models.CheckConstraint(
                condition=Q(status__in=[*_ON_THE_WAY, "CANCELLED", "REFUNDED"]) | Q(shipped_at__isnull=False),
                name="order_gone_has_date",
            ),
            models.CheckConstraint(condition=~Q(ships_with=F("id")), name="order_not_with_itself"),
            models.CheckConstraint(condition=~Q(replaces=F("id")), name="order_replaces_another"),
        ]

    def __str__(self) -> str:
        return self.external_order_id

    @property
    def whole_address(self) -> dict[str, str]:
        """Answer the address with all its parts, those that aren't known empty."""
        return {name: self.ship_to.get(name, "") for name in ADDRESS_PARTS}

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has work with it."""
        return self.status in PROMISED

    @property
    def has_left(self) -> bool:
        """Tell whether its pieces have left the house."""
        return self.status in GONE or self.shipped_at is not None


class OrderLine(BaseModel):
    """So many pieces of one thing. What it is stands on it, whatever becomes of the lot.

    Pieces are promised, short, missing at picking or gone; `qty_channel` is what the channel said last, so that only
    a difference is taken over.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    # Not enforced: it outlives its lot, and finds it again when that is made anew.
    inventory_item = models.ForeignKey(
        "inventory.InventoryItem", null=True, blank=True, on_delete=models.DO_NOTHING, db_constraint=False,
        related_name="order_lines", verbose_name="lot",
    )  # fmt: skip
    # The line whose missing pieces this one takes from another lot.
    covers = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="covered_by")
    item_type = models.CharField("type", max_length=11, choices=ItemType)
    item_no = models.CharField("item number", max_length=60, blank=True)
    item_name = models.CharField("name", max_length=300, blank=True)
    color_id = models.PositiveIntegerField("color", null=True, blank=True)
    color_name = models.CharField("color name", max_length=60, blank=True)
    condition = models.CharField(max_length=4, choices=ItemCondition)
    completeness = models.CharField(max_length=10, choices=Completeness, blank=True)
    description = models.TextField(blank=True)
    external_line_id = models.CharField(max_length=100, blank=True)
    external_lot_id = models.CharField(max_length=100, blank=True)
    # By what it is known again in the channel's next version.
    channel_key = models.CharField(max_length=120, blank=True, editable=False)
    # The channel's own numbers, where they differ from ours.
    external_item_no = models.CharField(max_length=60, blank=True)
    external_color = models.CharField(max_length=20, blank=True)
    qty_ordered = models.PositiveIntegerField("ordered")
    qty_channel = models.PositiveIntegerField("ordered on the channel", null=True, blank=True)
    qty_reserved = models.PositiveIntegerField("reserved", default=0)
    qty_short = models.PositiveIntegerField("short", default=0)
    qty_picked = models.PositiveIntegerField("picked", default=0)
    qty_missing = models.PositiveIntegerField("missing", default=0)
    qty_shipped = models.PositiveIntegerField("shipped", default=0)
    qty_restocked = models.PositiveIntegerField("put back", default=0)
    # Where picked pieces were taken, and where shipped ones lay: [{"location_id": "…", "qty": 3}]. They can go back
    # there.
    picked_from = models.JSONField(default=list, blank=True, db_default=Value([], output_field=models.JSONField()))
    shipped_from = models.JSONField(default=list, blank=True)
    unit_price = models.DecimalField("price", max_digits=12, decimal_places=4, default=0)
    line_total = models.DecimalField("total", max_digits=12, decimal_places=2, default=0)
    status = models.CharField(max_length=7, choices=LineStatus, default=LineStatus.PENDING)
    # How often it has moved stock: each time is a cause of its own.
    stock_moves = models.PositiveIntegerField(default=0, editable=False)

    history = history(exclude=["stock_moves", "channel_key"])

    class Meta:
        verbose_name = "order line"
        indexes = [
            models.Index(fields=["item_no", "color_id"], name="line_item"),
            models.Index(
                fields=["inventory_item", "order"], condition=Q(inventory_item__isnull=False), name="line_lot"
            ),
            models.Index(
                fields=["inventory_item", "order"],
                condition=Q(qty_short__gt=0) | Q(qty_missing__gt=0),
                name="line_short",
            ),
            models.Index(fields=["order"], condition=Q(inventory_item__isnull=True), name="line_unmatched"),
            models.Index(fields=["covers"], condition=Q(covers__isnull=False), name="line_covers"),
            models.Index(
                fields=["inventory_item"], condition=Q(qty_picked__gt=0, qty_reserved__gt=0), name="line_in_tote"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="line_position"),
            models.UniqueConstraint(
                fields=["order", "external_line_id"], condition=~Q(external_line_id=""), name="line_of_channel"
            ),
            models.CheckConstraint(condition=Q(item_type__in=ItemType.values), name="line_item_type"),
            models.CheckConstraint(condition=Q(condition__in=ItemCondition.values), name="line_condition"),
            models.CheckConstraint(condition=Q(completeness__in=["", *Completeness.values]), name="line_completeness"),
            models.CheckConstraint(condition=Q(status__in=LineStatus.values), name="line_status"),
            models.CheckConstraint(condition=Q(unit_price__gte=0, line_total__gte=0), name="line_amounts"),
            models.CheckConstraint(condition=~Q(covers=F("id")), name="line_covers_another"),
            models.CheckConstraint(
                condition=Q(qty_ordered__gte=F("qty_reserved") + F("qty_short") + F("qty_missing") + F("qty_shipped")),
                name="line_pieces_add_up",
            ),
            models.CheckConstraint(condition=Q(qty_restocked__lte=F("qty_shipped")), name="line_restocked"),
            models.CheckConstraint(
                condition=Q(inventory_item__isnull=False) | Q(qty_reserved=0), name="line_reserves_of_a_lot"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.qty_ordered} × {self.item_no or self.item_name}"


class Refund(models.Model):
    """Money that was given back, all or part of it. Kept as it was; a wrong one is taken back as a whole."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="refunds")
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=300, blank=True)
    # [{"line_id": "…", "qty": 2, "restocked": true}]
    lines = models.JSONField(default=list, blank=True)
    refunded_at = models.DateTimeField()
    made_by = models.CharField("by", max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    history = history()

    class Meta:
        indexes = [models.Index(fields=["order", "refunded_at"], name="refund_of_order")]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="refund_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.amount}"
