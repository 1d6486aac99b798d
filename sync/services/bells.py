"""What is kept in Redis of the push: that it was rung for, and until when new lots were looked for. Nothing is lost by
losing it: the sweeper finds who is behind, and lots are looked through anew.
"""

from datetime import datetime
from uuid import UUID

import redis

from common import workspace
from common.background import enqueue
from common.redis_client import client
from stores.models import Store

PUSH = "sync.push"
# A task that isn't begun by then may have been lost, and gets another; a second one does no harm.
_RUNG_S = 20


def ring(store_id: UUID) -> None:
    """Have a store be pushed to after the commit; a thousand times while nobody has begun is once."""
    try:
        is_first = client().set(_key("rung", store_id), 1, nx=True, ex=_RUNG_S)
    except redis.RedisError:
        is_first = True
    if is_first:
        enqueue(PUSH, store_id=str(store_id))


def begin(store_id: UUID) -> None:
    """Note that somebody looks now: who rings from here on is heard again."""
    try:
        client().delete(_key("rung", store_id))
    except redis.RedisError:
        return


def looked_for_new(store: Store) -> datetime | None:
    """Answer from when on changed lots are to be looked through for a store with these rules; None for all."""
    try:
        kept = client().get(_key("new", store.pk, store.version))
    except redis.RedisError:
        return None
    return datetime.fromisoformat(kept.decode()) if isinstance(kept, bytes) else None


def note_looked_for_new(store: Store, *, since: datetime, lasts_s: int) -> None:
    """Keep from when on changed lots are to be looked through next."""
    try:
        client().set(_key("new", store.pk, store.version), since.isoformat(), ex=lasts_s)
    except redis.RedisError:
        return


def _key(what: str, *parts: object) -> str:
    return ":".join(["sync", what, workspace.current_key(), *map(str, parts)])
