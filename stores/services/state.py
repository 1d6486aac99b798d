"""How a store fares, as those who talk to it find out."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from common.errors import BudgetExhausted, CredentialsRefused, ProblemError, ProviderUnavailable
from events.bus import publish
from stores import queries
from stores.choices import StoreState
from stores.events import StorePaused
from stores.models import Store, StoreSyncState

_MESSAGE_LENGTH = 500
# Failures in a row after which a store is said to be paused, and not just slow.
PAUSED_AFTER = 6
_PAUSE = timedelta(minutes=10)
_NOTE = """
UPDATE {table} SET rate_limit_state = %(told)s::jsonb, updated_at = now()
WHERE store_id = %(store)s AND (
    rate_limit_state ->> 'day' IS DISTINCT FROM %(day)s OR coalesce((rate_limit_state ->> 'used')::int, 0) < %(used)s
)
"""


class StoreLedger:
    """The day's count of one store (`common.wire.Ledger`)."""

    def __init__(self, store_id: UUID) -> None:
        self._store_id = store_id

    def used_on(self, day: date) -> int:
        """Answer the calls of the day so far."""
        return queries.used_calls(self._store_id, day.isoformat())

    def note(self, day: date, *, used: int, limit: int) -> None:
        """Keep that so many were used; never lowers the count of a day."""
        midnight = datetime.combine(day + timedelta(days=1), time(), UTC)
        told: dict[str, Any] = {"day": day.isoformat(), "used": used, "limit": limit, "resets_at": midnight.isoformat()}
        statement = _NOTE.format(table=StoreSyncState._meta.db_table)
        values = {"told": json.dumps(told), "store": self._store_id, "day": told["day"], "used": used}
        with connection.cursor() as cursor:
            cursor.execute(statement, values)


@transaction.atomic
def note_success(*, store_id: UUID, now: datetime) -> None:
    """Keep that a store answered as it should; one whose calls for stock are used up has none until it has again."""
    states = StoreSyncState.objects.filter(store_id=store_id).exclude(state=StoreState.LIMITED, retry_at__gt=now)
    states.update(state=StoreState.OK, retry_at=None, last_error="", consecutive_failures=0)


@transaction.atomic
def note_pushed(*, store_id: UUID, now: datetime) -> None:
    """Keep that stock was sent to a store, which answered as it should."""
    note_success(store_id=store_id, now=now)
    StoreSyncState.objects.filter(store_id=store_id).update(last_inventory_sync=now)


@transaction.atomic
def note_orders_read(*, store_id: UUID, now: datetime) -> None:
    """Keep that all orders of a store were read, until now."""
    StoreSyncState.objects.filter(store_id=store_id).update(last_orders_sync=now)


@transaction.atomic
def keep_order_cursor(*, store_id: UUID, cursor: str) -> None:
    """Keep until where a store's orders were read."""
    StoreSyncState.objects.filter(store_id=store_id).update(order_cursor=cursor)


@transaction.atomic
def note_failure(*, store_id: UUID, error: ProblemError, now: datetime) -> None:
    """Keep what went wrong with a store, and when it is tried again: never, where it has to be connected anew."""
    state = StoreSyncState.objects.select_for_update().select_related("store").filter(store_id=store_id).first()
    if state is None:
        return
    before = state.state
    wait: Any = error.extra.get("retry_after")
    state.last_error = (error.detail or error.title)[:_MESSAGE_LENGTH]
    state.retry_at = now + timedelta(seconds=wait) if wait else None
    if isinstance(error, CredentialsRefused):
        state.state, state.retry_at = StoreState.NEEDS_RECONNECT, None
    elif isinstance(error, BudgetExhausted):
        state.state = StoreState.LIMITED
    elif isinstance(error, ProviderUnavailable):
        state.consecutive_failures += 1
        if state.consecutive_failures >= PAUSED_AFTER:
            state.state, state.retry_at = StoreState.PAUSED, state.retry_at or now + _PAUSE
    state.save()
    if state.state not in (before, StoreState.OK):
        _tell(state.store, state)


def _tell(store: Store, state: StoreSyncState) -> None:
    publish(
        StorePaused(
            store_id=str(store.pk),
            channel=store.channel,
            name=store.name,
            state=str(state.state),
            reason=state.last_error,
            retry_at=state.retry_at.isoformat() if state.retry_at else None,
        )
    )
