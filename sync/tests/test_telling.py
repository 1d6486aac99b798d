"""Channels hear how their orders stand: once it works, in their own words, and never what they said themselves."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone

from common import steps
from common.errors import ProviderError
from common.redis_client import client
from common.testing.dying import Killed, listening
from common.testing.sandbox import SandboxProcess
from events.dispatch import dispatch
from orders import services
from orders.models import Order
from sync.models import OrderTold
from sync.queries import asking
from sync.queries import orders as queries
from sync.services import pulling, telling
from sync.tests.sellers import CODES, Seller, order_numbered

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick", "hasty")]

SHIPPED = {"bricklink": "SHIPPED", "brickowl": "Shipped", "brikick": "SHIPPED"}


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    yield Seller(sandbox, code)
    steps.listen(None)


@pytest.fixture
def number(seller: Seller) -> str:
    """Answer an order that is paid and here."""
    _lot, lot_number = seller.listed(qty=10)
    made = seller.order((lot_number, 2))
    seller.buyer(made, "pay")
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    dispatch()
    return made


def ship(number: str, tracking: str = "") -> Order:
    order = order_numbered(number)
    if tracking:
        services.update_order(order_id=order.pk, changes={"tracking_number": tracking}, now=timezone.now())
    services.ship_order(order_id=order.pk, now=timezone.now())
    dispatch()
    return order_numbered(number)


def tell(seller: Seller) -> int:
    client().flushdb()
    return telling.tell_store(store_id=seller.store.pk, now=timezone.now())


def there(seller: Seller, number: str) -> tuple[str, str]:
    from sync.services import connect  # noqa: PLC0415  # only here

    found = connect(seller.store.pk, call_class="urgent").fetch_order(number)  # type: ignore[arg-type]
    assert found is not None
    return found.channel_status, found.tracking_number


@pytest.mark.parametrize("code", CODES)
def test_tells_that_an_order_left_and_where_it_is(code: str, seller: Seller, number: str) -> None:
    # What the channel told is no news to it.
    assert not OrderTold.objects.exists()
    order = ship(number, "RR123456785PT")
    assert tell(seller) == 1
    assert there(seller, number) == (SHIPPED[code], "RR123456785PT")
    told = OrderTold.objects.get()
    assert ([row["what"] for row in told.said], told.is_due, told.error) == (["tracking number", "shipped"], False, "")
    before = len(seller.sandbox.asked())
    assert tell(seller) == 0
    assert len(seller.sandbox.asked()) == before
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    order.refresh_from_db()
    assert order.status == "SHIPPED"
    dispatch()
    assert not OrderTold.objects.filter(is_due=True).exists()


@pytest.mark.parametrize("code", ["bricklink"])
def test_tells_nothing_that_the_seller_does_not_want_told(code: str, seller: Seller, number: str) -> None:
    seller.change(settings={"push_order_status": False, "push_tracking": False})
    ship(number, "RR1")
    assert not OrderTold.objects.exists()
    seller.change(settings={"push_completed": False, "push_delivered": False})
    services.change_status(order_id=order_numbered(number).pk, status="COMPLETED", now=timezone.now())
    dispatch()
    # Delivered is the buyer's word there; that it was shipped isn't.
    tell(seller)
    assert there(seller, number)[0] == SHIPPED[code]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", ["status", "reset_after", "reset_before", "half_json", "html"])
def test_tells_it_again_until_it_is_known(code: str, kind: str, seller: Seller, number: str) -> None:
    ship(number, "RR1")
    extra: dict[str, Any] = {"status": 503} if kind in ("status", "html") else {}
    seller.sandbox.fault(kind, service=code, times=7, **extra)
    for _ in range(10):
        try:
            tell(seller)
        except ProviderError:
            assert OrderTold.objects.get().error
        OrderTold.objects.update(retry_at=None)
    assert there(seller, number) == (SHIPPED[code], "RR1")
    told = OrderTold.objects.get()
    assert (told.is_due, told.error) == (False, "")


@pytest.mark.parametrize("code", CODES)
def test_a_worker_may_die_at_every_step_of_telling(code: str, seller: Seller) -> None:
    _lot, lot_number = seller.listed(qty=1000)

    def telling_of(stop_at: int | None) -> tuple[str, list[str]]:
        number = seller.order((lot_number, 2))
        seller.buyer(number, "pay")
        pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
        ship(number, "RR1")
        seen: list[str] = []

        def listener(name: str) -> None:
            seen.append(name)
            if stop_at is not None and len(seen) == stop_at + 1:
                raise Killed

        with suppress(Killed), listening(listener):
            tell(seller)
        return number, seen

    number, recorded = telling_of(None)
    assert len(recorded) >= 5
    for stop_at in range(len(recorded)):
        number, _seen = telling_of(stop_at)
        tell(seller)
        assert there(seller, number) == (SHIPPED[code], "RR1")
        assert not OrderTold.objects.filter(is_due=True).exists()


@pytest.mark.parametrize("code", ["brikick"])
def test_a_cancellation_is_told_and_its_lots_are_looked_at(code: str, seller: Seller, number: str) -> None:
    order = order_numbered(number)
    services.cancel_order(order_id=order.pk, now=timezone.now())
    dispatch()
    tell(seller)
    assert seller.status(number) == "CANCELLED"
    assert seller.must_read(order.lines.get().external_lot_id)


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_refusal_is_said_and_ends_with_a_person(code: str, seller: Seller, number: str) -> None:
    ship(number)
    refused: dict[str, Any] = {
        "kind": "status",
        "meta_code": 422,
        "message": "PARAMETER_MISSING_OR_INVALID",
        "description": "No.",
    }
    seller.sandbox.fault(**refused, service=code, method="PUT")
    for _ in range(8):
        tell(seller)
        OrderTold.objects.update(retry_at=None)
    told = OrderTold.objects.get()
    assert (told.is_due, told.error) == (False, "BrickLink doesn't take this: No.")
    seller.sandbox.control("DELETE", "faults")
    telling.tell_again(order_id=told.pk, now=timezone.now())
    assert tell(seller) == 1
    assert there(seller, number)[0] == SHIPPED[code]


@pytest.mark.parametrize("code", ["brickowl"])
def test_what_was_typed_here_stays_as_it_was_typed(code: str, seller: Seller, number: str) -> None:
    order = ship(number)
    changes = {"tracking_number": "RR1", "tracking_url": "https://carrier.example/RR1"}
    services.update_order(order_id=order.pk, changes=changes, now=timezone.now())
    dispatch()
    tell(seller)
    # Brick Owl has one field for both.
    assert there(seller, number) == (SHIPPED[code], "https://carrier.example/RR1")
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    order.refresh_from_db()
    assert (order.tracking_number, order.tracking_url) == ("RR1", "https://carrier.example/RR1")
    dispatch()
    assert tell(seller) == 0


@pytest.mark.parametrize("code", ["brikick"])
def test_what_cannot_be_told_yet_is_said_and_told_as_soon_as_it_can_be(code: str, seller: Seller) -> None:
    _lot, lot_number = seller.listed(qty=10)
    number = seller.order((lot_number, 2))
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    order = order_numbered(number)
    services.change_status(order_id=order.pk, status="PENDING", now=timezone.now())
    # Sent on trust: Brikick has its sellers ship only what is paid.
    services.ship_order(order_id=order.pk, now=timezone.now())
    dispatch()
    tell(seller)
    assert seller.status(number) == "PENDING"
    told = queries.told_of(order_numbered(number))
    assert told is not None
    assert (told.waits, told.is_due, told.said) == (True, False, ())
    assert "can't be told that it is shipped as long as it stands there as PENDING" in told.error
    assert queries.of_store(seller.store.pk).untold[0].waits
    # It waits without asking for it again.
    assert (tell(seller), asking.stores_to_tell(timezone.now())) == (0, [])
    seller.buyer(number, "pay")
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    assert asking.stores_to_tell(timezone.now()) == [seller.store.pk]
    assert tell(seller) == 1
    assert seller.status(number) == "SHIPPED"
    told = queries.told_of(order_numbered(number))
    assert told is not None
    assert (told.waits, told.is_due, told.error, [each.what for each in told.said]) == (False, False, "", ["shipped"])


@pytest.mark.parametrize("code", ["brikick"])
def test_what_comes_first_there_is_told_first(code: str, seller: Seller, number: str) -> None:
    seller.change(settings={"currency": "EUR", "push_delivered": True})
    ship(number)
    services.change_status(order_id=order_numbered(number).pk, status="DELIVERED", now=timezone.now())
    dispatch()
    tell(seller)
    assert seller.status(number) == "DELIVERED"


@pytest.mark.parametrize("code", ["bricklink", "brickowl"])
def test_a_cancellation_that_no_program_can_tell_is_left_to_the_seller(code: str, seller: Seller, number: str) -> None:
    order = order_numbered(number)
    services.cancel_order(order_id=order.pk, now=timezone.now())
    dispatch()
    tell(seller)
    told = queries.told_of(order_numbered(number))
    assert told is not None
    assert (told.waits, told.said) == (True, ())
    assert "takes from nobody but you that it is cancelled" in told.error
    seller.buyer(number, "cancel")
    pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    tell(seller)
    told = queries.told_of(order_numbered(number))
    assert told is not None
    assert (told.waits, told.is_due, told.error) == (False, False, "")
