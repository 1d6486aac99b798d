"""Channels ring, and we look: nothing that comes in is believed, and nobody rings at another's door."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.testing.people import PASSWORD, make_user
from common.testing.sandbox import SandboxProcess
from orders.models import Order
from sync.addresses import url_of
from sync.models import Notice, NotifyAddress
from sync.queries import asking
from sync.services import notifying
from sync.tasks import listen, look_at_notices, poll_orders
from sync.tests.sellers import Seller, order_numbered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Seller:
    return Seller(sandbox, code)


def run(task: Any, **arguments: str) -> None:
    task.apply(kwargs=arguments, throw=True)


def path_of(seller: Seller) -> str:
    address = NotifyAddress.objects.select_related("store").get(store=seller.store)
    return url_of(address).partition(address.store.channel)[2]


def ring(client: Any, seller: Seller, body: Any, **headers: str) -> Any:
    path = f"/api/v1/channels/{seller.code}{path_of(seller)}"
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_ring_has_the_orders_read(code: str, seller: Seller, client: Any) -> None:
    run(listen, store_id=str(seller.store.pk))
    _lot, number = seller.listed(qty=10)
    order_id = seller.order((number, 1))
    hint = [{"event_type": "Order", "resource_id": int(order_id), "timestamp": "2026-11-26T10:00:00.000Z"}]
    assert ring(client, seller, hint).status_code == 204
    assert ring(client, seller, hint).status_code == 204
    assert Notice.objects.filter(worked_at=None).count() == 1
    assert asking.stores_to_read(timezone.now()) == [seller.store.pk]
    run(look_at_notices, store_id=str(seller.store.pk))
    assert order_numbered(order_id).status == "NEW"
    assert not Notice.objects.filter(worked_at=None).exists()
    assert asking.stores_to_read(timezone.now()) == []


@pytest.mark.parametrize("code", ["bricklink"])
def test_takes_nothing_from_who_has_no_address(code: str, seller: Seller, client: Any) -> None:
    run(listen, store_id=str(seller.store.pk))
    right = f"/api/v1/channels/{code}{path_of(seller)}"
    for wrong in (right[:-1], right.replace("bricklink", "brikick"), right.replace("bricklink", "nothing")):
        assert client.post(wrong, "[]", content_type="application/json").status_code == 404
    for nonsense in ("", "{", "null", '[{"event_type": "Order"}]', "\x00", "[" * 5000):
        assert client.post(right, nonsense, content_type="application/json").status_code in (400, 413)
    assert client.get(right).status_code == 405
    notifying.take_address(store_id=seller.store.pk)
    assert client.post(right, "[]", content_type="application/json").status_code == 404
    assert not Notice.objects.exists()
    assert not Order.objects.exists()


@pytest.mark.parametrize("code", ["brikick"])
def test_registers_itself_and_wants_a_signature(code: str, seller: Seller, client: Any) -> None:
    url = "http://shop.localhost/api/v1/channels/brikick/notify/x"
    notifying.give_address(store_id=seller.store.pk)
    assert notifying.listen(store_id=seller.store.pk, url=url, now=timezone.now())
    address = NotifyAddress.objects.get(store=seller.store)
    assert address.registered_at is not None
    secret = (address.encrypted_data or {})["secret"]
    seller.order((seller.put(quantity=5), 1))
    rows = seller.sandbox.control("GET", "deliveries")
    assert any(row["url"] == url for row in rows)
    stamp = str(int(timezone.now().timestamp()))
    body = json.dumps({"id": "evt_1", "type": "order.created", "store_id": 1, "data": {"id": 70001, "version": 1}})
    path = f"/api/v1/channels/{code}{path_of(seller)}"

    def send(signed_with: str, at: str) -> int:
        import hmac  # noqa: PLC0415  # only here
        from hashlib import sha256  # noqa: PLC0415

        signature = hmac.new(signed_with.encode(), f"{at}.{body}".encode(), sha256).hexdigest()
        headers = {"X-Brikick-Timestamp": at, "X-Brikick-Signature": f"v1={signature}"}
        answer = client.post(path, body, content_type="application/json", headers=headers)
        return int(answer.status_code)

    assert send("another", stamp) >= 400
    assert send(secret, str(int(stamp) - 1000)) >= 400
    assert not Notice.objects.exists()
    assert send(secret, stamp) == send(secret, stamp) == 204
    assert Notice.objects.get().resource_id == "70001"


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_flood_is_held_back(code: str, seller: Seller, client: Any) -> None:
    run(listen, store_id=str(seller.store.pk))
    many = [{"event_type": "Order", "resource_id": each, "timestamp": "t"} for each in range(5_000)]
    for _ in range(15):
        assert ring(client, seller, many).status_code == 204
    assert Notice.objects.count() == 100
    answers = {ring(client, seller, []).status_code for _ in range(300)}
    assert 429 in answers


@pytest.mark.parametrize("code", ["bricklink"])
def test_the_schedule_reads_each_store_in_its_turn(code: str, seller: Seller) -> None:
    now = timezone.now()
    assert asking.stores_to_read(now) == [seller.store.pk]
    assert asking.stores_to_listen_to(now) == [seller.store.pk]
    run(poll_orders)
    for state, at in (("NEEDS_RECONNECT", None), ("PAUSED", now + timedelta(minutes=5))):
        seller.store.sync_state.state, seller.store.sync_state.retry_at = state, at
        seller.store.sync_state.save()
        assert asking.stores_to_read(now) == []
    assert asking.stores_to_read(now + timedelta(minutes=6)) == [seller.store.pk]


@pytest.mark.parametrize("code", ["bricklink"])
def test_the_store_page_says_how_and_keeps_it_from_who_may_not(code: str, seller: Seller, client: Any) -> None:
    run(listen, store_id=str(seller.store.pk))
    token = NotifyAddress.objects.get().token
    for role, sees in (("owner", True), ("staff", False)):
        user = make_user(role=role, email=f"{role}@shop.example")
        client.logout()
        client.post("/account/login/", {"login": user.email, "password": PASSWORD})
        answer = client.get(f"/stores/{seller.store.pk}/orders/")
        if answer.status_code == 200:
            assert (token in answer.content.decode()) is sees
        else:
            assert not sees
