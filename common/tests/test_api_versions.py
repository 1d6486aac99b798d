"""Versioned resources over the API: who names no version, an old one or the right one."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request

from common.access import OPEN
from common.api import serializers
from common.api.operations import operation
from common.api.views import ApiView
from common.errors import StaleVersion
from common.testing.clients import ShopClient
from conftest import HOST

pytestmark = [pytest.mark.django_db]

PRESENT = 7


class Change(serializers.VersionSerializer):
    name = serializers.CharField(max_length=20)


class Row(serializers.Serializer):
    name = serializers.CharField()


class ThingView(ApiView):
    """A thing of version 7."""

    access = {"GET": OPEN, "PATCH": OPEN, "DELETE": OPEN}
    public_api = ()
    authentication_classes = ()

    @operation("Show it", answers=Row, versioned=True)
    def get(self, _request: Request) -> HttpResponse:
        return self.answer({"name": "Thing"}, version=PRESENT)

    @operation("Change it", takes=Change, answers=Row, versioned=True)
    def patch(self, _request: Request) -> HttpResponse:
        self._check()
        return self.answer({"name": self.body["name"]}, version=PRESENT + 1)

    @operation("Delete it", takes=serializers.VersionSerializer, versioned=True)
    def delete(self, _request: Request) -> HttpResponse:
        self._check()
        return self.answer()

    def _check(self) -> None:
        if self.expected_version() != PRESENT:
            raise StaleVersion(current_version=PRESENT)


urlpatterns = [path("api/v1/thing", ThingView.as_view())]


@pytest.fixture
def thing(settings: Any) -> ShopClient:
    settings.ROOT_URLCONF = __name__
    return ShopClient(host=HOST)


def patch(thing: ShopClient, body: dict[str, Any], **headers: str) -> Any:
    return thing.patch("/api/v1/thing", body, content_type="application/json", headers=headers)


def test_tells_the_version_it_shows(thing: ShopClient) -> None:
    assert thing.get("/api/v1/thing")["ETag"] == '"v7"'


@pytest.mark.parametrize(
    ("in_body", "header", "status"),
    [
        ({}, None, 428),
        ({}, "*", 428),
        ({"version": 7}, None, 200),
        ({"version": 6}, None, 409),
        ({"version": 8}, None, 409),
        ({"version": 0}, None, 422),
        ({"version": "7"}, None, 422),
        ({}, '"v7"', 200),
        ({}, 'W/"v7"', 200),
        ({}, '"v6"', 412),
        ({}, '"other"', 412),
        ({}, "v7", 400),
        ({}, 'garbage "v7" garbage', 400),
        ({}, '"v7" "v8"', 400),
        ({}, '"v7", "v8"', 400),
        ({}, "", 400),
        ({"version": 7}, '"v6"', 412),
        ({"version": 6}, '"v7"', 200),
    ],
)
def test_refuses_a_lost_update(thing: ShopClient, in_body: dict[str, Any], header: str | None, status: int) -> None:
    headers = {} if header is None else {"If-Match": header}
    response = patch(thing, {"name": "New", **in_body}, **headers)
    assert response.status_code == status, response.content
    if status in (409, 412):
        assert response.json()["type"].endswith("/stale-version")
        assert response.json()["current_version"] == PRESENT
    if status == 200:
        assert response["ETag"] == '"v8"'


@pytest.mark.parametrize(
    ("body", "header", "status"),
    [(None, None, 428), (None, '"v7"', 204), ({"version": 7}, None, 204), (None, '"v1"', 412)],
)
def test_deletes_only_what_was_seen(thing: ShopClient, body: Any, header: str | None, status: int) -> None:
    extra: dict[str, Any] = {} if header is None else {"headers": {"If-Match": header}}
    sent = {} if body is None else {"data": body, "content_type": "application/json"}
    assert thing.delete("/api/v1/thing", **sent, **extra).status_code == status


def test_refuses_a_view_that_declares_no_access_or_no_contract() -> None:
    with pytest.raises(TypeError, match="declares no access or no operation"):
        type("Open", (ApiView,), {"get": lambda _self, _request: None, "access": {"GET": OPEN}})
