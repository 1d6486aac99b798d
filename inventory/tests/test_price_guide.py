"""The price guide beside lots and items: asked for by those who wait, and by jobs as far as the day's budget goes."""

from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from catalog.models import CatalogItem, PriceGuide, SourceBudget
from common.errors import Conflict, Invalid
from common.redis_client import client as redis_client
from common.testing.dying import Killed, dying_at, listening
from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from inventory.choices import RepricingStatus
from inventory.models import InventoryItem, RepricingRule, RepricingRun
from inventory.services import nightly, price_guides, repricing
from inventory.services.bulk_edit import Selection
from inventory.testing import make_lot
from inventory.tests.api import Program
from inventory.tests.test_repricing import approve, finish_jobs, know, make_rule, price_of, start
from jobs import runner
from jobs.models import JobRun

pytestmark = pytest.mark.django_db
ALL = Selection(query="")
HTMX = {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "section#price-guide"}


@pytest.fixture
def bricklink(sandbox: SandboxProcess) -> Any:
    """Have BrickLink asked in the sandbox."""
    place = {"url": sandbox.bricklink_url, **sandbox.bricklink_credentials}
    with override_settings(CATALOG_SOURCES={**sandbox.sources, "bricklink": place}):
        yield sandbox


@pytest.fixture
def staff(client: Any) -> Any:
    """Answer a browser of somebody who edits lots."""
    client.force_login(make_user(role="staff"))
    return client


def fetch(selection: Selection = ALL, key: str = "fetch") -> JobRun:
    """Have prices asked for, and let the job run."""
    job = price_guides.start_fetching(selection=selection, key=key)
    finish_jobs()
    job.refresh_from_db()
    return job


def message(job: JobRun) -> str:
    """Answer what a job says at its end."""
    return str((job.result or {}).get("message", ""))


# --- Jobs -----------------------------------------------------------------------------------------------------------
def test_a_job_asks_once_for_each_thing_the_dearest_stock_first(bricklink: SandboxProcess) -> None:
    make_lot(item_no="3001", qty=1)
    make_lot(item_no="3001", qty=2, remarks="the same")
    make_lot(item_no="3002", qty=1000)
    make_lot(item_type="CUSTOM", item_no="mine", color_id=None)
    make_lot(item_no="zzodd", qty=9)
    CatalogItem.objects.create(item_type="PART", item_no="zzodd", is_provisional=True, source="rebrickable")
    seen: list[int] = []

    def count(name: str) -> None:
        if name == "inventory.prices_fetched":
            seen.append(PriceGuide.objects.count())

    with listening(count):
        job = fetch()
    assert message(job) == "2 items asked for."
    assert seen == [2, 4], "each is kept before the next is asked for"
    assert [asked["path"].split("/items/")[1] for asked in bricklink.asked()] == [
        "PART/3002/price", "PART/3002/price", "PART/3001/price", "PART/3001/price",
    ]  # fmt: skip
    assert message(fetch(key="again")) == "0 items asked for."
    assert len(bricklink.asked()) == 4


def test_a_job_stops_politely_when_the_budget_is_used_up(bricklink: SandboxProcess) -> None:
    for number in ("3001", "3002", "3003"):
        make_lot(item_no=number)

    def use_up(name: str) -> None:
        if name == "inventory.prices_fetched":
            SourceBudget.objects.update(used=4_400)
            redis_client().flushdb()

    with listening(use_up):
        job = fetch()
    assert job.status == "COMPLETED"
    assert message(job).startswith("1 item asked for, 2 left. Our calls to BrickLink for today are used up.")
    assert "each night" in message(job)
    SourceBudget.objects.all().delete()
    redis_client().flushdb()
    assert message(fetch(key="tomorrow")) == "2 items asked for."
    assert PriceGuide.objects.count() == 6


def test_a_killed_job_goes_on(bricklink: SandboxProcess) -> None:
    for number in ("3001", "3002", "3003"):
        make_lot(item_no=number)
    job = price_guides.start_fetching(selection=ALL, key="killed")
    with dying_at(2, "inventory.prices_fetched"), pytest.raises(Killed):
        runner.run_job(job_id=job.pk, with_heartbeat=False)
    JobRun.objects.filter(pk=job.pk).update(status="PENDING")
    finish_jobs()
    job.refresh_from_db()
    assert job.status == "COMPLETED"
    assert len(bricklink.asked()) == 6, "what was answered isn't asked for again"


def test_a_source_that_is_away_is_asked_again_in_a_while(bricklink: SandboxProcess) -> None:
    make_lot()
    bricklink.fault("status", service="bricklink", status=503)
    job = price_guides.start_fetching(selection=ALL, key="away")
    for tries in range(1, 6):
        runner.run_job(job_id=job.pk, with_heartbeat=False)
        job.refresh_from_db()
        assert job.checkpoint["tries"] == tries
        assert job.status == ("PENDING" if tries < 5 else "COMPLETED")
        JobRun.objects.filter(pk=job.pk).update(next_attempt_at=None)
        redis_client().flushdb()
    assert message(job).startswith("0 items asked for, 1 left.")


def test_refused_credentials_stop_at_once(bricklink: SandboxProcess) -> None:
    make_lot()
    body = {"meta": {"description": "TOKEN_IP_MISMATCHED", "message": "BAD_OAUTH_REQUEST", "code": 401}}
    bricklink.fault("status", service="bricklink", status=200, body=body)
    assert message(fetch()) == "0 items asked for, 1 left. BrickLink refuses the credentials."


def test_what_is_refused_is_left_out(bricklink: SandboxProcess) -> None:
    make_lot(item_no="3001", qty=100)
    make_lot(item_no="3002")
    body = {"meta": {"description": "no", "message": "RESOURCE_FORBIDDEN", "code": 409}}
    bricklink.fault("status", service="bricklink", path="3001", status=200, body=body)
    assert message(fetch()) == "1 item asked for, 1 refused."


def test_without_a_source_a_job_says_so() -> None:
    make_lot()
    assert message(fetch()) == "0 items asked for, 1 left. No source of prices is connected."


def test_the_night_asks_for_what_rules_need_and_runs_them(bricklink: SandboxProcess) -> None:
    red, blue = make_lot(unit_price=Decimal("0.12")), make_lot(color_id=7, unit_price=Decimal("0.12"))
    make_rule("Reds", query="color=5", schedule="NIGHTLY", guard_percent=Decimal(999))
    RepricingRule.objects.create(name="Broken", query="colour=7", basis="sold_avg", schedule="NIGHTLY", position=9)
    job = nightly.start_nightly(now=timezone.now())
    assert job
    finish_jobs()
    job.refresh_from_db()
    assert message(job) == "1 item asked for. 1 rule run."
    assert [line.message for line in job.logs.all()] == ["Broken: Nobody knows which lots these are: colour: 7."]
    assert price_of(red) != Decimal("0.12")
    assert price_of(blue) == Decimal("0.12")


# --- Pages ----------------------------------------------------------------------------------------------------------
def test_a_lot_says_what_it_goes_for(staff: Any, bricklink: SandboxProcess) -> None:
    lot = make_lot(unit_price=Decimal("0.30"))
    url = reverse("inventory:lot_prices", args=[lot.pk])
    assert f'hx-get="{url}"' in staff.get(reverse("inventory:lot", args=[lot.pk])).content.decode()
    page = staff.get(url).content.decode()
    assert "Nobody has asked yet" in page
    assert bricklink.asked() == []
    part = staff.get(url, **HTMX).content.decode()
    assert "<h1" not in part
    assert part.count("Not asked for yet") == 2, "the other condition is asked for by the button"
    assert len(bricklink.asked()) == 2
    guide = PriceGuide.objects.get(kind="sold")
    assert guide.price_qty_avg
    assert f"{Decimal('0.30') / guide.price_qty_avg * 100:.0f} %" in part
    part = staff.post(url, **HTMX).content.decode()
    assert "Not asked for yet" not in part
    assert len(bricklink.asked()) == 4
    staff.post(url, **HTMX)
    assert len(bricklink.asked()) == 4, "not every minute"


def test_a_lot_says_who_made_its_price(staff: Any) -> None:
    lot = make_lot(unit_price=Decimal(1))
    know(lot)
    run = approve(repricing.run_rule(rule_id=make_rule("Reds <b>").pk, key="x", now=timezone.now()))
    part = staff.get(reverse("inventory:lot_prices", args=[lot.pk]), **HTMX).content.decode()
    assert "Priced by" in part
    assert "Reds &lt;b&gt;" in part
    assert reverse("inventory:repricing_run", args=[run.pk]) in part
    assert "sold average 0.1234 × 0.95 = 0.1172" in part


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"item_type": "CUSTOM", "item_no": "x", "color_id": None}, "A custom item is in no price guide."),
        ({}, "BrickLink isn&#x27;t connected to be asked"),
    ],
)  # fmt: skip
def test_a_lot_without_figures_says_why(staff: Any, values: dict[str, Any], words: str) -> None:
    lot = make_lot(**values)
    part = staff.get(reverse("inventory:lot_prices", args=[lot.pk]), **HTMX).content.decode()
    assert words in part.replace("isn't", "isn&#x27;t")


def test_a_lot_shows_what_goes_wrong_beside_what_is_kept(staff: Any, bricklink: SandboxProcess) -> None:
    lot, other = make_lot(), make_lot(item_no="nosuchpart9")
    know(lot, age=timedelta(days=20))
    bricklink.fault("status", service="bricklink", status=503)
    part = staff.get(reverse("inventory:lot_prices", args=[lot.pk]), **HTMX).content.decode()
    assert "doesn&#x27;t answer for the moment" in part.replace("doesn't", "doesn&#x27;t")
    assert "0.1234" in part
    assert "warning-text" in part
    bricklink.reset()
    redis_client().flushdb()
    SourceBudget.objects.update_or_create(
        source="bricklink", day=timezone.now().date(), defaults={"used": 9_999, "limit": 4_500}
    )
    part = staff.get(reverse("inventory:lot_prices", args=[other.pk]), **HTMX).content.decode()
    assert "for today are used up. Try again later." in part
    SourceBudget.objects.all().delete()
    redis_client().flushdb()
    part = staff.get(reverse("inventory:lot_prices", args=[other.pk]), **HTMX).content.decode()
    assert "know this item" in part


def test_an_item_shows_its_prices_by_color(staff: Any, bricklink: SandboxProcess) -> None:
    url = reverse("catalog:item_prices", args=["PART", "3001"])
    assert f'hx-get="{url}"' in staff.get(reverse("catalog:item", args=["PART", "3001"])).content.decode()
    assert "Nobody has asked yet" in staff.get(url).content.decode()
    part = staff.post(url, {"color": "5"}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="section#item-prices")
    assert "pcs" in part.content.decode()
    assert len(bricklink.asked()) == 4
    for color in ("", "9999", "x"):
        assert staff.post(url, {"color": color}).status_code == HTTPStatus.BAD_REQUEST
    assert staff.get(reverse("catalog:item_prices", args=["PART", "nothing"])).status_code == HTTPStatus.NOT_FOUND
    figure = reverse("catalog:item_prices", args=["SET", "21200-1"])
    assert staff.post(figure, {}).status_code == HTTPStatus.OK
    assert len(bricklink.asked()) == 8


def test_chosen_lots_are_set_to_the_price_guide_by_way_of_a_preview(staff: Any, bricklink: SandboxProcess) -> None:
    lot = make_lot(unit_price=Decimal("9"))
    locked = make_lot(price_locked=True, unit_price=Decimal("9"))
    ids = f"{lot.pk} {locked.pk}"
    form = staff.post(reverse("inventory:bulk_guide"), {"ids": ids}).content.decode()
    assert "Set 2 lots to the price guide" in form
    sent = {"ids": ids, "basis": "sold_avg", "factor": "0,95", "rounding": "0.01", "key": "k"}
    refused = staff.post(reverse("inventory:bulk_guide"), {**sent, "factor": "0"})
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    for _press in range(2):
        answer = staff.post(reverse("inventory:bulk_guide"), sent)
    run = RepricingRun.objects.get()
    assert answer["Location"] == reverse("inventory:repricing_run", args=[run.pk])
    page = staff.get(answer["Location"]).content.decode()
    assert "Nobody has asked yet what 1 of these lots go for" in page
    assert "Nothing would change." in page

    for _press in range(2):
        staff.post(reverse("inventory:repricing_fetch", args=[run.pk]), {"key": "f"})
    finish_jobs()
    assert JobRun.objects.filter(job_type=price_guides.FETCH).count() == 1
    staff.post(reverse("inventory:repricing_again", args=[run.pk]))
    page = staff.get(answer["Location"]).content.decode()
    assert "Set 1 price<" in page
    assert "The price is locked: 1" in page
    kept = staff.get(answer["Location"], {"lots": "SKIPPED"}).content.decode()
    assert "The price is locked" in kept
    staff.post(reverse("inventory:repricing_approve", args=[run.pk]))
    finish_jobs()
    page = staff.get(answer["Location"]).content.decode()
    assert "Revert prices" in page
    assert price_of(lot) != Decimal(9)
    assert price_of(locked) == Decimal(9)


def test_a_rule_is_made_of_what_the_list_shows_and_run(staff: Any) -> None:
    lot = make_lot(unit_price=Decimal(1))
    make_lot(color_id=7, unit_price=Decimal(1))
    know(lot)
    url = reverse("inventory:repricing_rule_new")
    form = staff.get(url, {"query": "color=5&sort=price"}).content.decode()
    assert ">Red</option>" in form
    sent = {
        "query": "color=5", "lots": "present", "name": "Reds", "basis": "sold_avg", "factor": "0.95",
        "rounding": "0.01", "schedule": "NONE", "guard_percent": "10", "is_active": "on", "cost_factor": "1,3",
    }  # fmt: skip
    assert staff.post(url, {**sent, "name": ""}).status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert staff.post(url, sent).status_code == HTTPStatus.FOUND
    again = staff.post(url, sent)
    assert again.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "There is a rule of that name." in again.content.decode()
    rule = RepricingRule.objects.get()
    assert (rule.query, rule.cost_factor, rule.factor) == ("color=5", Decimal("1.3"), Decimal("0.95"))
    edit = reverse("inventory:repricing_rule", args=[rule.pk])
    page = staff.get(edit).content.decode()
    assert 'value="0.95"' in page
    assert staff.post(edit, {**sent, "factor": "0.9", "version": "1"}).status_code == HTTPStatus.FOUND
    assert staff.post(edit, {**sent, "factor": "0.8", "version": "1"}).status_code == HTTPStatus.CONFLICT
    for _press in range(2):
        answer = staff.post(reverse("inventory:repricing_rule_run", args=[rule.pk]), {"key": "once"})
    run = RepricingRun.objects.get()
    assert answer["Location"] == reverse("inventory:repricing_run", args=[run.pk])
    assert run.counts == {"FALLS": 1}
    listed = staff.get(reverse("inventory:repricing")).content.decode()
    assert "sold average × 0.9, rounded to 0.01, not below cost × 1.3" in listed
    staff.post(reverse("inventory:repricing_discard", args=[run.pk]))
    run.refresh_from_db()
    assert run.status == RepricingStatus.CANCELLED
    staff.post(reverse("inventory:repricing_rule_delete", args=[rule.pk]))
    assert not RepricingRule.objects.exists()
    run.refresh_from_db()
    assert (run.rule, run.name) == (None, "Reds")
    assert "Never run" not in staff.get(reverse("inventory:repricing")).content.decode()


def test_who_only_reads_sees_rules_and_changes_none(client: Any) -> None:
    rule = make_rule()
    know(make_lot(unit_price=Decimal(1)))
    run = start()
    client.force_login(make_user(role="readonly"))
    listed = client.get(reverse("inventory:repricing")).content.decode()
    assert "Add rule" not in listed
    page = client.get(reverse("inventory:repricing_run", args=[run.pk])).content.decode()
    assert "Set 1 price" not in page
    for name, key in (
        ("repricing_rule_run", rule.pk), ("repricing_rule_delete", rule.pk), ("repricing_rule_move", rule.pk),
        ("repricing_approve", run.pk), ("repricing_again", run.pk), ("repricing_discard", run.pk),
        ("repricing_fetch", run.pk),
    ):  # fmt: skip
        assert client.post(reverse(f"inventory:{name}", args=[key])).status_code == HTTPStatus.FORBIDDEN
    assert set(InventoryItem.objects.values_list("unit_price", flat=True)) == {Decimal(1)}


def test_a_rule_that_is_off_is_run_by_nobody() -> None:
    rule = make_rule(is_active=False)
    with pytest.raises(Conflict, match="switched off"):
        repricing.run_rule(rule_id=rule.pk, key="x", now=timezone.now())
    with pytest.raises(Invalid):
        price_guides.start_fetching(selection=Selection(query="colour=7"), key="x")


# --- API ------------------------------------------------------------------------------------------------------------
def test_programs_are_told_what_an_item_goes_for(bricklink: SandboxProcess) -> None:
    program = Program()
    path = "/api/v1/catalog/items/PART/3001/price-guide"
    answer = program.get(f"{path}?color_id=5&condition=USED")
    assert answer.status_code == HTTPStatus.OK, answer.content
    found = answer.json()
    assert (found["canonical_id"], found["color_id"], found["condition"], found["currency"], found["region"]) == (
        "3001", 5, "USED", "EUR", "",
    )  # fmt: skip
    assert Decimal(found["sold"]["price_avg"]) > 0
    assert found["stock"]["is_known"]
    assert len(bricklink.asked()) == 2
    for wrong in ("", "?color_id=99999", "?color_id=5&condition=BROKEN", "?color_id=5&colour=1", "?color_id=8888"):
        assert program.get(path + wrong).status_code == HTTPStatus.UNPROCESSABLE_ENTITY, wrong
    sets = program.get("/api/v1/catalog/items/SET/21200-1/price-guide")
    assert (sets.status_code, sets.json()["color_id"]) == (HTTPStatus.OK, None)
    assert program.get("/api/v1/catalog/items/PART/nothing/price-guide?color_id=5").status_code == HTTPStatus.NOT_FOUND


def test_programs_are_told_older_figures_where_nobody_answers(bricklink: SandboxProcess) -> None:
    program = Program()
    path = "/api/v1/catalog/items/PART/3001/price-guide?color_id=5"
    bricklink.fault("status", service="bricklink", status=503)
    assert program.get(path).status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    know(make_lot(), age=timedelta(days=40))
    assert program.get(path).json()["sold"]["price_avg"] == "0.1234"
