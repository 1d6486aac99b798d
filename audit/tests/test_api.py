"""The trail over HTTP: in the terms of the log, paged, filtered, and put back."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from audit import context
from audit.models import ChangeSet, Source
from audit.tests.conftest import Role
from common import actor
from common.ids import new_id
from common.testing.people import make_user

pytestmark = pytest.mark.django_db

# The terms in which audit.md has it answer.
TERMS = {
    "actor_type", "actor_id", "actor_name", "action", "entity_type", "entity_id", "before_state", "after_state",
    "changes", "correlation_id", "request_id", "ip_address", "user_agent", "created_at",
}  # fmt: skip


def _by(user: Any, change: Callable[[], object], action: str = "tests.change") -> UUID:
    who = actor.Actor(kind=actor.ActorKind.USER, id=str(user.pk), name=user.display_name)
    origin = actor.Origin(
        request_id="req-12345", correlation_id="cor-12345", ip_address="192.0.2.7", user_agent="Firefox"
    )
    with actor.use(who), actor.use_origin(origin), context.change_set(action, source=Source.API) as deed:
        change()
        assert deed.change_set_id is not None
        return deed.change_set_id


def _renamed(user: Any, name: str = "Packer") -> tuple[Any, UUID]:
    role = Role.objects.create(name=name, permissions=["orders:read"])

    def rename() -> None:
        role.name = f"{name} 2"
        role.save()

    return role, _by(user, rename)


@pytest.fixture
def owner(client: Client) -> Any:
    """Answer the shop's owner, signed in."""
    user = make_user(role="owner", name="Marta")
    client.force_login(user)
    return user


def _get(client: Client, query: str = "") -> Any:
    answer = client.get(f"/api/v1/audit{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_answers_in_the_terms_of_the_log(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    row = _get(client)["results"][0]
    assert set(row) >= TERMS
    assert row["change_set_id"] == str(change)
    assert (row["entity_type"], row["entity_id"]) == ("Role", str(role.pk))
    assert (row["before_state"]["name"], row["after_state"]["name"]) == ("Packer", "Packer 2")
    assert row["changes"] == [{"field": "name", "old": "Packer", "new": "Packer 2"}]
    assert (row["actor_type"], row["actor_id"], row["actor_name"]) == ("USER", str(owner.pk), "Marta")
    assert (row["request_id"], row["correlation_id"]) == ("req-12345", "cor-12345")
    assert (row["ip_address"], row["user_agent"], row["action"]) == ("192.0.2.7", "Firefox", "tests.change")


def test_filters_by_everything_the_log_knows(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    at = ChangeSet.objects.get(pk=change).created_at
    everything = (
        f"?entity_type=Role&entity_id={role.pk}&field=name&actor_type=USER&actor_id={owner.pk}&action=tests.change"
    )
    everything += (
        f"&source=API&correlation_id=cor-12345&change_set_id={change}&since={at.isoformat().replace('+', '%2B')}"
    )
    assert [row["change_set_id"] for row in _get(client, everything)["results"]] == [str(change)]
    for nothing in (
        "entity_type=Spaceship",
        "entity_id=nobody",
        "action=tests.other",
        "actor_id=x",
        "since=2999-01-01T00:00Z",
    ):
        assert _get(client, f"?{nothing}")["results"] == [], nothing


def test_pages_there_and_back_and_counts_on_request(client: Client, owner: Any) -> None:
    for number in range(5):
        _by(owner, partial(Role.objects.create, name=f"Role {number}"), action="tests.page")
    first = _get(client, "?action=tests.page&limit=2&count=true")
    assert (first["count"], first["previous"]) == (5, None)
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    names = [row["after_state"]["name"] for page in (first, second, third) for row in page["results"]]
    assert names == [f"Role {number}" for number in (4, 3, 2, 1, 0)]
    assert third["next"] is None
    back = client.get(third["previous"]).json()
    assert [row["id"] for row in back["results"]] == [row["id"] for row in second["results"]]
    assert client.get(back["previous"]).json()["previous"] is None
    oldest = _get(client, "?action=tests.page&ordering=created_at&limit=1")
    assert oldest["results"][0]["after_state"]["name"] == "Role 0"


def test_stays_in_place_while_new_changes_come_in(client: Client, owner: Any) -> None:
    for number in range(4):
        _by(owner, partial(Role.objects.create, name=f"Role {number}"), action="tests.page")
    first = _get(client, "?action=tests.page&limit=2")
    _by(owner, partial(Role.objects.create, name="Newer"), action="tests.page")
    names = [row["after_state"]["name"] for row in client.get(first["next"]).json()["results"]]
    assert names == ["Role 1", "Role 0"]


def test_trims_to_the_fields_that_were_asked_for(client: Client, owner: Any) -> None:
    _renamed(owner)
    assert set(_get(client, "?fields=id,action")["results"][0]) == {"id", "action"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?cursor=garbage", 400),
        ("?limit=0", 422),
        ("?limit=201", 422),
        ("?colour=red", 422),
        ("?since=yesterday", 422),
        ("?actor_type=ROBOT", 422),
        ("?entity_type=%00", 400),
        ("?change_set_id=1", 422),
        ("?ordering=actor_name", 422),
    ],
)
def test_refuses_what_it_does_not_know(client: Client, owner: Any, query: str, status: int) -> None:  # signs in
    answer = client.get(f"/api/v1/audit{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


def test_shows_a_change_set_with_all_it_did(client: Client, owner: Any) -> None:
    _, change = _renamed(owner)
    client.post(f"/api/v1/audit/{change}/revert", {}, content_type="application/json")
    shown = client.get(f"/api/v1/audit/{change}").json()
    assert (shown["id"], shown["actor_name"], shown["has_more"]) == (str(change), "Marta", False)
    assert [entry["changes"][0]["field"] for entry in shown["entries"]] == ["name"]
    (undone,) = shown["reverted_by"]
    assert client.get(f"/api/v1/audit/{undone}").json()["reverts"] == str(change)
    assert client.get(f"/api/v1/audit/{new_id()}").status_code == 404
    assert client.get("/api/v1/audit/nonsense").status_code == 404


def _revert(client: Client, change: Any, **body: Any) -> Any:
    return client.post(f"/api/v1/audit/{change}/revert", body, content_type="application/json")


def test_previews_a_revert_without_doing_it(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    answer = _revert(client, change, dry_run=True).json()
    assert (answer["dry_run"], answer["change_set_id"], answer["reverted"]) == (True, None, 1)
    (entity,) = answer["entities"]
    assert (entity["entity_id"], entity["way"], entity["state"]) == (str(role.pk), "RESTORE", "CLEAN")
    assert entity["fields"] == [
        {"field": "name", "state": "CLEAN", "before": "Packer", "after": "Packer 2", "now": "Packer 2", "reason": ""}
    ]
    assert Role.objects.get(pk=role.pk).name == "Packer 2"


def test_reverts_and_answers_the_new_change_set(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    answer = _revert(client, change)
    assert answer.status_code == 200, answer.content
    undone = ChangeSet.objects.get(reverts_id=change)
    assert (answer.json()["change_set_id"], answer.json()["reverted"]) == (str(undone.pk), 1)
    assert (undone.source, undone.actor_id) == ("API", str(owner.pk))
    assert Role.objects.get(pk=role.pk).name == "Packer"
    again = _revert(client, change)
    assert (again.status_code, again.json()["type"].rsplit("/", 1)[1]) == (409, "nothing-to-revert")


def test_takes_decisions_about_conflicts(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    role.name = "Packer 3"
    role.save()
    conflict = _revert(client, change)
    assert (conflict.status_code, conflict.json()["conflicts"]) == (409, 1)
    decision = {"entity_type": "Role", "entity_id": str(role.pk), "field": "name"}
    assert _revert(client, change, decisions=[decision]).json()["reverted"] == 1
    assert Role.objects.get(pk=role.pk).name == "Packer"


def test_reverts_once_for_a_request_that_is_sent_twice(client: Client, owner: Any) -> None:
    _, change = _renamed(owner)
    key = {"headers": {"Idempotency-Key": "same-key-twice"}, "content_type": "application/json"}
    first = client.post(f"/api/v1/audit/{change}/revert", {}, **key)  # type: ignore[arg-type]  # keywords of the client's
    second = client.post(f"/api/v1/audit/{change}/revert", {}, **key)  # type: ignore[arg-type]  # as above
    assert (first.status_code, second.status_code, first.json()) == (200, 200, second.json())
    assert ChangeSet.objects.filter(reverts_id=change).count() == 1


@pytest.mark.parametrize(
    "body",
    [
        {"entity_type": "Role"},
        {"entity_id": "1"},
        {"decisions": [{}]},
        {"dry_run": "yes"},
        {"colour": "red"},
        {"decisions": {}},
    ],
)
def test_refuses_a_revert_that_it_does_not_understand(client: Client, owner: Any, body: dict[str, Any]) -> None:
    role, change = _renamed(owner)
    assert _revert(client, change, **body).status_code == 422
    assert Role.objects.get(pk=role.pk).name == "Packer 2"


def test_refuses_those_who_may_not(client: Client, owner: Any) -> None:
    role, change = _renamed(owner)
    client.force_login(make_user(role="picker"))
    assert client.get("/api/v1/audit").json()["permission"] == "audit:read"
    assert client.get(f"/api/v1/audit/{change}").status_code == 403
    for body in ({}, {"dry_run": True}):
        refused = _revert(client, change, **body)
        assert (refused.status_code, refused.json()["permission"]) == (403, "audit:revert")
    client.logout()
    assert client.get("/api/v1/audit").status_code == 401
    assert _revert(client, change).status_code == 401
    assert Role.objects.get(pk=role.pk).name == "Packer 2"


def test_asks_as_often_for_many_rows_as_for_few(client: Client, owner: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        _renamed(owner, f"Role {number}")
    with django_assert_max_num_queries(12):
        _get(client)
