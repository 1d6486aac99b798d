"""Whatever comes at once, and in whatever sequence: no piece is promised twice, and none is lost."""

import time
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import ProblemError
from common.ids import new_id
from common.testing.threads import in_threads
from inventory import services as inventory
from inventory.models import InventoryItem, StockMovement
from inventory.testing import make_lot
from orders import services
from orders.lifecycle import Status
from orders.models import Order, OrderLine
from orders.testing import PLACED, arrive, incoming, incoming_line, make_store, type_in


def _check_books() -> None:
    """What lots have promised is what lines hold, and each lot's movements add up to it."""
    assert inventory.verify_stock() == []
    held: dict[object, int] = {}
    for lot_id, qty in OrderLine.objects.filter(qty_reserved__gt=0).values_list("inventory_item", "qty_reserved"):
        held[lot_id] = held.get(lot_id, 0) + qty
    for lot in InventoryItem.objects.all():
        assert lot.qty_reserved == held.get(lot.pk, 0), lot
        assert lot.qty_available >= 0


# --- Sequences ------------------------------------------------------------------------------------------------------
_STATUSES = (Status.NEW, Status.PENDING, Status.READY, Status.SHIPPED, Status.DELIVERED)
# How the quantities of two lines go on from version to version while the order is in the house, and how it ends.
_stories = st.tuples(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=5),
    st.sampled_from(["waits", "ships", "is cancelled"]),
    st.randoms(use_true_random=False),
)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_stories)
def test_ten_times_in_any_sequence_of_its_versions_is_as_once(story):
    quantities, ending, random = story
    store = make_store(name=f"Store {new_id()}") if not Order.objects.exists() else Order.objects.earliest("pk").store
    lots = [make_lot(qty=30, item_no=f"T{new_id()}"[:40]) for _ in range(2)]
    number = str(new_id())
    versions = [
        incoming(
            *(incoming_line(lot, qty=qty, external_line_id=str(place)) for place, (lot, qty) in
              enumerate(zip(lots, counts, strict=True)) if qty),
            incoming_line(item_no="", item_name="Sticker", qty=1, external_line_id="x"),
            external_order_id=number, as_of=PLACED + timedelta(hours=hour), status=Status.PENDING,
        )
        for hour, counts in enumerate(quantities)
    ]  # fmt: skip
    last = versions[-1]
    end = {"waits": None, "ships": Status.SHIPPED, "is cancelled": Status.CANCELLED}[ending]
    if end:
        versions.append(replace(last, as_of=last.as_of + timedelta(hours=1), status=end))

    told = versions * 10
    random.shuffle(told)
    for version in told:
        arrive(store, version)

    for lot, qty in zip(lots, quantities[-1], strict=True):
        lot.refresh_from_db()
        expected = {"waits": (30 - qty, qty), "ships": (30 - qty, 0), "is cancelled": (30, 0)}[ending]
        assert (lot.qty_available, lot.qty_reserved) == expected
        shipped = StockMovement.objects.filter(inventory_item=lot.pk, kind="SHIP")
        assert shipped.count() == (1 if ending == "ships" and qty else 0)
    assert inventory.verify_stock() == []


# --- Threads --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_two_orders_for_the_last_pieces_share_them_and_one_is_short():
    lot, store = make_lot(qty=5), make_store()

    def order(number: int) -> None:
        arrive(store, incoming(incoming_line(lot, qty=4), external_order_id=str(number)))

    assert in_threads(order, 2) == []
    assert sorted(OrderLine.objects.values_list("qty_reserved", "qty_short")) == [(1, 3), (4, 0)]
    _check_books()


@pytest.mark.django_db(transaction=True)
def test_one_order_that_comes_eight_times_at_once_is_one():
    lot, store = make_lot(qty=50), make_store()
    told = incoming(incoming_line(lot, qty=4))

    assert in_threads(lambda _number: arrive(store, told), 8) == []
    assert Order.objects.count() == 1
    _check_books()


@pytest.mark.django_db(transaction=True)
def test_cancelled_and_shipped_at_once_is_one_of_both():
    lot = make_lot(qty=10)
    order = type_in((lot, 4))
    verbs = (services.cancel_order, services.ship_order)

    failures = in_threads(lambda number: verbs[number % 2](order_id=order.pk, now=timezone.now()), 4)

    order.refresh_from_db()
    lot.refresh_from_db()
    assert {type(failure).__name__ for failure in failures} <= {"IllegalTransition"}
    assert (order.status, lot.qty_available) in {("CANCELLED", 10), ("SHIPPED", 6)}
    _check_books()


@pytest.mark.django_db(transaction=True)
def test_parcels_that_leave_at_once_do_not_wait_for_each_others_lots():
    lots = [make_lot(qty=100, item_no=str(number)) for number in range(2)]
    parcels = []
    for number in range(20):
        # One parcel names the lots in one sequence, the next in the other.
        named = lots if number % 2 else lots[::-1]
        inside = [type_in((lot, 2), buyer_email=f"b{number}@example.com") for lot in named]
        parcels.append(services.ship_together(order_ids=[order.pk for order in inside], now=timezone.now()).pk)

    assert in_threads(lambda place: services.ship_order(order_id=parcels[place], now=timezone.now()), 20) == []
    assert {lot.qty_on_hand for lot in InventoryItem.objects.all()} == {60}
    _check_books()


@pytest.mark.django_db(transaction=True)
def test_two_presses_of_the_button_are_one_order():
    lot, key = make_lot(qty=10), new_id()
    assert in_threads(lambda _number: type_in((lot, 3), order_id=key), 6) == []
    assert Order.objects.count() == 1
    _check_books()


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_eight_hands_that_do_everything_at_once_lose_no_piece_and_lock_nobody_out():  # noqa: C901  # each deed is one
    lots = [make_lot(qty=30, item_no=str(3000 + number)) for number in range(6)]
    stores = [make_store(), make_store("brickowl", "Owl")]
    began = time.monotonic()
    done: dict[str, int] = {}

    def told(random: Random) -> None:
        chosen = random.sample(lots, k=random.randint(1, 4))
        number = random.randint(0, 12)
        status = random.choice([Status.NEW, Status.PENDING, Status.SHIPPED, Status.CANCELLED])
        order = incoming(
            *(incoming_line(lot, qty=random.randint(1, 4)) for lot in chosen), external_order_id=str(number),
            as_of=PLACED + timedelta(hours=random.randint(0, 30)), status=status,
            buyer_email=f"b{number % 3}@example.com", buyer_username=f"b{number % 3}",
        )  # fmt: skip
        arrive(random.choice(stores), order)

    def typed(random: Random) -> None:
        type_in(*((lot, random.randint(1, 3)) for lot in random.sample(lots, k=2)), buyer_email="b1@example.com")

    def moved(random: Random) -> None:
        order = _any(random)
        status = random.choice(["PENDING", "PICKING", "PACKING", "READY", "SHIPPED", "CANCELLED", "COMPLETED"])
        services.change_status(order_id=order.pk, status=status, now=timezone.now())

    def refunded(random: Random) -> None:
        services.refund_order(order_id=_any(random).pk, restock=True, now=timezone.now())

    def solved(random: Random) -> None:
        line = OrderLine.objects.filter(qty_short__gt=0).order_by("?").first()
        if line:
            lot = random.choice(lots)
            services.take_from_lot(order_id=line.order_id, line_id=line.pk, lot_id=lot.pk, qty=1, now=timezone.now())

    def counted(random: Random) -> None:
        lot = random.choice(lots)
        inventory.adjust_stock(lot_id=lot.pk, qty_available=random.randint(0, 30), now=timezone.now())
        services.cover_shortages(lot_ids=[each.pk for each in lots], now=timezone.now())

    def parcelled(random: Random) -> None:
        services.ship_together(order_ids=[_any(random).pk, _any(random).pk], now=timezone.now())

    deeds = (told, told, typed, moved, moved, refunded, solved, counted, parcelled)
    needed = {deed.__name__ for deed in deeds} - {"parcelled", "solved"}

    def work(number: int) -> None:
        random = Random(number)  # noqa: S311  # chooses what to do next
        # Until each was done at least once, on a busy machine too.
        while (since := time.monotonic() - began) < 8 or (since < 60 and needed - set(done)):
            deed = random.choice(deeds)
            try:
                deed(random)
            except ProblemError:
                continue
            done[deed.__name__] = done.get(deed.__name__, 0) + 1

    assert in_threads(work, 8) == []
    _check_books()
    assert needed <= set(done)


def _any(random: Random) -> Order:
    keys = list(Order.objects.values_list("pk", flat=True)[:40])
    if not keys:
        raise ProblemError("There are none yet.")
    return Order.objects.get(pk=random.choice(keys))
