"""What can be asked about repricing: the rules with their last runs, a run, what it does to which lots."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import QuerySet

from common.errors import NotFound
from inventory.choices import PriceOutcome, RepricingStatus
from inventory.models import InventoryItem, RepricingLine, RepricingRule, RepricingRun
from inventory.queries.filters import Filters
from inventory.queries.rows import ColorLook, look_of
from inventory.repricing import SKIP_WORDS, Skip, Terms
from jobs.choices import JobStatus

PAGE = 50
_RECENT = 30
_ENDS = {JobStatus.FAILED: RepricingStatus.FAILED, JobStatus.CANCELLED: RepricingStatus.CANCELLED}
_MEANWHILE = {
    "gone": "The lot was deleted meanwhile",
    "uncovered": "The lot changed meanwhile, and isn't one of these any more",
    "equal": "The lot changed meanwhile, and has this price already",
}


def words_of(query: str) -> str:
    """Answer in words which lots a filter leaves."""
    terms = Filters.parse(query).terms
    return ", ".join(term.words for term in terms) if terms else "All lots"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as the list shows it."""

    rule: RepricingRule
    lots: str
    words: str
    last: RepricingRun | None
    is_first: bool
    is_last: bool


def rule_rows() -> list[RuleRow]:
    """Answer the rules in their order, each with its last run. Two queries."""
    rules = list(RepricingRule.objects.order_by("position", "pk"))
    runs = RepricingRun.objects.filter(rule__isnull=False).order_by("rule_id", "-created_at", "-id").distinct("rule_id")
    last = {run.rule_id: run for run in runs}
    return [
        RuleRow(
            rule=rule, lots=words_of(rule.query), words=rule.terms.words, last=last.get(rule.pk), is_first=place == 0,
            is_last=place == len(rules) - 1,
        )
        for place, rule in enumerate(rules)
    ]  # fmt: skip


def get_rule(rule_id: UUID) -> RepricingRule:
    """Answer a rule. Raises NotFound."""
    rule = RepricingRule.objects.filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("This rule no longer exists.")
    return rule


def recent_runs() -> "QuerySet[RepricingRun]":
    """Answer the latest runs, newest first."""
    found = RepricingRun.objects.select_related("created_by", "plan_job", "apply_job")
    return found.order_by("-created_at", "-id")[:_RECENT]


def get_run(run_id: UUID) -> RepricingRun:
    """Answer a run with its jobs. Raises NotFound."""
    run = RepricingRun.objects.select_related("created_by", "rule", "plan_job", "apply_job").filter(pk=run_id).first()
    if run is None:
        raise NotFound
    return run


def standing(run: RepricingRun) -> RepricingStatus:
    """Answer where a run stands. Its job knows first that it failed or was cancelled; the run is told of it."""
    status = RepricingStatus(run.status)
    job = {RepricingStatus.PLANNING: run.plan_job, RepricingStatus.APPLYING: run.apply_job}.get(status)
    return _ENDS.get(JobStatus(job.status), status) if job else status


def terms_words(run: RepricingRun) -> str:
    """Answer in words how a run makes prices."""
    return Terms.from_json(run.terms).words


def kept_reasons(run: RepricingRun) -> list[tuple[str, int]]:
    """Answer why lots keep their price, and how many do for each reason."""
    return [(SKIP_WORDS[skip], run.counts[skip.value]) for skip in Skip if run.counts.get(skip.value)]


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A lot of a run: its price before and after, and why."""

    lot_id: UUID
    item_type: str
    item_no: str
    item_name: str
    color_id: int | None
    look: ColorLook
    condition: str
    qty: int | None
    before: Decimal
    after: Decimal | None
    why: str
    is_there: bool

    @property
    def percent(self) -> Decimal | None:
        """Answer by how many percent the price moves; None where it had none, or is kept."""
        return (self.after / self.before - 1) * 100 if self.after is not None and self.before else None


@dataclass(frozen=True, slots=True)
class PricePage:
    """Some lots of a run, of one outcome."""

    rows: Sequence[PriceRow]
    first: int
    total: int


def lines_of(run: RepricingRun, *, outcome: PriceOutcome, first: int = 0) -> PricePage:
    """Answer some lots of a run, in the order of their keys. Three queries."""
    lines = RepricingLine.objects.filter(run=run, outcome=outcome)
    total = lines.count()
    shown = list(lines.order_by("pk")[first : first + PAGE])
    lots = InventoryItem.objects.in_bulk([line.lot_id for line in shown])
    return PricePage([_row(line, lots.get(line.lot_id)) for line in shown], first, total)


def _row(line: RepricingLine, lot: InventoryItem | None) -> PriceRow:
    steps = "; ".join(line.steps)
    reason = _MEANWHILE.get(line.reason) or (SKIP_WORDS[Skip(line.reason)] if line.reason else "")
    why = f"{reason}: {steps}" if reason and steps else reason or steps
    return PriceRow(
        lot_id=line.lot_id,
        item_type=lot.item_type if lot else "",
        item_no=lot.item_no if lot else "A lot that is gone",
        item_name=lot.item_name if lot else "",
        color_id=lot.color_id if lot else None,
        look=look_of(lot.color_id if lot else None, lot.color_name if lot else ""),
        condition=lot.get_condition_display() if lot else "",
        qty=lot.qty_available if lot else None,
        before=line.price_before,
        after=line.price_after,
        why=why,
        is_there=lot is not None,
    )
