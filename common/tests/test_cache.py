"""The cache keeps JSON, and runs nothing that it finds."""

import pickle
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import cache


@pytest.fixture
def key() -> Iterator[str]:
    yield "price"
    cache.delete("price")


def _place() -> tuple[redis.Redis, str]:
    return redis.Redis.from_url(settings.REDIS_URL), cache.make_key("price")


def test_keeps_json(key: str) -> None:
    value: dict[str, Any] = {"amount": "1.20", "colors": [1, None, True], "name": "Brick 2 \u00d7 4"}
    cache.set(key, value)
    assert cache.get(key) == value
    client, place = _place()
    kept: Any = client.get(place)
    assert kept.startswith(b'{"amount":"1.20"')
    with pytest.raises(TypeError):
        cache.set(key, timedelta(1))


def test_counts(key: str) -> None:
    cache.set(key, 41)
    assert cache.incr(key) == 42
    assert cache.get(key) == 42


class _Trap:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return pytest.fail, ("what lay in the cache was run",)


def test_runs_nothing_that_somebody_put_there(key: str) -> None:
    client, place = _place()
    client.set(place, pickle.dumps(_Trap()))
    with pytest.raises(ValueError, match="decode"):
        cache.get(key)
