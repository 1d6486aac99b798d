"""Whatever breaks while orders are read: once it works again each order is there, and its pieces have moved once."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone

from common import steps
from common.errors import BudgetExhausted, Conflict, ProviderError
from common.redis_client import client
from common.testing.dying import Killed, listening
from common.testing.sandbox import SandboxProcess
from orders.models import Order
from stores.choices import StoreState
from stores.models import StoreSyncState
from sync.models import StuckOrder
from sync.services import pulling
from sync.tests.sellers import CODES, Seller, check_books, order_numbered, qty_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick", "hasty")]

FAULTS: list[dict[str, Any]] = [
    {"kind": "rate_limit", "times": 2},
    {"kind": "rate_limit", "times": 2, "retry_after": 1},
    {"kind": "rate_limit", "times": 1, "retry_after": "nonsense"},
    {"kind": "status", "status": 500, "probability": 0.34},
    {"kind": "status", "status": 502, "times": 9},
    {"kind": "status", "status": 503, "times": 3},
    {"kind": "timeout_after", "seconds": 0.1, "times": 3},
    {"kind": "reset_after", "times": 6},
    {"kind": "reset_before", "times": 6},
    {"kind": "half_json", "times": 6},
    {"kind": "half_body", "times": 6},
    {"kind": "html", "status": 200, "times": 6},
    {"kind": "html", "status": 503, "times": 6},
    {"kind": "empty", "times": 6},
    {"kind": "short_list", "every": 2, "times": 2},
    {"kind": "short_list", "most": 0, "times": 2},
    {"kind": "wrong_encoding", "times": 3},
]


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    made = Seller(sandbox, code)
    yield made
    steps.listen(None)
    check_books()


def pull_until_done(seller: Seller, *, tries: int = 12) -> int:
    """Read as the schedule does until all went well; answer how often it didn't."""
    for failed in range(tries):
        # Twenty seconds later, the channel is tried once more.
        client().flushdb()
        try:
            done = pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
        except (ProviderError, BudgetExhausted):
            continue
        if not done.stuck:
            return failed
        StuckOrder.objects.update(retry_at=timezone.now())
    pytest.fail(f"not done after {tries} tries")


@pytest.mark.parametrize("code", CODES)
def test_each_order_comes_in_once_whatever_the_channel_answers(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=1000)
    sold = 0
    for count, fault in enumerate(FAULTS, start=1):
        orders = [seller.order((number, 3)), seller.order((number, 2))]
        sold += 5
        seller.sandbox.fault(service=code, **fault)
        pull_until_done(seller)
        seller.sandbox.control("DELETE", "faults")
        # What a short list left out comes with the next.
        pull_until_done(seller)
        assert Order.objects.count() == 2 * count, fault
        assert all(order_numbered(each).lines.get().qty_reserved for each in orders), fault
        assert qty_of(lot.pk) == (1000 - sold, sold), fault
        assert seller.base(number) == seller.there()[number] == 1000 - sold, fault
    assert not StuckOrder.objects.exists()
    assert StoreSyncState.objects.get(store=seller.store).state == StoreState.OK


@pytest.mark.parametrize("code", CODES)
def test_a_worker_may_die_at_every_step(code: str, seller: Seller) -> None:
    lot, number = seller.listed(qty=1000)

    def reading(stop_at: int | None) -> list[str]:
        """Read two new orders; die at that step."""
        seller.order((number, 3))
        seller.order((number, 2))
        seen: list[str] = []

        def listener(name: str) -> None:
            seen.append(name)
            if stop_at is not None and len(seen) == stop_at + 1:
                raise Killed

        with suppress(Killed), listening(listener):
            pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
        return seen

    recorded = reading(None)
    assert set(recorded) >= {"sync.orders_fetched", "sync.order_taken", "sync.order_committed", "sync.cursor_kept"}
    sold = 5
    for stop_at in range(len(recorded)):
        died = reading(stop_at)
        assert len(died) == stop_at + 1
        sold += 5
        pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
        assert qty_of(lot.pk) == (1000 - sold, sold), died
        assert seller.base(number) == seller.there()[number] == 1000 - sold, died
        check_books()
    assert Order.objects.count() == 2 * (len(recorded) + 1)


@pytest.mark.parametrize("code", CODES)
def test_a_store_that_refuses_is_not_asked_into_a_lock_out(code: str, seller: Seller) -> None:
    _lot, number = seller.listed(qty=10)
    seller.order((number, 1))
    seller.sandbox.fault("token_revoked", times=1)
    # The call that it befell may still have been answered.
    for _ in range(2):
        with suppress(ProviderError, Conflict):
            pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    assert StoreSyncState.objects.get(store=seller.store).state == StoreState.NEEDS_RECONNECT
    before = len(seller.sandbox.asked())
    with pytest.raises(Conflict):
        pulling.pull_orders(store_id=seller.store.pk, now=timezone.now())
    assert len(seller.sandbox.asked()) == before
