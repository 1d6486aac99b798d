"""Rows that are numbered by their position, a stretch at a time, where counting from the first would be too slow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet

T = TypeVar("T")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Stretch(Generic[T]):
    """Some rows. `next_position` begins the stretch after, `previous_position` the one before."""

    rows: Sequence[T]
    first: int
    next_position: int | None
    previous_position: int | None

    @property
    def last(self) -> int:
        """Answer which of all the rows is the last of these, from 1."""
        return self.first + len(self.rows) - 1


def stretch_of(alike: "QuerySet[M]", *, after: int, size: int) -> Stretch[M]:
    """Answer so many of the rows from behind a position. Four queries at most."""
    found = list(alike.filter(position__gt=after).order_by("position")[: size + 1])
    more, rows = len(found) > size, found[:size]
    before = alike.filter(position__lte=after)
    begins = list(before.order_by("-position").values_list("position", flat=True)[size : size + 1]) if after else []
    last: Any = rows[-1] if more else None
    return Stretch(
        rows=rows,
        first=before.count() + 1 if after else 1,
        next_position=last.position if more else None,
        previous_position=(begins[0] if begins else 0) if after else None,
    )
