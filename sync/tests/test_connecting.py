"""Stores are connected only once their channel has answered; what it says is told in plain words."""

import json
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from common.errors import Conflict
from common.testing.people import PASSWORD, make_user
from common.wire import CallClass
from inventory.models import InventoryExternalId
from inventory.testing import make_lot
from stores import queries
from stores import services as stores
from stores.models import Store, StoreCredential, StoreSyncState
from sync import services
from sync.tests.conftest import credentials_of
from sync.tests.scripted import Fault, Scripted, literal, refused

pytestmark = pytest.mark.django_db

CREDENTIALS = credentials_of("bricklink")


@pytest.fixture
def code() -> str:
    return "bricklink"


@pytest.fixture(autouse=True)
def _asked_here(script: Scripted) -> Any:
    with override_settings(CHANNEL_URLS={"bricklink": script.url}):
        yield


@pytest.fixture
def store() -> Store:
    return stores.create_store(channel="bricklink", name="Link", credentials=CREDENTIALS, now=timezone.now())


@pytest.fixture
def inside(client: Any) -> Any:
    user = make_user(role="owner", email="me@shop.example")
    client.post("/account/login/", {"login": user.email, "password": PASSWORD})
    client.post("/account/confirm/", {"password": PASSWORD})
    return client


def _unreachable(script: Scripted) -> None:
    script.answer("GET orders", refused(401, "BAD_OAUTH_REQUEST", "TOKEN_IP_MISMATCHED: consumer: CK IP: 198.51.100.7"))


def test_adds_a_store_by_what_it_says_of_itself(inside: Any, script: Scripted) -> None:
    assert "Choose" in inside.get("/stores/connect/").content.decode()
    page = inside.get("/stores/connect/bricklink/").content.decode()
    assert "Token secret" in page
    answer = inside.post("/stores/connect/bricklink/", CREDENTIALS)
    made = Store.objects.get(channel="bricklink")
    assert (answer.status_code, answer["Location"]) == (302, f"/stores/{made.pk}/settings/?new=1")
    assert (made.name, made.settings["currency"]) == ("Demo Bricks", "EUR")
    assert getattr(made.credential.set_by, "email", "") == "me@shop.example"
    assert "Name and role" in inside.get(answer["Location"]).content.decode()


def test_adds_none_where_the_channel_refuses_and_says_what_to_do(inside: Any, script: Scripted) -> None:
    _unreachable(script)
    for headers in ({}, {"HX-Request": "true", "HX-Target": "div#answer"}):
        answer = inside.post("/stores/connect/bricklink/", CREDENTIALS, headers=headers)
        body = answer.content.decode()
        assert answer.status_code == 422
        assert "Add 198.51.100.7 under “Register”" in body
        assert not [value for value in CREDENTIALS.values() if "SECRET-" in value and value in body]
    assert not Store.objects.filter(channel="bricklink").exists()


def test_says_what_is_missing_without_asking_anybody(inside: Any, script: Scripted) -> None:
    answer = inside.post("/stores/connect/bricklink/", {**CREDENTIALS, "token": " "})
    assert answer.status_code == 422
    assert "Token value" in answer.content.decode()
    assert not script.asked
    assert inside.get("/stores/connect/local/").status_code == 404
    assert inside.get("/stores/connect/amazon/").status_code == 404


def test_adds_one_store_where_the_button_was_pressed_twice(inside: Any, script: Scripted) -> None:
    inside.post("/stores/connect/bricklink/", CREDENTIALS)
    again = inside.post("/stores/connect/bricklink/", CREDENTIALS)
    assert again.status_code == 422
    assert "connected already: Demo Bricks" in again.content.decode()
    assert Store.objects.filter(channel="bricklink").count() == 1


def test_asks_who_it_is_before_secrets_are_typed(client: Any) -> None:
    client.force_login(make_user(role="owner"))
    assert "/account/confirm/" in client.get("/stores/connect/bricklink/")["Location"]
    answer = client.post("/stores/connect/bricklink/", CREDENTIALS)
    assert answer.status_code == 403
    assert "confirm that it&#x27;s you" in answer.content.decode()
    assert not [value for value in CREDENTIALS.values() if value in str(dict(client.session))]


def test_replaces_what_opens_a_store_only_by_what_opens_it(inside: Any, store: Store, script: Scripted) -> None:
    path, fresh = f"/stores/{store.pk}/credentials/", {**CREDENTIALS, "token": "another-token-1234"}
    _unreachable(script)
    assert inside.post(path, fresh).status_code == 422
    assert StoreCredential.objects.get(store=store).encrypted_data == CREDENTIALS
    script.answers.clear()
    assert inside.post(path, fresh).status_code == 302
    assert StoreCredential.objects.get(store=store).encrypted_data == fresh
    assert "••••1234" in inside.get(f"/stores/{store.pk}/").content.decode()


def _of_another(script: Scripted, *, has_orders: bool = True) -> None:
    """Have the channel answer as another seller's store."""
    rows = [{**row, "seller_name": "somebody"} for row in literal("bricklink", "orders.json")] if has_orders else []
    body = {"meta": {"description": "OK", "message": "OK", "code": 200}, "data": rows}
    script.answer("GET orders", body)


def _listed(store: Store, number: str) -> None:
    base = {"qty": 42, "price": "0.12"}
    InventoryExternalId.objects.create(inventory_item=make_lot(), store=store, external_lot_id=number, base=base)


def test_a_second_token_of_one_store_is_no_second_store(inside: Any, script: Scripted) -> None:
    inside.post("/stores/connect/bricklink/", CREDENTIALS)
    again = inside.post("/stores/connect/bricklink/", {**CREDENTIALS, "token": "another-token-1234"})
    assert again.status_code == 422
    assert "connected already: Demo Bricks" in again.content.decode()
    assert Store.objects.filter(channel="bricklink").count() == 1


@pytest.mark.parametrize("way", ["page", "api"])
def test_another_stores_credentials_are_not_taken(way: str, inside: Any, script: Scripted) -> None:
    inside.post("/stores/connect/bricklink/", CREDENTIALS)
    store = Store.objects.get(channel="bricklink")
    fresh = {**CREDENTIALS, "token": "another-token-1234"}
    _of_another(script)
    status, said = _replace(inside, store, fresh, way)
    assert (status, "open another store: Demo Bricks" in said) == (409 if way == "api" else 422, True)
    assert StoreCredential.objects.get(store=store).encrypted_data == CREDENTIALS
    # One that is called otherwise there by now is the same by its lots.
    _listed(store, "301000017")
    assert _replace(inside, store, fresh, way)[0] == (200 if way == "api" else 302)
    store.refresh_from_db()
    assert (store.account, StoreCredential.objects.get(store=store).encrypted_data) == ("somebody", fresh)


@pytest.mark.parametrize("way", ["page", "api"])
def test_a_store_without_a_name_is_known_by_its_lots(way: str, inside: Any, store: Store, script: Scripted) -> None:
    fresh = {**CREDENTIALS, "token": "another-token-1234"}
    _of_another(script, has_orders=False)
    _listed(store, "999")
    script.answer("GET inventories/999", refused(404, "RESOURCE_NOT_FOUND", "inventory 999"))
    status, said = _replace(inside, store, fresh, way)
    assert (status, "open another store" in said) == (409 if way == "api" else 422, True)
    assert StoreCredential.objects.get(store=store).encrypted_data == CREDENTIALS
    _listed(store, "301000017")
    assert _replace(inside, store, fresh, way)[0] == (200 if way == "api" else 302)


def _replace(client: Any, store: Store, credentials: dict[str, str], way: str) -> tuple[int, str]:
    if way == "page":
        answer = client.post(f"/stores/{store.pk}/credentials/", credentials)
    else:
        path = f"/api/v1/stores/{store.pk}/credentials"
        answer = client.post(path, {"credentials": credentials}, content_type="application/json")
    return answer.status_code, answer.content.decode()


def test_the_api_takes_what_the_channel_takes_and_never_gives_it_back(inside: Any, script: Scripted) -> None:
    body = {"channel": "bricklink", "name": "Link"}
    made = inside.post("/api/v1/stores", body, content_type="application/json").json()
    store = Store.objects.get(pk=made["id"])
    _unreachable(script)
    status, said = _replace(inside, store, CREDENTIALS, "api")
    assert (status, "Add 198.51.100.7" in said) == (422, True)
    assert not StoreCredential.objects.exists()
    script.answers.clear()
    status, said = _replace(inside, store, CREDENTIALS, "api")
    assert (status, json.loads(said)["is_connected"]) == (200, True)
    assert not [value for value in CREDENTIALS.values() if value in said]
    script.fail(Fault("status", 500, {}))
    assert _replace(inside, store, CREDENTIALS, "api")[0] == 503
    script.faults.clear()
    asked = len(script.asked)
    status, said = _replace(inside, store, {"secret": "very-secret-thing"}, "api")
    assert (status, "very-secret-thing" in said, len(script.asked)) == (422, False, asked)
    counter = Store.objects.get(channel="local")
    assert _replace(inside, counter, CREDENTIALS, "api")[0] == 409


def test_connects_a_disconnected_store_again(inside: Any, store: Store) -> None:
    stores.disconnect_store(store_id=store.pk, now=timezone.now())
    inside.post(f"/stores/{store.pk}/credentials/", CREDENTIALS)
    assert queries.get_view(store.pk, now=timezone.now()).health == "ok"


def test_tests_a_store_and_keeps_what_came_of_it(inside: Any, store: Store, script: Scripted) -> None:
    now = timezone.now()
    good = services.probe_store(store_id=store.pk, now=now)
    assert good.facts is not None
    assert (good.facts.name, good.calls_left) == ("Demo Bricks", 4999)
    assert StoreSyncState.objects.get(store=store).rate_limit_state["used"] == 1
    _unreachable(script)
    inside.post(f"/stores/{store.pk}/test/")
    view = queries.get_view(store.pk, now=now)
    assert view.health == "refused"
    assert "Add 198.51.100.7" in inside.get(f"/stores/{store.pk}/").content.decode()
    script.answers.clear()
    inside.post(f"/stores/{store.pk}/test/")
    assert queries.get_view(store.pk, now=now).health == "ok"


def test_tells_programs_precisely_what_is_wrong(inside: Any, store: Store, script: Scripted) -> None:
    path = f"/api/v1/stores/{store.pk}/test"
    good = inside.post(path, content_type="application/json").json()
    assert (good["ok"], good["shop_name"], good["currency"], good["reason"]) == (True, "Demo Bricks", "EUR", None)
    _unreachable(script)
    bad = inside.post(path, content_type="application/json").json()
    assert (bad["ok"], bad["reason"], bad["address"]) == (False, "address", "198.51.100.7")
    counter = Store.objects.get(channel="local")
    assert inside.post(f"/api/v1/stores/{counter.pk}/test", content_type="application/json").status_code == 409


def test_leaves_a_store_alone_that_fails_and_shows_it(inside: Any, store: Store, script: Scripted) -> None:
    script.fail(Fault("status", 500, {}))
    for _time in range(6):
        result = services.probe_store(store_id=store.pk, now=timezone.now())
        assert result.error is not None
    asked = len(script.asked)
    assert services.probe_store(store_id=store.pk, now=timezone.now()).error is not None
    assert len(script.asked) == asked
    assert queries.get_view(store.pk, now=timezone.now()).left_alone_s > 0
    assert "after repeated failures" in inside.get(f"/stores/{store.pk}/").content.decode()


def test_connects_only_what_is_switched_on_and_open(store: Store) -> None:
    assert services.connect(store.pk, call_class=CallClass.USUAL).spec.code == "bricklink"
    stores.update_store(store_id=store.pk, changes={"is_enabled": False})
    with pytest.raises(Conflict, match="switched off"):
        services.connect(store.pk, call_class=CallClass.USUAL)
    stores.update_store(store_id=store.pk, changes={"is_enabled": True})
    StoreCredential.objects.all().delete()
    with pytest.raises(Conflict, match="disconnected"):
        services.connect(store.pk, call_class=CallClass.USUAL)
    with pytest.raises(Conflict, match="no server"):
        services.connect(Store.objects.get(channel="local").pk, call_class=CallClass.USUAL)


def test_asks_a_store_at_its_own_address(script: Scripted) -> None:
    store = stores.create_store(
        channel="bricklink", name="Far", credentials=CREDENTIALS, base_url="http://127.0.0.1:1/", now=timezone.now()
    )
    result = services.probe_store(store_id=store.pk, now=timezone.now())
    assert result.error is not None
    assert not script.asked
