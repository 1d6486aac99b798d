"""Works out a lot's price from the price guide: basis × factor, rounded, within limits; with every step in words. Pure.

The limits are absolute: a price never lies below the floor, and above the ceiling only where the floor does. The cap
holds for the rest: how far a price moves at once, where no limit wants it to move further.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any

_UNIT = Decimal("0.0001")
_CENT = Decimal("0.01")
_ONE = Decimal(1)
_HUNDRED = Decimal(100)
_INCOMPLETE = "INCOMPLETE"
# What a price column holds.
_LIMIT = Decimal(10) ** 8 - _UNIT


class Basis(StrEnum):
    """Which figure of the price guide a price starts from."""

    SOLD_AVG = "sold_avg"
    SOLD_QTY_AVG = "sold_qty_avg"
    SOLD_MIN = "sold_min"
    STOCK_AVG = "stock_avg"
    STOCK_QTY_AVG = "stock_qty_avg"
    STOCK_MIN = "stock_min"


BASIS_WORDS: Mapping[Basis, str] = {
    Basis.SOLD_AVG: "sold average",
    Basis.SOLD_QTY_AVG: "sold quantity average",
    Basis.SOLD_MIN: "lowest sold",
    Basis.STOCK_AVG: "offered average",
    Basis.STOCK_QTY_AVG: "offered quantity average",
    Basis.STOCK_MIN: "lowest offer",
}
_FROM_STOCK = (Basis.STOCK_AVG, Basis.STOCK_QTY_AVG, Basis.STOCK_MIN)


class Rounding(StrEnum):
    """To what a price is rounded: a step, or from 1.00 on an ending."""

    UNIT = "0.0001"
    MILL = "0.001"
    CENT = "0.01"
    FIVE = "0.05"
    TEN = "0.10"
    ENDS_95 = ".95"
    ENDS_99 = ".99"


_ENDINGS = (Rounding.ENDS_95, Rounding.ENDS_99)


class Skip(StrEnum):
    """Why a lot keeps its price."""

    LOCKED = "locked"
    CUSTOM = "custom"
    INCOMPLETE = "incomplete"
    NO_FIGURES = "no_figures"
    NEVER_SOLD = "never_sold"
    TOO_FEW = "too_few"


SKIP_WORDS: Mapping[Skip, str] = {
    Skip.LOCKED: "The price is locked",
    Skip.CUSTOM: "A custom item is in no price guide",
    Skip.INCOMPLETE: "Incomplete sets are in no price guide",
    Skip.NO_FIGURES: "No figures have been fetched yet",
    Skip.NEVER_SOLD: "The price guide has nothing of it",
    Skip.TOO_FEW: "Too few sales to be trusted",
}


@dataclass(frozen=True, slots=True)
class Figures:
    """One kind of figures; amounts are None where nothing was sold or is offered."""

    price_min: Decimal | None = None
    price_avg: Decimal | None = None
    price_qty_avg: Decimal | None = None
    price_max: Decimal | None = None
    lots_count: int = 0
    qty: int = 0


@dataclass(frozen=True, slots=True)
class Guide:
    """What the price guide says of a thing. None: nobody has asked yet."""

    sold: Figures | None = None
    stock: Figures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How prices are made. `floor`, `cost_factor` (× what a piece cost) and `ceiling` limit them, `cap_percent` a move.

    `min_sales`: with fewer sales or offers the figure isn't trusted, and `fallback` is taken, else the price is kept.
    """

    basis: Basis = Basis.SOLD_AVG
    factor: Decimal = _ONE
    amount: Decimal = Decimal(0)
    rounding: Rounding = Rounding.CENT
    floor: Decimal | None = None
    cost_factor: Decimal | None = None
    ceiling: Decimal | None = None
    cap_percent: Decimal | None = None
    min_sales: int = 0
    fallback: Basis | None = None
    scales_tiers: bool = False

    @property
    def words(self) -> str:
        """Answer them in one line: `sold average × 0.95, rounded to 0.01, not below cost × 1.3`."""
        words = f"{BASIS_WORDS[self.basis]} × {short(self.factor)}"
        if self.amount:
            words += f" {_sign(self.amount)} {price_words(abs(self.amount))}"
        words += f", {_rounded_words(self.rounding)}"
        if self.floor is not None:
            words += f", not below {price_words(self.floor)}"
        if self.cost_factor is not None:
            words += f", not below cost × {short(self.cost_factor)}"
        if self.ceiling is not None:
            words += f", not above {price_words(self.ceiling)}"
        if self.cap_percent is not None:
            words += f", at most {short(self.cap_percent)} % at once"
        return words

    def as_json(self) -> dict[str, Any]:
        """Answer them for a row's or a job's JSON."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value if isinstance(value, bool | int) or value is None else str(value)
            for name, value in values.items()
        }

    @classmethod
    def from_json(cls, made: Mapping[str, Any]) -> "Terms":
        """Read what `as_json` wrote."""
        read: dict[str, Any] = dict(made)
        for name in ("factor", "amount", "floor", "cost_factor", "ceiling", "cap_percent"):
            read[name] = None if made[name] is None else Decimal(made[name])
        read["basis"], read["rounding"] = Basis(made["basis"]), Rounding(made["rounding"])
        read["fallback"] = Basis(made["fallback"]) if made["fallback"] else None
        return cls(**read)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """What of a lot its price depends on. `tiers`: (from quantity, price)."""

    price: Decimal
    cost: Decimal | None = None
    is_locked: bool = False
    is_custom: bool = False
    completeness: str | None = None
    tiers: tuple[tuple[int, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """A price, or why there is none. `tiers` go along with it; `steps` say in words how it came about."""

    price: Decimal | None = None
    skip: Skip | None = None
    steps: tuple[str, ...] = ()
    tiers: tuple[tuple[int, Decimal], ...] = ()


def short(number: Decimal) -> str:
    """Write a factor or a share as people do: `1.3`, `10`."""
    return f"{number.normalize():f}"


def price_words(amount: Decimal) -> str:
    """Write a unit price: `0.10`, `0.1172`."""
    text = f"{amount:.4f}".replace("-", "−")
    return text[:-2] + text[-2:].rstrip("0")


def _sign(number: Decimal) -> str:
    return "−" if number < 0 else "+"


def _rounded_words(rounding: Rounding) -> str:
    return f"rounded to end in {rounding}" if rounding in _ENDINGS else f"rounded to {rounding}"


# --- Rounding -------------------------------------------------------------------------------------------------------
def _stepped(amount: Decimal, step: Decimal, mode: str) -> Decimal:
    return (amount / step).to_integral_value(mode) * step


def round_up(amount: Decimal, rounding: Rounding) -> Decimal:
    """Answer the next price that the rounding has, this one or above; above 0."""
    if rounding not in _ENDINGS:
        step = Decimal(rounding)
        return max(_stepped(amount, step, ROUND_CEILING), step)
    cents = max(_stepped(amount, _CENT, ROUND_CEILING), _CENT)
    if cents < _ONE:
        return cents
    ending = Decimal(f"0{rounding}")
    return max((cents - ending).to_integral_value(ROUND_CEILING), _ONE) + ending


def round_down(amount: Decimal, rounding: Rounding) -> Decimal:
    """Answer the last price that the rounding has, this one or below; above 0, so that nothing is given away."""
    if rounding not in _ENDINGS:
        step = Decimal(rounding)
        return max(_stepped(amount, step, ROUND_FLOOR), step)
    ending = Decimal(f"0{rounding}")
    whole = (amount - ending).to_integral_value(ROUND_FLOOR)
    if whole >= _ONE:
        return whole + ending
    return max(min(_stepped(amount, _CENT, ROUND_FLOOR), _ONE - _CENT), _CENT)


def nearest(amount: Decimal, rounding: Rounding) -> Decimal:
    """Answer the nearest price that the rounding has, the higher one of two; above 0.

    Endings are for prices from 1.00 on: below, where .99 would be a multiple of the price, cents are.
    """
    if rounding not in _ENDINGS:
        step = Decimal(rounding)
        return max(_stepped(amount, step, ROUND_HALF_UP), step)
    below, above = round_down(amount, rounding), round_up(amount, rounding)
    return above if above - amount <= amount - below else below


# --- A price --------------------------------------------------------------------------------------------------------
def figures_behind(guide: Guide, basis: Basis) -> Figures | None:
    """Answer the figures that a basis is one of; None: nobody has asked yet."""
    return guide.stock if basis in _FROM_STOCK else guide.sold


def figure_of(guide: Guide, basis: Basis) -> Decimal | None:
    """Answer one figure; None where there is none, or nobody has asked yet."""
    figures = figures_behind(guide, basis)
    if figures is None:
        return None
    match basis:
        case Basis.SOLD_AVG | Basis.STOCK_AVG:
            return figures.price_avg
        case Basis.SOLD_QTY_AVG | Basis.STOCK_QTY_AVG:
            return figures.price_qty_avg
        case _:
            return figures.price_min


def judge(thing: Thing, guide: Guide, terms: Terms) -> Verdict:
    """Answer what a lot's price becomes by the terms, or why it stays as it is."""
    if skip := _kept(thing):
        return Verdict(skip=skip)
    steps: list[str] = []
    basis = _chosen(guide, terms, steps)
    if isinstance(basis, Skip):
        return Verdict(skip=basis, steps=tuple(steps))
    figure = figure_of(guide, basis) or Decimal(0)
    wanted = figure * terms.factor + terms.amount
    plus = f" {_sign(terms.amount)} {price_words(abs(terms.amount))}" if terms.amount else ""
    steps.append(f"{BASIS_WORDS[basis]} {price_words(figure)} × {short(terms.factor)}{plus} = {price_words(wanted)}")
    price = nearest(wanted, terms.rounding)
    if price != wanted:
        steps.append(f"{_rounded_words(terms.rounding)} → {price_words(price)}")
    for limit in (_capped, _below_ceiling, _above_floors):
        price = limit(price, thing, terms, steps.append)
    price = min(price, _LIMIT).quantize(_UNIT, rounding=ROUND_HALF_UP)
    return Verdict(price, None, tuple(steps), _scaled(thing, price, terms))


def _kept(thing: Thing) -> Skip | None:
    if thing.is_locked:
        return Skip.LOCKED
    if thing.is_custom:
        return Skip.CUSTOM
    return Skip.INCOMPLETE if thing.completeness == _INCOMPLETE else None


def _chosen(guide: Guide, terms: Terms, steps: list[str]) -> Basis | Skip:
    """Answer the basis that is taken, or why none is: what is wrong with the one that was wanted first."""
    reason: Skip | None = None
    for basis in filter(None, (terms.basis, terms.fallback)):
        figures = figures_behind(guide, basis)
        if figures is None:
            why = Skip.NO_FIGURES
        elif not figure_of(guide, basis):
            why = Skip.NEVER_SOLD
            steps.append(f"no {BASIS_WORDS[basis]}")
        elif figures.lots_count < terms.min_sales:
            why = Skip.TOO_FEW
            steps.append(f"{figures.lots_count} {_counted(basis)}, {terms.min_sales} wanted")
        else:
            return basis
        reason = reason or why
    return reason or Skip.NO_FIGURES


def _counted(basis: Basis) -> str:
    return "offers" if basis in _FROM_STOCK else "sales"


Say = Callable[[str], None]


def _capped(price: Decimal, thing: Thing, terms: Terms, say: Say) -> Decimal:
    """Answer a price that is at most so far from the present one; this stays where the rounding has none between."""
    if terms.cap_percent is None or not thing.price:
        return price
    span = thing.price * terms.cap_percent / _HUNDRED
    if price > thing.price + span:
        capped = max(round_down(thing.price + span, terms.rounding), thing.price)
    elif price < thing.price - span:
        capped = min(round_up(thing.price - span, terms.rounding), thing.price)
    else:
        return price
    say(f"at most {short(terms.cap_percent)} % from {price_words(thing.price)} → {price_words(capped)}")
    return capped


def _below_ceiling(price: Decimal, _thing: Thing, terms: Terms, say: Say) -> Decimal:
    if terms.ceiling is None or price <= terms.ceiling:
        return price
    limited = min(round_down(terms.ceiling, terms.rounding), terms.ceiling)
    say(f"not above {price_words(terms.ceiling)} → {price_words(limited)}")
    return limited


def _above_floors(price: Decimal, thing: Thing, terms: Terms, say: Say) -> Decimal:
    floors: list[tuple[Decimal, str]] = []
    if terms.floor is not None:
        floors.append((terms.floor, price_words(terms.floor)))
    if terms.cost_factor is not None and thing.cost is not None:
        least = thing.cost * terms.cost_factor
        floors.append((least, f"cost {price_words(thing.cost)} × {short(terms.cost_factor)} = {price_words(least)}"))
    if not floors:
        return price
    least, words = max(floors)
    if price >= least:
        return price
    limited = round_up(least, terms.rounding)
    say(f"not below {words} → {price_words(limited)}")
    return limited


def _scaled(thing: Thing, price: Decimal, terms: Terms) -> tuple[tuple[int, Decimal], ...]:
    """Answer the tier prices: as they are, or as much cheaper than the new price as they were than the old one."""
    if not terms.scales_tiers or not thing.price or price == thing.price:
        return thing.tiers
    return tuple(
        (qty, min(tier * price / thing.price, _LIMIT).quantize(_UNIT, rounding=ROUND_HALF_UP))
        for qty, tier in thing.tiers
    )
