"""Chance that falls the same on every machine and version of Python: whole numbers alone, by SplitMix64."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar
from zlib import crc32

T = TypeVar("T")

_MASK = (1 << 64) - 1
_ONE = 1_000_000


class Dice:
    """Numbers by a seed: https://prng.di.unimi.it/splitmix64.c."""

    def __init__(self, *seed: int | str) -> None:
        self._state = 0
        for part in seed:
            number = part if isinstance(part, int) else crc32(part.encode())
            self._state = (self._state * 0x100000001B3 + number + 1) & _MASK

    def number(self) -> int:
        """Answer 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def below(self, end: int) -> int:
        """Answer one of 0 … end − 1."""
        return self.number() % end

    def between(self, first: int, last: int) -> int:
        """Answer one of first … last."""
        return first + self.below(last - first + 1)

    def chance(self, percent: float) -> bool:
        """Tell whether something happens that happens so many times in a hundred."""
        return self.below(_ONE) < percent * _ONE / 100

    def one(self, choices: Sequence[T]) -> T:
        """Answer one of them."""
        return choices[self.below(len(choices))]

    def weighted(self, choices: Sequence[tuple[T, int]]) -> T:
        """Answer one of them, each as often as its weight says."""
        sums = list(accumulate(weight for _, weight in choices))
        return choices[bisect_right(sums, self.below(sums[-1]))][0]

    def along(self, curve: Sequence[int]) -> int:
        """Answer a number whose quantiles, evenly apart, are the curve's."""
        place = self.below((len(curve) - 1) * 1000)
        left, right = curve[place // 1000], curve[place // 1000 + 1]
        return left + (right - left) * (place % 1000) // 1000
