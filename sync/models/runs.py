"""Runs that bring two stores into step, their plans, and what was fetched for them."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from common.models import BaseModel, VersionedModel
from sync.choices import Action, Direction, ItemStatus, RunStatus, SkipReason, Trigger

_UNDER_WAY = (RunStatus.PENDING, RunStatus.FETCHING, RunStatus.COMPARING)


class Snapshot(BaseModel):
    """A store's whole inventory as it was fetched, so that comparing again needs no call.

    `body`: a line for each `RemoteLot`, compressed (sync.snapshots).
    """

    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="snapshots", db_index=False)
    fetched_at = models.DateTimeField()
    lots_count = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["store", "-fetched_at"], name="snapshot_newest")]

    def __str__(self) -> str:
        return f"{self.store_id}, {self.lots_count:,} lots"


class SyncRun(VersionedModel):
    """A comparison of two stores, looked at, approved, applied. The local store is the shop's own stock."""

    number = models.BigIntegerField(unique=True, editable=False)
    source_store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    target_store = models.ForeignKey("stores.Store", on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=16, choices=Direction, default=Direction.SOURCE_TO_TARGET)
    trigger = models.CharField(max_length=7, choices=Trigger, default=Trigger.BY_HAND)
    status = models.CharField(max_length=13, choices=RunStatus, default=RunStatus.PENDING)
    # sync.services.runs.Options, as JSON.
    options = models.JSONField(default=dict, blank=True)
    # {"add": 412, "update": 1920, "remove": 38, "unmatched": 57, "skip": 3, "equal": 101785, "calls": {…}, …}
    plan_summary = models.JSONField(default=dict, blank=True)
    # What was checked before anything is done: [{"code": …, "verdict": "ok", "warn" or "stop", "text": …}]
    checks = models.JSONField(default=list, blank=True)
    checkpoint = models.JSONField(default=dict, blank=True)
    source_snapshot = models.ForeignKey(Snapshot, null=True, on_delete=models.SET_NULL, related_name="+")
    target_snapshot = models.ForeignKey(Snapshot, null=True, on_delete=models.SET_NULL, related_name="+")
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    error_message = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    approved_at = models.DateTimeField(null=True)
    plan_job = models.ForeignKey("jobs.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    apply_job = models.ForeignKey("jobs.JobRun", null=True, on_delete=models.SET_NULL, related_name="+")
    # Of what it did here, for the undo.
    change_set_id = models.UUIDField(null=True)
    # Of the form that asked for it, so that a second press asks for nothing.
    idempotency_key = models.CharField(max_length=150, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=RunStatus.values), name="sync_run_status"),
            models.CheckConstraint(condition=~Q(source_store=models.F("target_store")), name="sync_run_two_stores"),
            models.CheckConstraint(
                condition=~Q(status=RunStatus.APPLYING) | Q(approved_at__isnull=False), name="sync_run_approved"
            ),
            models.UniqueConstraint(
                fields=["target_store"], condition=Q(status=RunStatus.APPLYING), name="sync_run_one_applies"
            ),
        ]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="sync_run_newest"),
            models.Index(fields=["status"], condition=Q(status__in=_UNDER_WAY), name="sync_run_under_way"),
        ]

    def __str__(self) -> str:
        return f"Run {self.number}"


class SyncAgreement(models.Model):
    """Lots that a run found to be the same and equal, and that nobody has noted as a pair yet.

    They have no line in the plan, and yet a base once the run is applied. `body`: JSON lines, compressed, of
    [store, lot, its version there, number there, base] (sync.services.runs.agreeing).
    """

    sync_run = models.OneToOneField(SyncRun, primary_key=True, on_delete=models.CASCADE, related_name="agreement")
    pairs_count = models.PositiveIntegerField()
    body = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.sync_run_id}: {self.pairs_count:,} pairs"


class SyncPlanItem(models.Model):
    """What a run does to one lot in one store, or why it leaves it alone. A lot that is equal has no row."""

    id = models.BigAutoField(primary_key=True)
    sync_run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="items", db_index=False)
    # Where it is done: the local store is our own stock.
    store = models.ForeignKey("stores.Store", on_delete=models.CASCADE, related_name="+", db_index=False)
    # What has to be done before it: a lot that comes into our stock before it is listed elsewhere.
    after = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    action = models.CharField(max_length=6, choices=Action)
    skip_reason = models.CharField(max_length=13, choices=SkipReason, blank=True)
    # In words: why it can't be told what it is, which rule keeps it off, what differs.
    reason = models.CharField(max_length=300, blank=True)
    inventory_item = models.ForeignKey(
        "inventory.InventoryItem", null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    listing = models.ForeignKey("inventory.InventoryExternalId", null=True, on_delete=models.SET_NULL, related_name="+")
    source_external_id = models.CharField(max_length=100, blank=True)
    target_external_id = models.CharField(max_length=100, blank=True)
    # What it is, so that a plan is shown, searched and sorted without its lots: those may be on the channel only.
    item_type = models.CharField(max_length=11)
    item_no = models.CharField(max_length=60)
    item_name = models.CharField(max_length=300, blank=True)
    color_id = models.PositiveIntegerField(null=True)
    color_name = models.CharField(max_length=60, blank=True)
    condition = models.CharField(max_length=4, blank=True)
    # sync.states; empty where there is none.
    before_state = models.JSONField(default=dict, blank=True)
    after_state = models.JSONField(default=dict, blank=True)
    # [{"field": "qty", "old": 4, "new": 2}]
    changes = models.JSONField(default=list, blank=True)
    # What else an item needs when it is applied: the remote item for an ADD, the base both agree on then.
    extra = models.JSONField(default=dict, blank=True)
    # In the shop's currency: what is at stake, by which a plan is sorted and spread over days.
    worth = models.DecimalField(max_digits=18, decimal_places=4, default=0)
    # 0 quantities towards zero, 1 other quantities, 2 adds, 3 prices, 4 texts, 5 removals.
    urgency = models.PositiveSmallIntegerField(default=4)
    status = models.CharField(max_length=7, choices=ItemStatus, default=ItemStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_message = models.CharField(max_length=500, blank=True)
    applied_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(action__in=Action.values), name="plan_item_action"),
            models.CheckConstraint(condition=Q(status__in=ItemStatus.values), name="plan_item_status"),
            models.CheckConstraint(
                condition=~Q(action=Action.SKIP) | Q(skip_reason__in=SkipReason.values), name="plan_item_skip_reason"
            ),
        ]
        indexes = [
            models.Index(fields=["sync_run", "action", "id"], name="plan_item_actions"),
            models.Index(fields=["sync_run", "status", "urgency", "id"], name="plan_item_to_do"),
            models.Index(fields=["sync_run", "-worth", "id"], name="plan_item_worth"),
            GinIndex(fields=["item_name"], opclasses=["gin_trgm_ops"], name="plan_item_name"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.item_no}"
