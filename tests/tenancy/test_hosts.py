"""Which host leads where: the site, a shop, the API, nowhere; and at what cost."""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common import workspace
from common.testing.clients import ShopClient
from tenants import routing, services
from tenants.models import Domain, Tenant
from tenants.testing import create_shop, in_schema

pytestmark = pytest.mark.django_db

BASE = settings.BASE_DOMAIN


def _ask(host: str, path: str = "/", **headers: Any) -> Any:
    return ShopClient(host=host).get(path, **headers)


@pytest.mark.parametrize("host", [BASE, f"www.{BASE}", f"{BASE}:8000", BASE.upper(), f"{BASE}."])
def test_shows_the_site_on_its_hosts(host: str):
    response = _ask(host, "/pricing/")

    assert response.status_code == 200
    assert b"Pricing" in response.content


def test_shows_the_shop_on_its_host():
    response = _ask(f"SHOP.{BASE}:8000", "/account/login/")

    assert response.status_code == 200
    assert b"Sign in to Test shop" in response.content


def test_shows_no_page_of_a_shop_on_the_site_and_none_of_the_site_in_a_shop():
    assert _ask(BASE, "/settings/general/").status_code == 404
    assert _ask(f"shop.{BASE}", "/pricing/").status_code == 404
    assert _ask(f"shop.{BASE}", "/admin/").status_code == 404
    assert _ask(f"api.{BASE}", "/account/login/").status_code == 404


@pytest.mark.parametrize(
    "host",
    [
        f"nobody.{BASE}",
        f"a.shop.{BASE}",
        f"tenant_template.{BASE}",
        f"public.{BASE}",
        f"t_shop.{BASE}",
        f"cdn.{BASE}",
        "evil.example",
        f"{BASE}.evil.example",
        "127.0.0.1",
        "[::1]",
        "sh op",
        "shop\x00",
        f"shop.{BASE}:port",
        f"shop.{BASE}@evil.example",
        "..",
        "'; DROP TABLE tenants_tenant; --",
        "x" * 5000,
        "",
    ],
)
def test_says_plainly_that_there_is_no_shop(host: str):
    page, problem = _ask(host), _ask(host, "/api/v1/auth/me")

    assert page.status_code in (400, 404)
    assert problem.status_code in (400, 404)
    assert problem["Content-Type"] == "application/problem+json"
    if page.status_code == 404:
        assert b"There is no shop at this address" in page.content
        assert routing.site_url().encode() in page.content


def test_does_not_route_to_a_shop_that_is_not_ready():
    tenant = Tenant.objects.get(slug="shop")
    tenant.ready_at = None
    tenant.save()

    assert _ask(f"shop.{BASE}").status_code == 404


def test_ignores_forwarded_hosts():
    create_shop(schema="t_other", host=f"other.{BASE}", name="Other shop")

    response = _ask(
        f"shop.{BASE}", "/account/login/", HTTP_X_FORWARDED_HOST=f"other.{BASE}", HTTP_FORWARDED=f"host=other.{BASE}"
    )

    assert b"Sign in to Test shop" in response.content


def test_leads_a_host_of_its_own_to_the_shop(settings):
    settings.ALLOWED_HOSTS = ["*"]
    tenant = Tenant.objects.get(slug="shop")
    domain = services.add_domain(tenant_id=tenant.pk, host="Bricks.Example.com", now=tenant.created_at)

    assert b"Sign in to Test shop" in _ask("bricks.example.com", "/account/login/").content
    services.remove_domain(domain_id=domain.pk)
    assert _ask("bricks.example.com", "/account/login/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_asks_the_database_once_and_never_again():
    first, again = [], []
    with in_schema("public"), CaptureQueriesContext(connection) as captured:
        assert routing.tenant_for_host(f"shop.{BASE}")
        first = list(captured.captured_queries)
        assert routing.tenant_for_host(f"shop.{BASE}")
        again = captured.captured_queries[len(first) :]
    assert len([query for query in first if "SELECT" in query["sql"]]) == 1
    assert again == []


@pytest.mark.django_db(transaction=True)
def test_sees_a_change_at_once():
    assert _name_on_the_door() == "Test shop"

    services.update_settings(name="Renamed shop")
    assert _name_on_the_door() == "Renamed shop"

    tenant = Tenant.objects.get(slug="shop")
    domain = Domain.objects.get(tenant=tenant)
    domain.delete()
    routing.remember(schema=tenant.schema_name, hosts=[domain.domain])
    assert routing.tenant_for_host(domain.domain) is None


def _name_on_the_door() -> str:
    shop = routing.tenant_for_host(f"shop.{BASE}")
    assert shop is not None
    return shop.name


@pytest.mark.django_db(transaction=True)
def test_works_while_redis_is_away(settings):
    routing.tenant_for_host(f"shop.{BASE}")
    settings.REDIS_URL = "redis://127.0.0.1:1"
    try:
        assert _name_on_the_door() == "Test shop"
        services.update_settings(name="Renamed shop")
        assert _name_on_the_door() == "Renamed shop"
    finally:
        routing.ask_redis_again()


def test_travels_as_json_whole():
    shop = routing.tenant_for_host(f"shop.{BASE}")
    assert shop is not None

    assert routing.Shop.from_json(shop.to_json()) == shop


def test_knows_the_workspace_in_a_request_without_a_query():
    shop = routing.tenant_for_schema("t_shop")
    assert shop is not None
    with routing.within(shop), CaptureQueriesContext(connection) as captured:
        assert workspace.current().name == "Test shop"
        assert workspace.current().host == f"shop.{BASE}"
    assert captured.captured_queries == []


def test_is_itself_in_the_public_schema():
    with in_schema("public"):
        assert (workspace.current().key, workspace.current().slug) == ("public", "")


def test_answers_a_database_that_is_away_with_a_plain_503(monkeypatch):
    from django.db import OperationalError  # noqa: PLC0415  # beside what raises it

    def away(*_args: object, **_kwargs: object) -> None:
        raise OperationalError

    monkeypatch.setattr(connection, "connect", away)
    connection.close()
    response = ShopClient(host=f"shop.{BASE}").generic("GET", "/api/v1/auth/me")
    assert response.status_code == 503
    assert response["Retry-After"]


def test_makes_addresses_with_the_port_under_which_we_are_reached(settings):
    assert routing.url_of(f"shop.{BASE}", "/x/") == f"http://shop.{BASE}/x/"
    settings.PUBLIC_PORT = 8000
    assert routing.site_url() == f"http://{BASE}:8000/"
