"""What is done for repricing rules each night: missing prices are asked for, and rules that are due are run."""

from datetime import datetime, timedelta

from common import workspace
from common.errors import Conflict, Invalid, NotFound
from inventory.choices import Schedule
from inventory.models import RepricingRule, RepricingRun
from inventory.services.repricing import run_rule
from jobs import services as jobs
from jobs.models import JobRun

NIGHTLY = "repricing_nightly"
# A night may begin a little earlier than the one a week ago.
_WEEK = timedelta(days=6, hours=12)


def has_active_rules() -> bool:
    """Tell whether there is anything to do at night; there is nothing where there is no shop."""
    return (
        bool(workspace.current().slug)
        and RepricingRule.objects.filter(is_active=True).exclude(schedule=Schedule.NONE).exists()
    )


def start_nightly(*, now: datetime) -> JobRun | None:
    """Start the night's job, once a day; None where no rule runs by itself."""
    if not has_active_rules():
        return None
    return jobs.start(NIGHTLY, key=f"{now:%Y-%m-%d}", args={"night": now.isoformat()})


def due_rules(*, night: datetime) -> list[RepricingRule]:
    """Answer the rules that run tonight, in their order."""
    rules = RepricingRule.objects.filter(is_active=True).exclude(schedule=Schedule.NONE).order_by("position", "pk")
    ran = RepricingRun.objects.filter(is_scheduled=True, created_at__gt=night - _WEEK).values_list("rule_id", flat=True)
    lately = set(ran)
    return [rule for rule in rules if rule.schedule == Schedule.NIGHTLY or rule.pk not in lately]


def run_due(*, night: datetime, now: datetime) -> tuple[int, list[str]]:
    """Start the runs of the rules that are due, each once a night; answer how many, and what is wrong with others."""
    started, problems = 0, []
    for rule in due_rules(night=night):
        try:
            run_rule(rule_id=rule.pk, key=f"nightly:{rule.pk}:{night:%Y-%m-%d}", now=now, is_scheduled=True)
        except (Invalid, Conflict, NotFound) as error:
            # It may have been switched off or deleted a moment ago; the others are run all the same.
            problems.append(f"{rule.name}: {error.detail}")
        else:
            started += 1
    return started, problems
