"""A wire to the sandbox, and an emptied Redis for its counts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from common.redis_client import client
from common.testing.sandbox import SandboxProcess
from common.wire import Breaker, Budget, Policy, Wire


@pytest.fixture(autouse=True)
def _no_counts() -> Iterator[None]:
    client().flushdb()
    yield
    client().flushdb()


@pytest.fixture
def wire_to(sandbox: SandboxProcess) -> Callable[..., Wire]:
    """Answer what makes a wire to the imitated Rebrickable, with other values where a test needs them."""

    def make(**values: Any) -> Wire:
        defaults = {
            "provider": "rebrickable",
            "label": "Rebrickable",
            "base_url": sandbox.rebrickable_url,
            "headers": {"Authorization": f"key {sandbox.rebrickable_key}"},
            "secrets": (sandbox.rebrickable_key,),
            "budget": Budget(key="test", label="Rebrickable", per_second=1000, burst=1000),
            "breaker": Breaker(key="test"),
            "policy": Policy(attempts=3, base_s=0.01, longest_s=0.02),
            "total_s": 5.0,
        }
        return Wire(**{**defaults, **values})

    return make
