"""The end of a shop: an owner's word, thirty days, then nothing of it is left."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError, connection
from django.utils import timezone

from accounts.services import issue_tokens
from catalog import services as catalog
from catalog.models import MappingOffer
from common import actor, steps
from common.errors import PermissionDenied
from common.testing.clients import ShopClient
from common.testing.people import PASSWORD, make_user
from events.models import Event
from notifications.models import QueuedEmail
from tenants import queries, routing, schemas, services
from tenants.errors import NoDeletionRequested
from tenants.models import DeletedTenant, Domain, Tenant
from tenants.tasks import delete_due
from tenants.testing import create_shop, in_schema
from tenants.tests.people import sign_in

pytestmark = pytest.mark.django_db

FORM = {"name": "Test shop", "password": PASSWORD}
GRACE = timedelta(days=30)


def test_is_asked_for_and_taken_back_on_the_page(client: Any):
    owner = sign_in(client)
    assert b"Delete Test shop in 30 days" in client.get("/settings/data/").content

    assert client.post("/settings/data/deletion/", {**FORM, "name": " test  SHOP "}).status_code == 302

    assert queries.shop_settings().deletion_requested_at is not None
    assert b"Cancel deletion" in client.get("/settings/data/").content
    mail = QueuedEmail.objects.get(template_key="tenant_deletion_requested")
    assert mail.to_email == owner.email
    assert Event.objects.filter(event_type="tenant.deletion_requested").exists()
    assert client.post("/settings/data/deletion/cancel/").status_code == 302
    assert queries.shop_settings().deletion_requested_at is None


@pytest.mark.django_db(transaction=True)
def test_stands_on_every_page_meanwhile(client: Any):
    sign_in(client)
    assert b"will be deleted" not in client.get("/").content

    client.post("/settings/data/deletion/", FORM)

    assert b"Test shop will be deleted on" in client.get("/").content


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"name": "Test"}, "Type the shop"), ({"password": "wrong"}, "password is wrong"), ({"name": ""}, "required")],
)
def test_needs_the_name_and_the_password(client: Any, changes: dict[str, str], words: str):
    sign_in(client)

    response = client.post("/settings/data/deletion/", {**FORM, **changes})

    assert response.status_code == 422
    assert words in response.content.decode()
    assert queries.shop_settings().deletion_requested_at is None


def test_lets_nobody_guess_the_password(client: Any):
    sign_in(client)
    for _ in range(5):
        client.post("/settings/data/deletion/", {**FORM, "password": "wrong"})

    response = client.post("/settings/data/deletion/", FORM)

    assert b"Too many tries" in response.content
    assert queries.shop_settings().deletion_requested_at is None


def test_is_an_owners_alone(client: Any):
    make_user(role="owner")
    sign_in(client, role="admin")

    assert b"Only an owner can delete the shop" in client.get("/settings/data/").content
    assert client.post("/settings/data/deletion/", FORM).status_code == 403
    assert client.post("/settings/data/deletion/cancel/").status_code == 403


def test_is_nothing_that_a_key_or_a_job_may_do():
    for kind in (actor.ActorKind.API_KEY, actor.ActorKind.JOB):
        who = actor.Actor(kind=kind, id="1", name="erp", permissions=frozenset({"settings:write"}))
        with actor.use(who), pytest.raises(PermissionDenied):
            services.request_deletion(name="Test shop", password=PASSWORD, now=timezone.now())


def test_is_asked_for_and_taken_back_by_programs(client: Any):
    user = make_user(role="owner")
    pair = issue_tokens(email=user.email, password=PASSWORD, now=user.created_at)
    headers = {"HTTP_AUTHORIZATION": f"Bearer {pair.access_token}"}

    def ask(**body: str) -> Any:
        return client.post("/api/v1/tenant/deletion", body, content_type="application/json", **headers)

    assert ask(name="Test shop", password="wrong").json()["errors"] == {"/password": ["The password is wrong."]}
    assert ask(name="Test shop").status_code == 422
    answer = ask(name="Test shop", password=PASSWORD)
    assert answer.status_code == 202
    assert answer.json()["delete_on"]
    assert client.delete("/api/v1/tenant/deletion", **headers).status_code == 204
    assert client.delete("/api/v1/tenant/deletion", **headers).json()["type"].endswith("no-deletion-requested")


def test_changes_nothing_when_asked_for_again():
    first = services.request_deletion(name="Test shop", password="", now=timezone.now())
    again = services.request_deletion(name="Test shop", password="", now=timezone.now() + timedelta(days=3))

    assert again.deletion_requested_at == first.deletion_requested_at


def test_cannot_be_taken_back_before_it_was_asked_for():
    with pytest.raises(NoDeletionRequested):
        services.cancel_deletion()


def test_is_taken_back_by_our_staff_for_an_owner():
    tenant = services.request_deletion(name="Test shop", password="", now=timezone.now())
    with in_schema("public"):
        services.cancel_deletion_of(tenant_id=tenant.pk)

    tenant.refresh_from_db()
    assert tenant.deletion_requested_at is None


# --- the end --------------------------------------------------------------------------------------------------------


@pytest.fixture
def doomed() -> Tenant:
    """A second shop whose grace period is over."""
    tenant = create_shop(schema="t_doomed", host=f"doomed.{settings.BASE_DOMAIN}", name="Doomed")
    with in_schema("t_doomed"):
        make_user(role="owner", email="ana@example.com")
        tenant.deletion_requested_at = timezone.now() - GRACE
        tenant.save()
    return tenant


@pytest.fixture(autouse=True)
def _files_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}},
    }


def test_leaves_nothing_but_that_the_address_was_taken(doomed: Tenant):
    default_storage.save("jobs/t_doomed/1/export.zip", ContentFile(b"x"))
    default_storage.save("jobs/t_shop/1/export.zip", ContentFile(b"x"))
    with in_schema("t_doomed"):
        catalog.offer_mapping(
            system="brickowl", external_id="900999", item_type="PART", item_no="3001", now=timezone.now()
        )
    with in_schema("public"):
        assert services.delete_due(now=timezone.now()) == 1

    assert not schemas.exists("t_doomed")
    assert not MappingOffer.objects.exists()
    assert not Tenant.objects.filter(slug="doomed").exists()
    assert not Domain.objects.filter(domain__startswith="doomed").exists()
    assert not default_storage.exists("jobs/t_doomed")
    assert default_storage.exists("jobs/t_shop/1/export.zip")
    assert ShopClient(host=f"doomed.{settings.BASE_DOMAIN}").get("/").status_code == 404
    gone = DeletedTenant.objects.get()
    assert (gone.slug, gone.hosts, gone.files_removed_at is not None) == (
        "doomed",
        ["doomed.testserver.localhost"],
        True,
    )
    with in_schema("public"):
        assert QueuedEmail.objects.get(template_key="tenant_deleted").to_email == "ana@example.com"
        assert not queries.availability("doomed").is_free
        assert queries.availability("doomed", now=timezone.now() + timedelta(days=91)).is_free
    assert schemas.exists("t_shop")


def test_waits_for_the_thirty_days(doomed: Tenant):
    with in_schema("public"):
        assert services.delete_due(now=timezone.now() - timedelta(minutes=1)) == 0
    assert schemas.exists("t_doomed")


def test_spares_a_shop_that_was_kept(doomed: Tenant):
    with in_schema("public"):
        services.cancel_deletion_of(tenant_id=doomed.pk)
        assert services.delete_due(now=timezone.now()) == 0


def test_deletes_the_others_where_one_can_not_go(doomed: Tenant):
    second = create_shop(schema="t_second", host=f"second.{settings.BASE_DOMAIN}", name="Second")
    with in_schema("t_second"):
        second.deletion_requested_at = timezone.now() - GRACE
        second.save()
    drops: list[str] = []

    def refuse_first(name: str) -> None:
        if name == "tenants.schema_dropped":
            drops.append(name)
            if len(drops) == 1:
                raise OperationalError("out of shared memory")

    steps.listen(refuse_first)
    try:
        with in_schema("public"):
            assert services.delete_due(now=timezone.now()) == 1
    finally:
        steps.listen(None)
    assert schemas.exists("t_doomed")
    assert not schemas.exists("t_second")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["tenants.schema_dropped", "tenants.files_removed"])
def test_is_finished_by_the_next_run_when_it_breaks_off(doomed: Tenant, step: str):
    default_storage.save("jobs/t_doomed/1/export.zip", ContentFile(b"x"))

    def die(name: str) -> None:
        if name == step:
            raise KeyboardInterrupt

    steps.listen(die)
    try:
        with in_schema("public"), pytest.raises(KeyboardInterrupt):
            services.delete_due(now=timezone.now())
    finally:
        steps.listen(None)
    assert schemas.exists("t_doomed") == Tenant.objects.filter(slug="doomed").exists()

    with time_machine.travel(timezone.now() + timedelta(hours=1)), in_schema("public"):
        delete_due()

    assert not schemas.exists("t_doomed")
    assert not default_storage.exists("jobs/t_doomed")
    assert DeletedTenant.objects.get().files_removed_at is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.notifications_queuedemail WHERE template_key = 'tenant_deleted'")
        assert cursor.fetchone() == (1,)


@pytest.mark.django_db(transaction=True)
def test_is_seen_at_once_by_who_asks_for_the_host(doomed: Tenant):
    host = f"doomed.{settings.BASE_DOMAIN}"
    with in_schema("public"):
        assert routing.tenant_for_host(host) is not None
        services.delete_due(now=timezone.now())
        assert routing.tenant_for_host(host) is None
        assert routing.tenant_for_schema("t_doomed") is None
