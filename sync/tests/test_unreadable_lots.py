"""F11: a lot that its channel can't answer is set aside with the reason; the others go on, and it does in the end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from common.redis_client import client
from common.testing.sandbox import SandboxProcess
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem
from stores.choices import StoreState
from stores.models import StoreSyncState
from sync.choices import ItemStatus, RunStatus
from sync.models import ListingState
from sync.queries import pending
from sync.queries.figures import figures_of
from sync.services import bases, push_store
from sync.services.pushing import Pushed
from sync.tests.running import carry_out, lines, local, plan
from sync.tests.sellers import Seller, check_books

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick", "hasty")]
PATHS = {"bricklink": "inventories/{}$", "brikick": "lots/{}$"}
FAULTS: list[dict[str, Any]] = [
    {"kind": "status", "status": 500}, {"kind": "html", "status": 200}, {"kind": "half_json"},
    {"kind": "status", "status": 400},
]  # fmt: skip


@pytest.fixture
def seller(sandbox: SandboxProcess, code: str) -> Iterator[Seller]:
    yield Seller(sandbox, code)
    check_books()


def push(seller: Seller, now: datetime | None = None) -> Pushed:
    client().flushdb()
    return push_store(store_id=seller.store.pk, now=now or timezone.now())


def set_qty(lot: InventoryItem, qty: int) -> None:
    inventory.adjust_stock(lot_id=lot.pk, qty_available=qty, now=timezone.now())


def state_of(number: str) -> ListingState:
    return ListingState.objects.get(listing__external_lot_id=number)


def broken(seller: Seller, number: str, fault: dict[str, Any]) -> None:
    """Have the channel fail over one lot, of which nobody knows how it stands."""
    seller.sandbox.fault(service=seller.code, method="GET", path=PATHS[seller.code].format(number), **fault)
    listing = InventoryExternalId.objects.get(external_lot_id=number)
    bases.must_read(listing_ids=[listing.pk])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: " ".join(map(str, fault.values())))
@pytest.mark.parametrize("code", PATHS)
def test_one_lot_stops_nobody_else(code: str, fault: dict[str, Any], seller: Seller) -> None:
    bad, bad_number = seller.listed(qty=10)
    good, good_number = seller.listed(qty=10, no="3003")
    push(seller)
    broken(seller, bad_number, fault)
    set_qty(bad, 3)
    set_qty(good, 4)
    result = push(seller)
    assert (result.problem, result.left) == ("", False)
    assert (seller.there()[good_number], seller.there()[bad_number]) == (4, 10)
    assert StoreSyncState.objects.get(store=seller.store).state == StoreState.OK
    state = state_of(bad_number)
    assert "can't be read there" in state.error
    (shown,) = figures_of(seller.store, now=timezone.now()).refused
    assert shown.error == state.error
    # Nobody is rung for it all the time, and a change of it is kept for later.
    assert not pending.is_behind(seller.store, now=timezone.now())
    set_qty(bad, 2)
    asked = len(seller.sandbox.asked())
    push(seller)
    assert len(seller.sandbox.asked()) == asked
    assert "can't be read there" in state_of(bad_number).error
    # Once it can be read again it goes there.
    seller.sandbox.control("DELETE", "faults")
    later = timezone.now() + timedelta(minutes=6)
    assert pending.is_behind(seller.store, now=later)
    push(seller, later)
    assert seller.there()[bad_number] == 2
    assert (state_of(bad_number).error, state_of(bad_number).read_again_at) == ("", None)


@pytest.mark.parametrize("code", ["bricklink"])
def test_two_in_a_row_are_the_channel_and_no_lots(code: str, seller: Seller) -> None:
    found = [seller.listed(qty=10, no=no) for no in ("3001", "3003", "3004", "3005")]
    push(seller)
    for _lot, number in found[1:]:
        broken(seller, number, {"kind": "status", "status": 500})
    (good, good_number), *_others = found
    set_qty(good, 4)
    assert push(seller).problem
    assert seller.there()[good_number] == 10
    # Yet each that fails again and again is found out, and the rest goes on.
    for _time in range(2):
        push(seller)
    assert seller.there()[good_number] == 4
    assert ListingState.objects.exclude(error="").count() == 3


@pytest.mark.parametrize("code", ["bricklink"])
def test_a_run_does_the_rest_and_says_which_it_could_not(code: str, seller: Seller) -> None:
    bad, bad_number = seller.listed(qty=10)
    good, good_number = seller.listed(qty=10, no="3003")
    push(seller)
    seller.change(settings={**seller.store.settings, "auto_sync": False})
    set_qty(bad, 3)
    set_qty(good, 4)
    run = plan(local(), seller.store, options={"new_there": "leave"})
    broken(seller, bad_number, {"kind": "status", "status": 500})
    run = carry_out(run)
    assert run.status == RunStatus.COMPLETED, run.error_message
    assert (seller.there()[good_number], seller.there()[bad_number]) == (4, 10)
    failed = [line for line in lines(run) if line.status == ItemStatus.FAILED]
    assert [line.target_external_id for line in failed] == [bad_number]
