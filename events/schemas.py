"""What can have happened, as types: each app declares its own in `events.py`, versioned and documented."""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder


class Payload:
    """Base of what is published: a frozen slotted dataclass of ids and plain values, never of instances."""

    __slots__ = ()
    event_type: ClassVar[str]
    version: ClassVar[int]
    # Public events are documented and offered to webhooks; the others are between our own apps.
    is_public: ClassVar[bool]

    @property
    def entity_key(self) -> str:
        """Answer `entity:id`: events of one entity are told in their order. Empty: in any order."""
        return ""

    def as_data(self) -> dict[str, Any]:
        """Answer the values as plain JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]  # subclasses are dataclasses
        data: dict[str, Any] = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
        return data


@dataclass(frozen=True, slots=True)
class Occurrence:
    """An event as a subscriber gets it. `sequence` rises in the order of publishing, with gaps."""

    id: UUID
    event_type: str
    version: int
    sequence: int
    occurred_at: datetime
    correlation_id: str
    data: dict[str, Any]


P = TypeVar("P", bound=type[Payload])
_types: dict[str, type[Payload]] = {}


def event(event_type: str, *, version: int = 1, public: bool = True) -> Callable[[P], P]:
    """Declare a dataclass as what is published under that type, `noun.past_verb`. A new meaning is a new version."""

    def declare(payload: P) -> P:
        if event_type in _types and _types[event_type].__qualname__ != payload.__qualname__:
            raise ValueError(f"{event_type} is declared twice")
        payload.event_type, payload.version, payload.is_public = event_type, version, public
        _types[event_type] = payload
        return payload

    return declare


def declared() -> tuple[type[Payload], ...]:
    """Answer every type of event, by name."""
    return tuple(_types[name] for name in sorted(_types))
