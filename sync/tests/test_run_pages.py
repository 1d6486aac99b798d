"""The pages of runs: what a plan says, what is chosen of it, who may approve it, and what both sides changed."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.module_loading import import_string

from common.testing.clients import ShopClient
from common.testing.people import make_user
from events.bus import subscribers_of
from events.models import Event
from jobs.models import JobRun
from stores import queries as stores
from sync.choices import ItemStatus, RunStatus, SkipReason
from sync.models import SyncConflict, SyncPlanItem, SyncRun
from sync.services import runs as services
from sync.testing import make_conflict, make_run, owl

pytestmark = pytest.mark.django_db

# Somebody who may look at runs, and no more.
_VIEWER = "viewer"


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(make_user(role="owner"))
    return client


@pytest.fixture
def visit(client: Client) -> Callable[[str], Client]:
    """Answer what signs somebody of a role in, in a browser of their own."""

    def of_role(role: str) -> Client:
        visitor = ShopClient(host=client.defaults["HTTP_HOST"])
        if role == _VIEWER:
            import_string("accounts.services.create_role")(name=_VIEWER, permissions=["sync:read", "inventory:read"])
        visitor.force_login(make_user(role=role, email=f"{role}@shop.example"))
        return visitor

    return of_role


def _text(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, response.status_code
    return response.content.decode()


def _part(client: Client, path: str, target: str, data: dict[str, Any] | None = None) -> Any:
    headers = {"HX-Request": "true", "HX-Request-Type": "partial", "HX-Target": f"div#{target}"}
    return client.get(path, headers=headers) if data is None else client.post(path, data, headers=headers)


# --- The list and the wizard ------------------------------------------------------------------------------------------
def test_says_what_runs_are_for_and_what_comes_first(owner: Client, visit: Callable[[str], Client]) -> None:
    page = _text(owner, "/sync/")
    assert "No store to compare with yet" in page
    assert "/stores/connect/" in page
    owl()
    page = _text(owner, "/sync/")
    assert "No runs yet" in page
    assert "/sync/new/" in page
    assert "Somebody who may preview runs" in _text(visit(_VIEWER), "/sync/")


def test_lists_runs_by_filters_and_names_what_it_does_not_know(owner: Client) -> None:
    first, second = make_run(owl("Alpha"), add=2), make_run(owl("Beta"), status="CANCELLED")
    page = _text(owner, "/sync/")
    assert "2 runs" in page
    assert "2 to add" in page
    page = _text(owner, f"/sync/?store={second.target_store_id}&status=CANCELLED")
    assert f"Run {second.number}<" in page
    assert f"Run {first.number}<" not in page
    assert "Store: Beta" in page
    assert "No runs match" in _text(owner, "/sync/?status=COMPLETED")
    assert "chip on warning" in _text(owner, "/sync/?status=LOST")


def _choices(store: Any, **more: Any) -> dict[str, Any]:
    return {
        "source": str(stores.local_store().pk), "target": str(store.pk), "direction": "SOURCE_TO_TARGET",
        "differs": "primary", "new_there": "leave", "crowds": "separate", "removes": "on",
        "fields_compared": ["price"], "key": "one-form", **more,
    }  # fmt: skip


def test_starts_one_run_however_often_the_button_is_pressed(owner: Client) -> None:
    store = owl()
    page = _text(owner, f"/sync/new/?target={store.pk}")
    assert "Your stock" in page
    assert "Price: as here." in page
    answers = [owner.post("/sync/new/", _choices(store)) for _ in range(2)]
    run = SyncRun.objects.get()
    assert [answer["Location"] for answer in answers] == [f"/sync/runs/{run.pk}/"] * 2
    assert run.options["new_there"] == "leave"
    assert run.options["fields"] == ["price"]
    assert (run.options["removes"], run.options["lists_new"]) == (True, False)
    assert JobRun.objects.filter(job_type="sync_preview").count() == 1
    assert "Nothing is changed by looking" in _text(owner, f"/sync/runs/{run.pk}/")


def test_says_what_is_wrong_with_a_choice(owner: Client) -> None:
    store = owl()
    answer = owner.post("/sync/new/", _choices(store, source=str(store.pk)))
    assert answer.status_code == 422
    assert "Choose another store" in answer.content.decode()
    assert not SyncRun.objects.exists()
    assert owner.post("/sync/new/", _choices(store, target="nonsense")).status_code == 422
    assert owner.get("/sync/new/?of=nonsense").status_code == 400


def test_begins_with_the_choices_of_a_run_that_was(owner: Client) -> None:
    store = owl()
    run = make_run(store, status="FAILED", options={"new_there": "leave", "accepts_few": False, "fields": ["price"]})
    form = owner.get(f"/sync/new/?of={run.pk}").context["form"]
    assert form["new_there"].value() == "leave"
    assert form["fields_compared"].value() == ["price"]
    assert form["target"].value() == str(store.pk)


def test_moves_the_other_store_away_when_one_is_chosen_twice(owner: Client) -> None:
    store = owl()
    answer = _part(
        owner, f"/sync/new/?source={store.pk}&target={store.pk}&chosen=source&key=k&new_there=leave", "wizard"
    )
    part = answer.content.decode()
    assert "<html" not in part
    chosen = re.findall(r'<option value="([^"]+)" selected>', part)
    assert chosen[:2] == [str(store.pk), str(stores.local_store().pk)]
    # What was ticked meanwhile stays.
    assert re.search(r'value="leave"[^>]* checked', part)
    assert not re.search(r'name="removes"[^>]* checked', part)


# --- The plan ---------------------------------------------------------------------------------------------------------
def test_shows_what_a_plan_does_line_by_line(owner: Client) -> None:
    run = make_run(owl(), add=2, update=3, remove=1, unmatched=4)
    page = _text(owner, f"/sync/runs/{run.pk}/?tab=update")
    assert "Approve 6 changes" in page
    assert "€36,204.00 → €38,011.50" in page
    assert "under a minute" in page
    assert '<span class="visually-hidden">was </span>0.10' in page
    assert '<span class="visually-hidden">now </span>0.12' in page
    assert "+20.0 %" in page
    assert page.count('id="line-') == 3
    assert "Say what they are" in _text(owner, f"/sync/runs/{run.pk}/?tab=unmatched")


def test_narrows_the_lines_by_text_color_and_price(owner: Client) -> None:
    run = make_run(owl(), update=12)
    page = _text(owner, f"/sync/runs/{run.pk}/?tab=update&q=Brick 11&color=5&price=up")
    assert page.count('id="line-') == 1
    assert "1 line match" in page
    assert "Price rises" in page
    assert "No lines here" in _text(owner, f"/sync/runs/{run.pk}/?tab=update&price=down")


def test_turns_pages_by_key_there_and_back(owner: Client) -> None:
    run = make_run(owl(), add=120)
    seen, url = [], f"/sync/runs/{run.pk}/?tab=add"
    for _ in range(3):
        page = owner.get(url)
        seen.append([shown.row.item.pk for shown in page.context["rows"]])
        pager = page.context["pager"]
        url = pager.next_url or url
    assert [len(rows) for rows in seen] == [50, 50, 20]
    assert len({key for rows in seen for key in rows}) == 120
    assert (pager.first, pager.last, pager.next_url) == (101, 120, "")
    back = owner.get(pager.previous_url)
    assert [shown.row.item.pk for shown in back.context["rows"]] == seen[1]
    assert back.context["pager"].first == 51
    first = owner.get(back.context["pager"].previous_url)
    assert [shown.row.item.pk for shown in first.context["rows"]] == seen[0]
    assert not first.context["pager"].previous_url


def test_leaves_lines_out_and_takes_them_in_again(owner: Client) -> None:
    run = make_run(owl(), add=3, update=2)
    line = SyncPlanItem.objects.filter(sync_run=run, action="ADD").first()
    assert line is not None
    url = f"/sync/runs/{run.pk}/choose/?tab=add"
    answer = _part(owner, url, "run", {"leave_out": str(line.pk)})
    assert answer.status_code == 200
    assert "Approve 4 changes" in answer.content.decode()
    assert "<html" not in answer.content.decode()
    line.refresh_from_db()
    assert (line.status, line.skip_reason) == (ItemStatus.SKIPPED, SkipReason.USER_EXCLUDED)
    assert owner.post(url, {"leave_out": "all", "filters": "tab=add&q=Brick 2"})["Location"].endswith("?tab=add")
    assert SyncPlanItem.objects.filter(sync_run=run, status=ItemStatus.SKIPPED).count() == 2
    owner.post(url, {"take_in": "all", "filters": "tab=add"})
    assert not SyncPlanItem.objects.filter(sync_run=run, status=ItemStatus.SKIPPED).exists()
    assert owner.post(url, {}).status_code == 400
    assert owner.post(url, {"leave_out": "all", "filters": "tab=add&nonsense=1"}).status_code == 422


def test_leaves_nothing_out_of_another_run(owner: Client) -> None:
    mine, other = make_run(owl("One"), add=1), make_run(owl("Two"), add=1)
    line = SyncPlanItem.objects.get(sync_run=other)
    owner.post(f"/sync/runs/{mine.pk}/choose/", {"leave_out": str(line.pk)})
    line.refresh_from_db()
    assert line.status == ItemStatus.PENDING


# --- Approving --------------------------------------------------------------------------------------------------------
def test_says_in_words_what_approving_does_and_does_it_once(owner: Client) -> None:
    run = make_run(owl(), add=2, remove=1)
    sheet = _part(owner, f"/sync/runs/{run.pk}/approve/", "sheet").content.decode()
    assert "2 lots are added to Owl." in sheet
    assert "1 lot is removed from Owl." in sheet
    for _ in range(2):
        assert owner.post(f"/sync/runs/{run.pk}/approve/").status_code == 302
    run.refresh_from_db()
    assert run.status == RunStatus.APPLYING
    assert JobRun.objects.filter(job_type="sync_apply").count() == 1
    page = _text(owner, f"/sync/runs/{run.pk}/")
    assert "Stop after this batch" in page
    assert owner.post(f"/sync/runs/{run.pk}/choose/", {"leave_out": "all", "filters": "tab=add"}).status_code == 409


def test_wants_the_number_typed_before_many_are_removed(owner: Client) -> None:
    run = make_run(owl(), remove=3, limit=2)
    sheet = _text(owner, f"/sync/runs/{run.pk}/approve/")
    assert "Type 3, the number of lots that are removed" in sheet
    for typed in ("", "2", "three"):
        answer = owner.post(f"/sync/runs/{run.pk}/approve/", {"confirmed_removals": typed})
        assert answer.status_code == 422
        assert "3 lots will be removed" in answer.content.decode()
    assert owner.post(f"/sync/runs/{run.pk}/approve/", {"confirmed_removals": " 3 "}).status_code == 302


def test_approves_no_plan_of_yesterday(owner: Client) -> None:
    run = make_run(owl(), add=1, age=timedelta(days=2))
    page = _text(owner, f"/sync/runs/{run.pk}/")
    assert "planned more than a day ago" in page
    assert "Approve 1" not in page
    assert owner.post(f"/sync/runs/{run.pk}/approve/").status_code == 422
    owner.post(f"/sync/runs/{run.pk}/again/")
    run.refresh_from_db()
    assert run.status == RunStatus.PENDING


def test_lets_who_may_not_approve_ask_those_who_may(owner: Client, visit: Callable[[str], Client]) -> None:
    run, staff = make_run(owl(), add=1), visit("staff")
    page = _text(staff, f"/sync/runs/{run.pk}/")
    assert "Ask for approval" in page
    assert f"/sync/runs/{run.pk}/approve/" not in page
    assert staff.get(f"/sync/runs/{run.pk}/approve/").status_code == 403
    # What is approved isn't chosen by who may not approve it either, as in the API.
    assert "Leave out" not in page
    path = f"/sync/runs/{run.pk}"
    assert staff.post(f"{path}/choose/", {"leave_out": "all", "filters": "tab=add"}).status_code == 403
    body = {"filter": {"tab": "add"}}
    assert staff.patch(f"/api/v1{path}/plan", body, content_type="application/json").status_code == 403
    for _ in range(2):
        assert staff.post(f"/sync/runs/{run.pk}/ask/")["Location"] == f"/sync/runs/{run.pk}/"
    assert "asked for approval" in _text(staff, f"/sync/runs/{run.pk}/")
    assert "asked for approval" in _text(owner, f"/sync/runs/{run.pk}/")
    event = Event.objects.get(event_type="sync.approval_asked")
    assert event.payload["data"]["to_do"] == 1
    assert subscribers_of("sync.approval_asked")


def test_shows_a_reader_the_plan_and_no_button(owner: Client, visit: Callable[[str], Client]) -> None:
    run, reader = make_run(owl(), add=2), visit(_VIEWER)
    page = _text(reader, f"/sync/runs/{run.pk}/")
    assert page.count('id="line-') == 2
    for verb in ("approve", "ask", "discard", "again"):
        assert f"/sync/runs/{run.pk}/{verb}/" not in page
    assert "Leave out" not in page
    assert reader.post(f"/sync/runs/{run.pk}/choose/", {"leave_out": "all"}).status_code == 403


# --- What came of it --------------------------------------------------------------------------------------------------
def test_groups_what_failed_and_tries_it_again_for_one_reason(owner: Client) -> None:
    run = make_run(owl(), add=3, status="COMPLETED", approved_at=timezone.now())
    keys = list(SyncPlanItem.objects.filter(sync_run=run).order_by("id").values_list("pk", flat=True))
    for key, reason in zip(keys, ("No such color.", "No such color.", "Price too low."), strict=True):
        SyncPlanItem.objects.filter(pk=key).update(status=ItemStatus.FAILED, error_message=reason)
    page = _text(owner, f"/sync/runs/{run.pk}/")
    assert "2 lines</a>: No such color." in page
    assert "Retry all 3" in page
    assert owner.get(f"/sync/runs/{run.pk}/?status=FAILED&reason=No such color.").context["total"] == 2
    owner.post(f"/sync/runs/{run.pk}/retry/", {"reason": "Price too low."})
    by_status = SyncPlanItem.objects.filter(sync_run=run)
    assert by_status.filter(status=ItemStatus.FAILED).count() == 2
    run.refresh_from_db()
    assert run.status == RunStatus.APPLYING


def test_says_why_a_run_stopped_and_how_it_goes_on(owner: Client) -> None:
    run = make_run(owl(), status="FAILED", error_message="Owl answered with 3 lots; the last time there were 1,234.")
    page = _text(owner, f"/sync/runs/{run.pk}/")
    assert "Owl answered with 3 lots" in page
    assert "Nothing was changed." in page
    assert f"/sync/runs/{run.pk}/again/" in page
    assert "Look at Owl" in page
    stopped = make_run(owl("Two"), add=2, status="FAILED", approved_at=timezone.now(), error_message="It hung up.")
    page = _text(owner, f"/sync/runs/{stopped.pk}/")
    assert "Go on" in page
    assert f"/sync/runs/{stopped.pk}/retry/" in page


def test_discards_a_plan_once_and_knows_no_run_of_nobody(owner: Client) -> None:
    run = make_run(owl(), add=1)
    for _ in range(2):
        assert owner.post(f"/sync/runs/{run.pk}/discard/")["Location"] == "/sync/"
    assert "Discarded. Nothing was changed." in _text(owner, f"/sync/runs/{run.pk}/")
    assert owner.post(f"/sync/runs/{run.pk}/approve/").status_code == 422
    unknown = "00000000-0000-7000-8000-000000000000"
    assert owner.get(f"/sync/runs/{unknown}/").status_code == 404
    assert owner.post(f"/sync/runs/{unknown}/approve/").status_code == 404


def test_writes_names_of_strangers_as_text(owner: Client) -> None:
    run = make_run(owl("<b>Owl</b>"), add=1)
    SyncPlanItem.objects.filter(sync_run=run).update(item_name="<script>alert(1)</script>")
    page = _text(owner, f"/sync/runs/{run.pk}/")
    assert "<script>alert" not in page
    assert "<b>Owl</b>" not in page


# --- Conflicts --------------------------------------------------------------------------------------------------------
def test_shows_both_sides_of_a_conflict_and_takes_one(owner: Client) -> None:
    store = owl()
    mine, there = make_conflict(store), make_conflict(store)
    page = _text(owner, "/sync/conflicts/")
    assert "2 conflicts" in page
    for value in ("0.08", "0.10", "0.12"):
        assert value in page
    assert "2 conflicts with Owl" in _text(owner, "/sync/work/")
    assert "2 conflicts with Owl" in _text(owner, f"/sync/work/?store={store.pk}")
    assert "2 conflicts" not in _text(owner, f"/sync/work/?store={stores.local_store().pk}")
    assert owner.get("/sync/work/?store=nonsense").status_code == 400
    owner.post("/sync/conflicts/decide/", {"ours": str(mine.pk)})
    owner.post("/sync/conflicts/decide/", {"theirs": "ticked", "ids": [str(there.pk)]})
    mine.refresh_from_db()
    there.refresh_from_db()
    assert (mine.decision, there.decision) == ("ours", "theirs")
    lot = there.listing.inventory_item
    assert lot is not None
    lot.refresh_from_db()
    assert f"{lot.unit_price.normalize()}" == "0.12"
    assert "No conflicts" in _text(owner, "/sync/conflicts/")
    # What was decided in another tab stays as it was.
    owner.post("/sync/conflicts/decide/", {"theirs": str(mine.pk)})
    mine.refresh_from_db()
    assert mine.decision == "ours"


def test_decides_all_of_a_field_and_of_a_store_alone(owner: Client) -> None:
    first, second = owl("One"), owl("Two")
    prices = [make_conflict(first), make_conflict(first)]
    others = [make_conflict(first, "remarks", ours="a", theirs="b"), make_conflict(second)]
    page = _text(owner, f"/sync/conflicts/?store={first.pk}&field=price")
    assert "Yours for all 2 (price)" in page
    owner.post(f"/sync/conflicts/decide/?store={first.pk}&field=price", {"ours": "all"})
    assert {each.decision for each in SyncConflict.objects.filter(pk__in=[one.pk for one in prices])} == {"ours"}
    assert {each.decision for each in SyncConflict.objects.filter(pk__in=[one.pk for one in others])} == {""}


def test_lets_a_reader_see_conflicts_and_decide_none(owner: Client, visit: Callable[[str], Client]) -> None:
    conflict, reader = make_conflict(owl()), visit(_VIEWER)
    page = _text(reader, "/sync/conflicts/")
    assert "0.12" in page
    assert 'name="ours"' not in page
    assert reader.post("/sync/conflicts/decide/", {"ours": str(conflict.pk)}).status_code == 403


def test_refuses_what_names_no_conflict(owner: Client) -> None:
    assert owner.post("/sync/conflicts/decide/", {"ours": "nonsense"}).status_code == 404
    assert owner.post("/sync/conflicts/decide/", {}).status_code == 400
    assert owner.post("/sync/conflicts/decide/", {"ours": "ticked"}).status_code == 302


def test_says_nothing_on_the_dashboard_while_nothing_waits(owner: Client) -> None:
    assert "hidden" in _part(owner, "/sync/work/", "sync-work").content.decode()
    run = make_run(owl(), add=1)
    assert f"Run {run.number} waits to be approved" in _text(owner, "/sync/work/")
    services.discard_run(run_id=run.pk, now=timezone.now())
    assert "waits to be approved" not in _text(owner, "/sync/work/")


def test_other_choices_after_going_back_are_another_run(owner: Client) -> None:
    store = owl()
    choices = {
        "source": str(stores.local_store().pk), "target": str(store.pk), "direction": "SOURCE_TO_TARGET",
        "differs": "primary", "new_there": "import", "crowds": "separate", "key": "one-form",
    }  # fmt: skip
    first = owner.post("/sync/new/", choices)["Location"]
    assert owner.post("/sync/new/", choices)["Location"] == first
    other = owner.post("/sync/new/", {**choices, "new_there": "leave"})["Location"]
    assert other != first
    assert SyncRun.objects.get(pk=other.split("/")[-2]).options["new_there"] == "leave"
