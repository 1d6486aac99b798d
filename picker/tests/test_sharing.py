"""Several pickers of one session: no stop is offered to two, and no piece is picked twice."""

import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone

from common.errors import Conflict, Invalid, ProblemError
from common.ids import new_id
from common.testing.people import make_user
from common.testing.threads import in_threads
from inventory import services as inventory
from inventory.models import InventoryItemLocation
from inventory.testing import make_location, make_lot
from orders.models import OrderLine
from orders.testing import type_in
from picker import services
from picker.errors import AlreadyPicked, SessionClosed
from picker.models import PickEvent, PickNeed, PickSession
from picker.services import Pick
from picker.testing import make_session, needs_of, record, say

pytestmark = pytest.mark.django_db


def _walk(stops=10, orders=2):
    lots = [make_lot(qty=50, item_no=str(3000 + n), location=make_location(f"A-{n:02}")) for n in range(stops)]
    return make_session(*(type_in(*((lot, 2) for lot in lots)) for _ in range(orders)))


def _shares(session):
    return dict(Counter(session.stops.values_list("picker", flat=True)))


def _join(session, user, now=None):
    return services.join(session_id=session.pk, user_id=user.pk, now=now or timezone.now())


def test_the_second_picker_gets_the_far_half_and_nobody_the_stops_of_another():
    session, ana, ben, cleo = _walk(), make_user(), make_user(email="b@x.example"), make_user(email="c@x.example")
    _join(session, ana)
    assert _shares(session) == {ana.pk: 10}
    _join(session, ben)
    assert _shares(session) == {ana.pk: 5, ben.pk: 5}
    assert list(session.stops.filter(picker=ben).values_list("position", flat=True)) == [6, 7, 8, 9, 10]
    # What somebody has in sight stays theirs.
    _join(session, cleo)
    assert _shares(session) == {ana.pk: 3, ben.pk: 5, cleo.pk: 2}
    _join(session, cleo)
    assert _shares(session) == {ana.pk: 3, ben.pk: 5, cleo.pk: 2}


def test_a_colleague_who_is_not_heard_of_keeps_the_stops_until_they_are_taken_over():
    session, ana, ben = _walk(), make_user(), make_user(email="b@x.example")
    _join(session, ana, now=timezone.now() - timedelta(minutes=2))
    _join(session, ben)
    assert _shares(session) == {ana.pk: 10}
    services.take_over(session_id=session.pk, from_id=ana.pk, user_id=ben.pk, now=timezone.now())
    assert _shares(session) == {ben.pk: 10}
    services.hand_over(session_id=session.pk, to_id=ana.pk, user_id=ben.pk, now=timezone.now())
    assert _shares(session) == {ana.pk: 10}
    stranger = make_user(email="d@x.example")
    with pytest.raises(Conflict):
        services.hand_over(session_id=session.pk, to_id=stranger.pk, user_id=ana.pk, now=timezone.now())
    with pytest.raises(Invalid):
        services.hand_over(session_id=session.pk, to_id=ana.pk, user_id=ana.pk, now=timezone.now())


def test_what_is_picked_is_nobodys_to_share():
    session, ana, ben = _walk(stops=8), make_user(), make_user(email="b@x.example")
    _join(session, ana)
    for need in needs_of(session)[:8]:
        record(session, say(need, 2), user_id=ana.pk)
    _join(session, ben)
    assert list(session.stops.filter(picker=ben).values_list("position", flat=True)) == [8]


def test_nobody_joins_a_session_that_has_ended():
    session, ana = _walk(), make_user()
    services.cancel_session(session_id=session.pk, now=timezone.now())
    with pytest.raises(SessionClosed):
        _join(session, ana)


def test_who_comes_second_is_told_whose_piece_it_is():
    session, ana, ben = _walk(), make_user(name="Ana"), make_user(email="b@x.example")
    need = needs_of(session)[0]
    record(session, say(need, 2), user_id=ana.pk)
    with pytest.raises(AlreadyPicked, match="Ana has picked it already: put 2 pieces back to A-00"):
        record(session, say(need, 2), user_id=ben.pk)


def _check(session: PickSession) -> None:
    assert inventory.verify_stock() == []
    session.refresh_from_db()
    needs = list(PickNeed.objects.filter(stop__session=session))
    assert session.picked_items == sum(need.qty_picked for need in needs)
    for line in OrderLine.objects.all():
        mine = [need for need in needs if need.order_line_id == line.pk]
        assert line.qty_picked == sum(need.qty_picked for need in mine) <= line.qty_ordered


@pytest.mark.django_db(transaction=True)
def test_two_that_press_at_once_pick_each_piece_once():
    session = _walk(stops=12)
    needs = needs_of(session)

    def work(number: int) -> None:
        for need in needs if number % 2 else reversed(needs):
            try:
                record(session, say(need, 2))
            except AlreadyPicked:
                continue

    assert in_threads(work, 4) == []
    session.refresh_from_db()
    assert session.picked_items == session.total_items == 48
    assert PickEvent.objects.count() == 24
    assert {place.qty for place in InventoryItemLocation.objects.all()} == {46}
    _check(session)


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
@pytest.mark.timeout(180)
def test_pickers_that_pick_miss_undo_and_send_again_at_once_lose_and_double_nothing():
    session = _walk(stops=15, orders=4)
    people = [make_user(email=f"p{number}@x.example") for number in range(4)]
    began = time.monotonic()

    def work(number: int) -> None:
        random, mine = Random(number), people[number]  # noqa: S311  # chooses what to do next
        sent: list[Pick] = []
        while time.monotonic() - began < 10:  # seconds
            need = random.choice(needs_of(session))
            kind = random.choice(["PICKED", "PICKED", "PICKED", "MISSING"])
            if sent and random.random() < 0.2:  # now and then
                origin = random.choice(sent)
                pick = replace(
                    origin, idempotency_key=str(new_id()), event_type="ADJUSTMENT", qty=0,
                    corrects=origin.idempotency_key,
                )  # fmt: skip
            elif sent and random.random() < 0.2:  # an answer was lost
                pick = random.choice(sent)
            else:
                pick = say(need, random.randint(1, 2), kind)
            try:
                record(session, pick, user_id=mine.pk)
                if pick.event_type != "ADJUSTMENT":
                    sent.append(pick)
                if random.random() < 0.1:  # now and then
                    _join(session, mine)
            except ProblemError:
                continue

    assert in_threads(work, 4) == []
    _check(session)
    events = list(PickEvent.objects.order_by("pk"))
    assert len({event.idempotency_key for event in events}) == len(events) > len(people)


def test_nothing_is_handed_to_somebody_who_has_gone():
    session, ana, ben = _walk(), make_user(), make_user(email="b@x.example")
    _join(session, ana)
    _join(session, ben)
    ben.is_active = False
    ben.save()
    with pytest.raises(Conflict):
        services.hand_over(session_id=session.pk, to_id=ben.pk, user_id=ana.pk, now=timezone.now())
