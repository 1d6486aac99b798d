"""Where a run stands: what it will do or did, what was looked at, and what can be done with it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from common.errors import NotFound
from jobs.choices import JobStatus
from jobs.models import JobRun
from stores.choices import Channel
from sync.choices import Action, ItemStatus, RunStatus, SkipReason
from sync.models import SyncAgreement, SyncPlanItem, SyncRun
from sync.queries.runs.lines import DOES_SOMETHING, TABS, Failure, failures, tab_of

# Older previews are planned anew before they are approved: both sides have moved on.
GOOD_FOR = timedelta(days=1)
_ENDS = {JobStatus.FAILED: RunStatus.FAILED, JobStatus.CANCELLED: RunStatus.CANCELLED}
_PLANNING = (RunStatus.PENDING, RunStatus.FETCHING, RunStatus.COMPARING)
_LEFT = (ItemStatus.PENDING, ItemStatus.SENT, ItemStatus.FAILED)


def runs() -> "QuerySet[SyncRun]":
    """Answer all runs, with what a list shows of them, in no order."""
    return SyncRun.objects.select_related(
        "source_store", "target_store", "created_by", "approved_by", "plan_job", "apply_job"
    )


def recent_runs() -> "QuerySet[SyncRun]":
    """Answer all runs, the newest first."""
    return runs().order_by("-created_at", "-id")


def get_run(run_id: UUID) -> SyncRun:
    """Answer a run with its stores, people and jobs; raises NotFound."""
    run = runs().filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run.")
    return run


def standing(run: SyncRun) -> RunStatus:
    """Answer where a run stands. Its job knows first that it failed or was cancelled; the run is told of it."""
    status = RunStatus(run.status)
    job = _job_of(run, status)
    return _ENDS.get(JobStatus(job.status), status) if job else status


def _job_of(run: SyncRun, status: RunStatus) -> JobRun | None:
    if status in _PLANNING:
        return run.plan_job
    return run.apply_job if status == RunStatus.APPLYING else None


@dataclass(frozen=True, slots=True)
class Check:
    """Something that was looked at before anything is done. `verdict`: "ok" ✓, "warn" ▲ or "stop" ✕."""

    code: str
    verdict: str
    text: str

    @property
    def stops(self) -> bool:
        """Tell whether the run can't be approved as it is."""
        return self.verdict == "stop"


@dataclass(frozen=True, slots=True)
class Calls:
    """What a plan asks of a store. `left`: of the day, without the reserve for orders; None where nobody counts them.

    `seconds`: how long it takes at the store's pace; `days`: over how many days it is spread.
    """

    store_name: str
    needed: int
    left: int | None
    seconds: int
    days: int


@dataclass(frozen=True, slots=True)
class Worth:
    """What the lots on offer in a store are worth before and after, in the shop's currency."""

    store_name: str
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `done` and `total`: lots fetched, or lines of the plan; `seconds_left` where it can be told."""

    done: int
    total: int | None
    unit: str
    message: str
    percent: int | None
    seconds_left: int | None
    # A job that waits, such as for the next day's calls, and until when.
    waits_until: datetime | None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as its page shows it. `to_do`, `applied` …: lines that do something, by how far they are."""

    run: SyncRun
    status: RunStatus
    checks: tuple[Check, ...]
    worths: tuple[Worth, ...]
    calls: tuple[Calls, ...]
    # By tab: "add", "update", "remove", "unmatched", "conflicts", "skipped"; "equal" has no lines.
    counts: Mapping[str, int]
    to_do: int
    sent: int
    applied: int
    failed: int
    excluded: int
    is_stale: bool
    progress: Progress | None
    # What has to be typed to approve it; None where nothing has.
    removals_to_confirm: int | None
    failures: tuple[Failure, ...]
    # A run that has changed one of its stores since it was planned: what it would take over may be here by now.
    overtaken_by: SyncRun | None = None

    @property
    def is_planning(self) -> bool:
        """Tell whether it is still fetched or compared."""
        return self.status in _PLANNING

    @property
    def can_approve(self) -> bool:
        """Tell whether it can be approved as it is."""
        is_open = self.status == RunStatus.PREVIEW_READY and not self.is_stale and self.to_do > 0
        return is_open and not any(check.stops for check in self.checks)

    @property
    def can_plan_again(self) -> bool:
        """Tell whether it can be planned anew."""
        ready = (RunStatus.PREVIEW_READY, RunStatus.FAILED, RunStatus.CANCELLED)
        return self.status in ready and self.run.approved_at is None

    @property
    def can_cancel(self) -> bool:
        """Tell whether it can be stopped, or thrown away."""
        return self.is_planning or self.status in (RunStatus.PREVIEW_READY, RunStatus.APPLYING)

    @property
    def can_retry(self) -> bool:
        """Tell whether what failed, or wasn't come to, can be tried again."""
        ended = (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.COMPLETED)
        is_left = self.failed + self.to_do + self.sent > 0
        return self.run.approved_at is not None and self.status in ended and is_left and self.overtaken_by is None

    @property
    def can_undo(self) -> bool:
        """Tell whether it changed something here that can be taken back."""
        ended = (RunStatus.FAILED, RunStatus.CANCELLED, RunStatus.COMPLETED)
        return self.status in ended and self.run.change_set_id is not None and self.applied > 0


def view_of(run: SyncRun, *, now: datetime) -> RunView:
    """Answer a run that came with its stores and jobs as its page shows it. Two queries, a third one of a run
    that may still be carried out."""
    status = standing(run)
    counts, by_status, excluded, removals = _tally(run)
    to_do = by_status.get(ItemStatus.PENDING, 0)
    summary = run.plan_summary
    limits = summary.get("removal_limits", {})
    are_many = any(count > limits[key] for key, count in removals.items() if key in limits)
    is_open = run.approved_at is None or any(by_status.get(each) for each in _LEFT)
    overtaken_by = overtaken(run) if is_open else None
    return RunView(
        run=run,
        status=status,
        checks=tuple(Check(each["code"], each["verdict"], each["text"]) for each in run.checks),
        worths=tuple(
            Worth(each["store"], Decimal(each["before"]), Decimal(each["after"])) for each in summary.get("worths", ())
        ),
        calls=tuple(
            Calls(each["store"], each["needed"], each["left"], each["seconds"], each["days"])
            for each in summary.get("calls", ())
        ),
        counts={**counts, "equal": summary.get("equal", 0)},
        to_do=to_do,
        sent=by_status.get(ItemStatus.SENT, 0),
        applied=by_status.get(ItemStatus.APPLIED, 0),
        failed=by_status.get(ItemStatus.FAILED, 0),
        excluded=excluded,
        is_stale=is_too_old(run, now=now) or overtaken_by is not None,
        progress=_progress(run, status, by_status, now=now),
        removals_to_confirm=counts["remove"] if are_many else None,
        failures=failures(run) if by_status.get(ItemStatus.FAILED) else (),
        overtaken_by=overtaken_by,
    )


def overtaken(run: SyncRun) -> SyncRun | None:
    """Answer a run that has changed one of a run's stores since that was planned, as long as it would take anything
    over here: that may have come by now, and would come twice. What only goes to stores is worked out anew anyway.
    """
    planned_at = run.plan_summary.get("planned_at")
    if planned_at is None or run.status == RunStatus.APPLYING:
        return None
    stores = [each.pk for each in (run.source_store, run.target_store) if each.channel != Channel.LOCAL]
    later = Q(completed_at__isnull=True) | Q(completed_at__gt=datetime.fromisoformat(planned_at))
    of_these = Q(source_store__in=stores) | Q(target_store__in=stores)
    others = SyncRun.objects.filter(later, of_these, approved_at__isnull=False).exclude(pk=run.pk)
    found = others.order_by("-approved_at").first()
    return found if found is not None and _is_left_here(run) else None


def _is_left_here(run: SyncRun) -> bool:
    """Tell whether a run has anything left to do to our stock, or to note of what was agreed on."""
    left = Q(status__in=_LEFT)
    here = Q(store__channel=Channel.LOCAL) & left
    noted = Q(extra__has_key="base") & (left | Q(skip_reason=SkipReason.CONFLICT))
    if SyncPlanItem.objects.filter(here | noted, sync_run=run).exists():
        return True
    pairs = SyncAgreement.objects.filter(sync_run=run).values_list("pairs_count", flat=True).first() or 0
    return bool(pairs > run.checkpoint.get("agreed", 0))


def brief_of(run: SyncRun, *, now: datetime) -> RunView:
    """Answer a run that came with its stores and jobs as a list shows it, by what its plan kept. No query."""
    summary = run.plan_summary
    counts = {name: summary.get(name, 0) for name in ("add", "update", "remove", "unmatched", "conflicts", "equal")}
    return RunView(
        run=run, status=standing(run), checks=(), worths=(), calls=(),
        counts={**counts, "skipped": summary.get("skip", 0)},
        to_do=0, sent=0, applied=sum(summary.get("applied", {}).get(name, 0) for name in ("add", "update", "remove")),
        failed=summary.get("applied", {}).get("failed", 0), excluded=0, is_stale=is_too_old(run, now=now),
        progress=None, removals_to_confirm=None, failures=(),
    )  # fmt: skip


def is_too_old(run: SyncRun, *, now: datetime) -> bool:
    """Tell whether a plan was made too long ago to be approved as it is."""
    planned_at = run.plan_summary.get("planned_at")
    return planned_at is not None and datetime.fromisoformat(planned_at) < now - GOOD_FOR


def _tally(run: SyncRun) -> tuple[dict[str, int], dict[str, int], int, Counter[str]]:
    """Answer the lines by tab, those that do something by their status, how many a person left out, and the removals
    by store."""
    rows = (
        SyncPlanItem.objects.filter(sync_run=run)
        .values_list("action", "skip_reason", "status", "store_id")
        .annotate(count=Count("id"))
        .order_by()
    )
    counts: dict[str, int] = dict.fromkeys(TABS, 0)
    by_status: dict[str, int] = {}
    excluded = 0
    removals: Counter[str] = Counter()
    for action, reason, status, store_id, count in rows:
        is_left_out = status == ItemStatus.SKIPPED and action != Action.SKIP
        counts[tab_of(action, reason)] += 0 if is_left_out else count
        if action == Action.REMOVE and not is_left_out:
            removals[str(store_id)] += count
        if action in DOES_SOMETHING:
            if status == ItemStatus.SKIPPED and reason == SkipReason.USER_EXCLUDED:
                excluded += count
            by_status[status] = by_status.get(status, 0) + count
    return counts, by_status, excluded, removals


def _progress(run: SyncRun, status: RunStatus, by_status: Mapping[str, int], *, now: datetime) -> Progress | None:
    job = _job_of(run, status)
    if job is None:
        return None
    told = job.progress_data
    done, total = int(told.get("done") or 0), told.get("total")
    left_s = None
    if total and told.get("since") and done > told.get("from", 0):
        took_s = (now - datetime.fromisoformat(told["since"])).total_seconds()
        left_s = round(took_s / (done - told["from"]) * max(0, total - done))
    return Progress(
        done=done, total=total, unit=told.get("unit", ""), message=job.progress_message, percent=job.progress_percent,
        seconds_left=left_s, waits_until=job.next_attempt_at if job.status == JobStatus.PENDING else None,
    )  # fmt: skip
