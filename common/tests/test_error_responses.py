"""What a visitor and a program are told when something breaks, or the database is away."""

from typing import Any

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from psycopg_pool import PoolTimeout

from common.errors import Conflict, NotAuthenticated, PermissionDenied, RateLimited
from common.testing.clients import ShopClient
from conftest import HOST

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

handler400 = "common.error_responses.bad_request"
handler403 = "common.error_responses.permission_denied"
handler404 = "common.error_responses.page_not_found"
handler500 = "common.error_responses.server_error"

RAISED: dict[str, tuple[Exception, int]] = {
    "bug": (ZeroDivisionError("the secret inside"), 500),
    "database": (OperationalError("connection to server at 10.0.0.1 failed"), 503),
    "pool": (PoolTimeout("no connection"), 503),
    "conflict": (Conflict("It was sold meanwhile."), 409),
    "missing": (Http404("nothing"), 404),
    "forbidden": (PermissionDenied("This needs the permission users:read.", permission="users:read"), 403),
    "fast": (RateLimited(retry_after=7), 429),
    "large": (RequestDataTooBig("2 MB"), 413),
    "visitor": (NotAuthenticated(), 401),
}


def _raise(name: str) -> Any:
    def view(_request: HttpRequest) -> HttpResponse:
        raise RAISED[name][0]

    return view


urlpatterns = [path(f"{prefix}{name}", _raise(name)) for name in RAISED for prefix in ("api/v1/", "")]


@pytest.fixture
def visitor() -> ShopClient:
    return ShopClient(host=HOST, raise_request_exception=False)


@pytest.mark.parametrize("name", RAISED)
@override_settings(ROOT_URLCONF=__name__)
def test_answers_a_program_with_a_problem(visitor: ShopClient, name: str) -> None:
    response = visitor.get(f"/api/v1/{name}")
    problem = response.json()
    assert response.status_code == RAISED[name][1] == problem["status"]
    assert response["Content-Type"] == "application/problem+json"
    assert problem["request_id"] == response["X-Request-ID"]
    assert "secret" not in response.content.decode()
    assert "10.0.0.1" not in response.content.decode()
    assert ("Retry-After" in response) == (response.status_code in (429, 503))


@pytest.mark.parametrize("name", [name for name in RAISED if name != "visitor"])
@override_settings(ROOT_URLCONF=__name__)
def test_answers_a_person_with_a_page(visitor: ShopClient, name: str) -> None:
    response = visitor.get(f"/{name}")
    text = response.content.decode()
    assert response.status_code == RAISED[name][1]
    assert response["Content-Type"].startswith("text/html")
    assert response["X-Request-ID"] in text
    assert "secret" not in text
    assert "<h1" in text


@override_settings(ROOT_URLCONF=__name__, LOGIN_URL="/account/login/")
def test_leads_a_visitor_to_the_log_in_page(visitor: ShopClient) -> None:
    response = visitor.get("/visitor?page=2")
    assert (response.status_code, response["Location"]) == (302, "/account/login/?next=/visitor%3Fpage%3D2")
    assert visitor.get("/visitor", headers={"HX-Request": "true"}).status_code == 401


@override_settings(ROOT_URLCONF=__name__, TEMPLATES=[])
def test_answers_even_when_no_template_works(visitor: ShopClient) -> None:
    response = visitor.get("/bug")
    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()
