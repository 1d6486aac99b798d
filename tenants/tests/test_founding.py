"""A shop is founded whole or not at all, once for its address, and as fast as the first."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from accounts import queries as people
from audit import context
from audit.models import ChangeSet
from common import steps
from common.errors import Invalid
from common.testing.clients import ShopClient
from tenants import routing, schemas, services
from tenants.errors import AddressRefused, AddressTaken
from tenants.models import DeletedTenant, Tenant
from tenants.services import Founder
from tenants.services.founding import schema_for
from tenants.testing import in_schema

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _on_the_site() -> Iterator[None]:
    with in_schema("public"):
        yield


def _found(slug: str = "anas", **values: str) -> services.Founded:
    return services.found_tenant(
        slug=slug,
        name=values.pop("name", "Ana's Bricks"),
        founder=Founder(email="ana@example.com", display_name="Ana Silva", password=PASSWORD),
        now=timezone.now(),
        **values,
    )


def test_makes_a_shop_with_its_schema_host_and_owner():
    with context.change_set("request", is_named=False):
        founded = _found(currency="GBP", time_zone="Europe/London", country="GB")

    shop = routing.tenant_for_host(f"anas.{settings.BASE_DOMAIN}")
    assert shop is not None
    assert (shop.name, shop.currency, shop.timezone, shop.country) == ("Ana's Bricks", "GBP", "Europe/London", "GB")
    assert founded.tenant.current_version == "lite"
    with routing.within(shop):
        assert [owner.email for owner in people.owners()] == ["ana@example.com"]
        assert authenticate(None, email="ana@example.com", password=PASSWORD) == founded.owner
        deed = ChangeSet.objects.get()
        assert deed.action == "tenants.found_tenant"
    assert authenticate(None, email="ana@example.com", password=PASSWORD) is None


def test_names_schemas_that_are_never_used_again():
    first = _found().tenant
    name = first.schema_name

    assert name.startswith("t_anas_")
    assert len(_found("a" * 63).tenant.schema_name) == 63
    assert name != schema_for("anas", Tenant().id)


@pytest.mark.parametrize("slug", ["www", "A B", "-x-", "brikonnect", "ab"])
def test_refuses_an_address_that_cannot_be(slug: str):
    with pytest.raises(AddressRefused) as caught:
        _found(slug)
    assert "/slug" in caught.value.errors


def test_refuses_an_address_that_is_taken():
    _found()

    with pytest.raises(AddressTaken, match="another shop"):
        _found()


def test_refuses_an_address_that_rests():
    now = timezone.now()
    DeletedTenant.objects.create(
        schema_name="t_anas_0", slug="anas", hosts=[], deleted_at=now, reusable_at=now + timedelta(days=1)
    )
    with pytest.raises(AddressTaken):
        _found()


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"name": " \t"}, "/name"),
        ({"name": "x" * 121}, "/name"),
        ({"currency": "CHF"}, "/currency"),
        ({"time_zone": "Mars/Olympus"}, "/timezone"),
        ({"country": "XX"}, "/country"),
    ],
)
def test_refuses_what_no_shop_can_be(values: dict[str, str], pointer: str):
    with pytest.raises(Invalid) as caught:
        _found(**values)
    assert list(caught.value.errors) == [pointer]


@pytest.mark.django_db(transaction=True)
def test_lets_one_of_several_win_an_address():
    won: list[str] = []
    lost: list[Exception] = []
    start = threading.Barrier(4)

    def race() -> None:
        try:
            start.wait()
            won.append(_found().tenant.slug)
        except AddressTaken as error:
            lost.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=race) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert (len(won), len(lost)) == (1, 3)
    assert Tenant.objects.filter(slug="anas").count() == 1
    assert _schemas() == {"t_shop", Tenant.objects.get(slug="anas").schema_name}


def _schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%'")
        return {name for (name,) in cursor.fetchall()}


STEPS = ["tenants.before_schema", "tenants.after_schema", "tenants.before_commit"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
def test_leaves_nothing_when_the_connection_dies_on_the_way(step: str):
    def die(name: str) -> None:
        if name == step:
            with schemas.session() as other:
                other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    steps.listen(die)
    try:
        with pytest.raises(OperationalError):
            _found()
    finally:
        steps.listen(None)
    connection.close()

    assert _schemas() == {"t_shop"}
    assert not Tenant.objects.filter(slug="anas").exists()
    assert ShopClient(host=f"anas.{settings.BASE_DOMAIN}").get("/").status_code == 404
    assert _found().tenant.slug == "anas"


def test_walks_all_its_steps():
    seen: list[str] = []
    steps.listen(seen.append)
    try:
        _found()
    finally:
        steps.listen(None)
    assert [name for name in seen if name.startswith("tenants.")] == STEPS


def test_takes_back_what_was_made_before_it_went_wrong():
    with pytest.raises(Invalid), transaction.atomic():
        services.found_tenant(
            slug="anas", name="Ana", founder=Founder(email="nobody", display_name=""), now=timezone.now()
        )
    assert _schemas() == {"t_shop"}
