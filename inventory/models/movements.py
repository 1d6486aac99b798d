"""The ledger of stock: the explanation of every quantity."""

from django.db import models
from django.db.models import Q

from inventory.choices import MovementKind
from inventory.models.lots import InventoryItem


class StockMovement(models.Model):
    """One change of a lot's quantities, with what was there after it. Append-only.

    A cause moves stock once: `(kind, cause_key)` is unique, so the same order line, count or line of a file may be
    worked on any number of times. It outlives its lot: the last movement of a deleted one leaves it at zero.
    """

    id = models.BigAutoField(primary_key=True)
    inventory_item = models.ForeignKey(
        InventoryItem, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="movements"
    )
    kind = models.CharField(max_length=12, choices=MovementKind)
    delta_available = models.IntegerField()
    delta_reserved = models.IntegerField()
    balance_available = models.PositiveIntegerField()
    balance_reserved = models.PositiveIntegerField()
    # What caused it, `order_line`, `import` …, and its id there; people follow it.
    cause_type = models.CharField(max_length=40, blank=True)
    cause_id = models.CharField(max_length=64, blank=True)
    cause_key = models.CharField(max_length=160)
    note = models.CharField(max_length=300, blank=True)
    # What left with it was sold for, in the shop's currency; null where nothing was sold.
    amount = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    change_set_id = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["inventory_item", "id"], name="movement_of_lot")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=MovementKind.values), name="movement_kind"),
            models.CheckConstraint(condition=~Q(delta_available=0, delta_reserved=0), name="movement_moves"),
            models.CheckConstraint(condition=~Q(cause_key=""), name="movement_has_cause"),
            models.UniqueConstraint(fields=["kind", "cause_key"], name="movement_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.delta_available:+}/{self.delta_reserved:+}"
