"""P17: how long it takes until a sale on one channel is seen on the other's wire, idle and with much else waiting."""

import threading
import time
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from common import workspace
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryExternalId
from inventory.testing import make_lot
from sync.services import push_store
from sync.services.pulling import pull_orders
from sync.tests.sellers import Seller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick"), pytest.mark.timeout(300)]
_MOST_S = 5.0
WAITING = 80


@pytest.fixture
def shops(sandbox: SandboxProcess) -> tuple[Seller, Seller]:
    return Seller(sandbox, "bricklink"), Seller(sandbox, "brikick")


def test_shows_a_sale_to_the_other_store_by_events_alone(shops: tuple[Seller, Seller]) -> None:
    """Nobody calls the push: the order's events do."""
    here, there = shops
    lot, number = here.listed(qty=5)
    other = there.put(quantity=5)
    there.list(lot, other)
    for seller in shops:
        push_store(store_id=seller.store.pk, now=timezone.now())
    there.order((other, 5))
    began = time.monotonic()
    pull_orders(store_id=there.store.pk, now=timezone.now())
    took = time.monotonic() - began
    assert number not in here.there()
    assert took < _MOST_S


def test_lets_a_sale_go_before_what_is_less_urgent(shops: tuple[Seller, Seller]) -> None:
    """At four calls a second the other changes take twenty seconds; the sale isn't the last of them."""
    here, _other = shops
    sold, number = here.listed(qty=5, no="3003")
    remote = InventoryExternalId.objects.get(external_lot_id=number)
    rows = [{"type": "PART", "no": "3001", "color_id": 5, "quantity": 9, "price": 1200}] * WAITING
    numbers = here.sandbox.control("POST", f"sellers/{here.id}/lots", {"lots": rows})["ids"]
    for key in numbers:
        lot = make_lot(qty=9, unit_price=Decimal("0.13"))
        base = {**remote.base, "qty": 9, "remarks": "", "description": ""}
        InventoryExternalId.objects.create(
            inventory_item=lot, store=here.store, external_lot_id=str(key), base=base
        )  # fmt: skip
    name = workspace.current_key()
    ended = threading.Event()

    def work() -> None:
        try:
            with workspace.enter(name):
                push_store(store_id=here.store.pk, now=timezone.now())
        finally:
            ended.set()
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(4)
    began = time.monotonic()
    inventory.adjust_stock(lot_id=sold.pk, qty_available=0, now=timezone.now())
    while number in here.there() and time.monotonic() - began < 60:
        time.sleep(0.1)
    took = time.monotonic() - began
    was_busy = not ended.is_set()
    thread.join(120)
    assert was_busy
    assert took < _MOST_S
