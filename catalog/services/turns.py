"""Has equal questions asked one after the other, so that the second finds what the first was answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
import structlog

from common.redis_client import client

logger = structlog.get_logger(__name__)

# Longer than a call may take while a person waits: the lock of a process that died goes by itself.
_LOCK_S = 15.0


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Let one process in at a time; while Redis is away, or after waiting as long as a call may take, any."""
    lock = client().lock(f"catalog:{name}", timeout=_LOCK_S, blocking_timeout=_LOCK_S)
    try:
        is_held = lock.acquire()
    except redis.RedisError as error:
        logger.warning("catalog.redis_away", error=type(error).__name__)
        is_held = False
    try:
        yield
    finally:
        if is_held:
            _release(lock)


def _release(lock: Any) -> None:
    try:
        lock.release()
    except redis.RedisError as error:
        # It has gone by itself, or will.
        logger.warning("catalog.lock_lost", error=type(error).__name__)
