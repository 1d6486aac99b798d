"""Amounts with their currency: adding two currencies is an error, rounding happens once and by name."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

# ISO 4217 minor units that are not 2 (definitions.md, section 5).
_MINOR_UNITS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "KWD": 3, "BHD": 3, "TND": 3, "OMR": 3, "JOD": 3}
_UNIT_PRICE = Decimal("0.0001")


def minor_units(currency: str) -> int:
    """Answer how many decimals a total has in this currency."""
    return _MINOR_UNITS.get(currency, 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency."""

    amount: Decimal
    currency: str

    def _same(self, other: "Money") -> "Money":
        if self.currency != other.currency:
            raise TypeError(f"{self.currency} and {other.currency} don't add up; convert with an explicit rate first")
        return other

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other).amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other).amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> "Money":
        return Money(self.amount * factor, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other).amount

    def rounded(self) -> "Money":
        """Answer the amount as a total: the currency's minor units, half up."""
        quantum = Decimal(1).scaleb(-minor_units(self.currency))
        return Money(self.amount.quantize(quantum, rounding=ROUND_HALF_UP), self.currency)

    def rounded_unit(self) -> "Money":
        """Answer the amount as a unit price: four decimals, half up."""
        return Money(self.amount.quantize(_UNIT_PRICE, rounding=ROUND_HALF_UP), self.currency)

    def converted(self, *, to: str, rate: Decimal) -> "Money":
        """Answer the amount in another currency: one of this currency is `rate` of that one. Not rounded."""
        return Money(self.amount * rate, to)
