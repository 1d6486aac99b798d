"""A request's deed has a name and a door, also where no service names it."""

from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import resolve

from audit.middleware import action_of, source_of
from audit.models import ChangeSet
from audit.tests.conftest import Role
from common.testing.people import make_user

SHOP = "brikonnect.urls.tenant"
SITE = "brikonnect.urls.public"


def _named(method: str, path: str, urlconf: str = SHOP) -> tuple[str, str]:
    request: Any = RequestFactory().generic(method, path)
    request.resolver_match = resolve(path, urlconf)
    return action_of(request, request.resolver_match.func), source_of(request).value


@pytest.mark.parametrize(
    ("method", "path", "action", "source"),
    [
        ("POST", "/audit/0198f000-0000-7000-8000-00000000000a/undo/", "audit.undo", "PAGE"),
        ("POST", "/api/v1/roles", "accounts.create_roles", "API"),
        ("PATCH", "/api/v1/roles/0198f000-0000-7000-8000-00000000000a", "accounts.update_role", "API"),
        ("DELETE", "/api/v1/roles/0198f000-0000-7000-8000-00000000000a", "accounts.delete_role", "API"),
        ("POST", "/account/login/", "account.login", "PAGE"),
    ],
)
def test_names_a_deed_after_its_view(method: str, path: str, action: str, source: str) -> None:
    assert _named(method, path) == (action, source)


def test_tells_what_our_staff_do_from_what_shops_do() -> None:
    assert _named("POST", "/admin/login/", SITE) == ("admin.login", "ADMIN")


@pytest.mark.django_db
def test_records_what_the_api_changes_as_the_apis(client: Client) -> None:
    client.force_login(make_user(role="owner", name="Marta"))
    body = {"name": "Packer", "permissions": ["orders:read"]}
    answer = client.post(
        "/api/v1/roles", body, content_type="application/json", headers={"X-Request-ID": "req-api-test"}
    )
    assert answer.status_code == 201, answer.content
    change_set = ChangeSet.objects.get(request_id="req-api-test")
    assert (change_set.source, change_set.action, change_set.actor_name) == ("API", "accounts.create_role", "Marta")
    assert Role.history.model.objects.get(name="Packer").change_set_id == change_set.pk


@pytest.mark.django_db
def test_leaves_nothing_of_a_request_that_was_refused(client: Client) -> None:
    client.force_login(make_user(role="owner"))
    before = ChangeSet.objects.count()
    assert client.post("/api/v1/roles", {"name": ""}, content_type="application/json").status_code == 422
    assert ChangeSet.objects.count() == before
