"""The way to Redis beside Celery and the cache: for counts that all workers share."""

from functools import cache

import redis
from django.conf import settings


@cache
def _client(url: str) -> "redis.Redis":
    return redis.Redis.from_url(url, socket_connect_timeout=1, socket_timeout=1)


def client() -> "redis.Redis":
    """Answer this process's client, which waits a second at most; its calls raise RedisError while Redis is away."""
    return _client(settings.REDIS_URL)
