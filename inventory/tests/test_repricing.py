"""Prices by the price guide: what was shown is what is set, whatever happens to lots in between, and all of it is one
deed that goes back."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit import bulk
from audit import services as audit
from audit.context import change_set, current_change_set_id
from audit.models import ChangeSet
from catalog import services as catalog
from catalog.choices import PriceKind
from catalog.sources.base import PriceFigures
from common.errors import Conflict, Invalid, NotFound, StaleVersion
from common.testing.dying import Killed, dying_at
from events.models import Event
from inventory import services
from inventory.choices import PriceOutcome, RepricingStatus
from inventory.models import InventoryItem, RepricingLine, RepricingRule, RepricingRun
from inventory.queries.pricing import explanation_of, key_of
from inventory.queries.repricing import rule_rows, standing
from inventory.repricing import Basis, Rounding, Terms
from inventory.services import nightly, repricing
from inventory.services.bulk_edit import Selection
from inventory.services.repricing import applying, planning
from inventory.testing import make_lot
from jobs import runner
from jobs import services as jobs
from jobs.models import JobRun

pytestmark = pytest.mark.django_db
NOW = timezone.now()
ALL = Selection(query="")
TERMS = Terms(factor=Decimal("0.95"), cost_factor=Decimal("1.3"))


def know(lot: InventoryItem, average: str | None = "0.1234", *, sales: int = 20, age: timedelta = timedelta(0)) -> None:
    """Have the price guide know what a lot's item is sold for, or that it never was."""
    amount = Decimal(average) if average else None
    figures = PriceFigures(
        currency="EUR", price_min=amount, price_avg=amount, price_qty_avg=amount, price_max=amount,
        lots_count=sales if average else 0, qty=sales * 10 if average else 0,
    )  # fmt: skip
    for kind in PriceKind:
        catalog.keep_figures(key=key_of(lot), kind=kind, figures=figures, currency="EUR", now=NOW - age)


def finish_jobs() -> None:
    """Run every job that waits, and those that they start."""
    while waiting := list(JobRun.objects.filter(status="PENDING").order_by("id").values_list("id", flat=True)):
        for job_id in waiting:
            runner.run_job(job_id=job_id, with_heartbeat=False)


def start(terms: Terms = TERMS, selection: Selection = ALL, **options: Any) -> RepricingRun:
    """Work out prices."""
    key = options.pop("key", f"test-{RepricingRun.objects.count()}")
    return repricing.start_repricing(selection=selection, terms=terms, key=key, now=NOW, **options)


def approve(run: RepricingRun) -> RepricingRun:
    """Set the prices."""
    repricing.approve_repricing(run_id=run.pk, now=timezone.now())
    finish_jobs()
    run.refresh_from_db()
    return run


def price_of(lot: InventoryItem) -> Decimal:
    lot.refresh_from_db()
    return lot.unit_price


def make_rule(name: str = "Bricks", **values: Any) -> RepricingRule:
    """Answer a rule."""
    given = {"query": "", "basis": "sold_avg", "factor": Decimal("0.95"), "rounding": "0.01", "fallback": ""}
    return repricing.create_rule(values={"name": name, **given, **values})


# --- Looking, then setting ------------------------------------------------------------------------------------------
def test_what_is_shown_is_set_as_one_deed_that_goes_back() -> None:
    up, down = make_lot(unit_price=Decimal("0.05")), make_lot(item_no="3002", unit_price=Decimal("0.90"))
    equal, locked = make_lot(item_no="3003", unit_price=Decimal("0.12")), make_lot(item_no="3004", price_locked=True)
    unknown, unsold = make_lot(item_no="3005"), make_lot(item_no="3006")
    for lot in (up, down, equal, locked):
        know(lot)
    know(unsold, None)
    run = start()
    assert run.status == RepricingStatus.READY
    assert run.counts == {"RISES": 1, "FALLS": 1, "equal": 1, "SKIPPED": 3, "locked": 1, "no_figures": 1,
                          "never_sold": 1}  # fmt: skip
    assert (run.value_before, run.value_after) == (Decimal("14.30"), Decimal("7.20"))
    assert run.value_moved == Decimal("8.50")
    assert price_of(up) == Decimal("0.05"), "looking changes nothing"
    assert ChangeSet.objects.filter(action="jobs.repricing_apply").count() == 0

    run = approve(run)
    assert run.status == RepricingStatus.COMPLETED
    prices = [price_of(lot) for lot in (up, down, equal, locked, unknown, unsold)]
    assert prices == [Decimal(text) for text in ("0.12", "0.12", "0.12", "0.12", "0.12", "0.12")]
    assert (up.version, equal.version) == (2, 1)
    assert run.change_set_id
    deed = ChangeSet.objects.get(pk=run.change_set_id)
    assert deed.action == "jobs.repricing_apply"
    told = [event.payload["data"]["inventory_item_ids"] for event in Event.objects.filter(
        event_type="inventory.updated")]  # fmt: skip
    assert told == [[str(up.pk), str(down.pk)]]

    why = explanation_of(up)
    assert why
    assert why.steps == ("sold average 0.1234 × 0.95 = 0.1172", "rounded to 0.01 → 0.12")
    assert (why.price_before, explanation_of(equal)) == (Decimal("0.05"), None)

    audit.revert(change_set_id=run.change_set_id)
    assert (price_of(up), price_of(down)) == (Decimal("0.05"), Decimal("0.90"))
    assert explanation_of(up) is None, "it says nothing of a price that it hasn't made"


def test_a_second_press_or_tab_does_it_once() -> None:
    know(make_lot(unit_price=Decimal(1)))
    run = start(key="same")
    assert start(key="same") == run
    repricing.approve_repricing(run_id=run.pk, now=timezone.now())
    repricing.approve_repricing(run_id=run.pk, now=timezone.now())
    assert JobRun.objects.filter(job_type=repricing.APPLY).count() == 1
    finish_jobs()
    assert InventoryItem.objects.get().version == 2
    repricing.approve_repricing(run_id=run.pk, now=timezone.now())
    assert JobRun.objects.filter(job_type=repricing.APPLY).count() == 1
    with pytest.raises(Conflict):
        repricing.plan_again(run_id=run.pk, now=NOW)
    with pytest.raises(Conflict):
        repricing.discard_repricing(run_id=run.pk, now=NOW)


def test_lots_that_change_in_between_are_judged_anew() -> None:
    names = ("edited", "locked", "dearer", "gone", "other", "done", "same", "sold")
    lots = {name: make_lot(item_no=f"30{place}", unit_price=Decimal(1)) for place, name in enumerate(names)}
    for lot in lots.values():
        know(lot)
    run = start(TERMS, Selection(query="color=5"))

    def change(name: str, **changes: Any) -> None:
        services.update_lot(lot_id=lots[name].pk, changes=changes, now=NOW)

    change("edited", unit_price=Decimal("0.02"))
    change("locked", price_locked=True)
    change("dearer", cost_basis=Decimal("0.50"))
    services.delete_lots(lot_ids=[lots["gone"].pk], now=NOW)
    change("other", color_id=7)
    change("done", unit_price=Decimal("0.12"))
    change("sold", qty_available=3)
    run = approve(run)
    found = {name: price_of(lot) for name, lot in lots.items() if name != "gone"}
    assert found == {
        "edited": Decimal("0.12"), "locked": Decimal(1), "dearer": Decimal("0.65"), "other": Decimal(1),
        "done": Decimal("0.12"), "same": Decimal("0.12"), "sold": Decimal("0.12"),
    }  # fmt: skip
    left = {line.lot_id: line.reason for line in run.lines.filter(outcome=PriceOutcome.SKIPPED)}
    assert left == {
        lots["locked"].pk: "locked", lots["gone"].pk: "gone", lots["other"].pk: "uncovered", lots["done"].pk: "equal",
    }  # fmt: skip
    assert (run.counts["left"], run.counts["RISES"], run.counts["FALLS"]) == (4, 1, 3)
    why = explanation_of(InventoryItem.objects.get(pk=lots["dearer"].pk))
    assert why
    assert "not below cost 0.50 × 1.3 = 0.65 → 0.65" in why.steps


def test_approved_prices_are_set_though_figures_move_on() -> None:
    lot = make_lot(unit_price=Decimal(1))
    know(lot)
    run = start()
    know(lot, "9.00")
    approve(run)
    assert price_of(lot) == Decimal("0.12"), "what was approved"


def test_what_was_worked_out_long_ago_is_worked_out_anew_first() -> None:
    lot = make_lot(unit_price=Decimal(1))
    know(lot)
    run = start()
    RepricingRun.objects.update(updated_at=NOW - timedelta(days=2))
    with pytest.raises(Conflict, match="anew"):
        repricing.approve_repricing(run_id=run.pk, now=NOW)
    know(lot, "2.00")
    repricing.plan_again(run_id=run.pk, now=NOW)
    approve(run)
    assert price_of(lot) == Decimal("1.90")


def test_figures_too_old_to_be_used_are_as_if_nobody_had_asked() -> None:
    old, older = make_lot(unit_price=Decimal(1)), make_lot(item_no="3002")
    know(old, age=timedelta(days=29))
    know(older, age=timedelta(days=31))
    run = start()
    assert (repricing.to_change(run), repricing.to_fetch(run)) == (1, 1)


def test_tier_prices_go_along_where_the_terms_say_so() -> None:
    lot = make_lot(unit_price=Decimal("0.24"), tier_prices=[{"qty": 50, "price": "0.2000"}])
    know(lot)
    approve(start(Terms(factor=Decimal("0.95"), scales_tiers=True)))
    lot.refresh_from_db()
    assert (lot.unit_price, lot.tier_prices) == (Decimal("0.1200"), [{"qty": 50, "price": "0.1000"}])
    services.update_lot(lot_id=lot.pk, changes={"unit_price": Decimal("0.24")}, now=NOW)
    approve(start())
    lot.refresh_from_db()
    assert lot.tier_prices == [{"qty": 50, "price": "0.1000"}]


def test_a_lock_that_has_expired_holds_no_price() -> None:
    lot = make_lot(unit_price=Decimal(1), price_locked=True, price_lock_expires_at=NOW - timedelta(hours=1))
    know(lot)
    assert repricing.to_change(start()) == 1


def test_nobody_is_priced_by_a_filter_that_nobody_understands() -> None:
    with pytest.raises(Invalid, match="Nobody knows"):
        start(selection=Selection(query="colour=red"))
    assert not RepricingRun.objects.exists()


# --- Many lots, and workers that die --------------------------------------------------------------------------------
@pytest.mark.parametrize("kill_at", range(1, 8))
def test_a_job_whose_worker_is_killed_ends_as_an_undisturbed_one(kill_at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (planning, applying):
        monkeypatch.setattr(module, "CHUNK", 3)
    monkeypatch.setattr(planning, "AT_ONCE", 2)
    for number in range(8):
        know(make_lot(item_no=str(number), unit_price=Decimal(1)))
    run = start()
    for kind in (repricing.PLAN, repricing.APPLY):
        if kind == repricing.APPLY:
            repricing.approve_repricing(run_id=run.pk, now=timezone.now())
        job = JobRun.objects.get(job_type=kind)
        with dying_at(kill_at, "inventory.repricing", "jobs.checkpoint", "jobs.before_end"), pytest.raises(Killed):
            runner.run_job(job_id=job.pk, with_heartbeat=False)
        JobRun.objects.filter(pk=job.pk).update(status="PENDING")
        finish_jobs()
    run.refresh_from_db()
    assert (run.status, run.counts["FALLS"]) == (RepricingStatus.COMPLETED, 8)
    assert set(InventoryItem.objects.values_list("unit_price", "version")) == {(Decimal("0.12"), 2)}
    assert RepricingLine.objects.filter(applied_at__isnull=False).count() == 8
    assert ChangeSet.objects.filter(action="jobs.repricing_apply").count() == 1
    assert run.change_set_id
    audit.revert(change_set_id=run.change_set_id)
    assert set(InventoryItem.objects.values_list("unit_price", flat=True)) == {Decimal(1)}


def test_a_run_that_is_cancelled_says_so_and_can_begin_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "AT_ONCE", 0)
    know(make_lot(unit_price=Decimal(1)))
    run = start()
    assert run.plan_job
    jobs.cancel(job_id=run.plan_job.pk, now=NOW)
    repricing.end_repricing(job_id=run.plan_job.pk, status="CANCELLED", now=NOW)
    run.refresh_from_db()
    assert run.status == standing(run) == RepricingStatus.CANCELLED
    repricing.plan_again(run_id=run.pk, now=NOW)
    finish_jobs()
    run.refresh_from_db()
    assert run.status == RepricingStatus.READY


# --- Rules ----------------------------------------------------------------------------------------------------------
def test_a_lot_is_the_first_rules_that_covers_it() -> None:
    red, blue, black = (make_lot(color_id=color, unit_price=Decimal(1)) for color in (5, 7, 11))
    for lot in (red, blue, black):
        know(lot)
    rest = make_rule("Rest", factor=Decimal(2))
    reds = make_rule("Reds", query="color=5")
    make_rule("Blues, off", query="color=7", is_active=False)
    for _ in range(2):
        repricing.move_rule(rule_id=rest.pk, earlier=False)
    assert [row.rule.name for row in rule_rows()] == ["Reds", "Blues, off", "Rest"]
    for place, rule in enumerate((rest, reds)):
        approve(repricing.run_rule(rule_id=rule.pk, key=f"run{place}", now=NOW))
    assert [price_of(lot) for lot in (red, blue, black)] == [Decimal("0.12"), Decimal("0.25"), Decimal("0.25")]
    why = explanation_of(red)
    assert why
    assert why.name == "Reds"


def test_rules_say_what_is_wrong_with_them() -> None:
    for wrong in (
        {"name": " "}, {"query": "colour=7"}, {"factor": Decimal(0)}, {"floor": Decimal(-1)}, {"basis": "guess"},
        {"floor": Decimal(2), "ceiling": Decimal(1)}, {"cap_percent": Decimal(0)}, {"schedule": "HOURLY"},
        {"guard_percent": Decimal(0)}, {"min_sales": -1}, {"rounding": "0.02"},
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            make_rule(**wrong)
        assert refused.value.errors.keys() & {f"/{name}" for name in wrong}, wrong
    first = make_rule()
    with pytest.raises(Invalid, match="not valid"):
        make_rule("bricks")
    with pytest.raises(StaleVersion):
        repricing.update_rule(rule_id=first.pk, values={"name": "Other"}, expected_version=9)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.update(RepricingRule.objects.filter(pk=first.pk), factor=0)
    assert repricing.update_rule(rule_id=first.pk, values={"name": "Bricks"}).version == 1, "the same changes nothing"
    repricing.delete_rule(rule_id=first.pk)
    with pytest.raises(NotFound):
        repricing.run_rule(rule_id=first.pk, key="x", now=NOW)


def test_a_rule_goes_back_with_its_deed() -> None:
    rule = make_rule(floor=Decimal("0.05"))
    with change_set("inventory.update_rule"):
        repricing.update_rule(rule_id=rule.pk, values={"factor": Decimal(2), "floor": None})
        changed = current_change_set_id()
    with change_set("inventory.delete_rule"):
        repricing.delete_rule(rule_id=rule.pk)
        deleted = current_change_set_id()
    assert deleted
    assert changed
    audit.revert(change_set_id=deleted)
    audit.revert(change_set_id=changed)
    rule.refresh_from_db()
    assert (rule.factor, rule.floor) == (Decimal("0.95"), Decimal("0.05"))


def test_every_choice_of_the_terms_can_be_stored() -> None:
    for basis in Basis:
        make_rule(f"Basis {basis}", basis=basis.value, fallback=basis.value)
    for rounding in Rounding:
        make_rule(f"Rounding {rounding}", rounding=rounding.value)
    assert {rule.terms.basis for rule in RepricingRule.objects.all()} == set(Basis)


# --- By themselves --------------------------------------------------------------------------------------------------
def night(now: Any = NOW) -> None:
    nightly.start_nightly(now=now)
    finish_jobs()


def test_rules_run_at_night_once_and_set_what_their_guard_allows() -> None:
    lot = make_lot(unit_price=Decimal("0.125"))
    know(lot)
    make_rule("By hand")
    assert nightly.start_nightly(now=NOW) is None, "there is nothing to do"
    RepricingRule.objects.all().delete()
    make_rule("Nightly", schedule="NIGHTLY")
    night()
    assert price_of(lot) == Decimal("0.12")
    run = RepricingRun.objects.get()
    assert (run.status, run.is_scheduled, run.created_by) == (RepricingStatus.COMPLETED, True, None)
    night()
    assert RepricingRun.objects.count() == 1, "once a night"
    night(NOW + timedelta(days=1))
    assert RepricingRun.objects.count() == 2


def test_a_run_by_itself_that_moves_too_much_waits_for_a_person() -> None:
    up, down = make_lot(unit_price=Decimal("0.05")), make_lot(item_no="3002", unit_price=Decimal("0.19"))
    know(up)
    know(down)
    make_rule("Nightly", schedule="NIGHTLY")
    night()
    run = RepricingRun.objects.get()
    assert (run.status, price_of(up)) == (RepricingStatus.READY, Decimal("0.05"))
    assert "58.3 %" in run.question, "up and down don't cancel out"
    told = Event.objects.get(event_type="repricing.held").payload["data"]
    assert told == {"run_id": str(run.pk), "rule_name": "Nightly", "question": run.question}
    night(NOW + timedelta(days=1))
    run.refresh_from_db()
    assert run.status == RepricingStatus.CANCELLED, "a newer one waits in its place"
    waiting = RepricingRun.objects.get(status=RepricingStatus.READY)
    approve(waiting)
    assert (price_of(up), price_of(down)) == (Decimal("0.12"), Decimal("0.12"))


def test_a_rule_that_goes_meanwhile_keeps_no_other_from_its_night(monkeypatch: pytest.MonkeyPatch) -> None:
    lot = make_lot(unit_price=Decimal("0.125"))
    know(lot)
    gone, off = make_rule("Gone", schedule="NIGHTLY"), make_rule("Off", schedule="NIGHTLY")
    make_rule("Stays", schedule="NIGHTLY")
    read = nightly.due_rules

    def due_rules(**options: Any) -> list[RepricingRule]:
        found = read(**options)
        repricing.delete_rule(rule_id=gone.pk)
        repricing.update_rule(rule_id=off.pk, values={"is_active": False})
        return found

    monkeypatch.setattr(nightly, "due_rules", due_rules)
    started, problems = nightly.run_due(night=NOW, now=NOW)
    assert started == 1
    assert [problem.split(":")[0] for problem in problems] == ["Gone", "Off"]


def test_a_weekly_rule_runs_once_a_week() -> None:
    know(make_lot(unit_price=Decimal("0.125")))
    make_rule("Weekly", schedule="WEEKLY")
    night()
    for days in (1, 3, 6):
        night(NOW + timedelta(days=days))
    assert RepricingRun.objects.count() == 1
    night(NOW + timedelta(days=7))
    assert RepricingRun.objects.count() == 2


def test_old_runs_go_and_what_says_why_a_price_is_so_stays() -> None:
    lot, other = make_lot(unit_price=Decimal(1)), make_lot(item_no="3002", unit_price=Decimal(1))
    know(lot)
    know(other)
    approve(start())
    know(lot, "0.50")
    approve(start())
    RepricingRun.objects.update(created_at=NOW - timedelta(days=91))
    unused = start(key="unused")
    repricing.discard_repricing(run_id=unused.pk, now=NOW)
    RepricingRun.objects.filter(pk=unused.pk).update(created_at=NOW - timedelta(days=91))
    assert repricing.purge_repricing(now=NOW) == 1
    lot.refresh_from_db()
    other.refresh_from_db()
    assert explanation_of(lot)
    assert explanation_of(other)
    assert RepricingLine.objects.count() == 2
