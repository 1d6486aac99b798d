"""Several dispatchers at once, and one that dies: each subscriber is told everything, in order per entity."""

import threading
import time
from collections import defaultdict

import pytest
from django.db import connection

from common import workspace
from common.testing.tasks import real_broker
from events import bus
from events.dispatch import dispatch
from events.models import Event
from events.schemas import Occurrence
from events.tests.conftest import BrickMoved

pytestmark = pytest.mark.django_db(transaction=True)

BRICKS, PLACES, WORKERS = 2, 8, 4


def test_keeps_the_order_of_an_entity_among_dispatchers() -> None:
    told: dict[str, list[int]] = defaultdict(list)
    guard = threading.Lock()

    def remember(occurrence: Occurrence) -> None:
        # The earlier, the slower: whoever takes the next one too early overtakes it.
        time.sleep(0.002 * (PLACES - occurrence.data["place"]))
        with guard:
            told[occurrence.data["brick"]].append(occurrence.data["place"])

    bus.on("brick.moved")(remember)
    with real_broker():  # where nobody takes them: the threads below are the workers
        bus.publish(*(BrickMoved(brick=str(brick), place=place) for place in range(PLACES) for brick in range(BRICKS)))
    key = workspace.current_key()

    def work() -> None:
        try:
            with workspace.enter(key):
                while Event.objects.filter(processed_at=None).exists():
                    dispatch()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert told == {str(brick): list(range(PLACES)) for brick in range(BRICKS)}
