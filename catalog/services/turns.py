"""Has equal questions asked one after the other, so that the second finds what the first was answered; and only a few
people wait for those outside at once, so that there is always somebody left to serve the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

import redis
import structlog

from common.errors import RateLimited
from common.redis_client import client

logger = structlog.get_logger(__name__)

# Others wait as long as a call may take while a person waits; the lock of a process that died goes by itself.
_PATIENCE_S = 15.0
_LOCK_S = 60.0
# Of a process that serves pages: it has four threads, and one is for those who ask nobody outside.
WAIT_AT_ONCE = 3
_COME_AGAIN_S = 5
_waiting = BoundedSemaphore(WAIT_AT_ONCE)


@contextmanager
def a_place_to_wait() -> Iterator[None]:
    """Hold one of the few places of this process for people who wait until somebody outside has answered.

    Raises RateLimited at once where all are taken, before anybody is asked. Not to be held twice by one.
    """
    if not _waiting.acquire(blocking=False):
        raise RateLimited("Too many others are waiting for an answer from outside just now.", retry_after=_COME_AGAIN_S)
    try:
        yield
    finally:
        _waiting.release()


@contextmanager
def one_at_a_time(name: str) -> Iterator[None]:
    """Let one process in at a time; while Redis is away, or after waiting as long as a call may take, any."""
    lock = client().lock(f"catalog:{name}", timeout=_LOCK_S, blocking_timeout=_PATIENCE_S)
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
