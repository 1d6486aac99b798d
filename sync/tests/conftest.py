"""Adapters that ask a server of the tests' own."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from common.redis_client import client
from common.wire import Breaker, Budget, CallClass
from stores import channels
from sync.channels import Channel, registry
from sync.tests.scripted import Scripted

MakeChannel = Callable[..., Any]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have who is told to wait, and not for how long, wait no time."""
    monkeypatch.setattr("common.wire.client._DEFAULT_PAUSE_S", 0)


@pytest.fixture
def unthrottled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no test wait for its turn at a marketplace, whose rates others measure."""
    for code in ("bricklink", "brickowl", "brikick"):
        kind = registry.get(code)
        fast = replace(kind.spec, per_second=1000.0, burst=1000)
        monkeypatch.setattr(kind, "spec", fast)
        monkeypatch.setitem(channels._declared, code, fast)
    monkeypatch.setattr("sync.channels.brickowl._BATCHES_PER_SECOND", 1000.0)


@pytest.fixture
def script(code: str) -> Iterator[Scripted]:
    """Answer the server of a channel, whose answers are its documentation's."""
    with Scripted.running(code) as running:
        yield running


@pytest.fixture
def make_channel() -> Iterator[MakeChannel]:
    """Answer what makes an adapter that asks an address, with a budget that no test exhausts."""

    def make(code: str, url: str, *, read_s: float = 10.0, per_day: int | None = None) -> Channel:
        kind = registry.get(code)
        made = kind(
            url=url,
            credentials=credentials_of(code),
            budget=Budget(key="test", label=kind.spec.label, per_second=1000, burst=1000, per_day=per_day),
            breaker=Breaker(key="test", threshold=1000),
            call_class=CallClass.URGENT,
        )
        for name in ("_wire", "_batch_wire"):
            if hasattr(made, name):
                slow = getattr(made, name)
                # As fast as the others; its own rate is measured by itself.
                fast = replace(slow.budget, per_second=1000, burst=1000)
                setattr(made, name, replace(slow, read_s=read_s, total_s=15.0, patience_s=0.5, budget=fast))
        return made

    client().flushdb()
    yield make
    client().flushdb()


def credentials_of(code: str) -> dict[str, str]:
    """Answer credentials of a channel that look like real ones."""
    return {field.name: f"{field.name.upper()}-very-secret-{code}" for field in registry.get(code).spec.credentials}
