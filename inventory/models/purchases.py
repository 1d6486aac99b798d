"""Purchases: what a batch of lots cost together, and what it has brought in since."""

from django.db import models
from django.db.models import Q

from audit.tracking import history
from common.models import BaseModel
from inventory.choices import CostSpread
from inventory.models.lots import InventoryItem


class Purchase(BaseModel):
    """Something bought as a whole; its cost is spread over the lots that came of it."""

    name = models.CharField(max_length=200)
    bought_from = models.CharField(max_length=200, blank=True)
    purchase_date = models.DateField()
    # Of everything, with shipping and fees.
    total_cost = models.DecimalField(max_digits=12, decimal_places=2)
    currency = models.CharField(max_length=3)
    spread = models.CharField("cost spread", max_length=6, choices=CostSpread, default=CostSpread.VALUE)
    notes = models.TextField(blank=True)

    history = history()

    class Meta:
        indexes = [models.Index(fields=["-purchase_date", "-id"], name="purchase_newest")]
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="purchase_has_name"),
            models.CheckConstraint(condition=Q(total_cost__gte=0), name="purchase_cost"),
            models.CheckConstraint(condition=Q(spread__in=CostSpread.values), name="purchase_spread"),
            models.CheckConstraint(condition=Q(currency__in=["EUR", "USD", "GBP"]), name="purchase_currency"),
        ]

    def __str__(self) -> str:
        return self.name


class PurchaseLine(BaseModel):
    """A lot that a purchase brought pieces to: how many, and their share of its cost."""

    purchase = models.ForeignKey(Purchase, on_delete=models.CASCADE, related_name="lines")
    inventory_item = models.ForeignKey(
        InventoryItem, on_delete=models.CASCADE, related_name="purchase_lines", verbose_name="lot"
    )
    qty = models.PositiveIntegerField("pieces")
    # Four places, as unit prices: a share of a cent is worth something over a thousand pieces.
    cost = models.DecimalField(max_digits=12, decimal_places=4, default=0)
    # How many pieces the lot had before its first purchase, and what one of them had cost: the rest of the average.
    qty_before = models.PositiveIntegerField("pieces before", default=0)
    cost_before = models.DecimalField(max_digits=12, decimal_places=4, null=True, blank=True)

    history = history()

    class Meta:
        verbose_name = "line of a purchase"
        verbose_name_plural = "lines of purchases"
        constraints = [
            models.UniqueConstraint(fields=["purchase", "inventory_item"], name="purchase_line_once"),
            models.CheckConstraint(condition=Q(qty__gte=1), name="purchase_line_qty"),
            models.CheckConstraint(condition=Q(cost__gte=0), name="purchase_line_cost"),
        ]

    def __str__(self) -> str:
        return f"{self.qty} of {self.inventory_item_id}"
