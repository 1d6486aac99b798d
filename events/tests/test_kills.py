"""A dispatcher killed at each of its steps: what a subscriber does about an event happens once all the same."""

import signal

import pytest

from common.testing.dying import killed
from common.testing.tasks import real_broker
from events import bus
from events.dispatch import dispatch
from events.models import Event, Telling
from events.schemas import Occurrence
from events.tests.conftest import BoxEmptied, BrickMoved

pytestmark = pytest.mark.django_db(transaction=True)


def note(occurrence: Occurrence) -> None:
    """Leave a trace in the database for each time that it is told."""
    bus.publish(BoxEmptied(box=occurrence.data["place"]))


def test_does_each_thing_once_wherever_it_is_killed() -> None:
    bus.on("brick.moved")(note)
    number, kills = 0, 0
    while True:
        Event.objects.all().delete()
        with real_broker():  # where nobody takes them: this test is the worker
            bus.publish(*(BrickMoved(brick="3001", place=place) for place in range(3)))
        is_killed = killed(dispatch, number) == signal.SIGKILL
        kills += is_killed
        dispatch()
        told = Event.objects.filter(event_type="box.emptied").order_by("sequence")
        assert [event.payload["data"]["box"] for event in told] == [0, 1, 2], f"killed at step {number}"
        assert not Telling.objects.filter(done_at=None).exists()
        if not is_killed:
            break
        number += 1
    # Before, after and behind the transaction of each telling.
    assert kills == 9
