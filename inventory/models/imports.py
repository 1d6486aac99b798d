"""Imports: a file of stock, what each of its lines will do, and how far it has been carried out."""

from django.db import models
from django.db.models import Q

from common.models import BaseModel
from inventory.choices import ImportStatus, LineOutcome
from inventory.models.given import GivenFile


class InventoryImport(GivenFile):
    """A file that was given to be imported. `options`: what its owner chose (inventory.services.importing.Options)."""

    file_sha256 = models.CharField(max_length=64)
    format = models.CharField(max_length=20)
    # The currency that the file states; empty where it doesn't.
    file_currency = models.CharField(max_length=3, blank=True)
    options = models.JSONField(default=dict)
    # {"tag": how often}: what the format didn't understand.
    ignored = models.JSONField(default=dict)
    # What the file says outside of its rows, so that it can be given back.
    around = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="import_newest"),
            models.Index(fields=["file_sha256"], name="import_file"),
        ]
        constraints = [models.CheckConstraint(condition=Q(status__in=ImportStatus.values), name="import_status")]


class ImportLine(models.Model):
    """A row of the file: its values in columns of their own, so that matching is one statement over all of them."""

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(InventoryImport, on_delete=models.CASCADE, related_name="lines", db_index=False)
    # Counts rows, from 1; `line` is where the row stands in the file.
    position = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=7, choices=LineOutcome, blank=True)
    message = models.TextField(blank=True)
    problem_field = models.CharField(max_length=40, blank=True)
    raw = models.CharField(max_length=300, blank=True)
    # The lot that it is merged into, changes, or will make under this key.
    lot_id = models.UUIDField(null=True)
    # What two lots are told apart by; also in `values`.
    item_type = models.CharField(max_length=11, blank=True)
    item_no = models.CharField(max_length=60, blank=True)
    color_id = models.PositiveIntegerField(null=True)
    condition = models.CharField(max_length=4, blank=True)
    completeness = models.CharField(max_length=10, blank=True)
    sub_condition = models.CharField(max_length=10, blank=True)
    # Files of BrickLink name their lots.
    bricklink_lot_id = models.BigIntegerField(null=True)
    remarks = models.TextField(blank=True)
    unit_price = models.DecimalField(max_digits=12, decimal_places=4, null=True)
    qty = models.IntegerField(null=True)
    # The quantity is a difference (`+5`), not a count.
    is_difference = models.BooleanField(default=False)
    is_deletion = models.BooleanField(default=False)
    # What happens to the quantity; decided when the file is matched, so that pieces sold since then stay sold.
    qty_delta = models.IntegerField(default=0)
    # The stated fields by name, as the lot's columns take them.
    values = models.JSONField(default=dict)
    # [["A-03-2", 12 or null], …]
    locations = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "position"], name="import_line_position"),
            models.CheckConstraint(condition=Q(outcome__in=["", *LineOutcome.values]), name="import_line_outcomes"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.outcome}"


class RememberedMapping(BaseModel):
    """What the columns of a kind of file mean, as the shop said once. Found again by the columns' names."""

    columns_hash = models.CharField(max_length=64, unique=True)
    # {"Item No": "item_no", …}
    mapping = models.JSONField()

    def __str__(self) -> str:
        return self.columns_hash
