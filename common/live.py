"""The bell: tells open pages that something changed. It carries no data; they ask again for what they may see."""

import json
import time
from functools import cache, partial

import redis
import structlog
from django.conf import settings
from django.db import transaction

from common import workspace

logger = structlog.get_logger(__name__)

# Seconds during which a Redis that failed isn't asked again, so that nobody waits for its time-out each time.
_PAUSE_S = 5.0


class _Pause:
    """Remembers for this process until when Redis isn't asked."""

    until = 0.0


def channel(workspace_key: str) -> str:
    """Answer the Redis channel of a shop. Channels belong to a whole server, so it names the installation."""
    return f"live:{settings.DATABASES['default']['NAME']}:{workspace_key}"


def notify(topic: str, *, user_id: object = None) -> None:
    """After the commit, tell the shop's open pages (or one user's) that `topic` changed: `jobs`, `bell`."""
    name = channel(workspace.current_key())
    message = json.dumps({"topic": topic, "user_id": str(user_id) if user_id else None})
    transaction.on_commit(partial(_ring, name, message))


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)


def _ring(name: str, message: str) -> None:
    if time.monotonic() < _Pause.until:
        return
    try:
        _client(settings.REDIS_URL).publish(name, message)
    except redis.RedisError as error:
        # Pages poll where the bell is silent, so nothing is lost.
        _Pause.until = time.monotonic() + _PAUSE_S
        logger.warning("live.silent", error=type(error).__name__)
