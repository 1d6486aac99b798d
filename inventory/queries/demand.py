"""What open orders want of items. The floor that has orders answers; without one nothing is wanted."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from catalog.queries.items import Key
from common import actor

# How many orders are named for an item, the oldest first.
ORDERS_SHOWN = 20
_PERMISSION = "orders:read"


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """How many pieces of an item, in one color, an order wants that somebody still has work with."""

    order_id: UUID
    number: str
    status: str
    color_id: int | None
    qty: int


@dataclass(frozen=True, slots=True)
class Source:
    """How the floor of orders answers: each of them for many items in one query."""

    orders_of: Callable[[Collection[Key], int], Mapping[Key, list[OpenOrder]]]
    pieces_of: Callable[[Collection[Key]], Mapping[tuple[Key, int | None], int]]


_sources: list[Source] = []


def register(source: Source) -> None:
    """Have a floor answer what is wanted."""
    _sources.append(source)


def open_orders_of(keys: Collection[Key]) -> Mapping[Key, list[OpenOrder]]:
    """Answer the open orders that contain the items, as far as the actor may see orders. One query."""
    if not keys or not _sources or not actor.current().can(_PERMISSION):
        return {}
    return _sources[0].orders_of(keys, ORDERS_SHOWN)


def wanted_of(keys: Collection[Key]) -> Mapping[tuple[Key, int | None], int]:
    """Answer how many pieces open orders want, color by color, as far as the actor may see orders. One query."""
    if not keys or not _sources or not actor.current().can(_PERMISSION):
        return {}
    return _sources[0].pieces_of(keys)


def wanted(pieces: Mapping[tuple[Key, int | None], int], key: Key, color_id: int | None = None) -> int:
    """Answer how many pieces are wanted of one item, in one color or in all."""
    return sum(qty for (item, color), qty in pieces.items() if item == key and color_id in (None, color))
