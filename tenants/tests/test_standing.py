"""A suspended shop looks and exports; whatever changes it waits. And which hosts lead to a shop."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.services import issue_tokens
from common.errors import Conflict, Invalid, NotFound
from common.testing.people import PASSWORD, make_user
from events.models import Event
from tenants import services
from tenants.models import Domain, Tenant
from tenants.tests.people import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant() -> Tenant:
    return Tenant.objects.get(slug="shop")


def _suspend(tenant: Tenant, reason: str = "Invoice 7 is open.") -> None:
    services.suspend(tenant_id=tenant.pk, reason=reason, now=timezone.now())


def test_looks_but_does_not_change(client: Any, tenant: Tenant):
    sign_in(client)
    _suspend(tenant)

    page = client.get("/settings/general/")
    assert page.status_code == 200
    assert b"Invoice 7 is open." in page.content
    refused = client.post("/settings/general/save/", {"name": "x"})
    assert refused.status_code == 402
    assert b"Invoice 7 is open." in refused.content
    assert client.post("/settings/data/export/", {"key": "once"}).status_code == 302
    assert client.post("/theme/", {"theme": "dark"}).status_code == 302
    assert client.post("/account/logout/").status_code == 302


def test_answers_programs_with_the_problem(client: Any, tenant: Tenant):
    user = make_user(role="owner")
    _suspend(tenant)
    pair = issue_tokens(email=user.email, password=PASSWORD, now=timezone.now())
    headers = {"HTTP_AUTHORIZATION": f"Bearer {pair.access_token}"}

    assert client.get("/api/v1/settings", **headers).status_code == 200
    body = {"name": "x", "version": 1}
    refused = client.patch("/api/v1/settings", body, content_type="application/json", **headers)
    assert refused.status_code == 402
    assert refused.json()["type"].endswith("/payment-required")


def test_is_told_once(tenant: Tenant):
    _suspend(tenant)
    since = Tenant.objects.get(pk=tenant.pk).suspended_at
    _suspend(tenant, "Invoices 7 and 8 are open.")

    tenant.refresh_from_db()
    assert (tenant.suspended_at, tenant.suspension_reason) == (since, "Invoices 7 and 8 are open.")
    assert Event.objects.filter(event_type="tenant.suspended").count() == 1
    services.reactivate(tenant_id=tenant.pk)
    services.reactivate(tenant_id=tenant.pk)
    assert Event.objects.filter(event_type="tenant.reactivated").count() == 1


@pytest.mark.parametrize(
    "host", ["example", "exa mple.com", "-x.example.com", "shop.example.com/x", "1.2.3.4", "x" * 300]
)
def test_refuses_what_is_no_host(tenant: Tenant, host: str):
    with pytest.raises(Invalid):
        services.add_domain(tenant_id=tenant.pk, host=host, now=timezone.now())


def test_refuses_hosts_of_ours_and_of_others(tenant: Tenant):
    now = timezone.now()
    with pytest.raises(Invalid):
        services.add_domain(tenant_id=tenant.pk, host="other.testserver.localhost", now=now)
    services.add_domain(tenant_id=tenant.pk, host="bricks.example.com", now=now)
    with pytest.raises(Conflict):
        services.add_domain(tenant_id=tenant.pk, host="BRICKS.example.com", now=now)
    with pytest.raises(Conflict, match="stays"):
        services.remove_domain(domain_id=Domain.objects.get(tenant=tenant, is_primary=True).pk)
    with pytest.raises(NotFound):
        services.remove_domain(domain_id=0)
