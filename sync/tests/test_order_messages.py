"""What was written about an order on its channel is shown with it, when the channel rings or somebody looks."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from common.testing.people import make_user
from common.testing.sandbox import SandboxProcess
from events.dispatch import dispatch
from orders import services
from orders.models import Order
from sync.models import Notice, OrderMessage, OrderTold
from sync.queries import asking
from sync.remote import Topic
from sync.services import pulling
from sync.tasks import look_at_notices
from sync.tests.sellers import Seller, order_numbered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]
HOSTILE = "Where is it?\n<script>alert(1)</script>"


@pytest.fixture
def seller(sandbox: SandboxProcess) -> Seller:
    return Seller(sandbox, "bricklink")


@pytest.fixture
def order(seller: Seller) -> Order:
    """Answer an order about which its buyer has written."""
    _lot, lot_number = seller.listed(qty=10)
    number = seller.order((lot_number, 2))
    seller.buyer(number, "pay")
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    seller.buyer(number, "message", body=HOSTILE, subject="Parcel")
    return order_numbered(number)


def rings(order: Order, number: str) -> None:
    """Have BrickLink tell of a message, and somebody look."""
    Notice.objects.create(
        store=order.store, hint_id=f"Message:{number}", topic=Topic.MESSAGE, resource_id=number,
        received_at=timezone.now(),
    )  # fmt: skip
    assert asking.stores_to_look_at(timezone.now()) == [order.store_id]
    look_at_notices.apply(kwargs={"store_id": str(order.store_id)}, throw=True)
    assert not Notice.objects.filter(worked_at=None).exists()


def page(client: Any, order: Order) -> str:
    text: str = client.get(reverse("sync:told", args=[order.pk])).content.decode()
    return text


def test_a_message_is_read_when_the_channel_tells_of_it(order: Order, seller: Seller, client: Any) -> None:
    client.force_login(make_user(role="owner"))
    assert "None were read yet" in page(client, order)
    rings(order, order.external_order_id)
    text = page(client, order)
    assert "Parcel" in text
    assert "Where is it?<br>&lt;script&gt;" in text
    assert "<script>alert(1)" not in text
    assert OrderMessage.objects.get().is_ours is False
    # Again, with one more: each is there once.
    seller.buyer(order.external_order_id, "message", body="Still not here.")
    client.post(reverse("sync:read_messages", args=[order.pk]))
    bodies = list(OrderMessage.objects.order_by("position").values_list("body", flat=True))
    assert bodies == [HOSTILE, "Still not here."]


def test_a_ring_about_no_order_of_ours_asks_for_nothing(order: Order, seller: Seller) -> None:
    before = len(seller.sandbox.asked())
    rings(order, "424242")
    assert len(seller.sandbox.asked()) == before
    assert not OrderMessage.objects.exists()


def test_messages_go_with_the_buyer_and_do_not_come_back(order: Order, client: Any) -> None:
    client.force_login(make_user(role="owner"))
    services.update_order(order_id=order.pk, changes={"tracking_number": "RR1"}, now=timezone.now())
    services.ship_order(order_id=order.pk, now=timezone.now())
    dispatch()
    OrderTold.objects.update(tracking="RR1")
    rings(order, order.external_order_id)
    assert OrderMessage.objects.exists()
    assert order.buyer_id is not None
    services.erase_buyer(buyer_id=order.buyer_id, now=timezone.now() + timedelta(days=1))
    dispatch()
    assert not OrderMessage.objects.exists()
    assert OrderTold.objects.get().tracking == ""
    client.post(reverse("sync:read_messages", args=[order.pk]))
    assert not OrderMessage.objects.exists()


def test_who_may_only_look_has_nobody_asked(order: Order, seller: Seller, client: Any) -> None:
    client.force_login(make_user(role="readonly"))
    before = len(seller.sandbox.asked())
    assert client.post(reverse("sync:read_messages", args=[order.pk])).status_code == 403
    assert "Look for messages" not in page(client, order)
    assert len(seller.sandbox.asked()) == before
