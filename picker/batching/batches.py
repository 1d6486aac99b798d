"""Batches of orders, and what they save: the doors of this package."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from picker.batching.grouping import Cart, grouped
from picker.batching.lengths import QUICK_BLOCKS, AisleMetres, Lengths, Metres, Stops
from picker.routing import Aisles, Ground, Spot, Where, length_on

EVALUATIONS = 800


@dataclass(frozen=True, slots=True)
class Load:
    """An order as a picker sees it: the places it takes one to, and how many pieces (or lines) it has."""

    stops: frozenset[Hashable]
    pieces: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Orders that are picked on one walk, by their indexes, and what that takes against one walk for each.

    Metres are None where there is no map, or none of the places is on it.
    """

    orders: tuple[int, ...]
    stops: int
    stops_apart: int
    metres: float | None = None
    metres_apart: float | None = None

    @property
    def saved(self) -> float:
        """Answer what the batch saves: metres, or stops where there is no map."""
        if self.metres is None or self.metres_apart is None:
            return self.stops_apart - self.stops
        return self.metres_apart - self.metres


def batches(
    loads: Sequence[Load],
    *,
    capacity: int,
    most_pieces: int | None = None,
    ground: Ground | None = None,
    where: Mapping[Any, Where] | None = None,
    evaluations: int = EVALUATIONS,
) -> list[Batch]:
    """Answer batches that bring all orders with little walking: by tours on the map, else by places that are shared.

    A batch has at most `capacity` orders and `most_pieces` pieces; an order that has more is alone. `where` says where
    on the map the stops are, as far as they are there; without it they are places on the map themselves. `evaluations`
    bounds how many tours are worked out to improve what was found first: equal questions have equal answers, whatever
    the machine. Every grouping is looked at where there are few orders. Raises ValueError for a capacity below one, and
    for places that aren't on the map.
    """
    if capacity < 1:
        raise ValueError("a batch has room for an order")
    on_map = _on_map(loads, ground, where)
    lengths = _lengths(loads, ground, on_map)
    groups = grouped(lengths, [load.pieces for load in loads], Cart(capacity, most_pieces), evaluations=evaluations)
    found = [_batch(tuple(sorted(group)), loads, ground, on_map) for group in groups]
    return sorted(found, key=lambda batch: batch.orders)


def suggestions(found: Sequence[Batch]) -> list[Batch]:
    """Answer the batches that save something, those first that save most."""
    helpful = [batch for batch in found if len(batch.orders) > 1 and batch.saved > 0]
    return sorted(helpful, key=lambda batch: (-batch.saved, batch.orders))


def _on_map(loads: Sequence[Load], ground: Ground | None, where: Mapping[Any, Where] | None) -> list[list[Where]]:
    """Answer where on the map each order takes one to, in an order that is the same each time."""
    if ground is None:
        return [[] for _ in loads]
    found = []
    for load in loads:
        there = [one if where is None else where.get(one) for one in load.stops]
        if where is None and not all(isinstance(one, Where) for one in there):
            raise ValueError("without `where` the stops are places on the map")
        found.append(sorted({one for one in there if isinstance(one, Where)}, key=repr))
    return found


def _lengths(loads: Sequence[Load], ground: Ground | None, on_map: Sequence[Sequence[Where]]) -> Lengths:
    if ground is None or not any(on_map):
        return Stops([load.stops for load in loads])
    if isinstance(ground, Aisles):
        spots = [[one for one in some if isinstance(one, Spot)] for some in on_map]
        if max((one.block for some in spots for one in some), default=0) < QUICK_BLOCKS:
            return AisleMetres(ground, spots)
    return Metres(ground, on_map)


def _batch(
    orders: tuple[int, ...], loads: Sequence[Load], ground: Ground | None, on_map: Sequence[Sequence[Where]]
) -> Batch:
    together = frozenset[Hashable]().union(*(loads[order].stops for order in orders))
    stops, stops_apart = len(together), sum(len(loads[order].stops) for order in orders)
    if ground is None or not any(on_map):
        return Batch(orders, stops, stops_apart)
    places = dict.fromkeys(place for order in orders for place in on_map[order])
    metres, apart = length_on(ground, places), sum(length_on(ground, on_map[order]) for order in orders)
    return Batch(orders, stops, stops_apart, metres, apart)
