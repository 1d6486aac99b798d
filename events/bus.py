"""Publishing and subscribing: an event is a row of the transaction that made it true, so none is lost or early."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from common import actor
from common.background import enqueue
from events.models import Event, Telling
from events.schemas import Occurrence, Payload

DISPATCH = "events.dispatch"
Handler = Callable[[Occurrence], None]
# Subscribes to everything, as webhooks do.
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A function that wants to know. The outbox remembers it by its name; renaming it forgets what it is owed."""

    name: str
    handler: Handler


_subscribers: dict[str, list[Subscriber]] = {}


def on(event_type: str) -> Callable[[Handler], Handler]:
    """Have the function told of each event of that type, at least once and in order per entity.

    It runs in a worker, in a transaction of its own that also notes that it was told; so what it writes to the database
    happens once. It must be quick and call nobody over the network: what takes longer is a job or a task that it
    enqueues. An exception takes back what it did and is tried again later, without holding up anybody else.
    """

    def subscribe(handler: Handler) -> Handler:
        name = f"{handler.__module__}.{handler.__qualname__}"
        if any(subscriber.name == name for subscriber in _subscribers.get(event_type, ())):
            raise ValueError(f"{name} subscribes to {event_type} twice")
        _subscribers.setdefault(event_type, []).append(Subscriber(name, handler))
        return handler

    return subscribe


def subscribers_of(event_type: str) -> tuple[Subscriber, ...]:
    """Answer who wants to know of events of that type."""
    return (*_subscribers.get(event_type, ()), *_subscribers.get(EVERY, ()))


def find_subscriber(event_type: str, name: str) -> Subscriber | None:
    """Answer the subscriber of that name, or None if there is none any more."""
    return next((subscriber for subscriber in subscribers_of(event_type) if subscriber.name == name), None)


def publish(*payloads: Payload) -> None:
    """Write what happened into the outbox, in the present transaction; subscribers are told after its commit.

    Call it after locking the entity: the sequence number is drawn here, and says in which order it is told.
    """
    if not payloads:
        return
    now = timezone.now()
    events, tellings = [], []
    for payload, sequence in zip(payloads, _draw(len(payloads)), strict=True):
        wanted_by = subscribers_of(payload.event_type)
        event = Event(
            event_type=payload.event_type,
            sequence=sequence,
            entity_key=payload.entity_key,
            correlation_id=actor.origin().correlation_id,
            processed_at=None if wanted_by else now,
            payload={
                "version": payload.version,
                "sequence": sequence,
                "occurred_at": now.isoformat(),
                "data": payload.as_data(),
            },
        )
        events.append(event)
        tellings += [
            Telling(
                event=event,
                subscriber=subscriber.name,
                sequence=sequence,
                entity_key=payload.entity_key,
                next_attempt_at=now,
            )
            for subscriber in wanted_by
        ]
    Event.objects.bulk_create(events)
    if tellings:
        Telling.objects.bulk_create(tellings)
        enqueue(DISPATCH)


def _draw(count: int) -> list[int]:
    """Answer fresh numbers from the sequence of the table that the search path shows: each schema counts by itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'sequence')) FROM generate_series(1, %s)",
            [Event._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]
