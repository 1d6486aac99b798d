"""Runs over HTTP: each call's answer, what is refused, and by whose permission."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from inventory.models import InventoryItem
from jobs.models import JobRun
from sync.choices import RunStatus
from sync.models import SyncRun
from sync.services import runs as services
from sync.testing import make_run, owl
from sync.tests.running import local, work
from sync.tests.sellers import Seller

pytestmark = pytest.mark.django_db
RUN = {
    "id", "number", "source_store", "target_store", "direction", "trigger", "status", "options", "created_at",
    "approved_at", "completed_at", "error_message", "change_set_id",
}  # fmt: skip
WHOLE = RUN | {"checks", "counts", "calls", "worths", "is_stale", "removals_to_confirm", "job"}


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(make_user(role="owner"))
    return client


def _send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    sent = {} if body is None and method == "get" else {"data": body or {}, "content_type": "application/json"}
    return getattr(client, method)(f"/api/v1{path}", **sent, headers=headers)


def _preview(client: Client, seller: Seller, **more: Any) -> Any:
    body = {"source_store_id": str(seller.store.pk), "target_store_id": str(local().pk), **more}
    return _send(client, "post", "/sync/preview", body)


def _work_of(answer: Any) -> JobRun:
    """Have a worker do the job that an answer points at."""
    path = answer["Location"]
    assert path.startswith("/api/v1/jobs/")
    return work(JobRun.objects.get(pk=path.rpartition("/")[2]))


def test_compares_looks_leaves_out_and_approves(owner: Client, sandbox: SandboxProcess) -> None:
    seller = Seller(sandbox, "bricklink")
    for no in ("3001", "3003", "3004"):
        seller.put(no=no, quantity=4)
    made = _preview(owner, seller, options={"new_there": "import"})
    assert made.status_code == 202, made.content
    row = made.json()
    assert set(row) == WHOLE
    assert (row["status"], row["trigger"], row["direction"]) == ("PENDING", "BY_HAND", "SOURCE_TO_TARGET")
    assert row["source_store"] == {"id": str(seller.store.pk), "name": seller.store.name, "channel": "bricklink"}
    assert row["job"]["id"] in made["Location"]
    _work_of(made)
    path = f"/sync/runs/{row['id']}"
    row = _send(owner, "get", path).json()
    assert (row["status"], row["counts"]["add"], row["counts"]["to_do"]) == ("PREVIEW_READY", 3, 3)
    assert [check["verdict"] for check in row["checks"]] == ["ok"] * len(row["checks"])
    (listed,) = _send(owner, "get", "/sync/runs").json()["results"]
    assert (set(listed), listed["id"]) == (RUN, row["id"])
    page = _send(owner, "get", f"{path}/plan?tab=add&limit=2&ordering=-worth").json()
    assert (len(page["results"]), page["previous"], bool(page["next"])) == (2, None, True)
    line = page["results"][0]
    assert (line["action"], line["status"], line["after_state"]["qty"]) == ("ADD", "PENDING", 4)
    assert _send(owner, "patch", f"{path}/plan", {"ids": [line["id"]]}).json() == {"changed": 1}
    assert _send(owner, "get", path).json()["counts"]["excluded"] == 1
    assert _send(owner, "patch", f"{path}/plan", {"filter": {"tab": "add"}}).json() == {"changed": 2}
    again = {"filter": {"q": line["item_no"]}, "excluded": False}
    assert _send(owner, "patch", f"{path}/plan", again).json() == {"changed": 1}
    approved = _send(owner, "post", f"{path}/approve")
    assert approved.status_code == 202, approved.content
    assert approved.json()["status"] == "APPLYING"
    # A second press is the first one again.
    assert _send(owner, "post", f"{path}/approve")["Location"] == approved["Location"]
    _work_of(approved)
    row = _send(owner, "get", path).json()
    assert (row["status"], row["counts"]["applied"], row["counts"]["to_do"]) == ("COMPLETED", 1, 0)
    assert [lot.item_no for lot in InventoryItem.objects.all()] == [line["item_no"]]
    # The change set that takes it back is the job's.
    assert row["change_set_id"] == row["job"]["id"]
    reverted = _send(owner, "post", f"/audit/{row['change_set_id']}/revert", {})
    assert reverted.status_code in (200, 202), reverted.content
    assert _send(owner, "post", f"{path}/retry").status_code == 409
    assert _send(owner, "post", f"{path}/cancel").status_code == 409


def test_the_same_key_is_the_same_run(owner: Client, sandbox: SandboxProcess) -> None:
    seller = Seller(sandbox, "bricklink")
    body = {"source_store_id": str(seller.store.pk), "target_store_id": str(local().pk)}
    key = {"Idempotency-Key": str(uuid4())}
    first, second = (_send(owner, "post", "/sync/preview", body, **key) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert SyncRun.objects.count() == 1
    other = _send(owner, "post", "/sync/preview", {**body, "options": {"removes": False}}, **key)
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"source_store_id": str(uuid4())}, "/source_store_id"),
        ({"direction": "SIDEWAYS"}, "/direction"),
        ({"options": {"differs": "loudest"}}, "/options/differs"),
        ({"options": {"speed": 9}}, "/options/speed"),
        ({"options": {"fields": ["weight"]}}, "/options/fields"),
        ({"options": {"lots": "shape=round"}}, "/options/lots"),
        ({"mode": "fast"}, "/mode"),
        ({"target_store_id": None}, "/target_store_id"),
    ],
)
def test_says_what_is_wrong_with_a_wish(owner: Client, change: dict[str, Any], pointer: str) -> None:
    body = {"source_store_id": str(local().pk), "target_store_id": str(owl().pk), **change}
    answer = _send(owner, "post", "/sync/preview", body)
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert pointer in answer.json()["errors"]
    assert not SyncRun.objects.exists()


def test_two_stores_are_needed_and_one_that_can_be_asked(owner: Client) -> None:
    same = {"source_store_id": str(local().pk), "target_store_id": str(local().pk)}
    assert "/target_store_id" in _send(owner, "post", "/sync/preview", same).json()["errors"]
    store = owl()
    store.is_enabled = False
    store.save()
    body = {"source_store_id": str(local().pk), "target_store_id": str(store.pk)}
    assert _send(owner, "post", "/sync/preview", body).status_code == 409


def test_many_removals_need_their_number(owner: Client) -> None:
    run = make_run(owl(), remove=3, limit=1)
    path = f"/sync/runs/{run.pk}"
    assert _send(owner, "get", path).json()["removals_to_confirm"] == 3
    for body in ({}, {"confirmed_removals": 2}):
        refused = _send(owner, "post", f"{path}/approve", body)
        assert refused.status_code == 422
        assert "/confirmed_removals" in refused.json()["errors"]
    assert _send(owner, "post", f"{path}/approve", {"confirmed_removals": 3}).status_code == 202


def test_an_old_plan_and_one_that_is_over_are_refused(owner: Client) -> None:
    store = owl()
    old = make_run(store, add=1, age=timedelta(days=2))
    assert _send(owner, "get", f"/sync/runs/{old.pk}").json()["is_stale"] is True
    assert _send(owner, "post", f"/sync/runs/{old.pk}/approve").status_code == 409
    thrown = _send(owner, "post", f"/sync/runs/{old.pk}/cancel")
    assert (thrown.status_code, thrown.json()["status"]) == (200, "CANCELLED")
    # Twice is once.
    assert _send(owner, "post", f"/sync/runs/{old.pk}/cancel").json()["status"] == "CANCELLED"
    for call in ("approve", "retry"):
        assert _send(owner, "post", f"/sync/runs/{old.pk}/{call}").status_code == 409
    assert _send(owner, "patch", f"/sync/runs/{old.pk}/plan", {"filter": {}}).status_code == 409


def test_one_run_at_a_time_changes_a_store(owner: Client) -> None:
    store = owl()
    first, second = make_run(store, add=1), make_run(store, update=1)
    assert _send(owner, "post", f"/sync/runs/{first.pk}/approve").status_code == 202
    refused = _send(owner, "post", f"/sync/runs/{second.pk}/approve")
    assert refused.status_code == 409
    assert f"Run {first.number}" in refused.json()["detail"]
    stopped = _send(owner, "post", f"/sync/runs/{first.pk}/cancel").json()
    assert stopped["status"] == "CANCELLED"
    first.refresh_from_db()
    services.end_apply(job_id=first.apply_job_id, status="CANCELLED", now=timezone.now())  # type: ignore[arg-type]
    assert _send(owner, "post", f"/sync/runs/{second.pk}/approve").status_code == 202
    services.end_apply(job_id=SyncRun.objects.get(pk=second.pk).apply_job_id, status="FAILED", now=timezone.now())  # type: ignore[arg-type]
    assert _send(owner, "get", f"/sync/runs/{second.pk}").json()["status"] == RunStatus.FAILED
    again = _send(owner, "post", f"/sync/runs/{first.pk}/retry", {"reason": ""})
    assert (again.status_code, again.json()["status"]) == (202, "APPLYING")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/"),
        ({"ids": [1], "filter": {}}, "/"),
        ({"filter": {"shape": "round"}}, "/filter"),
        ({"ids": ["x"]}, "/ids/0"),
        ({"filter": {}, "why": "x"}, "/why"),
    ],
)
def test_says_what_is_wrong_with_a_choice(owner: Client, body: dict[str, Any], pointer: str) -> None:
    run = make_run(owl(), add=2)
    answer = _send(owner, "patch", f"/sync/runs/{run.pk}/plan", body)
    assert answer.status_code == 422, answer.content
    assert pointer in answer.json()["errors"]


def test_lines_are_filtered_and_an_unknown_filter_is_refused(owner: Client) -> None:
    run = make_run(owl(), add=2, update=3, remove=1, unmatched=2)
    path = f"/sync/runs/{run.pk}/plan"
    counts = {tab: len(_send(owner, "get", f"{path}?tab={tab}").json()["results"]) for tab in ("add", "unmatched")}
    assert counts == {"add": 2, "unmatched": 2}
    (found,) = _send(owner, "get", f"{path}?q=3003").json()["results"]
    assert found["changes"] == [
        {"field": "qty", "old": 4, "new": 2}, {"field": "price", "old": "0.10", "new": "0.12"},
    ]  # fmt: skip
    assert _send(owner, "get", f"{path}?tab=sideways").status_code == 422
    assert _send(owner, "get", f"{path}?shape=round").status_code == 422
    one, other = (_send(owner, "get", f"{path}?ordering={name}").json()["results"] for name in ("worth", "-worth"))
    assert [line["id"] for line in one] == [line["id"] for line in reversed(other)]


def test_what_is_not_there_is_not_found(owner: Client) -> None:
    for method, path in (
        ("get", ""), ("get", "/plan"), ("patch", "/plan"), ("post", "/approve"), ("post", "/cancel"),
        ("post", "/retry"),
    ):  # fmt: skip
        body: Any = {"filter": {}} if method == "patch" else None
        assert _send(owner, method, f"/sync/runs/{uuid4()}{path}", body).status_code == 404, path


@pytest.mark.parametrize(
    ("role", "sees", "previews", "applies"),
    [("admin", True, True, True), ("staff", True, True, False), ("picker", False, False, False)],
)
def test_each_call_has_its_permission(
    client: Client,
    role: str,
    sees: bool,  # noqa: FBT001
    previews: bool,  # noqa: FBT001
    applies: bool,  # noqa: FBT001
) -> None:
    store = owl()
    run = make_run(store, add=1)
    client.force_login(make_user(role=role))
    body = {"source_store_id": str(local().pk), "target_store_id": str(store.pk)}
    assert _send(client, "get", "/sync/runs").status_code == (200 if sees else 403)
    assert _send(client, "get", f"/sync/runs/{run.pk}").status_code == (200 if sees else 403)
    assert _send(client, "get", f"/sync/runs/{run.pk}/plan").status_code == (200 if sees else 403)
    assert _send(client, "post", "/sync/preview", body).status_code == (202 if previews else 403)
    changed = _send(client, "patch", f"/sync/runs/{run.pk}/plan", {"filter": {"tab": "remove"}})
    assert changed.status_code == (200 if applies else 403)
    refused = _send(client, "post", f"/sync/runs/{run.pk}/approve")
    assert refused.status_code == (202 if applies else 403)
    if not applies:
        assert "sync:apply" in refused.content.decode()
