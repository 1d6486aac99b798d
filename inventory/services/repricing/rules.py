"""What can be done to repricing rules: make, change, put in order, delete."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from audit import bulk, context
from common.errors import Conflict, Invalid, NotFound, StaleVersion
from inventory.choices import Schedule
from inventory.models import RepricingRule
from inventory.queries.filters import Filters
from inventory.repricing import Basis, Rounding
from inventory.tiers import PRICE_LIMIT

NAME_LENGTH, QUERY_LENGTH = 60, 2000
# More would be looked through for every lot, each night.
MOST_RULES = 50
MOST_SALES = 1_000_000
_FACTORS, _PERCENTS = Decimal(1000), Decimal(1000)
EDITABLE = frozenset(
    {
        "name", "query", "is_active", "schedule", "guard_percent", "basis", "factor", "amount", "rounding", "floor",
        "cost_factor", "ceiling", "cap_percent", "min_sales", "fallback", "scales_tiers",
    }
)  # fmt: skip


@transaction.atomic
def create_rule(*, values: Mapping[str, Any], rule_id: UUID | None = None) -> RepricingRule:
    """Make a rule, behind those that there are. Raises Invalid with errors by field."""
    context.describe("inventory.create_rule")
    # One after the other, so that two aren't given the same place.
    rules = list(RepricingRule.objects.select_for_update().order_by("pk").values_list("pk", flat=True))
    if len(rules) >= MOST_RULES:
        raise Conflict(f"There can be {MOST_RULES} rules. Delete one first.")
    rule = RepricingRule()
    if rule_id:
        rule.id = rule_id
    last = RepricingRule.objects.aggregate(last=Max("position"))["last"]
    rule.position = 0 if last is None else last + 1
    _set(rule, values)
    rule.save(force_insert=True)
    return rule


@transaction.atomic
def update_rule(*, rule_id: UUID, values: Mapping[str, Any], expected_version: int | None = None) -> RepricingRule:
    """Change a rule. Prices that it has made stay as they are. Raises Invalid, StaleVersion, NotFound."""
    context.describe("inventory.update_rule")
    rule = _locked(rule_id)
    if expected_version is not None and expected_version != rule.version:
        raise StaleVersion(
            "Somebody else changed this rule meanwhile. Look at it again and repeat your change.",
            current_version=rule.version,
        )
    before = {name: getattr(rule, name) for name in EDITABLE}
    _set(rule, values)
    if before != {name: getattr(rule, name) for name in EDITABLE}:
        rule.version += 1
        rule.save()
    return rule


@transaction.atomic
def delete_rule(*, rule_id: UUID) -> str:
    """Forget a rule; answer its name. Its runs stay, and so do the prices that it has made. Raises NotFound."""
    context.describe("inventory.delete_rule")
    rule = _locked(rule_id)
    name = rule.name
    bulk.bulk_delete(RepricingRule.objects.filter(pk=rule.pk))
    return name


@transaction.atomic
def move_rule(*, rule_id: UUID, earlier: bool) -> None:
    """Put a rule before the one before it, or behind the one behind it. A lot is the first one's that covers it."""
    context.describe("inventory.move_rule")
    rules = sorted(RepricingRule.objects.select_for_update().order_by("pk"), key=lambda rule: (rule.position, rule.pk))
    place = next((place for place, rule in enumerate(rules) if rule.pk == rule_id), None)
    if place is None:
        raise NotFound
    other = place - 1 if earlier else place + 1
    if not 0 <= other < len(rules):
        return
    rules[place], rules[other] = rules[other], rules[place]
    for position, rule in enumerate(rules):
        rule.position = position
    bulk.bulk_update(RepricingRule, rules, fields=["position"], rising=["version"])


def _locked(rule_id: UUID) -> RepricingRule:
    rule = RepricingRule.objects.select_for_update().filter(pk=rule_id).first()
    if rule is None:
        raise NotFound("This rule no longer exists.")
    return rule


def _set(rule: RepricingRule, values: Mapping[str, Any]) -> None:
    if unknown := set(values) - EDITABLE:
        raise ValueError(f"a rule has no {', '.join(sorted(unknown))} to set")
    for name, value in values.items():
        setattr(rule, name, value)
    rule.name = rule.name.strip()
    if errors := _errors(rule):
        raise Invalid(errors=errors)


def _errors(rule: RepricingRule) -> dict[str, list[str]]:
    errors = terms_errors({name: getattr(rule, name) for name in EDITABLE})
    if not 0 < len(rule.name) <= NAME_LENGTH or "\x00" in rule.name:
        errors["/name"] = [f"A name of 1 to {NAME_LENGTH} characters."]
    elif RepricingRule.objects.filter(name__iexact=rule.name).exclude(pk=rule.pk).exists():
        errors["/name"] = ["There is a rule of that name."]
    if len(rule.query) > QUERY_LENGTH or "\x00" in rule.query:
        errors["/query"] = ["These filters are too long to be kept."]
    elif unknown := Filters.parse(rule.query).unknown:
        errors["/query"] = [f"Nobody knows which lots these are: {', '.join(term.words for term in unknown)}."]
    if rule.schedule not in Schedule.values:
        errors["/schedule"] = ["A rule runs when you say so, every night or every week."]
    if not 0 < rule.guard_percent < _PERCENTS:
        errors["/guard_percent"] = ["A percentage above 0 and below 1,000."]
    return errors


def terms_errors(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """Answer what is wrong with the terms of a rule, by field."""
    errors = {f"/{name}": [words] for name, (is_right, words) in _CHECKS.items() if not is_right(values[name])}
    floor, ceiling = values["floor"], values["ceiling"]
    if floor is not None and ceiling is not None and floor > ceiling:
        errors.setdefault("/ceiling", ["The highest price lies below the lowest."])
    return errors


def _between(low: Decimal, high: Decimal, *, is_optional: bool = False) -> Callable[[Any], bool]:
    return lambda value: is_optional if value is None else low < value < high


_A_FACTOR = "A factor above 0 and below 1,000."
_AN_AMOUNT = "An amount above 0, and below 100,000,000."
_CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "basis": (lambda value: value in list(Basis), "Choose one of these."),
    "rounding": (lambda value: value in list(Rounding), "Choose one of these."),
    "fallback": (lambda value: not value or value in list(Basis), "Choose one of these."),
    "factor": (_between(Decimal(0), _FACTORS), _A_FACTOR),
    "cost_factor": (_between(Decimal(0), _FACTORS, is_optional=True), _A_FACTOR),
    "cap_percent": (_between(Decimal(0), _PERCENTS, is_optional=True), "A percentage above 0 and below 1,000."),
    "amount": (_between(-PRICE_LIMIT, PRICE_LIMIT), "An amount below 100,000,000."),
    "floor": (_between(Decimal(0), PRICE_LIMIT, is_optional=True), _AN_AMOUNT),
    "ceiling": (_between(Decimal(0), PRICE_LIMIT, is_optional=True), _AN_AMOUNT),
    "min_sales": (lambda value: 0 <= value <= MOST_SALES, f"A number of sales from 0 to {MOST_SALES:,}."),
}
