"""A suspended shop's stores: orders come in, so that nothing is lost; what goes out waits, and goes on afterwards."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from common.redis_client import client as redis
from common.testing.clients import ShopClient
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from jobs.choices import JobStatus
from orders import services as orders
from sync.choices import RunStatus
from sync.models import Notice, NotifyAddress, OrderTold
from sync.queries import asking
from sync.services import notifying, push_store, pushing, runs, telling
from sync.services.pulling import pull_orders
from sync.tests.running import carry_out, go_on, local, plan
from sync.tests.sellers import Seller, check_books, order_numbered, qty_of
from tenants.models import Tenant
from tenants.services import reactivate, suspend

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


@pytest.fixture
def seller(sandbox: SandboxProcess) -> Iterator[Seller]:
    yield Seller(sandbox, "bricklink")
    check_books()


def stop() -> None:
    suspend(tenant_id=Tenant.objects.get(slug="shop").pk, reason="Invoice 7 is open.", now=timezone.now())
    # What is kept of the shop is written anew with the commit, which a test hasn't.
    redis().flushdb()


def take_up() -> None:
    reactivate(tenant_id=Tenant.objects.get(slug="shop").pk)
    redis().flushdb()


def test_orders_come_in_and_stock_goes_on_where_it_was(seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    push_store(store_id=seller.store.pk, now=timezone.now())
    stop()
    order = seller.order((number, 3))
    assert asking.stores_to_read(timezone.now() + timedelta(hours=1)) == [seller.store.pk]
    pull_orders(store_id=seller.store.pk, now=timezone.now())
    assert order_numbered(order).lines.get().qty_reserved == 3
    inventory.adjust_stock(lot_id=lot.pk, qty_available=5, now=timezone.now())
    for by_hand in (False, True):
        assert push_store(store_id=seller.store.pk, now=timezone.now(), by_hand=by_hand).done == 0
    assert not pushing.has_more(seller.store.pk, now=timezone.now())
    assert (qty_of(lot.pk), seller.there()[number]) == ((5, 3), 7)
    take_up()
    assert push_store(store_id=seller.store.pk, now=timezone.now()).done == 1
    assert seller.there()[number] == 5


def test_nobody_is_told_of_an_order_meanwhile(seller: Seller) -> None:
    _lot, number = seller.listed(qty=10)
    order = seller.order((number, 3))
    seller.buyer(order, "pay")
    pull_orders(store_id=seller.store.pk, now=timezone.now())
    orders.ship_order(order_id=order_numbered(order).pk, now=timezone.now())
    telling.have_told(order_id=order_numbered(order).pk, now=timezone.now())
    stop()
    assert asking.stores_to_tell(timezone.now()) == []
    assert telling.tell_store(store_id=seller.store.pk, now=timezone.now()) == 0
    assert seller.status(order) == "PAID"
    assert OrderTold.objects.get().is_due
    take_up()
    assert telling.tell_store(store_id=seller.store.pk, now=timezone.now()) == 1
    assert seller.status(order) == "SHIPPED"


def test_a_run_waits_and_goes_on(seller: Seller) -> None:
    lot, number = seller.listed(qty=10)
    seller.change(settings={**seller.store.settings, "auto_sync": False})
    push_store(store_id=seller.store.pk, now=timezone.now(), by_hand=True)
    inventory.adjust_stock(lot_id=lot.pk, qty_available=7, now=timezone.now())
    run = plan(local(), seller.store)
    stop()
    run = carry_out(run)
    assert run.status == RunStatus.APPLYING
    assert run.apply_job is not None
    assert (run.apply_job.status, seller.there()[number]) == (JobStatus.PENDING, 10)
    assert "suspended" in run.apply_job.progress_message
    assert runs.start_due_checks(now=timezone.now() + timedelta(days=2)) == 0
    take_up()
    run = go_on(run)
    assert (run.status, seller.there()[number]) == (RunStatus.COMPLETED, 7)


def test_what_a_channel_tells_is_taken_in(client: ShopClient, seller: Seller) -> None:
    notifying.give_address(store_id=seller.store.pk)
    token = NotifyAddress.objects.get().token
    stop()
    told = [{"event_type": "Order", "resource_id": 25000101, "timestamp": "2026-11-26T10:00:00.000Z"}]
    path = f"/api/v1/channels/bricklink/notify/{token}"
    assert client.post(path, told, content_type="application/json").status_code == 204
    assert Notice.objects.count() == 1
