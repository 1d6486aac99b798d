"""What is too much for one request is reverted by a job: all of it, once, wherever its worker is killed."""

import signal
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import bulk, context, reverters
from audit import services as audit
from audit.models import ChangeSet
from audit.reverters import Patch, RowsReverter
from audit.services import HandedOver
from common import actor
from common.actor import Actor, ActorKind
from common.errors import Conflict, PermissionDenied
from common.testing.dying import in_a_process, killed, listening
from common.testing.people import make_user
from jobs import services
from jobs.choices import JobStatus
from jobs.models import JobRun
from jobs.runner import run_job
from jobs.tests.factories import acting, person
from jobs.tests.test_kills import LATER

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_worker")]

# By name: jobs stand below the app whose rows these are.
Role: Any = apps.get_model("accounts", "Role")
MANY = 250


class RoleRows(RowsReverter):
    """Puts roles back many at once, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def permission(self, patch: Patch) -> str | None:
        return "roles:manage"

    def apply_all(self, patches: Any) -> None:
        self.asked += 1
        super().apply_all(patches)


@pytest.fixture(autouse=True)
def rows() -> Iterator[RoleRows]:
    """Have roles put back in sets, whatever their app registered."""
    before = dict(reverters._registered)
    reverters._registered.clear()
    made = RoleRows()
    reverters.register(Role, made)
    yield made
    reverters._registered.clear()
    reverters._registered.update(before)


@pytest.fixture
def ana(monkeypatch: pytest.MonkeyPatch) -> Iterator[Actor]:
    """Act as somebody who may manage roles, also while her job runs."""
    who = acting(person("Ana"), "roles:manage")
    monkeypatch.setitem(actor._finders, ActorKind.USER, lambda _id: who)
    with actor.use(who):
        yield who


def _create(count: int = MANY) -> Any:
    with context.change_set("tests.create") as deed:
        bulk.bulk_create(Role, [Role(name=f"Role {number:03}", permissions=["orders:read"]) for number in range(count)])
        return deed.change_set_id


def _change() -> Any:
    with context.change_set("tests.change") as deed:
        bulk.update(_ours(), permissions=["orders:write"])
        return deed.change_set_id


def _ours() -> Any:
    return Role.objects.filter(name__startswith="Role ")


def _revert(change: Any) -> JobRun:
    done = audit.start_revert(change_set_id=change)
    assert isinstance(done, HandedOver)
    return JobRun.objects.get(pk=done.job_id)


def _run(job: JobRun) -> JobRun:
    run_job(job_id=job.id, with_heartbeat=False)
    job.refresh_from_db()
    return job


def _is_before() -> bool:
    return bool(_ours().filter(permissions=["orders:read"]).count() == _ours().count() == MANY)


def test_reverts_all_of_it_as_one_change_set_in_few_statements(ana: Actor, rows: RoleRows) -> None:
    _create()
    change = _change()
    job = _run(_revert(change))
    assert (job.status, job.error_message) == (JobStatus.COMPLETED, "")
    assert job.result is not None
    assert job.result["message"] == f"Undone: Change: {MANY} roles."
    assert _is_before()
    undone = ChangeSet.objects.get(reverts_id=change)
    assert (undone.pk, undone.action, undone.principal) == (job.id, "audit.revert", ana.identity)
    assert rows.asked == 1
    assert job.progress_data["done"] == job.progress_data["total"] == MANY


def test_reverts_its_own_revert_and_that_again(ana: Actor) -> None:
    created = _revert(_create())
    _run(created)
    assert not _ours().exists()
    redone = _run(_revert(created.id))
    assert redone.result is not None
    assert redone.result["message"] == f"Done again: Create: {MANY} roles."
    assert _is_before()
    _run(_revert(redone.id))
    assert not _ours().exists()


def test_leaves_what_was_changed_since_and_names_it(ana: Actor) -> None:
    _create()
    change = _change()
    role = Role.objects.get(name="Role 007")
    role.permissions = ["users:read"]
    role.save()
    job = _run(_revert(change))
    assert job.result is not None
    assert job.result["message"] == f"Undone: Change: {MANY} roles. 1 left, changed since."
    assert list(job.logs.values_list("message", flat=True)) == ["role Role 007: Changed since."]
    assert Role.objects.get(pk=role.pk).permissions == ["users:read"]


def test_puts_the_rest_back_where_one_is_refused(ana: Actor) -> None:
    _create()
    with context.change_set("tests.delete") as deed:
        bulk.bulk_delete(_ours())
        change = deed.change_set_id
    Role.objects.create(name="Role 100")
    job = _run(_revert(change))
    assert job.result is not None
    assert job.result["message"] == f"Undone: Delete: {MANY} roles. 1 left."
    assert _ours().count() == MANY
    assert "doesn't fit" in job.logs.get().message


def test_frees_names_before_they_are_taken_again(ana: Actor) -> None:
    _create()
    with context.change_set("tests.replace") as deed:
        bulk.bulk_delete(_ours())
        bulk.bulk_create(Role, [Role(name=f"Role {number:03}", permissions=[]) for number in range(MANY)])
        change = deed.change_set_id
    assert _run(_revert(change)).status == JobStatus.COMPLETED
    assert _is_before()


def test_looks_without_changing_anything(ana: Actor) -> None:
    _create()
    change = _change()
    done = audit.start_trial(change_set_id=change)
    job = _run(JobRun.objects.get(pk=done.job_id))
    assert job.result is not None
    assert (job.result["message"], job.result["url"]) == (
        f"{MANY} can be put back.",
        reverse("audit:revert", args=[change]),
    )
    assert not ChangeSet.objects.filter(reverts_id=change).exists()
    assert not _is_before()


def test_has_one_job_for_two_wishes_and_nothing_to_do_after_it(ana: Actor) -> None:
    _create()
    change = _change()
    job = _revert(change)
    assert _revert(change).id == job.id
    other = Actor(kind=ActorKind.USER, id=str(person("Ben").pk), name="Ben", permissions=frozenset({"audit:revert"}))
    with actor.use(other), pytest.raises(Conflict, match="Ana is at it already"):
        audit.start_revert(change_set_id=change)
    _run(job)
    again = _run(_revert(change))
    assert (again.status, again.error_message) == (
        JobStatus.FAILED,
        f"Undoing: Change: {MANY} roles for Ana has undone this already.",
    )


def test_undoes_nothing_for_whom_a_permission_was_taken(ana: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    _create()
    job = _revert(_change())
    powerless = Actor(kind=ActorKind.USER, id=ana.id, name="Ana")
    monkeypatch.setitem(actor._finders, ActorKind.USER, lambda _id: powerless)
    assert (_run(job).status, job.error_message) == (JobStatus.FAILED, "This needs the permission roles:manage.")
    assert not _ours().filter(permissions=["orders:read"]).exists()


def test_refuses_whoever_did_not_do_it(ana: Actor) -> None:
    change = _create()
    with actor.use(acting(person("Ben"), "roles:manage")), pytest.raises(PermissionDenied, match="audit:revert"):
        audit.start_revert(change_set_id=change)
    assert not JobRun.objects.exists()


def test_stops_when_cancelled_and_goes_on_when_asked_again(ana: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.services.large._PART", 100)
    _create()
    change = _change()
    job = _revert(change)
    parts = 0

    def cancel(name: str) -> None:
        nonlocal parts
        parts += name == "jobs.checkpoint"
        # Whether she may do all of it is looked at first, in three parts. The part at hand is finished.
        if name == "jobs.checkpoint" and parts == 4:
            services.cancel(job_id=job.id, now=timezone.now())

    with listening(cancel):
        _run(job)
    assert (job.status, _ours().filter(permissions=["orders:read"]).count()) == (JobStatus.CANCELLED, 200)
    _run(_revert(change))
    assert _is_before()


@pytest.mark.django_db(transaction=True)
def test_ends_the_same_wherever_its_worker_is_killed(ana: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.services.large._PART", 100)
    _create()
    change = _change()
    number = 0
    while True:
        job = _revert(change)
        work = partial(run_job, job_id=job.id)
        if killed(work, number) != signal.SIGKILL:
            break
        services.sweep(now=timezone.now() + LATER + timedelta(seconds=60))
        assert in_a_process(work) == 0
        job.refresh_from_db()
        assert (job.status, job.error_message) == (JobStatus.COMPLETED, ""), f"killed at step {number}"
        assert job.result is not None
        assert job.result["message"] == f"Undone: Change: {MANY} roles."
        assert _is_before()
        trail = Role.history.model.objects.filter(change_set_id=job.id)
        assert trail.count() == trail.values("id").distinct().count() == MANY
        change, number = _change(), number + 1
    assert number > 6


# --- Doors ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def owner(client: Client) -> Any:
    """Be signed in as the shop's owner, who has changed many roles."""
    user = make_user(role="owner")
    client.force_login(user)
    return user


def test_answers_the_api_with_a_job(client: Client, owner: Any) -> None:
    _create()
    change = _change()
    for body, label in (({"dry_run": True}, "Check before undoing"), ({}, "Undoing")):
        answer = client.post(f"/api/v1/audit/{change}/revert", body, content_type="application/json")
        assert answer.status_code == 202, answer.content
        job = JobRun.objects.get(pk=answer.json()["job_id"])
        assert answer["Location"] == f"/api/v1/jobs/{job.id}"
        assert (job.label, job.created_by_id) == (f"{label}: Change: {MANY} roles", owner.pk)


def test_shows_the_beginning_and_leads_to_the_job(client: Client, owner: Any) -> None:
    _create()
    url = reverse("audit:revert", args=[_change()])
    page = client.get(url).content.decode()
    assert f"Of the first 200 of {MANY}: 200 can be put back" in page
    assert f"Revert up to {MANY} changes" in page
    for data in ({"check": "yes"}, {}):
        answer = client.post(url, data)
        newest = JobRun.objects.order_by("-created_at").first()
        assert newest is not None
        assert (answer.status_code, answer["Location"]) == (302, reverse("jobs:detail", args=[newest.id]))


def test_says_in_a_toast_that_an_undo_takes_a_while(client: Client, owner: Any) -> None:
    _create()
    answer = client.post(reverse("audit:undo", args=[_change()]), headers={"HX-Request": "true"})
    assert (answer.status_code, JobRun.objects.count()) == (200, 1)
    assert "takes a while" in answer["HX-Trigger"]
    assert "live:jobs" in answer["HX-Trigger"]
