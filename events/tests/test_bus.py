"""Published in the transaction, told after it, to everybody, in order, at least once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from time_machine import travel

from common import actor, workspace
from events import bus
from events.dispatch import KEPT, dispatch, has_waiting, purge
from events.models import Event, Telling
from events.schemas import Occurrence
from events.tests.conftest import BoxEmptied, BrickMoved, Listener

pytestmark = pytest.mark.django_db


def listen(event_type: str, name: str) -> Listener:
    listener = Listener(name)
    bus.on(event_type)(listener)
    return listener


def test_tells_after_the_commit(django_capture_on_commit_callbacks: Any) -> None:
    first, second = listen("brick.moved", "first"), listen(bus.EVERY, "second")
    with django_capture_on_commit_callbacks(execute=True):
        bus.publish(BrickMoved(brick="3001", place=1))
        assert first.told == []
    assert first.told == second.told == [("3001", 1)]
    assert Event.objects.get().processed_at is not None
    assert not has_waiting()


def test_forgets_what_was_rolled_back(django_capture_on_commit_callbacks: Any) -> None:
    listener = listen("brick.moved", "listener")
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        bus.publish(BrickMoved(brick="3001", place=1))
        transaction.set_rollback(True)
    assert listener.told == []
    assert not Event.objects.exists()


def test_numbers_rise_and_stand_in_the_payload() -> None:
    bus.publish(BrickMoved(brick="3001", place=1), BoxEmptied(box=7))
    bus.publish(BrickMoved(brick="3001", place=2))
    events = list(Event.objects.order_by("sequence"))
    assert [event.event_type for event in events] == ["brick.moved", "box.emptied", "brick.moved"]
    assert [event.payload["sequence"] for event in events] == [event.sequence for event in events]
    assert events[0].payload["data"] == {"brick": "3001", "place": 1}
    assert events[0].payload["version"] == 1


def test_processes_at_once_what_nobody_wants() -> None:
    bus.publish(BrickMoved(brick="3001", place=1))
    assert Event.objects.get().processed_at is not None
    assert not Telling.objects.exists()


def test_one_who_refuses_delays_neither_others_nor_other_entities(django_capture_on_commit_callbacks: Any) -> None:
    stubborn, other = listen("brick.moved", "stubborn"), listen("brick.moved", "other")
    stubborn.refuses = {("3001", 1)}
    with django_capture_on_commit_callbacks(execute=True):
        for place in (1, 2):
            bus.publish(BrickMoved(brick="3001", place=place), BrickMoved(brick="3002", place=place))
    assert other.told == [("3001", 1), ("3002", 1), ("3001", 2), ("3002", 2)]
    # Its own order for the entity it refused is kept: nothing of 3001 until the first has been told.
    assert stubborn.told == [("3002", 1), ("3002", 2)]
    owed = Telling.objects.get(done_at=None, attempts=1)
    assert owed.next_attempt_at > timezone.now()
    assert "not today" in owed.last_error

    stubborn.refuses = set()
    with travel(timezone.now() + timedelta(seconds=10), tick=False):
        assert has_waiting()
        dispatch()
    assert stubborn.told[2:] == [("3001", 1), ("3001", 2)]
    assert not Event.objects.filter(processed_at=None).exists()


def test_waits_longer_after_each_refusal(django_capture_on_commit_callbacks: Any) -> None:
    stubborn = listen("brick.moved", "stubborn")
    stubborn.refuses = {("3001", 1)}
    bus.publish(BrickMoved(brick="3001", place=1))
    waits, now = [], timezone.now()
    for _ in range(12):
        with travel(now, tick=False):
            assert dispatch() == 1
            assert dispatch() == 0
        owed = Telling.objects.get()
        waits.append((owed.next_attempt_at - now).total_seconds())
        now = owed.next_attempt_at
    assert waits[0] <= 5
    assert waits[3] > waits[0]
    assert max(waits) <= 3600


def test_takes_back_what_a_refusing_subscriber_wrote() -> None:
    def writes_and_fails(_occurrence: Occurrence) -> None:
        Event.objects.filter(event_type="brick.moved").update(correlation_id="half done")
        raise ValueError("no")

    bus.on("brick.moved")(writes_and_fails)
    bus.publish(BrickMoved(brick="3001", place=1))
    dispatch()
    assert Event.objects.get().correlation_id == ""


def test_keeps_what_an_unknown_subscriber_is_owed_for_a_day() -> None:
    listen("brick.moved", "gone")
    bus.publish(BrickMoved(brick="3001", place=1))
    bus._subscribers.clear()
    dispatch()
    assert Telling.objects.get().done_at is None
    with travel(timezone.now() + timedelta(days=1, minutes=1), tick=False):
        dispatch()
    assert Telling.objects.get().done_at is not None


def test_carries_the_correlation_id_of_the_cause() -> None:
    seen: list[str] = []

    def remember(occurrence: Occurrence) -> None:
        seen.extend([occurrence.correlation_id, actor.origin().correlation_id, actor.current().kind])

    bus.on("box.emptied")(remember)
    with actor.use_origin(actor.Origin(request_id="r", correlation_id="cause-1")):
        bus.publish(BoxEmptied(box=1))
    dispatch()
    assert seen == ["cause-1", "cause-1", "SYSTEM"]


def test_purges_only_what_was_told_long_ago() -> None:
    listener = listen("brick.moved", "listener")
    listener.refuses = {("3002", 1)}
    bus.publish(BrickMoved(brick="3001", place=1), BrickMoved(brick="3002", place=1))
    dispatch()
    purge(now=timezone.now())
    assert Event.objects.count() == 2
    purge(now=timezone.now() + KEPT + timedelta(minutes=1))
    assert [event.payload["data"]["brick"] for event in Event.objects.all()] == ["3002"]


def test_refuses_two_subscriptions_of_one_function() -> None:
    listener = listen("brick.moved", "listener")
    with pytest.raises(ValueError, match="twice"):
        bus.on("brick.moved")(listener)


def test_counts_by_itself_in_each_schema() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence('events_event', 'sequence')")
        mine = cursor.fetchone()[0]
        cursor.execute("SELECT pg_get_serial_sequence('public.events_event', 'sequence')")
        publics = cursor.fetchone()[0]
    assert mine.startswith(f"{workspace.current_key()}.")
    assert publics.startswith("public.")
