"""How long walks are: tours over the proven optimum (P19), and orders that are picked together (P20).

Run: `.venv/bin/python -m bench.picking [--quick]`. It needs neither database nor server. Small instances are proven by
looking at everything; for the others the figures stand beside what people do by rule of thumb. Times are CPU.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from statistics import mean
from typing import Any

from bench.report import save
from picker.batching import Load, batches
from picker.routing import Aisles, Spot, distance, tour
from picker.tests.warehouses import (
    best_grouping,
    by_savings,
    generated_layout,
    generated_orders,
    generated_spots,
    largest_gap,
    nearest_and_two_opt,
    s_shape,
    seeded,
    shortest,
    walked,
)

_AISLES, _BLOCKS, _PICKS = (5, 10, 15, 20), (1, 2, 3), (5, 10, 20, 40, 60)
_Instance = tuple[Aisles, list[Spot]]
_RULES: dict[str, Callable[[Aisles, list[Spot]], Sequence[int]]] = {
    "by code": lambda _layout, spots: sorted(
        range(len(spots)), key=lambda index: (spots[index].aisle, spots[index].block, spots[index].offset)
    ),
    "S-shape": lambda _layout, spots: s_shape(spots),
    "largest gap": largest_gap,
    "nearest neighbor and 2-opt": nearest_and_two_opt,
}


def _over(ratios: Sequence[float]) -> str:
    return f"{mean(ratios) - 1:+.2%}, worst {max(ratios) - 1:+.2%}"


def _row(line: str, figure: str, value: str, must: str, aim: str, *, met: bool | str) -> dict[str, Any]:
    return {"line": line, "figure": figure, "value": value, "must": must, "aim": aim, "met": met}


# --- Tours ----------------------------------------------------------------------------------------------------------
def _proven(count: int) -> list[float]:
    """Answer tours over the shortest walk, of instances that are small enough to look at all walks."""
    dice, ratios = seeded(19), []
    for case in range(count):
        layout = generated_layout(dice, aisles=dice.choice(_AISLES), blocks=dice.choice(_BLOCKS))
        spots = generated_spots(dice, layout, dice.randint(5, 9), skewed=case % 2 == 1)
        door = Spot(layout.depot, 0, 0.0)
        best = shortest(door, spots, partial(distance, layout))
        ratios.append(walked(layout, spots, tour(layout, spots).order) / best)
    return ratios


def _instances(of_each: int) -> list[_Instance]:
    dice, made = seeded(20), []
    for aisles, blocks, picks, case in product(_AISLES, _BLOCKS, _PICKS, range(of_each)):
        layout = generated_layout(dice, aisles=aisles, blocks=blocks)
        made.append((layout, generated_spots(dice, layout, picks, skewed=case % 2 == 1)))
    return made


def tours(*, quick: bool) -> list[dict[str, Any]]:
    """Answer the rows of P19."""
    proven = _proven(60 if quick else 400)
    instances = _instances(2 if quick else 6)
    took, metres = [], []
    for layout, spots in instances:
        before = time.process_time()
        answer = tour(layout, spots)
        took.append(time.process_time() - before)
        metres.append(answer.metres)
    rows = [
        _row("P19", f"tours of 5-9 picks over all walks ({len(proven)})", _over(proven), "0.1 %, worst 1 %", "0 %",
             met=mean(proven) <= 1.001 and max(proven) <= 1.01),
        _row("P19", f"a tour of 5-60 picks, 1-3 blocks ({len(took)})",
             f"{mean(took) * 1000:.1f} ms, worst {max(took) * 1000:.1f} ms", "100 ms", "", met=max(took) <= 0.1),
    ]  # fmt: skip
    for name, rule in _RULES.items():
        ratios = [
            walked(layout, spots, rule(layout, spots)) / best
            for (layout, spots), best in zip(instances, metres, strict=True)
        ]
        rows.append(_row("P19", f"for orientation: {name} over the tour", _over(ratios), "", "", met=""))
    return rows


# --- Batches --------------------------------------------------------------------------------------------------------
def _grouped(
    count: int, sizes: tuple[int, int], capacities: Sequence[int], known: Callable[..., float]
) -> tuple[list[float], list[float]]:
    """Answer batches over what is known of so many instances, and the seconds that each took."""
    dice, ratios, took = seeded(str(sizes)), [], []
    for _ in range(count):
        layout = generated_layout(dice, aisles=dice.choice((8, 10, 12)), blocks=dice.choice((1, 2)))
        orders, capacity = generated_orders(dice, layout, dice.randint(*sizes)), dice.choice(capacities)
        before = time.process_time()
        found = batches([Load(frozenset(spots), len(spots)) for spots in orders], capacity=capacity, ground=layout)
        took.append(time.process_time() - before)
        ratios.append(sum(batch.metres or 0 for batch in found) / known(layout, orders, capacity))
    return ratios, took


def groups(*, quick: bool) -> list[dict[str, Any]]:
    """Answer the rows of P20."""
    small, _ = _grouped(10 if quick else 60, (7, 9), (3,), best_grouping)
    large, took = _grouped(4 if quick else 20, (30, 40), (4, 6, 8), by_savings)
    return [
        _row("P20", f"7-9 orders over all groupings ({len(small)})", _over(small), "1 %", "0.3 %",
             met=mean(small) <= 1.01),
        _row("P20", f"30-40 orders over savings ({len(large)})", _over(large), "0 %", "-2 %", met=mean(large) <= 1),
        _row("P20", "such a grouping", f"{mean(took):.2f} s, worst {max(took):.2f} s", "", "", met=""),
    ]  # fmt: skip


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer instances")
    quick = parser.parse_args().quick
    save("picking-quick" if quick else "picking", {"rows": [*tours(quick=quick), *groups(quick=quick)]})


if __name__ == "__main__":
    main()
