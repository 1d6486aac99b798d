"""Stores over HTTP."""

from typing import Any

import pytest
from django.utils import timezone

from common.testing.people import make_user
from stores import services
from stores.models import Store

pytestmark = pytest.mark.django_db

SECRET = "owl-key-0123456789"


@pytest.fixture
def owner(client: Any) -> Any:
    client.force_login(make_user(role="owner"))
    return client


@pytest.fixture
def store() -> Store:
    return services.create_store(channel="brickowl", name="Owl", credentials={"key": SECRET}, now=timezone.now())


def _send(client: Any, method: str, path: str, body: Any = "", **headers: str) -> Any:
    return getattr(client, method)(f"/api/v1{path}", body, content_type="application/json", headers=headers)


def test_lists_stores_without_what_opens_them(owner: Any, store: Store) -> None:
    answer = owner.get("/api/v1/stores")
    rows = {row["name"]: row for row in answer.json()["results"]}
    assert set(rows) == {"Own counter", "Owl"}
    assert rows["Owl"]["credentials"] == [{"label": "API key", "hint": "••••6789"}]
    assert rows["Owl"]["calls"] == {"used": 0, "limit": None, "left": None}
    assert rows["Own counter"]["settings"] == {"currency": ""}
    assert SECRET not in answer.content.decode()


def test_adds_changes_and_disconnects_a_store(owner: Any) -> None:
    body = {"channel": "bricklink", "name": "Link", "settings": {"sync_interval_hours": 12}}
    made = _send(owner, "post", "/stores", body)
    assert made.status_code == 201
    row = made.json()
    assert (row["is_connected"], row["settings"]["sync_interval_hours"]) == (False, 12)
    assert made["Location"].endswith(f"/stores/{row['id']}")
    path = f"/stores/{row['id']}"
    assert _send(owner, "patch", path, {"is_enabled": False}).status_code == 428
    changed = _send(owner, "patch", path, {"is_enabled": False, "settings": {"auto_sync": False}, "version": 1})
    assert changed.json()["settings"] == {**row["settings"], "auto_sync": False}
    assert _send(owner, "patch", path, {"name": "x"}, **{"If-Match": made["ETag"]}).status_code == 412
    assert _send(owner, "delete", path, **{"If-Match": changed["ETag"]}).status_code == 204
    assert _send(owner, "get", path).json()["disconnected_at"] is not None


@pytest.mark.parametrize(("body", "pointer"), [
    ({"channel": "local", "name": "x"}, "/channel"), ({"channel": "bricklink"}, "/name"),
    ({"channel": "bricklink", "name": "x", "base_url": "http://127.0.0.1"}, "/base_url"),
    ({"channel": "bricklink", "name": "x", "settings": {"auto_sync": 1}}, "/settings/auto_sync"),
])  # fmt: skip
def test_says_what_it_does_not_take(body: Any, pointer: str, owner: Any) -> None:
    answer = _send(owner, "post", "/stores", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [pointer])


@pytest.mark.parametrize("case", [
    ("picker", "get", "/stores", None),
    ("readonly", "post", "/stores", {"channel": "brickowl", "name": "x"}),
    ("staff", "post", "/stores/{id}/credentials", {"credentials": {"key": SECRET}}),
    ("staff", "delete", "/stores/{id}", None),
])  # fmt: skip
def test_lets_only_those_in_who_may(case: Any, client: Any, store: Store) -> None:
    role, method, path, body = case
    client.force_login(make_user(role=role, email=f"{role}@shop.example"))
    assert _send(client, method, path.format(id=store.pk), body).status_code == 403
