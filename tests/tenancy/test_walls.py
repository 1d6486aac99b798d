"""No door of a shop leads into another: routes with foreign keys, forged tokens, cache, files, tasks, export."""

import json
from http import HTTPStatus
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import jwt
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from accounts import services as people
from accounts import tokens
from accounts.models import Invitation, User
from brikonnect.celery import app
from common import limits
from common.testing.clients import ShopClient
from common.testing.people import PASSWORD, make_user
from common.testing.urls import NOBODYS_ID, routes
from jobs import files
from tenants import services
from tenants.testing import in_schema
from tests.tenancy.conftest import MARK, Other

pytestmark = pytest.mark.django_db

ROUTES = routes("brikonnect.urls.tenant")
# Answers in which nothing was shown or done.
SHUT = {
    HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE,
    HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.PRECONDITION_REQUIRED,
}  # fmt: skip


@pytest.fixture
def mine() -> User:
    """My shop's owner, who may do everything in it."""
    user: User = make_user(role="owner", email="mine@shop.example")
    return user


@pytest.fixture
def inside(client: Any, mine: User) -> Any:
    client.post("/account/login/", {"login": mine.email, "password": PASSWORD})
    return client


def _bearer(token: str) -> dict[str, Any]:
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def _body(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode(errors="replace") + str(response.headers)


# --- every route ----------------------------------------------------------------------------------------------------


KEYED = [route for route in ROUTES if NOBODYS_ID in route.path]
_PARTS = 4


# Thousands of requests: every route with every key of the other shop, by each method that it takes.
@pytest.mark.timeout(400)
@pytest.mark.parametrize("part", range(_PARTS))
@override_settings(API_RATE="100000/min", API_SHOP_RATE="100000/min")
def test_every_route_is_shut_for_the_keys_of_another_shop(part: int, inside: Any, other: Other):
    before = other.checksum()
    open_doors = []
    for route in KEYED[part::_PARTS]:
        is_api = route.path.startswith("/api/")
        for method in ("get", "post", "patch", "delete") if is_api else ("get", "post"):
            more: dict[str, str] = {"HTTP_HX_REQUEST": "true"}
            if is_api and method != "get":
                more = {"content_type": "application/json"}
            if getattr(inside, method)(route.path, **more).status_code == HTTPStatus.METHOD_NOT_ALLOWED:
                continue
            for kind, key in other.ids.items():
                response = getattr(inside, method)(route.path.replace(NOBODYS_ID, key), **more)
                if response.status_code not in SHUT or MARK in _body(response):
                    open_doors.append(f"{method} {route.name} with the key of a {kind}: {response.status_code}")
    assert not open_doors, "\n".join(open_doors)
    assert other.checksum() == before


def test_rules_of_repricing_and_their_runs_are_shut_for_others(inside: Any, other: Other):
    before, tried = other.checksum(), 0
    for route in ROUTES:
        for key in other.repricing_ids if "/repricing/" in route.path and NOBODYS_ID in route.path else ():
            for method in ("get", "post"):
                response = getattr(inside, method)(route.path.replace(NOBODYS_ID, key))
                tried += 1
                assert response.status_code in SHUT, f"{method} {route.name}"
                assert MARK not in _body(response)
    assert tried > 20
    assert other.checksum() == before


def test_no_route_shows_anything_of_another_shop(inside: Any, other: Other):
    shown = []
    for route in ROUTES:
        if route.name in ("account_logout", "metrics"):
            continue
        for query in ("", f"?q={MARK}"):
            response = inside.get(route.path + query)
            # What was asked for may be repeated; nothing else of the mark's shop may be there.
            words = _body(response).replace(f"q={MARK}", "")
            if "marked@other" in words or f"{MARK} shop" in words or f"{MARK} colleague" in words:
                shown.append(f"{route.name}{query}")
    assert shown == []


# --- who one is -----------------------------------------------------------------------------------------------------


def test_a_token_of_another_shop_is_refused_on_my_host(client: Any, mine: User, other: Other):
    for path in ("/api/v1/auth/me", "/api/v1/settings", "/api/v1/users", "/api/v1/jobs", "/api/v1/audit"):
        assert client.get(path, **_bearer(other.tokens.access_token)).status_code == 401
    for path in ("/api/v1/auth/token/refresh", "/api/v1/auth/token/revoke"):
        answer = client.post(path, {"refresh_token": other.tokens.refresh_token}, content_type="application/json")
        assert answer.status_code in (401, 204)
    with in_schema(other.schema):
        assert User.objects.get(pk=other.owner.pk).refresh_tokens.filter(revoked_at=None, spent_at=None).count() == 1


def test_a_token_leads_into_its_own_shop_on_the_central_host(api_client: Any, mine: User, other: Other):
    body = api_client.get("/api/v1/auth/me", **_bearer(other.tokens.access_token)).json()
    assert body["user"]["email"] == other.owner.email

    listed = api_client.get("/api/v1/users", **_bearer(other.tokens.access_token)).json()
    assert mine.email not in json.dumps(listed)


@pytest.mark.parametrize("host", ["shop", "api"])
def test_a_token_with_another_shops_name_written_into_it_is_refused(host: str, mine: User, other: Other):
    program = ShopClient(host=f"{host}.{settings.BASE_DOMAIN}")
    pair = people.issue_tokens(email=mine.email, password=PASSWORD, now=timezone.now())
    claims = jwt.decode(pair.access_token, options={"verify_signature": False})
    header, _, signature = pair.access_token.split(".")
    for schema in (other.schema, "public", "tenant_template", "", "t_shop'; --", None, 7, ["t_shop"]):
        forged = jwt.encode({**claims, "tenant": schema}, "x" * 32, algorithm="HS256")
        unsigned = jwt.encode({**claims, "tenant": schema}, "", algorithm="none")
        swapped = f"{header}.{forged.split('.')[1]}.{signature}"
        for token in (forged, unsigned, swapped):
            assert program.get("/api/v1/auth/me", **_bearer(token)).status_code == 401
            answer = program.post(
                "/api/v1/auth/token/refresh", {"refresh_token": token}, content_type="application/json"
            )
            assert answer.status_code == 401


def test_a_token_of_our_staff_is_good_nowhere(api_client: Any, client: Any):
    with in_schema("public"):
        staff = people.create_user(
            email="me@brikonnect.com", display_name="Me", roles=[], password=PASSWORD, is_verified=True, is_staff=True
        )
        pair = tokens.issue_pair(user=staff, device_name="", now=timezone.now())
    for program in (api_client, client):
        assert program.get("/api/v1/auth/me", **_bearer(pair.access_token)).status_code == 401
        for tenant in ({}, {"tenant": ""}, {"tenant": "public"}, {"tenant": "www"}, {"tenant": "tenant_template"}):
            body = {"email": staff.email, "password": PASSWORD, **tenant}
            answer = program.post("/api/v1/auth/token", body, content_type="application/json")
            assert answer.status_code in (401, 422)


def test_the_central_host_knows_no_cookies(api_client: Any, inside: Any):
    api_client.cookies = inside.cookies

    assert api_client.get("/api/v1/auth/me").status_code == 401


def test_a_cookie_and_a_token_of_two_shops_are_nobody(inside: Any, other: Other):
    assert inside.get("/api/v1/auth/me", **_bearer(other.tokens.access_token)).status_code == 401


def test_signing_in_with_the_name_of_another_shop_is_refused(client: Any, mine: User, other: Other):
    body = {"email": other.owner.email, "password": PASSWORD, "tenant": "other"}

    assert client.post("/api/v1/auth/token", body, content_type="application/json").status_code == 401


@pytest.mark.parametrize(
    "header", ["HTTP_X_FORWARDED_HOST", "HTTP_X_HOST", "HTTP_X_ORIGINAL_HOST", "HTTP_FORWARDED", "HTTP_X_TENANT"]
)
def test_no_header_but_host_chooses_the_shop(inside: Any, other: Other, header: str):
    response = inside.get("/settings/general/", **{header: other.host})

    assert response.status_code == 200
    assert MARK not in _body(response)


# --- beside the database --------------------------------------------------------------------------------------------


def test_the_cache_is_apart(other: Other):
    cache.set("price", "mine")
    with in_schema(other.schema):
        assert cache.get("price") is None
        cache.set("price", "theirs")
    with in_schema("public"):
        assert cache.get("price") is None
    assert cache.get("price") == "mine"


def test_limits_are_apart(other: Other):
    limit = limits.Limit("tried", amount=1, window_s=60)
    assert limits.take(limit, "x").allowed
    assert not limits.take(limit, "x").allowed
    with in_schema(other.schema):
        assert limits.take(limit, "x").allowed


def test_files_are_apart(inside: Any, other: Other):
    with in_schema(other.schema):
        ticket = files.ticket(job_id=UUID(other.ids["job"]), number=0)

    assert inside.get(f"/jobs/{other.ids['job']}/files/0/").status_code == 404
    assert inside.get(f"/jobs/files/{ticket}/").status_code in (404, 410)
    there = ShopClient(host=other.host)
    assert MARK in _body(there.get(f"/jobs/files/{ticket}/"))


def test_an_idempotency_key_answers_in_its_own_shop_only(client: Any, mine: User, other: Other):
    pair = people.issue_tokens(email=mine.email, password=PASSWORD, now=timezone.now())

    def invite(program: Any, token: str) -> Any:
        body = {"email": "guest@example.com", "roles": ["picker"]}
        return program.post(
            "/api/v1/users/invitations",
            body,
            content_type="application/json",
            HTTP_IDEMPOTENCY_KEY="once",
            **_bearer(token),
        )

    first = invite(client, pair.access_token)
    theirs = invite(ShopClient(host=other.host), other.tokens.access_token)

    assert (first.status_code, theirs.status_code) == (201, 201)
    assert "Idempotency-Replayed" not in theirs.headers
    assert first.json()["id"] != theirs.json()["id"]
    assert Invitation.objects.filter(email="guest@example.com").count() == 1


# --- tasks ----------------------------------------------------------------------------------------------------------

# Every task with what it is given here: keys of the other shop. A new task is missing until somebody has thought of it.
TASKS: dict[str, Any] = {
    "accounts.clear_expired": lambda _other: {},
    "audit.purge": lambda _other: {},
    "brikonnect.fan_out": lambda _other: {"task": "nothing"},
    "catalog.fetch_images": lambda _other: {},
    "catalog.fetch_rates": lambda _other: {},
    "catalog.forget_answers": lambda _other: {},
    "catalog.import_nightly": lambda _other: {},
    "catalog.refresh_nightly": lambda _other: {},
    "catalog.tidy_images": lambda _other: {},
    "common.purge": lambda _other: {},
    "events.dispatch": lambda _other: {},
    "events.purge": lambda _other: {},
    "inventory.purge_imports": lambda _other: {},
    "inventory.purge_repricing": lambda _other: {},
    "inventory.reprice_nightly": lambda _other: {},
    "jobs.purge": lambda _other: {},
    "jobs.run": lambda other: {"job_id": other.ids["job"]},
    "jobs.sweep": lambda _other: {},
    "notifications.purge": lambda _other: {},
    "orders.close_old": lambda _other: {},
    "orders.erase_old_buyers": lambda _other: {},
    "orders.purge_files": lambda _other: {},
    "notifications.send_mail": lambda other: {"mail_id": other.ids["job"]},
    "notifications.sweep_mails": lambda _other: {},
    "sync.forget_notices": lambda _other: {},
    "sync.listen": lambda other: {"store_id": other.ids["job"]},
    "sync.look_at_notices": lambda other: {"store_id": other.ids["job"]},
    "sync.poll_orders": lambda _other: {},
    "sync.pull_orders": lambda other: {"store_id": other.ids["job"]},
    "sync.push": lambda other: {"store_id": other.ids["job"]},
    "sync.start_due_checks": lambda _other: {},
    "sync.sweep_pushes": lambda _other: {},
    "sync.sweep_telling": lambda _other: {},
    "sync.tell_orders": lambda other: {"store_id": other.ids["job"]},
    "tenants.clear_sign_ups": lambda _other: {},
    "tenants.delete_due": lambda _other: {},
}


def _our_tasks() -> list[str]:
    return sorted(name for name in app.tasks if not name.startswith(("celery.", "tests.")))


def test_every_task_is_thought_of():
    assert set(_our_tasks()) - {name for name in _our_tasks() if ".tests." in name} == set(TASKS)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_no_task_of_my_shop_touches_another(name: str, other: Other):
    before = other.checksum()

    app.tasks[name].apply(kwargs=TASKS[name](other))

    assert connection.schema_name == "t_shop"  # type: ignore[attr-defined]  # django_tenants' connection
    assert other.checksum() == before


@pytest.mark.django_db(transaction=True)
def test_an_export_has_nothing_of_another_shop(other: Other, tmp_path: Any):
    make_user(role="owner")
    path = tmp_path / "export.zip"
    with path.open("wb") as stream:
        services.write_export(stream=stream, now=timezone.now(), progress=lambda _done, _total: None)
    with ZipFile(path) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert MARK.encode() not in everything
    assert b"marked@other" not in everything
