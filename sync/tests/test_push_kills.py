"""A worker killed at each step of a push: pieces are where they should be, and no lot is there twice."""

import signal
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils import timezone

from common.testing.dying import in_a_process, killed, recorded
from common.testing.sandbox import SandboxProcess
from common.wire import CallClass
from inventory import services as inventory
from inventory.models import InventoryExternalId, InventoryItem, StockMovement
from inventory.testing import make_lot
from sync.models import ListingState
from sync.queries import pending
from sync.services import connect, push_store
from sync.services.pulling import pull_orders
from sync.tests.sellers import CODES, Seller, check_books

pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick", "unthrottled", "no_worker"),
    pytest.mark.timeout(400),
]  # fmt: skip


# What we want there, by what becomes of a lot: its pieces here, and how many a buyer has taken meanwhile.
FEWER, NONE, PRICE, NEW, SECOND = 4, 0, 10, 6, 3
SOLD = 1
# The place of the first answer among the steps: what is behind is compared, then meant, then asked.
ANSWERED = 2


class Round:
    """Some lots of which each is to be changed in another way there."""

    def __init__(self, seller: Seller, number: int) -> None:
        self.seller = seller
        self.before = set(seller.there())
        self.fewer, self.fewer_no = seller.listed(qty=10, no="3003")
        self.none, self.none_no = seller.listed(qty=10, no="3004")
        self.price, self.price_no = seller.listed(qty=10, no="3001")
        self._at_rest()
        if seller.code == "brickowl":
            # What our number is there, as the catalog would know.
            there = connect(seller.store.pk, call_class=CallClass.URGENT).fetch_lot(self.price_no)
            assert there is not None
            inventory.set_item_mapping(
                system="brickowl", external_id=there.item.item_no, item_type="PART", item_no=self.price.item_no,
                now=timezone.now(),
            )  # fmt: skip
        self.new = [self._new(qty) for qty in (NEW, SECOND)]
        now = timezone.now()
        inventory.adjust_stock(lot_id=self.fewer.pk, qty_available=FEWER, now=now)
        inventory.adjust_stock(lot_id=self.none.pk, qty_available=NONE, now=now)
        changes = {"unit_price": Decimal("0.13"), "remarks": f"C-{number}"}
        inventory.update_lot(lot_id=self.price.pk, changes=changes, now=now)

    def _at_rest(self) -> None:
        assert push_store(store_id=self.seller.store.pk, now=timezone.now()).problem == ""

    def _new(self, qty: int) -> InventoryItem:
        lot = make_lot(qty=qty, item_no=self.price.item_no, color_id=5)
        InventoryExternalId.objects.create(inventory_item=lot, store=self.seller.store)
        return lot

    def sell(self) -> None:
        """Have a buyer take a piece, whose order nobody has read yet."""
        self.seller.order((self.fewer_no, SOLD))

    def check(self, *, sold: int) -> None:
        there = self.seller.there()
        assert list(ListingState.objects.exclude(error="").values_list("error", flat=True)) == []
        assert not pending.is_behind(self.seller.store, now=timezone.now())
        numbers = [self._number(lot) for lot in self.new]
        assert there[self.fewer_no] == FEWER - sold
        assert there.get(self.none_no, 0) == NONE
        assert there[self.price_no] == PRICE
        assert [there[number] for number in numbers] == [NEW, SECOND]
        assert len(set(there) - self.before - {self.none_no}) == 4
        pieces = {row.pk: (row.qty_available, row.qty_reserved) for row in InventoryItem.objects.all()}
        assert pieces[self.fewer.pk] == (FEWER - sold, sold)
        assert [pieces[lot.pk] for lot in self.new] == [(NEW, 0), (SECOND, 0)]
        assert not StockMovement.objects.filter(kind="CHANNEL_EDIT").exists()
        check_books()

    def _number(self, lot: InventoryItem) -> str:
        return str(InventoryExternalId.objects.get(inventory_item=lot).external_lot_id)


def push(seller: Seller) -> None:
    result = push_store(store_id=seller.store.pk, now=timezone.now())
    assert result.problem == ""


@pytest.mark.parametrize("code", CODES)
def test_ends_the_same_wherever_its_worker_is_killed(code: str, sandbox: SandboxProcess, tmp_path: Path) -> None:
    seller = Seller(sandbox, code)
    clean = Round(seller, 0)
    names = recorded(lambda: push(seller), tmp_path / "steps")
    clean.check(sold=0)
    assert {"sync.compared", "sync.intended", "sync.answered", "sync.settled"} <= set(names)
    assert ("sync.looked_up" in names) is (code == "bricklink")
    for place, name in enumerate(names):
        disturbed = Round(seller, place + 1)
        assert killed(lambda: push(seller), place) == signal.SIGKILL, name
        # Somebody buys while nobody is there.
        disturbed.sell()
        assert in_a_process(lambda: push(seller)) == 0, name
        pull_orders(store_id=seller.store.pk, now=timezone.now())
        push(seller)
        disturbed.check(sold=SOLD)
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]


@pytest.mark.parametrize("code", CODES)
def test_ends_the_same_wherever_it_is_killed_while_it_looks(code: str, sandbox: SandboxProcess) -> None:
    """One worker is killed before it has kept an answer; who looks after that is killed too, at each of its steps."""
    seller = Seller(sandbox, code)
    place, status = 0, int(signal.SIGKILL)
    while status:
        disturbed = Round(seller, place)
        assert killed(lambda: push(seller), ANSWERED) == signal.SIGKILL
        status = killed(lambda: push(seller), place)
        assert in_a_process(lambda: push(seller)) == 0
        disturbed.check(sold=0)
        place += 1
    assert place > 3
