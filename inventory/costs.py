"""Spreads the cost of a purchase over what came with it, and works out what a piece has cost. Pure."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

UNIT = Decimal("0.0001")
_ZERO = Decimal(0)


def spread(total: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Answer shares of the total to four places that sum up to it exactly, in proportion to the weights.

    What rounding down leaves goes to those that lost most by it (largest remainder). Without any weight all are equal.
    """
    if not weights:
        return []
    together = sum(weights, _ZERO)
    if not together:
        weights, together = [Decimal(1)] * len(weights), Decimal(len(weights))
    exact = [total * weight / together for weight in weights]
    shares = [share.quantize(UNIT, rounding=ROUND_FLOOR) for share in exact]
    left = int((total - sum(shares, _ZERO)) / UNIT)
    order = sorted(range(len(shares)), key=lambda place: (shares[place] - exact[place], place))
    for place in order[:left]:
        shares[place] += UNIT
    return shares


def blended(*, qty_bought: int, cost_bought: Decimal, qty_before: int, cost_before: Decimal | None) -> Decimal:
    """Answer what a piece has cost on average: those that were there before, and those that a purchase brought.

    What was there without a known cost says nothing, and takes the purchase's.
    """
    each = cost_bought / qty_bought
    if cost_before is None or qty_before <= 0:
        return each.quantize(UNIT, rounding=ROUND_HALF_UP)
    mean = (cost_before * qty_before + cost_bought) / (qty_before + qty_bought)
    return mean.quantize(UNIT, rounding=ROUND_HALF_UP)
