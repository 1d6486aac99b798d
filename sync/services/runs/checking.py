"""What is looked at before a plan may be carried out: each check says in words what was found."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stores import queries as stores
from stores.guards import REMOVAL_LIMIT_PERCENT
from stores.models import Store
from sync.choices import Action, SkipReason
from sync.models import SyncConflict, SyncRun
from sync.services.runs.hub import Hub
from sync.services.runs.sides import Side

OK, WARN, STOP = "ok", "warn", "stop"
# Of a day's calls so many are for stock; the rest is kept for orders (common.wire.budget).
_FOR_STOCK = 0.9


@dataclass(frozen=True, slots=True)
class Needed:
    """Calls that a plan asks of a store, and what there is of them."""

    store: Store
    needed: int
    left: int | None
    per_day: int | None
    seconds: int

    @property
    def days(self) -> int:
        """Answer over how many days the calls are spread."""
        if self.left is None or self.per_day is None or self.needed <= self.left:
            return 1
        return 1 + math.ceil((self.needed - self.left) / max(1, self.per_day))

    def as_json(self) -> dict[str, Any]:
        """Answer it as a run keeps it."""
        return {
            "store": self.store.name, "needed": self.needed, "left": self.left, "seconds": self.seconds,
            "days": self.days,
        }  # fmt: skip


def calls_needed(side: Side, counts: Mapping[str, int], *, now: datetime) -> Needed:
    """Answer how many requests a plan takes at a store, by how many lots one of them takes."""
    spec = side.spec
    adds, updates, removes = (counts.get(each.value, 0) for each in (Action.ADD, Action.UPDATE, Action.REMOVE))
    if spec.batch_create == spec.batch_update == spec.batch_delete:
        needed = math.ceil((adds + updates + removes) / spec.batch_update)
    else:
        needed = math.ceil(adds / spec.batch_create) + math.ceil(updates / spec.batch_update)
        needed += math.ceil(removes / spec.batch_delete)
    if adds and spec.batch_create != spec.batch_update:
        # The numbers of new lots are read back by one call more.
        needed += 1
    left = None
    if spec.per_day is not None:
        used = stores.used_calls(side.store.pk, now.date().isoformat())
        left = max(0, math.floor(spec.per_day * _FOR_STOCK) - used)
    per_day = None if spec.per_day is None else math.floor(spec.per_day * _FOR_STOCK)
    return Needed(side.store, needed, left, per_day, math.ceil(max(0, needed - spec.burst) / spec.per_second))


def removal_limits(hub: Hub) -> dict[str, int]:
    """Answer how many lots may be removed without a word, by the store from which they are."""
    return {str(each.store.pk): len(each.theirs) * REMOVAL_LIMIT_PERCENT // 100 for each in hub.sides if each.gives}


def checks_of(run: SyncRun, hub: Hub, needed: list[Needed]) -> list[dict[str, str]]:
    """Answer what was looked at, in the order in which a page shows it."""
    found = [_fetched(hub), *_removals(hub), *[_budget(each) for each in needed]]
    counts = hub.writer.counts
    if unmatched := counts[SkipReason.UNMATCHED.value]:
        found.append((
            "unmatched", WARN,
            f"{_lots(unmatched)} can't be matched, and {'stays' if unmatched == 1 else 'stay'} as it is on both sides."
            if unmatched == 1 else f"{_lots(unmatched)} can't be matched, and stay as they are.",
        ))  # fmt: skip
    else:
        found.append(("unmatched", OK, "Every lot is known."))
    if conflicts := counts[SkipReason.CONFLICT.value]:
        found.append(("conflicts", WARN, f"{_lots(conflicts)} changed on both sides. Decide whose word counts."))
    if crowds := counts[SkipReason.CROWD.value]:
        found.append(("crowds", WARN, f"{_lots(crowds)} of a kind that one side has more of, left as they are."))
    if busy := counts[SkipReason.BUSY.value]:
        found.append(("busy", WARN, f"{_lots(busy)} sold or sent while the stores were read. They are next time's."))
    if hub.gone:
        found.append(("gone", WARN, f"{_lots(hub.gone)} that we know aren't there any more. Nothing is removed here."))
    for side in hub.sides:
        if side.gives and side.rules.rate is None:
            text = f"Nobody knows what a price is worth in {side.store.name}'s currency. Prices stay as they are there."
            found.append(("rate", WARN, text))
    return [{"code": code, "verdict": verdict, "text": text} for code, verdict, text in found]


def _fetched(hub: Hub) -> tuple[str, str, str]:
    said = ", ".join(f"{side.store.name} {len(side.theirs):,}" for side in hub.sides)
    return "fetch", OK, f"Fetched all lots: {said}."


def _removals(hub: Hub) -> list[tuple[str, str, str]]:
    found = []
    for side in hub.sides:
        if not side.gives or not side.theirs:
            continue
        removed = lines[Action.REMOVE.value] if (lines := hub.writer.lines_by_store.get(side.store.pk)) else 0
        share = removed / len(side.theirs) * 100
        words = f"{share:.2f} % of the lots on {side.store.name} are removed"
        if share > REMOVAL_LIMIT_PERCENT:
            text = f"{words}: {removed:,} of {len(side.theirs):,}. To approve it, type that number."
            found.append(("removals", WARN, text))
        else:
            found.append(("removals", OK, f"{words} (limit {REMOVAL_LIMIT_PERCENT} %)."))
    return found


def _budget(needed: Needed) -> tuple[str, str, str]:
    name = needed.store.name
    if needed.left is None or needed.needed <= needed.left:
        left = "" if needed.left is None else f" of {needed.left:,} that are left today"
        return "budget", OK, f"{name} is asked {needed.needed:,} times{left}."
    return (
        "budget", WARN,
        f"{name} is asked {needed.needed:,} times, and {needed.left:,} are left today. The rest goes on by itself over"
        f" {needed.days:,} days, the most urgent first.",
    )  # fmt: skip


def _lots(count: int) -> str:
    return f"{count:,} lot{'' if count == 1 else 's'}"


def open_conflicts(run: SyncRun) -> int:
    """Answer how many fields of a run's stores wait for a person."""
    return SyncConflict.objects.filter(store__in=[run.source_store_id, run.target_store_id], decision="").count()
