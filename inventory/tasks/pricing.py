"""Jobs of prices: asking the price guide, working prices out, setting them, and what rules need each night."""

from datetime import datetime
from typing import Any
from uuid import UUID

from celery import shared_task
from django.urls import reverse
from django.utils import timezone

from catalog.queries.pricing import PriceKey
from common import periodic
from inventory.choices import PriceOutcome, RepricingStatus
from inventory.models import RepricingRun
from inventory.services import nightly, price_guides, repricing
from inventory.services.bulk_edit import Selection
from inventory.services.repricing.covering import covered
from jobs.registry import job
from jobs.runner import Run


@job(price_guides.FETCH, label="Ask for prices", queue="bulk", permission="inventory:write")
def fetch_prices(
    run: Run, *, selection: dict[str, Any] | None = None, above: list[str] | None = None,
    keys: list[list[Any]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Ask what lots, or things by their keys, go for: as far as the budget goes."""
    now = timezone.now()
    if selection is not None:
        where = covered(Selection.from_json(selection), above or ())
        found = price_guides.fetch(
            run,
            missing=lambda limit: price_guides.missing_keys(where, limit=limit, now=now),
            count=lambda: price_guides.count_missing(where, now=now),
        )
    else:
        wanted = [PriceKey(*each) for each in keys or ()]
        found = price_guides.fetch(
            run,
            missing=lambda limit: price_guides.missing_of(wanted, now=now)[:limit],
            count=lambda: len(price_guides.missing_of(wanted, now=now)),
        )
    return {"message": found.message}


@job(repricing.PLAN, label="Work out prices", queue="bulk", permission="inventory:write")
def plan_repricing(run: Run, *, run_id: str) -> dict[str, Any]:
    """Work out what prices would be; by schedule, go on to set them."""
    found = repricing.plan(RepricingRun.objects.get(pk=UUID(run_id)), run, now=timezone.now())
    count = repricing.to_change(found)
    words = f"{count:,} price{'' if count == 1 else 's'} would change."
    if found.status == RepricingStatus.APPLYING:
        words = f"{count:,} prices are being set."
    return {"message": found.question or words, "url": _url(found), "url_label": "Show"}


@job(repricing.APPLY, label="Set prices", queue="bulk", permission="inventory:write")
def apply_repricing(run: Run, *, run_id: str) -> dict[str, Any]:
    """Set the prices that were approved."""
    found = repricing.apply_prices(RepricingRun.objects.get(pk=UUID(run_id)), run, now=timezone.now())
    rises, falls = (found.counts.get(each, 0) for each in (PriceOutcome.RISES, PriceOutcome.FALLS))
    return {"message": f"{rises:,} prices went up, {falls:,} down.", "url": _url(found), "url_label": "Show"}


def _url(run: RepricingRun) -> str:
    return reverse("inventory:repricing_run", args=[run.pk])


@job(nightly.NIGHTLY, label="Nightly repricing", queue="bulk", permission="inventory:write")
def run_nightly(run: Run, *, night: str) -> dict[str, Any]:
    """Ask for what rules need, then run those that are due."""
    now = timezone.now()
    words = run.checkpoint.get("fetched")
    if words is None:
        where = price_guides.where_of_rules()
        words = ""
        if where is not None:
            words = price_guides.fetch(
                run,
                missing=lambda limit: price_guides.missing_keys(where, limit=limit, now=now),
                count=lambda: price_guides.count_missing(where, now=now),
            ).message
        run.save_checkpoint(fetched=words)
    started, problems = nightly.run_due(night=datetime.fromisoformat(night), now=now)
    for problem in problems:
        run.log(problem)
    return {"message": f"{words} {started:,} rule{'' if started == 1 else 's'} run.".strip()}


@shared_task(name="inventory.reprice_nightly")
def reprice_nightly(**_future: Any) -> None:
    """Start what rules need tonight."""
    nightly.start_nightly(now=timezone.now())


@shared_task(name="inventory.purge_repricing")
def purge_repricing(**_future: Any) -> None:
    """Forget old runs of repricing."""
    repricing.purge_repricing(now=timezone.now())


periodic.daily(reprice_nightly, hour=3, minute=40, only_if=nightly.has_active_rules)
periodic.daily(purge_repricing, hour=3, minute=20)
