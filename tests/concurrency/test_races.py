"""C1, C2, C4: the last pieces are sold on two marketplaces while everybody is at them at once.

`RACE_SECONDS=3600 bin/test tests/concurrency/test_races.py` goes on for an hour, `RACE_SEED=2` is another game.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from random import Random

import pytest
from django.utils import timezone

from common.errors import ProblemError
from common.testing.sandbox import SandboxProcess
from common.testing.threads import in_threads
from events import dispatch
from inventory import services as inventory
from jobs import runner
from jobs.models import JobRun
from orders import services as orders
from orders.models import Order, OrderLine
from orders.testing import pick
from sync.choices import RunStatus
from sync.models import SyncConflict, SyncRun
from sync.queries.runs import view_of
from sync.services import push_store, runs
from sync.services.pulling import pull_orders
from sync.services.turns import Busy
from sync.tests.running import carry_out, local, plan
from sync.tests.sellers import Seller
from tests.concurrency.market import Market, any_order

SECONDS = float(os.environ.get("RACE_SECONDS", "4"))
SEED = int(os.environ.get("RACE_SEED", "1"))
pytestmark = [
    pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick", "unthrottled", "no_worker"),
    pytest.mark.timeout(300 + 2 * SECONDS), pytest.mark.xdist_group("browser"),
]  # fmt: skip
FEW = [1, 2, 3, 4, 5, 1, 2, 3]
MOST_UNREAD = 30
Deed = Callable[[Random], object]


class Crowd:
    """Threads that each do what is theirs, over and over."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.done: dict[str, int] = {}
        self._lock = threading.Lock()

    def race(self, *roles: tuple[Deed, ...]) -> None:
        """Have a thread for each role do one of its deeds after the other, until the time is over."""
        until = time.monotonic() + SECONDS

        def work(number: int) -> None:
            dice = Random(SEED * 100 + number)  # noqa: S311  # a game
            while time.monotonic() < until:
                deed = dice.choice(roles[number])
                try:
                    deed(dice)
                except ProblemError:
                    # Somebody else was faster, or it isn't possible any more.
                    continue
                with self._lock:
                    self.done[deed.__name__] = self.done.get(deed.__name__, 0) + 1

        failures = in_threads(work, len(roles))
        for failure in failures:
            raise failure

    # --- Who does what --------------------------------------------------------------------------------------------
    def pull(self, dice: Random) -> None:
        pull_orders(store_id=dice.choice(self.market.sellers).store.pk, now=timezone.now())

    def push(self, dice: Random) -> None:
        push_store(store_id=dice.choice(self.market.sellers).store.pk, now=timezone.now())

    def tell(self, _dice: Random) -> None:
        dispatch.dispatch()
        time.sleep(0.05)

    def buy(self, dice: Random) -> None:
        # Where the machine is busy, nobody gets through with reading what buyers think of meanwhile.
        if len(self.market.sold) - Order.objects.count() < MOST_UNREAD:
            self.market.buy(dice, dice.choice(self.market.sellers))
        time.sleep(dice.random() / 10)

    def pick(self, dice: Random) -> None:
        """Pick some of an order's pieces; some aren't there."""
        order_id = any_order(dice)
        if order_id is None:
            return
        picks = {}
        for line in OrderLine.objects.filter(order=order_id):
            missing = line.qty_missing + (line.qty_reserved > line.qty_picked and dice.random() < 0.1)
            picks[line.pk] = (line.qty_reserved - missing + line.qty_missing, missing)
        pick(order_id, picks)

    def count(self, dice: Random) -> None:
        lot = dice.choice(self.market.lots)
        inventory.adjust_stock(lot_id=lot.pk, qty_available=dice.randint(0, 5), now=timezone.now())
        time.sleep(dice.random() / 10)

    def edit(self, dice: Random) -> None:
        changes = {"unit_price": Decimal(dice.randint(10, 99)) / 100, "remarks": f"A-{dice.randint(1, 99)}"}
        inventory.update_lot(lot_id=dice.choice(self.market.lots).pk, changes=changes, now=timezone.now())
        time.sleep(dice.random() / 10)

    def ship(self, dice: Random) -> None:
        order_id = any_order(dice)
        if order_id is not None and dice.random() < 0.3:
            orders.ship_order(order_id=order_id, now=timezone.now())

    def cover(self, _dice: Random) -> None:
        orders.cover_shortages(lot_ids=[lot.pk for lot in self.market.lots], now=timezone.now())

    def cancel(self, dice: Random) -> None:
        """Have a buyer cancel; the marketplace gives the pieces back, or doesn't."""
        if self.market.sold:
            self.market.cancel(dice.choice(self.market.sold), restock=dice.random() < 0.5)
        time.sleep(dice.random() / 5)

    def meddle(self, dice: Random) -> None:
        """Be the seller who changes a lot on a marketplace's own pages."""
        self.market.meddle(dice)
        time.sleep(dice.random() / 5)


@pytest.fixture
def market(sandbox: SandboxProcess) -> Market:
    return Market(sandbox, FEW, codes=("bricklink", "brickowl"))


@pytest.mark.slow
def test_last_pieces_are_promised_once_whoever_sells_counts_and_picks(market: Market) -> None:
    crowd = Crowd(market)
    crowd.race(
        (crowd.pull,), (crowd.push,), (crowd.pull, crowd.push), (crowd.tell,), (crowd.buy,), (crowd.buy,),
        (crowd.pick, crowd.ship, crowd.cover), (crowd.count, crowd.edit),
    )  # fmt: skip
    market.settle()
    market.check()
    assert len(market.sold) > SECONDS / 4
    assert {"pull", "push", "pick", "count", "edit"} <= set(crowd.done)
    assert Order.objects.exists()


@pytest.mark.slow
def test_cancelled_orders_give_back_what_there_is_and_no_more(market: Market) -> None:
    crowd = Crowd(market)
    crowd.race(
        (crowd.pull,), (crowd.push,), (crowd.pull, crowd.push), (crowd.tell,), (crowd.buy,), (crowd.buy,),
        (crowd.cancel,), (crowd.count, crowd.pick),
    )  # fmt: skip
    market.settle()
    market.check()


@pytest.mark.slow
def test_what_somebody_changed_there_meanwhile_is_brought_into_step_by_the_next_run(market: Market) -> None:
    crowd = Crowd(market)
    crowd.race(
        (crowd.pull,), (crowd.push,), (crowd.pull, crowd.push), (crowd.tell,), (crowd.buy,), (crowd.buy,),
        (crowd.meddle,), (crowd.count, crowd.pick),
    )  # fmt: skip
    for lot in market.lots:
        inventory.adjust_stock(lot_id=lot.pk, qty_available=4, now=timezone.now())
    market.settle(is_few_enough=False)
    # What was sold in the last two minutes no run touches: nobody can tell yet what was sold of it and what edited.
    market.let_time_pass()
    for _round in range(2):
        # What one store's edit changes here is another's to show.
        for seller in market.sellers:
            # Much is sold out there, or taken for deleted: a person says that it really has so few.
            run = plan(local(), seller.store, options={"accepts_few": True})
            assert run.status == RunStatus.PREVIEW_READY, run.error_message
            view = view_of(run, now=timezone.now())
            if view.to_do:
                run = carry_out(run, confirmed=view.removals_to_confirm)
                assert run.status == RunStatus.COMPLETED, run.error_message
        market.settle()
    assert not SyncConflict.objects.filter(decision="").exists()
    market.check(edited=True)


# --- Runs -------------------------------------------------------------------------------------------------------------
def planned(seller: Seller, *, key: str) -> SyncRun:
    run = plan(local(), seller.store, key=key)
    assert run.status == RunStatus.PREVIEW_READY, run.error_message
    return run


@pytest.fixture
def bricklink(sandbox: SandboxProcess) -> Seller:
    """Answer a store whose one lot is to be changed by a run alone."""
    seller = Seller(sandbox, "bricklink")
    lot, _number = seller.listed(qty=9)
    seller.change(settings={**seller.store.settings, "auto_sync": False})
    inventory.adjust_stock(lot_id=lot.pk, qty_available=4, now=timezone.now())
    return seller


def test_a_plan_that_is_approved_by_many_at_once_is_carried_out_once(bricklink: Seller) -> None:
    run = planned(bricklink, key="one")
    failures = in_threads(lambda _number: runs.approve_run(run_id=run.pk, now=timezone.now()), 6)
    assert failures == []
    (job,) = JobRun.objects.filter(job_type=runs.APPLY)
    # Its task is delivered twice, and two workers take it.
    assert in_threads(lambda _number: runner.run_job(job_id=job.pk, with_heartbeat=False), 3) == []
    job.refresh_from_db()
    assert (job.status, job.attempt) == ("COMPLETED", 1)
    assert list(bricklink.there().values()) == [4]


def test_of_two_plans_for_a_store_that_are_approved_at_once_one_is_carried_out(bricklink: Seller) -> None:
    plans = [planned(bricklink, key=str(number)) for number in range(3)]
    failures = in_threads(lambda number: runs.approve_run(run_id=plans[number].pk, now=timezone.now()), 3)
    assert [type(failure).__name__ for failure in failures] == ["Conflict"] * 2
    assert JobRun.objects.filter(job_type=runs.APPLY).count() == 1
    assert SyncRun.objects.filter(status=RunStatus.APPLYING).count() == 1


def test_many_who_push_at_once_send_each_change_once(bricklink: Seller) -> None:
    bricklink.change(settings={**bricklink.store.settings, "auto_sync": True})
    done = []

    def push(_number: int) -> None:
        with suppress(Busy):
            done.append(push_store(store_id=bricklink.store.pk, now=timezone.now()).done)

    before = len(bricklink.sandbox.asked())
    assert in_threads(push, 6) == []
    sent = [asked for asked in bricklink.sandbox.asked()[before:] if asked["method"] == "PUT"]
    assert (sum(done), len(sent)) == (1, 1)
    assert list(bricklink.there().values()) == [4]
