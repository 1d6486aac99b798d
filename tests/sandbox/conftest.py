"""Callers with the demo's credentials, and stores with something in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from common.testing.sandbox import SandboxProcess
from tests.sandbox.clients import BrickLinkClient, BrickOwlClient, BrikickClient


@dataclass
class Store:
    """A seller's own hand on the website, and buyers who order there."""

    sandbox: SandboxProcess
    id: int

    def put(self, **lot: Any) -> int:
        """Put a lot in; answer its number."""
        values = {"type": "PART", "no": "3001", "color_id": 5, "quantity": 10, "price": 1200, **lot}
        made = self.sandbox.control("POST", f"sellers/{self.id}/lots", {"lots": [values]})
        return int(made["ids"][0])

    def generate(self, count: int, seed: int = 1) -> None:
        self.sandbox.control("POST", f"sellers/{self.id}/lots", {"generate": count, "seed": seed})

    def lots(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.sandbox.control("GET", f"sellers/{self.id}/lots")
        return rows

    def edit(self, lot: int, **values: Any) -> None:
        self.sandbox.control("PATCH", f"sellers/{self.id}/lots/{lot}", values)

    def order(self, *lines: tuple[int, int], **command: Any) -> Any:
        """Have a buyer order so many pieces of lots."""
        if lines:
            command["lines"] = [{"lot_id": lot, "quantity": quantity} for lot, quantity in lines]
        return self.sandbox.control("POST", f"sellers/{self.id}/orders", command)

    def buyer(self, order: int, action: str, **command: Any) -> Any:
        return self.sandbox.control("POST", f"orders/{order}/buyer", {"action": action, **command})

    def settings(self, **changed: Any) -> None:
        self.sandbox.control("PATCH", f"sellers/{self.id}", {"settings": changed})


@pytest.fixture
def bricklink(sandbox: SandboxProcess) -> BrickLinkClient:
    return BrickLinkClient(sandbox.bricklink_url, sandbox.bricklink_credentials)


@pytest.fixture
def brickowl(sandbox: SandboxProcess) -> BrickOwlClient:
    return BrickOwlClient(sandbox.brickowl_url, sandbox.brickowl_key)


@pytest.fixture
def brikick(sandbox: SandboxProcess) -> BrikickClient:
    """Answer a caller who may call as often as he likes."""
    client = BrikickClient(sandbox.brikick_url, sandbox.brikick_key)
    _store(sandbox, "brikick").settings(per_minute=100_000, per_day=1_000_000)
    return client


def _store(sandbox: SandboxProcess, service: str) -> Store:
    sellers = sandbox.control("GET", "sellers")
    return Store(sandbox, next(seller["id"] for seller in sellers if seller["service"] == service))


@pytest.fixture
def bricklink_store(sandbox: SandboxProcess) -> Store:
    return _store(sandbox, "bricklink")


@pytest.fixture
def brickowl_store(sandbox: SandboxProcess) -> Store:
    return _store(sandbox, "brickowl")


@pytest.fixture
def brikick_store(sandbox: SandboxProcess) -> Store:
    return _store(sandbox, "brikick")


@pytest.fixture
def switch(sandbox: SandboxProcess) -> Callable[..., None]:
    """Answer what turns switches: `switch(**{"bl.below_zero": "floor"})`."""

    def turn(**values: str) -> None:
        sandbox.control("POST", "switches", values)

    return turn


@pytest.fixture(autouse=True)
def _adds_up(sandbox: SandboxProcess) -> Iterator[None]:
    """Look after each test whether every piece is accounted for."""
    yield
    found = sandbox.control("GET", "assert/conservation")
    assert found["is_conserved"], found["problems"]
