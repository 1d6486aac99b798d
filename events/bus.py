"""Publishing and subscribing: an event is a row of the transaction that made it true, so none is lost or early."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from common import actor
from common.background import enqueue
from common.ids import new_id
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
    for payload in payloads:
        wanted_by = subscribers_of(payload.event_type)
        key = new_id()
        content = {"version": payload.version, "occurred_at": now.isoformat(), "data": payload.as_data()}
        events.append((key, payload.event_type, Jsonb(content), payload.entity_key, None if wanted_by else now))
        tellings += [(key, subscriber.name) for subscriber in wanted_by]
    origin = actor.origin().correlation_id
    with connection.cursor() as cursor:
        cursor.execute(
            _PUBLISH, [Event._meta.db_table, *_columns(events, 5), origin, now, now, now, *_columns(tellings, 2)]
        )
    if tellings:
        enqueue(DISPATCH)


# The sequence is the one of the table that the search path shows: each schema counts by itself.
_PUBLISH = f"""
WITH drawn AS MATERIALIZED (
    SELECT e.*, nextval(pg_get_serial_sequence(%s, 'sequence')) AS sequence
    FROM unnest(%s::uuid[], %s::text[], %s::jsonb[], %s::text[], %s::timestamptz[])
        e (id, event_type, payload, entity_key, processed_at)
), made AS (
    INSERT INTO {Event._meta.db_table} (id, event_type, payload, sequence, entity_key, correlation_id, created_at,
        processed_at)
    SELECT id, event_type, payload || jsonb_build_object('sequence', sequence), sequence, entity_key, %s, %s,
        processed_at FROM drawn
)
INSERT INTO {Telling._meta.db_table} (event_id, subscriber, sequence, entity_key, attempts, next_attempt_at, last_error,
    created_at)
SELECT d.id, t.subscriber, d.sequence, d.entity_key, 0, %s, '', %s
FROM unnest(%s::uuid[], %s::text[]) WITH ORDINALITY t (event_id, subscriber, place) JOIN drawn d ON d.id = t.event_id
ORDER BY d.sequence, t.place
"""  # noqa: S608  # names come from the models


def _columns(rows: Sequence[tuple[Any, ...]], count: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(count)]
