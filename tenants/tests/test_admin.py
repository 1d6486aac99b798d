"""The site of our own staff: behind a second factor, looking only, acting through services, showing no secret."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.utils import timezone

from accounts import services as people
from accounts.models import User
from catalog import services as catalog
from catalog.models import CatalogDump, CatalogExternalId, CurrencyRate, MappingOffer, SourceBudget
from common.testing.clients import ShopClient
from common.testing.people import PASSWORD, make_user
from jobs.models import JobRun
from tenants import admin, services
from tenants.models import SignUp, Tenant
from tenants.testing import in_schema

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> User:
    with in_schema("public"):
        return people.create_user(
            email="me@brikonnect.com", display_name="Me", roles=[], password=PASSWORD, is_verified=True, is_staff=True
        )


@pytest.fixture
def site() -> ShopClient:
    return ShopClient(host=settings.BASE_DOMAIN)


def _sign_in(site: ShopClient, email: str = "me@brikonnect.com") -> Any:
    return site.post("/staff/account/login/", {"login": email, "password": PASSWORD})


@pytest.fixture
def inside(site: ShopClient, staff: User) -> ShopClient:
    """A browser of staff whose second factor is on."""
    _sign_in(site)
    with in_schema("public"):
        Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={"secret": "PLANTEDSECRET"})
    assert site.get("/admin/").status_code == 200
    return site


def test_leads_strangers_to_its_own_door(site: ShopClient):
    response = site.get("/admin/tenants/tenant/", follow=True)

    assert response.redirect_chain[-1] == ("/staff/account/login/?next=/admin/tenants/tenant/", 302)
    assert response.status_code == 200


def test_wants_a_second_factor_before_it_opens(site: ShopClient, staff: User):
    assert _sign_in(site).status_code == 302

    response = site.get("/admin/", follow=True)
    assert response.redirect_chain[-1][0] == "/staff/settings/security/"
    assert b"Set up a second factor" in response.content


@pytest.mark.django_db(transaction=True)
def test_mails_a_reset_link_that_works_on_this_host(site: ShopClient, staff: User):
    site.post("/staff/account/password/reset/", {"email": staff.email})

    found = re.search(r"http://testserver\.localhost(/\S+)", str(mail.outbox[-1].body))
    assert found
    assert site.get(found[1], follow=True).status_code == 200
    assert not any("Welcome" in message.subject for message in mail.outbox)


def test_stays_closed_to_a_shops_owner(site: ShopClient):
    make_user(role="owner", email="ana@example.com")
    assert _sign_in(site, "ana@example.com").status_code != 302
    assert site.get("/admin/").status_code == 302

    shop = ShopClient(host=f"shop.{settings.BASE_DOMAIN}")
    shop.post("/account/login/", {"login": "ana@example.com", "password": PASSWORD})
    site.cookies = shop.cookies
    assert site.get("/admin/").status_code == 302


def test_has_its_style_and_a_way_back_from_ones_account(inside: ShopClient):
    assert b"css/staff" in inside.get("/admin/tenants/tenant/").content
    account = inside.get("/staff/settings/security/").content
    assert b'href="/admin/"' in account
    # What searches and follows looks for parts that only a shop's pages have.
    assert b"js/palette" not in account
    assert b"js/live" not in account


def test_is_not_there_on_a_shops_host(inside: ShopClient):
    shop = ShopClient(host=f"shop.{settings.BASE_DOMAIN}")
    shop.cookies = inside.cookies
    assert shop.get("/admin/").status_code == 404
    assert shop.get("/settings/general/").status_code == 302


def test_looks_and_changes_nothing(inside: ShopClient):
    tenant = Tenant.objects.get(slug="shop")
    page = f"/admin/tenants/tenant/{tenant.pk}/change/"

    assert b"Test shop" in inside.get("/admin/tenants/tenant/?q=shop").content
    assert b"shop.testserver.localhost" in inside.get(page).content
    assert inside.post(page, {"name": "Mine"}).status_code == 403
    assert inside.get("/admin/tenants/tenant/add/").status_code == 403
    assert inside.post(f"/admin/tenants/tenant/{tenant.pk}/delete/", {"post": "yes"}).status_code == 403
    for name in ("domain", "signup", "deletedtenant"):
        assert inside.get(f"/admin/tenants/{name}/").status_code == 200
    assert inside.get("/admin/accounts/user/").status_code == 200


def test_registers_only_what_it_names():
    names = {model._meta.label for model in admin.site._registry}
    assert names == {"tenants.Tenant", "tenants.Domain", "tenants.SignUp", "tenants.DeletedTenant", "accounts.User",
                     "catalog.CatalogDump", "catalog.CurrencyRate", "catalog.MappingOffer",
                     "catalog.SourceBudget", "jobs.JobRun"}  # fmt: skip


def _act(inside: ShopClient, action: str, tenant: Tenant, **more: str) -> Any:
    data = {"action": action, "_selected_action": str(tenant.pk), **more}
    return inside.post("/admin/tenants/tenant/", data, follow=True)


def test_suspends_and_takes_up_again(inside: ShopClient, client: Any):
    tenant = Tenant.objects.get(slug="shop")
    assert b"Say why" in _act(inside, "suspend", tenant).content
    assert b"Suspended: 1" in _act(inside, "suspend", tenant, reason="Invoice 7 is open.").content

    tenant.refresh_from_db()
    assert (tenant.is_suspended, tenant.suspension_reason) == (True, "Invoice 7 is open.")
    assert b"Reactivated: 1" in _act(inside, "reactivate", tenant).content
    tenant.refresh_from_db()
    assert (tenant.is_suspended, tenant.suspended_at) == (False, None)


def test_keeps_a_shop_for_an_owner_who_asks(inside: ShopClient):
    tenant = services.request_deletion(name="Test shop", password="", now=timezone.now())

    assert b"Kept: 1" in _act(inside, "cancel_deletion", tenant).content
    tenant.refresh_from_db()
    assert tenant.deletion_requested_at is None


def test_shows_no_secret(inside: ShopClient, staff: User):
    with in_schema("public"):
        begun = services.begin_sign_up(
            name="Ana", slug="anas", email="ana@example.com", display_name="", password=PASSWORD, currency="EUR",
            time_zone="UTC", country="PT", now=timezone.now(),
        )  # fmt: skip
        staff.refresh_from_db()
    tenant = Tenant.objects.get(slug="shop")
    pages = [
        "/admin/accounts/user/", f"/admin/accounts/user/{staff.pk}/change/", "/admin/tenants/signup/",
        f"/admin/tenants/signup/{begun.pk}/change/", f"/admin/tenants/tenant/{tenant.pk}/change/",
    ]  # fmt: skip
    shown = b"".join(inside.get(page).content for page in pages).decode()

    assert "ana@example.com" in shown
    for secret in (staff.password, begun.password, begun.code_hash, "PLANTEDSECRET"):
        assert secret not in shown
    with in_schema("public"):
        assert not any(key in shown for key in SignUp.objects.values_list("code_hash", flat=True))


def test_has_nothing_inline_that_the_policy_would_stop(inside: ShopClient):
    for page in (
        "/admin/",
        "/admin/tenants/",
        "/admin/tenants/tenant/",
        f"/admin/tenants/tenant/{Tenant.objects.get(slug='shop').pk}/change/",
    ):
        response = inside.get(page)
        body = response.content.decode()
        assert "unsafe-inline" not in response.headers["Content-Security-Policy"]
        assert not re.search(r"<script(?![^>]*(?:src=|type=\"application/json\"))|\sstyle=|<style|\son[a-z]+=", body)


def test_deactivates_staff_but_not_oneself(inside: ShopClient, staff: User):
    with in_schema("public"):
        other = people.create_user(
            email="you@brikonnect.com", display_name="You", roles=[], password=PASSWORD, is_verified=True, is_staff=True
        )
    data = {"action": "deactivate", "_selected_action": [str(other.pk), str(staff.pk)]}
    inside.post("/admin/accounts/user/", data)

    with in_schema("public"):
        assert not User.objects.get(pk=other.pk).is_active
        assert User.objects.get(pk=staff.pk).is_active


def test_imports_dumps_of_an_address(inside: ShopClient):
    with in_schema("public"):
        CatalogDump.objects.create(name="rebrickable/themes", rows_count=1, sha256="x", imported_at=timezone.now())
    data = {"action": "import_now", "_selected_action": "rebrickable/themes"}

    page = inside.post("/admin/catalog/catalogdump/", {**data, "address": "file:///etc/passwd"}, follow=True)
    assert b"is no address of a dump" in page.content
    page = inside.post("/admin/catalog/catalogdump/", data, follow=True)
    assert b"CATALOG_DUMPS names no address" in page.content
    page = inside.post("/admin/catalog/catalogdump/", {**data, "address": "https://127.0.0.1/x.csv"}, follow=True)
    assert b"The import is under way" in page.content
    with in_schema("public"):
        job = JobRun.objects.get(job_type="catalog_import")
        assert job.arguments == {"places": ["https://127.0.0.1/x.csv"]}
        JobRun.objects.update(status="FAILED", error_message="themes.csv has shrunk.", completed_at=timezone.now())
    assert f"/admin/jobs/jobrun/{job.pk}/change/".encode() in page.content
    assert b"themes.csv has shrunk." in inside.get(f"/admin/jobs/jobrun/{job.pk}/change/").content
    assert b"themes.csv has shrunk." in inside.get("/admin/jobs/jobrun/").content


def test_shows_budgets_and_rates(inside: ShopClient):
    day = timezone.now().date()
    with in_schema("public"):
        SourceBudget.objects.create(source="bricklink", day=day, used=12, limit=4500)
        CurrencyRate.objects.create(
            from_currency="EUR", to_currency="USD", day=day, rate="1.089500", fetched_at=timezone.now()
        )
    assert b"bricklink" in inside.get("/admin/catalog/sourcebudget/").content
    assert b"1.089500" in inside.get("/admin/catalog/currencyrate/").content


def _offers(inside: ShopClient, action: str, *keys: int) -> bytes:
    data = {"action": action, "_selected_action": [str(key) for key in keys]}
    content: bytes = inside.post("/admin/catalog/mappingoffer/", data, follow=True).content
    return content


def test_takes_what_shops_say_into_the_catalog_or_leaves_it_out(inside: ShopClient):
    now = timezone.now()
    said: Any = {"system": "brickowl", "item_type": "PART", "item_no": "3001", "now": now}
    for external_id in ("900999", "<script>1</script>"):
        catalog.offer_mapping(external_id=external_id, **said)
    good, bad = MappingOffer.objects.order_by("pk")

    page = inside.get("/admin/catalog/mappingoffer/?q=3001").content
    assert b"900999" in page
    assert b"<script>1" not in page
    assert b"Test shop" not in page
    assert inside.get(f"/admin/catalog/mappingoffer/{good.pk}/change/").status_code == 200
    assert inside.post(f"/admin/catalog/mappingoffer/{good.pk}/change/", {"item_no": "3"}).status_code == 403
    assert b"Accepted: 1" in _offers(inside, "accept", good.pk)
    assert b"Rejected: 1" in _offers(inside, "reject", bad.pk)
    assert CatalogExternalId.objects.get(external_id="900999").item.item_no == "3001"
    assert not CatalogExternalId.objects.filter(external_id="<script>1</script>").exists()
    good.refresh_from_db()
    assert good.decided_by

    MappingOffer.objects.filter(pk=bad.pk).update(item_no="gone")
    assert b"know gone any more" in _offers(inside, "accept", bad.pk)
