"""Events and subscribers that exist in these tests alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from events import bus, schemas
from events.schemas import Occurrence, Payload, event


@event("brick.moved", public=False)
@dataclass(frozen=True, slots=True)
class BrickMoved(Payload):
    """A brick lies somewhere else."""

    brick: str
    place: int

    @property
    def entity_key(self) -> str:
        return f"brick:{self.brick}"


@event("box.emptied", public=False)
@dataclass(frozen=True, slots=True)
class BoxEmptied(Payload):
    """An event without an entity."""

    box: int


class Listener:
    """A subscriber that remembers what it was told, and refuses what it is asked to refuse."""

    def __init__(self, name: str) -> None:
        self.__module__ = "events.tests"
        self.__qualname__ = name
        self.told: list[tuple[str, int]] = []
        self.refuses: set[tuple[str, int]] = set()

    def __call__(self, occurrence: Occurrence) -> None:
        what = (occurrence.data.get("brick", ""), occurrence.data.get("place", occurrence.data.get("box", 0)))
        if what in self.refuses:
            raise ValueError("not today")
        self.told.append(what)


@pytest.fixture(autouse=True)
def _own_subscribers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no test's subscribers outlive it, and no real ones listen in."""
    monkeypatch.setattr(bus, "_subscribers", {})
    yield
    assert {"brick.moved", "box.emptied"} <= {kind.event_type for kind in schemas.declared()}
