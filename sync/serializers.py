"""How the API takes and shows runs."""

from typing import Any

from common.api import serializers
from jobs.serializers import JobRow, job_row
from stores.channels import LotField
from sync.choices import Action, Direction, ItemStatus, RunStatus, SkipReason, Trigger
from sync.models import SyncPlanItem
from sync.queries.runs import TABS, RunView


class PreviewInput(serializers.Serializer):
    """Which stores are compared, and how."""

    source_store_id = serializers.UUIDField(help_text="The local store is the shop's own stock.")
    target_store_id = serializers.UUIDField()
    direction = serializers.ChoiceField(
        choices=Direction.values, required=False, default=Direction.SOURCE_TO_TARGET.value
    )
    options = serializers.JSONObjectField(
        required=False,
        default=dict,
        help_text="`new_there` (import, leave): lots that are only on a channel; `crowds` (separate, merge, first): "
        "several lots of one kind; `differs` (primary, newest, lowest, ask): who counts where both have a lot and "
        "never agreed; `removes`, `lists_new`, `accepts_few`: true or false; `fields`: those that are compared; "
        "`lots`: a filter of `/inventory`.",
    )


class CheckRow(serializers.Serializer):
    """Something that was looked at before anything is done."""

    code = serializers.CharField()
    verdict = serializers.ChoiceField(choices=["ok", "warn", "stop"])
    text = serializers.CharField()


class NeededCallsRow(serializers.Serializer):
    """What a plan asks of a store."""

    store = serializers.CharField()
    needed = serializers.IntegerField()
    left = serializers.IntegerField(allow_null=True, help_text="Of the day; null where nobody counts them.")
    seconds = serializers.IntegerField(help_text="How long it takes at the store's pace.")
    days = serializers.IntegerField(help_text="Over how many days it is spread.")


class WorthRow(serializers.Serializer):
    """What is on offer in a store, in the shop's currency."""

    store = serializers.CharField()
    before = serializers.CharField()
    after = serializers.CharField()


class RunStore(serializers.Serializer):
    """A store of a run."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    channel = serializers.CharField()


class RunCounts(serializers.Serializer):
    """Lines of a plan by what they do; `equal` lots have none. `to_do` … `excluded`: by how far they are."""

    add = serializers.IntegerField()
    update = serializers.IntegerField()  # type: ignore[assignment]  # a field named as a method of DRF's
    remove = serializers.IntegerField()
    unmatched = serializers.IntegerField()
    conflicts = serializers.IntegerField()
    skipped = serializers.IntegerField()
    equal = serializers.IntegerField()
    to_do = serializers.IntegerField()
    applied = serializers.IntegerField()
    failed = serializers.IntegerField()
    excluded = serializers.IntegerField()


class RunRow(serializers.Serializer):
    """A run."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    source_store = RunStore()
    target_store = RunStore()
    direction = serializers.ChoiceField(choices=Direction.values)
    trigger = serializers.ChoiceField(choices=Trigger.values)
    status = serializers.ChoiceField(choices=RunStatus.values)
    options = serializers.JSONObjectField()
    created_at = serializers.DateTimeField()
    approved_at = serializers.DateTimeField(allow_null=True)
    completed_at = serializers.DateTimeField(allow_null=True)
    error_message = serializers.CharField()
    change_set_id = serializers.UUIDField(allow_null=True, help_text="Of what it did here; `/audit/{id}/revert`.")


class RunWhole(RunRow):
    """A run with what it will do, or did."""

    checks = CheckRow(many=True)
    counts = RunCounts()
    calls = NeededCallsRow(many=True)
    worths = WorthRow(many=True)
    is_stale = serializers.BooleanField(help_text="Planned over a day ago, or before another run changed its stores.")
    removals_to_confirm = serializers.IntegerField(
        allow_null=True, help_text="What `confirmed_removals` has to be; null where nothing has to be confirmed."
    )
    job = JobRow(allow_null=True)


class PlanQuery(serializers.QuerySerializer):
    """What narrows the lines of a plan."""

    tab = serializers.ChoiceField(choices=TABS, required=False)
    q = serializers.CharField(required=False, max_length=100)
    color = serializers.IntegerField(required=False, min_value=0, max_value=9999)
    price = serializers.ChoiceField(choices=["up", "down", "same"], required=False)
    status = serializers.ChoiceField(choices=ItemStatus.values, required=False)
    store = serializers.UUIDField(required=False)


class PlannedChangeRow(serializers.Serializer):
    """One field that changes."""

    field = serializers.ChoiceField(choices=[each.value for each in LotField])
    old = serializers.SerializerMethodField(help_text="As the field has it; prices are text.")
    new = serializers.SerializerMethodField()

    def get_old(self, row: dict[str, Any]) -> Any:
        """Answer what it was."""
        return row.get("old")

    def get_new(self, row: dict[str, Any]) -> Any:
        """Answer what it will be."""
        return row.get("new")


class PlanRow(serializers.Serializer):
    """A line of a plan. `store_id`: where it is done; the local store is the shop's own stock."""

    id = serializers.IntegerField(max_value=2**53)
    store_id = serializers.UUIDField()
    action = serializers.ChoiceField(choices=Action.values)
    skip_reason = serializers.ChoiceField(choices=["", *SkipReason.values])
    reason = serializers.CharField()
    inventory_item_id = serializers.UUIDField(allow_null=True)
    source_external_id = serializers.CharField()
    target_external_id = serializers.CharField()
    item_type = serializers.CharField()
    item_no = serializers.CharField()
    item_name = serializers.CharField()
    color_id = serializers.IntegerField(allow_null=True)
    color_name = serializers.CharField()
    condition = serializers.CharField()
    before_state = serializers.JSONObjectField()
    after_state = serializers.JSONObjectField()
    changes = PlannedChangeRow(many=True)
    worth = serializers.DecimalField(max_digits=18, decimal_places=4, help_text="In the shop's currency.")
    status = serializers.ChoiceField(choices=ItemStatus.values)
    attempts = serializers.IntegerField()
    error_message = serializers.CharField()
    applied_at = serializers.DateTimeField(allow_null=True)


class ExcludeInput(serializers.Serializer):
    """Lines that are left out of a plan, or taken in again: by their ids, or all that a filter leaves."""

    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**53), required=False, max_length=5000
    )
    filter = serializers.JSONObjectField(required=False, help_text="`tab`, `q`, `color`, `price`, `status`, `store`.")
    excluded = serializers.BooleanField(required=False, default=True)


class ExcludedRow(serializers.Serializer):
    """How many lines are otherwise now."""

    changed = serializers.IntegerField()


class ApproveInput(serializers.Serializer):
    """What whoever approves has typed."""

    confirmed_removals = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0)


class RetryInput(serializers.Serializer):
    """What is tried again."""

    reason = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="Of one reason; empty: all that failed."
    )


def run_row(view: RunView) -> dict[str, Any]:
    """Answer a run as the list shows it."""
    run = view.run
    stores = {
        name: {"id": store.pk, "name": store.name, "channel": store.channel}
        for name, store in (("source_store", run.source_store), ("target_store", run.target_store))
    }
    names = (
        "id", "number", "direction", "trigger", "options", "created_at", "approved_at", "completed_at",
        "error_message", "change_set_id",
    )  # fmt: skip
    return {**{name: getattr(run, name) for name in names}, **stores, "status": view.status.value}


def whole_row(view: RunView) -> dict[str, Any]:
    """Answer a run with what it will do, or did."""
    run, summary = view.run, view.run.plan_summary
    job = run.apply_job or run.plan_job
    return {
        **run_row(view),
        "checks": run.checks,
        "counts": {
            **view.counts, "to_do": view.to_do + view.sent, "applied": view.applied, "failed": view.failed,
            "excluded": view.excluded,
        },
        "calls": summary.get("calls", []),
        "worths": summary.get("worths", []),
        "is_stale": view.is_stale,
        "removals_to_confirm": view.removals_to_confirm,
        "job": job_row(job) if job else None,
    }  # fmt: skip


def plan_row(item: SyncPlanItem) -> dict[str, Any]:
    """Answer a line of a plan."""
    names: list[str] = [str(name) for name in PlanRow().fields]
    return {name: getattr(item, name) for name in names}
