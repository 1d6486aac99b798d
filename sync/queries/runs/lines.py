"""The lines of a plan: what narrows and sorts them, how a page shows them, and why some failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Left

from catalog import colors
from common.filters import FilterSet, Parameter, read_choice, read_text, read_whole
from stores.choices import Channel
from sync.choices import Action, ItemStatus, RunStatus, SkipReason
from sync.models import SyncPlanItem, SyncRun

# What does something, as against what says why nothing is done.
DOES_SOMETHING = (Action.ADD, Action.UPDATE, Action.REMOVE)
_REASON_SHOWN = 200
TABS = ("add", "update", "remove", "unmatched", "conflicts", "skipped")
_OF_TAB: Mapping[str, Q] = {
    "add": Q(action=Action.ADD),
    "update": Q(action=Action.UPDATE),
    "remove": Q(action=Action.REMOVE),
    "unmatched": Q(action=Action.SKIP, skip_reason=SkipReason.UNMATCHED),
    "conflicts": Q(action=Action.SKIP, skip_reason=SkipReason.CONFLICT),
    "skipped": Q(action=Action.SKIP) & ~Q(skip_reason__in=[SkipReason.UNMATCHED, SkipReason.CONFLICT]),
}


def tab_of(action: str, skip_reason: str) -> str:
    """Answer under which tab a line is shown."""
    if action != Action.SKIP:
        return action.lower()
    return {SkipReason.UNMATCHED.value: "unmatched", SkipReason.CONFLICT.value: "conflicts"}.get(skip_reason, "skipped")


def _of_text(text: str) -> Q:
    return Q(item_name__icontains=text) | Q(item_no__istartswith=text) | Q(color_name__iexact=text)


def _of_way(way: str) -> Q:
    if way == "same":
        return ~Q(changes__contains=[{"field": "price"}])
    return Q(changes__contains=[{"field": "price", "way": way}])


def _color_words(color_id: int) -> str:
    known = colors.get(color_id)
    return f"Color: {known.name if known else color_id}"


@dataclass(frozen=True, slots=True)
class PlanFilters(FilterSet):
    """What narrows the lines of a plan: `tab`, `q`, `color`, `price` (up, down, same), `status`, `store`, `reason`."""

    parameters: ClassVar[Mapping[str, Parameter]] = {
        each.name: each
        for each in (
            Parameter("tab", "Action", read_choice(*TABS), lambda value: _OF_TAB[value], lambda value: value.title()),
            Parameter("q", "Search", read_text(100), _of_text, lambda value: f"“{value}”"),
            Parameter("color", "Color", read_whole, lambda value: Q(color_id=value), _color_words),
            Parameter(
                "price", "Price", read_choice("up", "down", "same"), _of_way,
                lambda value: {"up": "Price rises", "down": "Price falls", "same": "Price stays"}[value],
            ),
            Parameter(
                "status", "Status", read_choice(*ItemStatus.values), lambda value: Q(status=value),
                lambda value: ItemStatus(value).label,
            ),
            Parameter("store", "Store", UUID, lambda value: Q(store_id=value), lambda _value: "One store"),
            Parameter(
                "reason", "Reason", read_text(_REASON_SHOWN), lambda value: Q(error_message__startswith=value),
                lambda value: value,
            ),
        )
    }  # fmt: skip


def items(run: SyncRun, filters: PlanFilters | None = None) -> "QuerySet[SyncPlanItem]":
    """Answer the lines of a plan that the filters leave, in no order, with what a page shows of them."""
    found = SyncPlanItem.objects.filter(sync_run=run).select_related("store", "inventory_item")
    for name, value in (filters.values if filters else {}).items():
        found = found.filter(PlanFilters.parameters[name].condition(value))
    return found


# By what a page may be sorted, and paged by key: a name of the model, and whether it falls.
SORTS: Mapping[str, tuple[str, ...]] = {
    "worth": ("-worth", "id"),
    "item": ("item_no", "id"),
    "plan": ("id",),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a line, as people read it. `percent`: of a price, by how much it moves."""

    field: str
    label: str
    old: Any
    new: Any
    percent: Decimal | None = None


FIELD_LABELS: Mapping[str, str] = {
    "qty": "quantity", "price": "price", "description": "description", "remarks": "remarks", "tiers": "tier prices",
    "bulk": "bulk", "sale": "sale", "retain": "retain", "stockroom": "stockroom",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A line of a plan as a page shows it. `is_here`: it is done to our own stock."""

    item: SyncPlanItem
    tab: str
    is_here: bool
    is_excluded: bool
    can_be_excluded: bool
    changes: tuple[Change, ...]
    # In words: what was found about it, or what went wrong.
    why: str


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Some lines of a plan, and how many the filters leave. `next`: the key behind the last row, None at the end."""

    rows: Sequence[PlanRow]
    total: int
    next: int | None


def page_of(
    run: SyncRun, filters: PlanFilters, *, sort: str = "worth", after: int | None = None, limit: int = 50
) -> PlanPage:  # fmt: skip
    """Answer some lines of a plan, those behind the line `after`. Three queries."""
    found = items(run, filters)
    total = found.count()
    order = SORTS.get(sort, SORTS["worth"])
    if after is not None:
        found = found.filter(_behind(order, after))
    rows = list(found.order_by(*order)[: limit + 1])
    more = len(rows) > limit
    shown = rows[:limit]
    return PlanPage([row_of(item, run) for item in shown], total, shown[-1].pk if more else None)


def key_before(run: SyncRun, filters: PlanFilters, *, sort: str, after: int, limit: int = 50) -> int | None:
    """Answer the key behind which the page before the one behind `after` begins; None for the first page."""
    order = SORTS.get(sort, SORTS["worth"])
    back = [name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in order]
    found = items(run, filters).select_related(None).exclude(_behind(order, after)).order_by(*back)
    keys: list[int] = list(found.values_list("pk", flat=True)[limit : limit + 1])
    return keys[0] if keys else None


def _behind(order: Sequence[str], after: int) -> Q:
    name = order[0].removeprefix("-")
    last = SyncPlanItem.objects.filter(pk=after).first()
    if last is None or name == "id":
        return Q(pk__gt=after)
    value = getattr(last, name)
    further = "lt" if order[0].startswith("-") else "gt"
    return Q(**{f"{name}__{further}": value}) | Q(**{name: value, "pk__gt": after})


def row_of(item: SyncPlanItem, run: SyncRun) -> PlanRow:
    """Answer a line as a page shows it."""
    is_open = run.status == RunStatus.PREVIEW_READY and item.action in DOES_SOMETHING
    is_excluded = item.status == ItemStatus.SKIPPED and item.skip_reason == SkipReason.USER_EXCLUDED
    return PlanRow(
        item=item,
        tab=tab_of(item.action, item.skip_reason),
        is_here=item.store.channel == Channel.LOCAL,
        is_excluded=is_excluded,
        can_be_excluded=is_open and item.status in (ItemStatus.PENDING, ItemStatus.SKIPPED),
        changes=tuple(_change(each) for each in item.changes),
        why=item.error_message or item.reason or (SkipReason(item.skip_reason).label if item.skip_reason else ""),
    )


def _change(kept: Mapping[str, Any]) -> Change:
    old, new, name = kept.get("old"), kept.get("new"), kept["field"]
    percent = None
    if name == "price" and old and new and Decimal(old):
        percent = (Decimal(new) / Decimal(old) - 1) * 100
    return Change(name, FIELD_LABELS.get(name, name), old, new, percent)


def worth_of(run: SyncRun, filters: PlanFilters) -> Decimal:
    """Answer what is at stake in the lines that the filters leave."""
    found: Decimal | None = items(run, filters).aggregate(sum=Sum("worth"))["sum"]
    return found or Decimal(0)


def colors_of(run: SyncRun, filters: PlanFilters | None = None) -> list[tuple[int, str, int]]:
    """Answer the colors in a plan with how many lines have each, the most frequent first."""
    rows = (
        items(run, filters).filter(color_id__isnull=False).values_list("color_id", "color_name")
        .annotate(count=Count("id")).order_by("-count", "color_name")
    )  # fmt: skip
    return [(color_id, name, count) for color_id, name, count in rows]


# --- What went wrong --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Failure:
    """Why some lines failed, and how many did. `reason` is what `PlanFilters` takes."""

    reason: str
    count: int


def failures(run: SyncRun) -> tuple[Failure, ...]:
    """Answer why lines of a run failed, the most frequent reason first."""
    rows = (
        SyncPlanItem.objects.filter(sync_run=run, status=ItemStatus.FAILED)
        .annotate(why=Left("error_message", _REASON_SHOWN))
        .values_list("why")
        .annotate(count=Count("id"))
        .order_by("-count", "why")
    )
    return tuple(Failure(why, count) for why, count in rows)
