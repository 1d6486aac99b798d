"""What a parcel's pieces should weigh, and what the scale says to that. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

_GRAMS = re.compile(r"\d{1,6}(\.\d{1,3})?", re.ASCII)
# A scale shows whole grams or tenths; less than this is no difference.
_LEAST = Decimal("0.5")


class Verdict(StrEnum):
    """What the scale says."""

    OK = "OK"
    LIGHT = "LIGHT"
    HEAVY = "HEAVY"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Part:
    """So many pieces of one thing; `grams` is what a piece weighs, None where nobody knows."""

    name: str
    qty: int
    grams: Decimal | None


@dataclass(frozen=True, slots=True)
class Expected:
    """What some parts should weigh together, without the box. `unknown`: those that weigh nobody knows what."""

    grams: Decimal
    unknown: tuple[Part, ...]

    def margin(self, tolerance: int) -> Decimal:
        """Answer how many grams the scale may be off, at a tolerance in percent."""
        return max(_LEAST, self.grams * tolerance / 100)


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the scale says, and of which parts too few or too many pieces would explain it."""

    verdict: Verdict
    difference: Decimal
    guesses: tuple[tuple[str, int], ...] = ()


def expected(parts: Sequence[Part]) -> Expected:
    """Answer what the parts should weigh."""
    known = sum((part.qty * part.grams for part in parts if part.grams is not None), Decimal(0))
    return Expected(known, tuple(part for part in parts if part.grams is None and part.qty))


def read_grams(text: str) -> tuple[Decimal | None, str]:
    """Answer the grams that were typed, with a point or a comma; else None and what is wrong with them."""
    plain = text.strip().lower().removesuffix("g").strip().replace(",", ".")
    if not plain:
        return None, "Type what the scale shows, in grams."
    if not _GRAMS.fullmatch(plain):
        return None, "Grams are a number, such as 212 or 212.5."
    return Decimal(plain), ""


def weigh(parts: Sequence[Part], *, grams: Decimal, tolerance: int) -> Weighed:
    """Judge what the scale says (`grams`) at a tolerance in percent.

    Parts of unknown weight can only add to what is known: too light is too light, the rest can't be told.
    """
    wanted = expected(parts)
    difference, margin = grams - wanted.grams, wanted.margin(tolerance)
    if difference < -margin:
        return Weighed(Verdict.LIGHT, difference, _guesses(parts, -difference, margin))
    if wanted.unknown:
        return Weighed(Verdict.UNKNOWN, difference)
    if difference > margin:
        return Weighed(Verdict.HEAVY, difference, _guesses(parts, difference, margin))
    return Weighed(Verdict.OK, difference)


def _guesses(parts: Sequence[Part], grams: Decimal, margin: Decimal) -> tuple[tuple[str, int], ...]:
    """Answer of which parts, and how many pieces, the difference could be; the best fit first."""
    fits = []
    for part in parts:
        if not part.grams:
            continue
        count = int((grams / part.grams).to_integral_value())
        off = abs(count * part.grams - grams)
        if 1 <= count <= part.qty and off <= margin:
            fits.append((off, part.name, count))
    return tuple((name, count) for _off, name, count in sorted(fits)[:2])
