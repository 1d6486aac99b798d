"""Every URL × every role: what a view declares is what a visitor meets."""

from http import HTTPStatus

import pytest
from django.test import Client

from accounts.roles import SYSTEM_ROLES
from common.access import Access
from common.testing.people import make_user
from common.testing.urls import Route, routes

pytestmark = pytest.mark.django_db

API = ("/api/", "/health", "/ready", "/metrics")
PAGES = [route for route in routes("brikonnect.urls.tenant") if not route.path.startswith(API)]
SITE = [route for route in routes("brikonnect.urls.public") if not route.path.startswith((*API, "/admin/"))]
# A verb that takes only POST says so before it asks who is there; the walk knocks with POST too.
REFUSED = {HTTPStatus.FORBIDDEN, HTTPStatus.UNAUTHORIZED}


def _turned_away(status: int, location: str) -> bool:
    return status in REFUSED or (status in {301, 302} and "/account/login" in location)


def _refuses_to_act(client: Client, route: Route) -> bool:
    response = client.post(route.path)
    return response.status_code == HTTPStatus.METHOD_NOT_ALLOWED or _turned_away(
        response.status_code, response.get("Location", "")
    )


@pytest.mark.parametrize("route", [*PAGES, *SITE], ids=lambda route: f"{route.name} {route.path}")
def test_every_view_declares_its_access(route: Route) -> None:
    assert isinstance(route.access, Access), f"{route.name} declares nothing: use @require, @signed_in or @open_to_all"


@pytest.mark.parametrize("role", [*SYSTEM_ROLES, None])
def test_every_page_admits_whom_it_declares(role: str | None, client: Client) -> None:
    permissions: frozenset[str] = frozenset()
    if role:
        user = make_user(role=role)
        permissions = frozenset(SYSTEM_ROLES[role])
        client.force_login(user)
    wrong = []
    for route in PAGES:
        access = route.access
        assert isinstance(access, Access)
        if route.name == "account_logout":
            continue  # it would end the walk's session; accounts' own tests cover it
        admitted = not access.signed_in or (role is not None and permissions.issuperset(access.permissions))
        response = client.get(route.path)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not admitted:
            response = client.post(route.path)
        turned_away = _turned_away(response.status_code, response.get("Location", ""))
        if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR or (access.signed_in and admitted == turned_away):
            wrong.append(f"{route.name} {route.path}: {response.status_code} for {role or 'a visitor'}")
        if not admitted and not _refuses_to_act(client, route):
            wrong.append(f"{route.name} {route.path}: takes a POST from {role or 'a visitor'}")
    assert not wrong, "\n".join(wrong)
