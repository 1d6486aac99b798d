"""A shop whose lots are for sale on two marketplaces at once, and the oracles that hold once all has come to rest."""

from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any
from urllib.error import HTTPError
from uuid import UUID

from django.db.models import F, Sum
from django.utils import timezone

from audit import bulk
from common.errors import ProblemError
from common.testing.sandbox import SandboxProcess
from events import dispatch
from events.models import Event, Telling
from inventory.models import InventoryExternalId, InventoryItem, StockMovement
from inventory.testing import make_lot
from notifications.models import Notification
from orders import lifecycle
from orders.models import Order, OrderLine
from stores.models import Store
from sync.models import ListingState, StuckOrder
from sync.queries import pending
from sync.queries.wanted import wanted
from sync.services import push_store
from sync.services.doubts import DELETED_THERE
from sync.services.pulling import pull_orders
from sync.tests.running import teach
from sync.tests.sellers import Seller, check_books

COLORS = (1, 5, 11, 7, 8, 9)
# Rounds of reading and sending until nothing is left to do; each follows what the one before has found.
# What is said of a store whose list is so short that it may be half of it.
_FEWER = "far fewer lots"
_ROUNDS = 12


class Market:
    """Lots that are on both marketplaces with the same pieces."""

    def __init__(self, sandbox: SandboxProcess, quantities: list[int], *, codes: tuple[str, str]) -> None:
        self.sandbox = sandbox
        self.sellers = [Seller(sandbox, code) for code in codes]
        self.lots: list[InventoryItem] = []
        self.sold: list[str] = []
        # What was put there before is none of ours.
        self.strangers = {seller.code: set(seller.there()) for seller in self.sellers}
        for place, qty in enumerate(quantities):
            what: dict[str, Any] = {"no": f"300{1 + place // len(COLORS)}", "color_id": COLORS[place % len(COLORS)]}
            lot = make_lot(qty=qty, item_no=what["no"], color_id=what["color_id"])
            self.lots.append(lot)
            for seller in self.sellers:
                seller.list(lot, seller.put(quantity=qty, **what))
        for seller in self.sellers:
            teach(seller)
            assert push_store(store_id=seller.store.pk, now=timezone.now()).problem == ""

    def buy(self, dice: Random, seller: Seller, *, most: int = 5) -> str:
        """Have a buyer take some of what a store shows; answer the order, or nothing where others were faster."""
        shown = [(no, qty) for no, qty in seller.there().items() if qty and no not in self.strangers[seller.code]]
        if not shown:
            return ""
        chosen = dice.sample(shown, k=min(len(shown), dice.randint(1, 2)))
        try:
            number = seller.order(*((no, dice.randint(1, min(most, qty))) for no, qty in chosen))
        except HTTPError:
            return ""
        self.sold.append(number)
        return number

    def cancel(self, number: str, *, restock: bool) -> bool:
        """Have the buyer cancel an order; tell whether that went."""
        with suppress(HTTPError):
            self.sandbox.control("POST", f"orders/{number}/buyer", {"action": "cancel", "restock": restock})
            return True
        return False

    def meddle(self, dice: Random) -> bool:
        """Have the seller set a lot's pieces on a marketplace's own pages; tell whether that went."""
        seller = dice.choice(self.sellers)
        shown = [no for no in seller.there() if no not in self.strangers[seller.code]]
        with suppress(HTTPError):
            if shown:
                path = f"sellers/{seller.id}/lots/{dice.choice(shown)}"
                self.sandbox.control("PATCH", path, {"quantity": dice.randint(1, 6)})
                return True
        return False

    @staticmethod
    def let_time_pass(hours: int = 1) -> None:
        """Have so many hours pass: what was sold and read until now was so then."""
        earlier = timedelta(hours=hours)
        bulk.update(Order.objects.all(), ordered_at=F("ordered_at") - earlier)
        ListingState.objects.update(read_at=F("read_at") - earlier)

    def settle(self, *, is_few_enough: bool = True) -> None:
        """Do as workers would, until there is nothing left to do.

        `is_few_enough`: False where a store may have sold so much that it waits for a person's word that this is all.
        """
        for _ in range(_ROUNDS):
            problems = []
            for seller in self.sellers:
                try:
                    pull_orders(store_id=seller.store.pk, now=timezone.now())
                    problems.append(push_store(store_id=seller.store.pk, now=timezone.now()).problem)
                except ProblemError as error:
                    problems.append(error.detail or error.title)
            dispatch.dispatch(limit=100_000)
            if not is_few_enough:
                waiting = {problem for problem in problems if _FEWER in problem}
                problems = [problem for problem in problems if problem not in waiting]
                if waiting and not any(problems):
                    return
            if not any(problems) and not self._is_behind():
                return
        raise AssertionError(f"doesn't come to rest: {problems} {self._is_behind()}")

    def _is_behind(self) -> list[str]:
        stores = Store.objects.filter(pk__in=[seller.store.pk for seller in self.sellers])
        return [store.name for store in stores if pending.is_behind(store, now=timezone.now())]

    # --- Oracles ------------------------------------------------------------------------------------------------------
    def check(self, *, edited: bool = False) -> None:
        """Pass where each piece is where it should be, and all were told. `edited`: somebody changed lots there."""
        check_books()
        self.check_orders()
        self.check_stores(edited=edited)
        self.check_told()
        if not edited:
            assert list(StockMovement.objects.filter(kind="CHANNEL_EDIT").values_list("note", flat=True)) == []
        found = self.sandbox.control("GET", "assert/conservation")
        assert found["is_conserved"], found["problems"]

    def check_orders(self) -> None:
        """Each order came in once, and each of its pieces is promised, short or missing."""
        assert list(StuckOrder.objects.values_list("external_order_id", "error")) == []
        assert sorted(Order.objects.values_list("external_order_id", flat=True)) == sorted(self.sold)
        for line in OrderLine.objects.select_related("order"):
            assert line.inventory_item_id is not None, line
            if line.order.status in lifecycle.PROMISED:
                assert line.qty_ordered == line.qty_reserved + line.qty_short + line.qty_missing, line
            assert min(line.qty_reserved, line.qty_short, line.qty_missing) >= 0
        held = dict(
            OrderLine.objects.filter(qty_reserved__gt=0).values_list("inventory_item").annotate(Sum("qty_reserved"))
        )
        for lot in InventoryItem.objects.all():
            assert lot.qty_reserved == held.get(lot.pk, 0), lot
            assert lot.qty_available >= 0, lot

    def check_stores(self, *, edited: bool = False) -> None:
        """Each store shows what is wanted there, each lot once.

        Where somebody edits a lot down and a buyer takes the rest, it is gone as one that was deleted is: nobody lists
        it anew by himself, which matters to nobody as long as there is nothing to be listed.
        """
        for seller in self.sellers:
            listings = list(InventoryExternalId.objects.filter(store=seller.store))
            refused = ListingState.objects.filter(store=seller.store).exclude(
                error__in=["", DELETED_THERE] if edited else [""]
            )
            assert list(refused.values_list("error", flat=True)) == [], seller.code
            wants = wanted(Store.objects.get(pk=seller.store.pk), listings)
            there = seller.there()
            shown = {row.external_lot_id: wants[row.pk].state.qty for row in listings if row.external_lot_id}
            hidden = [row for row in listings if not row.external_lot_id and wants[row.pk].state.qty]
            assert hidden == [], seller.code
            mine = {no: qty for no, qty in there.items() if no not in self.strangers[seller.code]}
            assert {no: qty for no, qty in mine.items() if qty} == {no: qty for no, qty in shown.items() if qty}, (
                seller.code
            )

    def check_told(self) -> None:
        """Everything that happened was told, and each order that came too late rang the bell."""
        assert not Telling.objects.filter(done_at=None).exists()
        late = Event.objects.filter(event_type="inventory.oversold").values_list("payload", flat=True)
        orders = {payload["data"]["cause_id"] for payload in late}
        rung = set(Notification.objects.filter(type="oversold").values_list("reference_id", flat=True))
        short = OrderLine.objects.filter(qty_short__gt=0).values_list("order_id", flat=True)
        assert orders == rung
        assert {str(key) for key in short} <= rung


def any_order(dice: Random) -> UUID | None:
    """Answer an order that is in the house."""
    keys = list(Order.objects.filter(status__in=lifecycle.PROMISED).values_list("pk", flat=True))
    return dice.choice(keys) if keys else None
