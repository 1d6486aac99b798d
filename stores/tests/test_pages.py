"""The stores' pages: what each role sees and does there, without a channel being asked."""

from typing import Any

import pytest
from django.utils import timezone

from common.errors import CredentialsRefused, ProviderUnavailable
from common.testing.people import make_user
from stores import services
from stores.models import Store, StoreCredential

pytestmark = pytest.mark.django_db

SECRET = "owl-key-0123456789"


@pytest.fixture
def store() -> Store:
    return services.create_store(
        channel="brickowl", name="Owl <b>1</b>", credentials={"key": SECRET}, now=timezone.now()
    )


@pytest.fixture
def owner(client: Any) -> Any:
    client.force_login(make_user(role="owner"))
    return client


def _as(client: Any, role: str) -> Any:
    client.force_login(make_user(role=role, email=f"{role}@shop.example"))
    return client


def test_shows_a_new_shop_what_to_do_first(owner: Any, client: Any) -> None:
    page = owner.get("/stores/").content.decode()
    assert "No store is connected yet" in page
    assert 'href="/stores/connect/"' in page
    assert "Own counter" in page


def test_shows_every_store_and_no_secret(owner: Any, store: Store) -> None:
    page = owner.get("/stores/").content.decode()
    assert "Owl &lt;b&gt;1&lt;/b&gt;" in page
    assert "Connected" in page
    detail = owner.get(f"/stores/{store.pk}/").content.decode()
    assert "••••6789" in detail
    for body in (page, detail, owner.get(f"/stores/{store.pk}/settings/").content.decode()):
        assert SECRET not in body


def test_leads_a_reader_to_nothing_that_a_reader_may_not_do(client: Any, store: Store) -> None:
    reader = _as(client, "readonly")
    page = reader.get("/stores/").content.decode() + reader.get(f"/stores/{store.pk}/").content.decode()
    for path in ("stores/connect", *(f"{store.pk}/{verb}" for verb in ("settings", "switch", "disconnect", "test"))):
        assert f"{path}/" not in page
    assert reader.post(f"/stores/{store.pk}/switch/", {"to": "off"}).status_code == 403


def test_says_what_is_wrong_and_what_comes_next(owner: Any, store: Store) -> None:
    now = timezone.now()
    services.note_failure(store_id=store.pk, error=CredentialsRefused("Brick Owl doesn't know this key."), now=now)
    page = owner.get(f"/stores/{store.pk}/").content.decode()
    assert "Brick Owl doesn&#x27;t know this key." in page
    assert "Replace credentials" in page
    services.set_credentials(store_id=store.pk, credentials={"key": SECRET})
    services.note_failure(store_id=store.pk, error=ProviderUnavailable("Away."), now=now)
    for path in ("/stores/", f"/stores/{store.pk}/"):
        assert "Last try failed, tried again soon" in owner.get(path).content.decode()
    for _failure in range(6):
        services.note_failure(store_id=store.pk, error=ProviderUnavailable("Away.", retry_after=60), now=now)
    assert "It is tried again by itself" in owner.get(f"/stores/{store.pk}/").content.decode()


def test_changes_a_store(owner: Any, store: Store) -> None:
    page = owner.get(f"/stores/{store.pk}/settings/").content.decode()
    assert "Hours between checks" in page
    parts = ("Stock", "Orders", "Prices", "Quantities", "Fields")
    assert [page.index(f"<h2>{each}</h2>") for each in parts] == sorted(
        page.index(f"<h2>{each}</h2>") for each in parts
    )
    assert "Retain" not in page
    values = {
        "name": "Night owl", "version": store.version, "is_primary": "on", "sync_interval_hours": "6",
        "import_orders_since": "2026-11-01", "push_tracking": "on", "price_change": "PERCENT", "price_value": "-5",
        "price_rounding": "NONE", "keep_back": "2", "at_most": "", "fields_synced": ["price", "remarks"],
        "repair_drift": "on",
    }  # fmt: skip
    answer = owner.post(f"/stores/{store.pk}/settings/", values)
    assert (answer.status_code, answer["Location"]) == (302, f"/stores/{store.pk}/")
    store.refresh_from_db()
    assert (store.name, store.is_primary) == ("Night owl", True)
    assert store.settings["price_rule"]["value"] == "-5"
    assert store.settings["fields"] == ["price", "remarks"]
    assert store.settings["repair_drift"] is True
    assert (store.settings["auto_sync"], store.settings["quantity_rule"]["keep_back"]) == (False, 2)
    again = owner.post(f"/stores/{store.pk}/settings/", values)
    assert again.status_code == 409
    assert "Somebody else changed the store meanwhile" in again.content.decode()
    wrong = owner.post(f"/stores/{store.pk}/settings/", {**values, "version": "2", "sync_interval_hours": "999"})
    assert wrong.status_code == 422
    assert "A whole number from 1 to 168" in wrong.content.decode()


def test_switches_a_store_off_and_on(owner: Any, store: Store) -> None:
    owner.post(f"/stores/{store.pk}/switch/", {"to": "off"})
    assert "Switched off" in owner.get("/stores/").content.decode()
    owner.post(f"/stores/{store.pk}/switch/", {"to": "on"})
    store.refresh_from_db()
    assert store.is_enabled


def test_asks_before_it_disconnects(owner: Any, store: Store) -> None:
    assert "Orders that came from it stay" in owner.get(f"/stores/{store.pk}/disconnect/").content.decode()
    assert StoreCredential.objects.exists()
    owner.post(f"/stores/{store.pk}/disconnect/")
    assert not StoreCredential.objects.exists()
    assert "Disconnected, 1" in owner.get("/stores/").content.decode()
    assert "Connect again" in owner.get(f"/stores/{store.pk}/").content.decode()
