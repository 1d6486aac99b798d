"""Works out what prices would be, lot by lot, and keeps it to be looked at. Nothing is changed by it."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit import context
from common import actor
from common.actor import ActorKind
from common.errors import Conflict, NotFound
from common.steps import step
from events.bus import publish
from inventory.choices import PriceOutcome, RepricingStatus
from inventory.events import RepricingHeld
from inventory.models import RepricingLine, RepricingRule, RepricingRun
from inventory.repricing import Skip, Terms, Verdict, judge
from inventory.services.bulk_edit import AT_ONCE, Selection
from inventory.services.repricing.applying import start_applying
from inventory.services.repricing.covering import NIL, PricedLot, count_covered, covered, read_next
from inventory.tiers import stored
from jobs import services as jobs
from jobs.runner import Run

PLAN = "repricing_plan"
CHUNK = 5_000
EQUAL = "equal"
_LINES = RepricingLine._meta.db_table
_COPY = (
    f"COPY {_LINES} (run_id, lot_id, lot_version, outcome, reason, price_before, price_after, tiers_after, steps)"
    " FROM STDIN"
)


@dataclass(slots=True)
class Tally:
    """What has been worked out so far: lots by outcome and reason, and what they are worth."""

    counts: Counter[str] = field(default_factory=Counter)
    before: Decimal = Decimal(0)
    after: Decimal = Decimal(0)
    moved: Decimal = Decimal(0)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Tally":
        """Read what `as_json` wrote; empty from nothing."""
        amounts = (Decimal(kept.get(name, "0")) for name in ("before", "after", "moved"))
        return cls(Counter(kept.get("counts", {})), *amounts)

    def as_json(self) -> dict[str, Any]:
        """Answer it for a checkpoint."""
        amounts = {"before": str(self.before), "after": str(self.after), "moved": str(self.moved)}
        return {"counts": dict(self.counts), **amounts}

    @property
    def lots(self) -> int:
        """Answer how many lots have been looked at."""
        return sum(count for name, count in self.counts.items() if name in (*PriceOutcome, EQUAL))

    def add(self, lot: PricedLot, price: Decimal) -> None:
        """Count what a lot is worth at its price and at the new one."""
        self.before += lot.qty * lot.thing.price
        self.after += lot.qty * price
        self.moved += lot.qty * abs(price - lot.thing.price)


@transaction.atomic
def start_repricing(
    *, selection: Selection, terms: Terms, key: str, now: datetime, rule: RepricingRule | None = None,
    above: Sequence[str] = (), is_scheduled: bool = False,
) -> RepricingRun:  # fmt: skip
    """Work out prices for lots, at once or by a job where they are many; the same key answers the same run.

    `above`: filters of the rules that go first. Raises Invalid where nobody knows which lots are meant.
    """
    context.describe("inventory.start_repricing")
    count = count_covered(covered(selection, above))
    who = actor.current()
    run = RepricingRun(
        created_by_id=UUID(who.id) if who.kind is ActorKind.USER else None,
        idempotency_key=key,
        rule=rule,
        name=rule.name if rule else "",
        terms=terms.as_json(),
        selection=selection.as_json(),
        above=list(above),
        is_scheduled=is_scheduled,
    )
    RepricingRun.objects.bulk_create([run], ignore_conflicts=True)
    kept = RepricingRun.objects.get(idempotency_key=key)
    return _begin(kept, count, now=now) if kept.pk == run.pk else kept


@transaction.atomic
def run_rule(*, rule_id: UUID, key: str, now: datetime, is_scheduled: bool = False) -> RepricingRun:
    """Work out the prices of a rule's lots, without those of the rules before it. Raises NotFound, Conflict."""
    rule = RepricingRule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("This rule no longer exists.")
    if not rule.is_active:
        raise Conflict("This rule is switched off. Switch it on first.")
    rules = RepricingRule.objects.filter(is_active=True).order_by("position", "pk")
    above = [each.query for each in rules if (each.position, each.pk) < (rule.position, rule.pk)]
    selection = Selection(query=rule.query)
    return start_repricing(
        selection=selection, terms=rule.terms, key=key, now=now, rule=rule, above=above, is_scheduled=is_scheduled
    )


@transaction.atomic
def plan_again(*, run_id: UUID, now: datetime) -> RepricingRun:
    """Work the prices out anew, as the lots and their figures are now. Raises Conflict once they are being set."""
    run = locked_run(run_id)
    if run.status not in (RepricingStatus.READY, RepricingStatus.CANCELLED, RepricingStatus.FAILED) or run.apply_job_id:
        raise Conflict("Only prices that haven't been set can be worked out anew.")
    RepricingLine.objects.filter(run=run).delete()
    # Whoever wants to look at them says so: nothing is set by itself any more.
    run.status, run.completed_at, run.question, run.is_scheduled = RepricingStatus.PLANNING, None, "", False
    selection = Selection.from_json(run.selection)
    return _begin(run, count_covered(covered(selection, run.above)), now=now)


@transaction.atomic
def discard_repricing(*, run_id: UUID, now: datetime) -> None:
    """Throw away prices that haven't been set. Raises Conflict, NotFound."""
    run = locked_run(run_id)
    if run.status != RepricingStatus.READY:
        raise Conflict("These prices no longer wait to be approved.")
    discard(run, now=now)


def discard(run: RepricingRun, *, now: datetime) -> None:
    """Throw away what was worked out. The row is locked."""
    run.status, run.completed_at = RepricingStatus.CANCELLED, now
    run.save()
    RepricingLine.objects.filter(run=run).delete()


def locked_run(run_id: UUID) -> RepricingRun:
    """Answer a run under its lock. Raises NotFound."""
    run = RepricingRun.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise NotFound
    return run


def _begin(run: RepricingRun, count: int, *, now: datetime) -> RepricingRun:
    if count > AT_ONCE or run.is_scheduled:
        run.plan_job = jobs.start(PLAN, args={"run_id": str(run.pk)}, label=f"Work out prices: {run}"[:200])
        run.save()
        return run
    tally, after = Tally(), NIL
    while (last := plan_chunk(run, tally, after=after, now=now)) is not None:
        after = last
    return _finish(run, tally, now=now)


# --- Working out ----------------------------------------------------------------------------------------------------
def plan(run: RepricingRun, job: Run, *, now: datetime) -> RepricingRun:
    """Work out all prices, from the job's checkpoint on. A run by schedule goes on to set them, or asks."""
    tally, after = Tally.of(job.checkpoint.get("tally", {})), UUID(job.checkpoint.get("after", str(NIL)))
    total = count_covered(covered(Selection.from_json(run.selection), run.above))
    while True:
        job.progress(tally.lots, max(total, tally.lots), unit="lots")
        with transaction.atomic():
            last = plan_chunk(run, tally, after=after, now=now)
            if last is None:
                break
            after = last
            job.save_checkpoint(after=str(after), tally=tally.as_json())
        step("inventory.repricing_planned")
    with transaction.atomic():
        run = locked_run(run.pk)
        return _finish(run, tally, now=now) if run.status == RepricingStatus.PLANNING else run


@transaction.atomic
def plan_chunk(run: RepricingRun, tally: Tally, *, after: UUID, now: datetime) -> UUID | None:
    """Work out the next lots behind a key, keep what becomes of them, and answer the last key; None: all is done."""
    terms, where = Terms.from_json(run.terms), covered(Selection.from_json(run.selection), run.above)
    lots = read_next(where, after=after, limit=CHUNK, now=now)
    if not lots:
        return None
    rows = []
    for lot in lots:
        verdict = judge(lot.thing, lot.guide, terms)
        outcome = outcome_of(lot, verdict)
        tally.counts[outcome] += 1
        tally.add(lot, lot.thing.price if verdict.price is None else verdict.price)
        if verdict.skip:
            tally.counts[verdict.skip.value] += 1
        # A run by schedule tells how many it keeps, not which: each night would list them anew.
        if outcome in PriceOutcome and not (verdict.skip and run.is_scheduled):
            rows.append(_row(run, lot, verdict, outcome))
    _copy(rows)
    return lots[-1].lot_id


def outcome_of(lot: PricedLot, verdict: Verdict) -> str:
    """Answer what a verdict does with a lot: PriceOutcome, or EQUAL where it has that price already."""
    if verdict.price is None:
        return PriceOutcome.SKIPPED.value
    if verdict.price == lot.thing.price:
        return EQUAL
    return PriceOutcome.RISES.value if verdict.price > lot.thing.price else PriceOutcome.FALLS.value


def tiers_after(lot: PricedLot, verdict: Verdict) -> list[dict[str, Any]] | None:
    """Answer the tier prices that go along, as a lot stores them; None where they stay."""
    return stored(verdict.tiers) if verdict.price is not None and verdict.tiers != lot.thing.tiers else None


def _row(run: RepricingRun, lot: PricedLot, verdict: Verdict, outcome: str) -> tuple[Any, ...]:
    tiers = tiers_after(lot, verdict)
    return (
        run.pk, lot.lot_id, lot.version, outcome, verdict.skip.value if verdict.skip else "", lot.thing.price,
        verdict.price, json.dumps(tiers) if tiers is not None else None,
        json.dumps(verdict.steps, ensure_ascii=False),
    )  # fmt: skip


def _copy(rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(row)


def _finish(run: RepricingRun, tally: Tally, *, now: datetime) -> RepricingRun:
    run.counts = {name: count for name, count in tally.counts.items() if count}
    run.value_before, run.value_after, run.value_moved = tally.before, tally.after, tally.moved
    run.status = RepricingStatus.READY
    if run.is_scheduled:
        return _decide(run, now=now)
    run.save()
    return run


def to_change(run: RepricingRun) -> int:
    """Answer how many prices a run changes."""
    return int(run.counts.get(PriceOutcome.RISES, 0) + run.counts.get(PriceOutcome.FALLS, 0))


def to_fetch(run: RepricingRun) -> int:
    """Answer how many lots keep their price because nobody has asked what they go for."""
    return int(run.counts.get(Skip.NO_FIGURES, 0))


def _decide(run: RepricingRun, *, now: datetime) -> RepricingRun:
    """Have a run by schedule set its prices, unless that would move more than its rule's guard allows."""
    earlier = RepricingRun.objects.select_for_update().filter(
        rule=run.rule, is_scheduled=True, status=RepricingStatus.READY
    )
    for other in earlier.exclude(pk=run.pk):
        discard(other, now=now)
    if not to_change(run):
        run.status, run.completed_at = RepricingStatus.COMPLETED, now
        run.save()
        return run
    if run.rule is None or not run.rule.is_active:
        discard(run, now=now)
        return run
    share = moved_percent(run)
    if share > run.rule.guard_percent:
        run.question = (
            f"It would move {share:.1f} % of the lots' value, more than the {run.rule.guard_percent:.1f} % up to which"
            " the rule may go by itself."
        )
        run.save()
        publish(RepricingHeld(run_id=run.pk, rule_name=run.name, question=run.question))
        return run
    return start_applying(run)


def moved_percent(run: RepricingRun) -> Decimal:
    """Answer how many percent of the covered lots' value go up or down; all of it where they had none."""
    if not run.value_moved:
        return Decimal(0)
    return run.value_moved / run.value_before * 100 if run.value_before else Decimal(100)
