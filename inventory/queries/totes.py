"""How many pieces lie in totes, picked for orders. The floor that has orders says where they are told; without one
there are none."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

_NOWHERE = "SELECT NULL::uuid AS lot_id, 0 AS picked, 0 AS taken WHERE false"
_sources: list[str] = []


@dataclass(frozen=True, slots=True)
class InTotes:
    """Pieces of a lot that are picked, and how many of them were taken from places that are known."""

    picked: int = 0
    taken: int = 0


_NONE = InTotes()


def register(source: str) -> None:
    """Have a floor tell what is in totes: a query for lot_id, picked, taken, one row for each lot."""
    _sources.append(source)


def source() -> str:
    """Answer the query, to be joined."""
    return _sources[0] if _sources else _NOWHERE


def in_totes_of(lot_ids: Collection[UUID]) -> dict[UUID, InTotes]:
    """Answer what of the lots is in totes, for each of them. One query."""
    found = {}
    if lot_ids and _sources:
        with connection.cursor() as cursor:
            statement = f"SELECT lot_id, picked, taken FROM ({source()}) o WHERE lot_id = ANY(%s)"  # noqa: S608  # ours
            cursor.execute(statement, [list(lot_ids)])
            found = {lot_id: InTotes(int(picked), int(taken)) for lot_id, picked, taken in cursor.fetchall()}
    return {lot_id: found.get(lot_id, _NONE) for lot_id in lot_ids}


def loose(unplaced: int, totes: InTotes) -> int:
    """Answer how many of a lot's pieces without a place lie about, in no tote."""
    return max(0, unplaced - totes.picked)
