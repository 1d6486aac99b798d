"""What pages list: runs by filters, what both sides changed by filters, and what a plan does in each store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from common.filters import FilterSet, Parameter, read_choice
from stores.channels import LotField
from stores.choices import Channel
from stores.models import Store
from sync.choices import Action, ItemStatus, RunStatus, Trigger
from sync.models import SyncConflict, SyncPlanItem, SyncRun
from sync.queries import conflicts, runs
from sync.queries.runs import FIELD_LABELS, RunView

PAGE = 50


# --- Runs -------------------------------------------------------------------------------------------------------------
def _store_words(store_id: UUID) -> str:
    store = Store.objects.filter(pk=store_id).first()
    return f"Store: {store.stock_name if store else 'one that is not there'}"


@dataclass(frozen=True, slots=True)
class RunFilters(FilterSet):
    """What narrows the list of runs: `status`, `trigger`, `store` on either side."""

    parameters: ClassVar[Mapping[str, Parameter]] = {
        each.name: each
        for each in (
            Parameter(
                "status", "Status", read_choice(*RunStatus.values), lambda value: Q(status=value),
                lambda value: f"Status: {RunStatus(value).label}",
            ),
            Parameter(
                "trigger", "Made", read_choice(*Trigger.values), lambda value: Q(trigger=value),
                lambda value: f"Made: {Trigger(value).label}",
            ),
            Parameter(
                "store", "Store", UUID, lambda value: Q(source_store=value) | Q(target_store=value), _store_words
            ),
        )
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, and how many the filters leave."""

    rows: Sequence[tuple[SyncRun, RunStatus]]
    total: int
    first: int


def run_page(filters: RunFilters, *, first: int = 0) -> RunPage:
    """Answer some runs, the newest first, each with where it stands. Two queries."""
    found = runs.recent_runs()
    for name, value in filters.values.items():
        found = found.filter(RunFilters.parameters[name].condition(value))
    rows = [(run, runs.standing(run)) for run in found[first : first + PAGE]]
    return RunPage(rows, found.count(), first)


def has_runs() -> bool:
    """Tell whether there was ever a run."""
    return SyncRun.objects.exists()


def waiting_runs(store_id: UUID | None = None) -> "QuerySet[SyncRun]":
    """Answer the runs whose plan waits to be approved, the newest first; of one store, or of all."""
    found = runs.recent_runs().filter(status=RunStatus.PREVIEW_READY)
    return found if store_id is None else found.filter(RunFilters.parameters["store"].condition(store_id))


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked for a plan to be approved, and when."""

    by: str
    at: datetime


def asked_of(run: SyncRun) -> Asked | None:
    """Answer who asked for this plan to be approved; None where nobody has since it was made."""
    asked = run.checkpoint.get("asked")
    if not asked or asked["planned_at"] != run.plan_summary.get("planned_at", ""):
        return None
    return Asked(asked["by"], datetime.fromisoformat(asked["at"]))


def pairs_to_note(view: RunView) -> int:
    """Answer how many lots will be noted as the same on both sides; only an approved run does so."""
    return int(view.run.plan_summary.get("pairs", 0))


def can_approve(view: RunView) -> bool:
    """Tell whether a plan can be approved: what it does, or at least what it notes."""
    if view.can_approve:
        return True
    is_open = view.status == RunStatus.PREVIEW_READY and not view.is_stale and not view.to_do
    return is_open and pairs_to_note(view) > 0 and not any(check.stops for check in view.checks)


# --- What a plan does -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Deed:
    """What a plan does in one store, of what isn't left out and isn't done."""

    store: Store
    label: str
    is_here: bool
    add: int
    update: int
    remove: int


def deeds_of(run: SyncRun) -> list[Deed]:
    """Answer what is still to be done in each store, our own stock first. Two queries."""
    rows = (
        SyncPlanItem.objects.filter(sync_run=run, status__in=[ItemStatus.PENDING, ItemStatus.SENT])
        .exclude(action=Action.SKIP)
        .values_list("store_id", "action")
        .annotate(count=Count("id"))
        .order_by()
    )
    counts: dict[UUID, dict[str, int]] = {}
    for store_id, action, count in rows:
        counts.setdefault(store_id, {})[action] = count
    stores = Store.objects.in_bulk(list(counts)) if counts else {}
    found = [
        Deed(
            store, store.stock_name, store.channel == Channel.LOCAL, counts[key].get(Action.ADD, 0),
            counts[key].get(Action.UPDATE, 0), counts[key].get(Action.REMOVE, 0),
        )
        for key, store in stores.items()
    ]  # fmt: skip
    return sorted(found, key=lambda deed: (not deed.is_here, deed.label))


# --- What both sides changed ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ConflictFilters(FilterSet):
    """What narrows the list of what both sides changed: `store`, `field`."""

    parameters: ClassVar[Mapping[str, Parameter]] = {
        each.name: each
        for each in (
            Parameter("store", "Store", UUID, lambda value: Q(store_id=value), _store_words),
            Parameter(
                "field", "Field", read_choice(*(each.value for each in LotField)), lambda value: Q(field=value),
                lambda value: f"Field: {FIELD_LABELS[value]}",
            ),
        )
    }  # fmt: skip


def open_conflicts(filters: ConflictFilters) -> "QuerySet[SyncConflict]":
    """Answer what waits to be decided and the filters leave, the oldest first."""
    found = conflicts.open_conflicts()
    for name, value in filters.values.items():
        found = found.filter(ConflictFilters.parameters[name].condition(value))
    return found


def conflict_page(filters: ConflictFilters, *, first: int = 0) -> conflicts.ConflictPage:
    """Answer some of what waits to be decided. Two queries."""
    found = open_conflicts(filters)
    rows = [conflicts.row_of(each) for each in found[first : first + PAGE]]
    return conflicts.ConflictPage(rows, found.count(), first)


def conflicts_by_field(filters: ConflictFilters) -> dict[str, int]:
    """Answer how many of each field wait, whatever field is looked at."""
    term = next((each for each in filters.terms if each.name == "field" and each.is_known), None)
    wider = filters.without(term) if term else filters
    rows = open_conflicts(wider).select_related(None).order_by().values_list("field").annotate(count=Count("id"))
    return dict(sorted(rows))


def stores_with_conflicts() -> "QuerySet[Store]":
    """Answer the stores of which something waits to be decided."""
    return Store.objects.filter(pk__in=SyncConflict.objects.filter(decision="").values("store_id")).order_by("name")
