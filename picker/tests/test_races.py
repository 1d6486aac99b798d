"""Whoever does what at once: nobody waits for what the other holds, and no order is left behind."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.errors import ProblemError
from common.ids import new_id
from common.testing.threads import in_threads
from inventory import services as inventory
from inventory.models import InventoryItem
from inventory.testing import make_location, make_lot
from orders import services as orders
from orders.models import Order
from orders.testing import type_in
from picker import services
from picker.choices import SessionStatus
from picker.models import PickNeed, PickSession, PickSessionOrder
from picker.testing import make_session, needs_of, record, say

_PLACES = {"orders_order": 0, "picker_picksession": 1, "inventory_inventoryitem": 2, "inventory_location": 3}
_LOCKED = re.compile(r'FROM "(\w+)".* FOR (?:NO KEY )?UPDATE', re.DOTALL)


def _held(statements: list[dict[str, str]]) -> list[tuple[int, set[str]]]:
    """Answer what was held in which sequence: the place of its table in the house's order, and the keys."""
    found = []
    for statement in statements:
        match = _LOCKED.search(statement["sql"])
        if match and match[1] in _PLACES:
            found.append((_PLACES[match[1]], set(re.findall(r"[0-9a-f]{32}", statement["sql"]))))
    return found


def _deeds() -> dict[str, Callable[[PickSession, list[Order], Order], object]]:
    return {
        "create": lambda _s, _o, other: services.create_session(order_ids=[other.pk], now=timezone.now()),
        "add": lambda s, _o, other: services.add_orders(session_id=s.pk, order_ids=[other.pk], now=timezone.now()),
        "remove": lambda s, o, _other: services.remove_order(session_id=s.pk, order_id=o[0].pk, now=timezone.now()),
        "cancel": lambda s, _o, _other: services.cancel_session(session_id=s.pk, now=timezone.now()),
        "complete": lambda s, _o, _other: services.complete_session(session_id=s.pk, now=timezone.now()),
        "pick": lambda s, _o, _other: record(s, say(needs_of(s)[0], 1)),
        "miss": lambda s, _o, _other: record(s, say(needs_of(s)[0], 1, "MISSING", remainder="ZERO")),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("deed", list(_deeds()))
def test_every_deed_holds_orders_before_sessions_before_lots_and_all_lots_at_once(deed):
    lots = [make_lot(qty=50, item_no=str(number), location=make_location(f"A-{number}")) for number in range(4)]
    inside = [type_in((lots[3], 2), (lots[1], 1)), type_in((lots[0], 2), (lots[2], 1))]
    other = type_in((lots[2], 1), (lots[0], 1))
    session = make_session(*inside)
    with CaptureQueriesContext(
        connection,
    ) as statements:
        _deeds()[deed](session, inside, other)
    held = _held(statements.captured_queries)
    seen: dict[int, set[str]] = {}
    for place, keys in held:
        if not keys <= seen.get(place, set()):
            assert place not in seen or place == 0, f"{deed}: more of {place} is held later"
            assert all(earlier <= place for earlier in seen), f"{deed}: {place} is held behind {max(seen)}"
        seen.setdefault(place, set()).update(keys)
    assert 2 in seen


def _do(deeds: Sequence[Callable[[], object]], number: int) -> None:
    deeds[number]()


@pytest.mark.django_db(transaction=True)
def test_an_order_that_comes_in_while_a_session_ends_is_in_none_or_left_it():
    lot = make_lot(qty=500, location=make_location("A-1"))
    for _ in range(6):
        session, late = make_session(type_in((lot, 1))), type_in((lot, 1))
        deeds = (
            partial(services.complete_session, session_id=session.pk, now=timezone.now()),
            partial(services.add_orders, session_id=session.pk, order_ids=[late.pk], now=timezone.now()),
        )
        failures = in_threads(partial(_do, deeds), 2)
        assert {type(failure).__name__ for failure in failures} <= {"SessionClosed"}
    assert not PickSessionOrder.objects.filter(left_at=None, session__status=SessionStatus.COMPLETED).exists()
    assert set(Order.objects.values_list("status", flat=True)) == {"PENDING"}


@pytest.mark.django_db(transaction=True)
def test_two_presses_of_the_button_are_one_session():
    order, key = type_in((make_lot(qty=5), 1)), new_id()
    assert in_threads(lambda _number: make_session(order, starts=False, session_id=key), 6) == []
    assert PickSession.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_six_hands_on_sessions_of_the_same_lots_wait_for_nobody_for_good():
    lots = [make_lot(qty=400, item_no=str(number), location=make_location(f"A-{number}")) for number in range(4)]
    waiting = [type_in(*((lot, 2) for lot in Random(n).sample(lots, 3))).pk for n in range(24)]  # noqa: S311
    sessions = [services.create_session(order_ids=waiting[n * 4 : n * 4 + 4], now=timezone.now()) for n in range(3)]
    for session in sessions:
        services.start_session(session_id=session.pk, now=timezone.now())
    later = waiting[12:]

    def hand(number: int) -> None:
        dice = Random(number)  # noqa: S311  # nothing secret
        session = sessions[number % 3]
        for turn in range(8):
            try:
                _turn(dice, session, later[number * 2 + turn % 2])
            except ProblemError:
                continue

    assert in_threads(hand, 6) == []
    assert inventory.verify_stock() == []
    for session in PickSession.objects.all():
        needs = PickNeed.objects.filter(stop__session=session)
        assert session.picked_items == sum(needs.values_list("qty_picked", flat=True))
    assert all(lot.qty_available >= 0 for lot in InventoryItem.objects.all())


def _turn(dice: Random, session: PickSession, order_id: UUID) -> None:
    match dice.randint(0, 5):
        case 0:
            services.add_orders(session_id=session.pk, order_ids=[order_id], now=timezone.now())
        case 1:
            services.remove_order(session_id=session.pk, order_id=order_id, now=timezone.now())
        case 2:
            orders.cancel_order(order_id=order_id, now=timezone.now())
            services.follow_order(order_id=order_id, now=timezone.now())
        case _:
            if needs := needs_of(session):
                record(session, say(dice.choice(needs), 1, dice.choice(["PICKED", "PICKED", "MISSING"])))
