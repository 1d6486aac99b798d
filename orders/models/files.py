"""Files of orders: what each order in them will do, and how far it has been taken over."""

from django.db import models
from django.db.models import Q

from inventory.choices import ImportStatus
from inventory.models import GivenFile
from orders.choices import FileOutcome


class OrderFile(GivenFile):
    """A file of orders that was given. The file itself is deleted as soon as it was read.

    `counts` has "orders", "lines", "pieces", "unmatched", "short" and "gone" too.
    """

    # Pieces of orders that have left already are left where they are: they were gone before the stock was counted.
    leaves_stock = models.BooleanField(default=False)
    # Names of columns that nobody here knows.
    ignored = models.JSONField(default=list)
    # [{"currency": "EUR", "total": "812.40"}], of what will come in.
    totals = models.JSONField(default=list)

    class Meta:
        indexes = [models.Index(fields=["-created_at", "-id"], name="order_file_newest")]
        constraints = [models.CheckConstraint(condition=Q(status__in=ImportStatus.values), name="order_file_status")]


class FileOrder(models.Model):
    """An order as a file has it. `values` says who bought it: it goes as soon as the order was taken over, or not."""

    id = models.BigAutoField(primary_key=True)
    file = models.ForeignKey(OrderFile, on_delete=models.CASCADE, related_name="orders", db_index=False)
    # Counts orders, from 1; `line` is where the first of its rows stands in the file.
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    number = models.CharField(max_length=100, blank=True)
    # On which marketplace the file says that it was sold (stores.choices.Channel); empty where it doesn't.
    channel = models.CharField(max_length=20, blank=True)
    outcome = models.CharField(max_length=7, choices=FileOutcome)
    # [{"line": 14, "text": "…"}]
    problems = models.JSONField(default=list)
    # {"order": orders.files.stored, "lots": [lot's key or null by line], "there": [pieces or null by line],
    #  "short": 3, "changes": [[label, before, after]]}
    values = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    lines_count = models.PositiveIntegerField(default=0)
    qty = models.PositiveBigIntegerField(default=0)
    unmatched_count = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    total = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    # The order that it is here, already or since.
    order_id = models.UUIDField(null=True)
    is_done = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "position"], name="file_order_position"),
            models.CheckConstraint(condition=Q(outcome__in=FileOutcome.values), name="file_order_outcome"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.number}"
