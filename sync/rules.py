"""What a store is to show of a lot, by the store's rules, or why it isn't listed there. Pure."""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from stores.channels import ChannelSpec, LotField
from stores.settings_schema import PriceChange, PriceRule, QuantityRule, Rounding, StoreSettings
from sync.remote import LotState

_ONE, _HUNDRED = Decimal(1), Decimal(100)
_FIVE_CENTS = Decimal("0.05")
_ENDINGS = {Rounding.TO_99: Decimal("0.99"), Rounding.TO_95: Decimal("0.95")}
# Where lots are kept during a vacation.
AWAY_ROOM = "A"
# What a lot shows there of a field that its channel has, and its seller keeps from being sent.
_UNSENT = {
    LotField.DESCRIPTION: "", LotField.REMARKS: "", LotField.TIERS: (), LotField.BULK: 1, LotField.SALE: 0,
    LotField.RETAIN: False, LotField.STOCKROOM: "",
}  # fmt: skip
# Where each field stands in a state.
_PLACES = {each: LotState._fields.index(each.value) for each in LotField}
_TIERS, _STOCKROOM = _PLACES[LotField.TIERS], _PLACES[LotField.STOCKROOM]
# Prices that are kept as they were worked out: most shops have some thousands.
_MOST_PRICES = 20_000


class Unlisted(StrEnum):
    """Why a lot isn't listed in a store."""

    NO_PIECES = "no_pieces"
    # There are some, and all of them are kept back or too few for a bulk.
    KEPT_BACK = "kept_back"
    NO_PRICE = "no_price"
    # It isn't for sale, which the channel couldn't show.
    STOCKROOM = "stockroom"
    # The store sells in another currency, and nobody knows the rate.
    NO_RATE = "no_rate"
    # The store's rules don't list lots of this kind.
    NOT_CHOSEN = "not_chosen"
    # It is the last piece, which the primary store offers.
    LAST_PIECE = "last_piece"
    # The shop is on vacation.
    AWAY = "away"
    # Another listing of the same lot offers its pieces there.
    TWICE = "twice"
    # The lot was deleted here.
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRules:
    """How a store shows lots. `rate`: what one of the lots' currency is worth in the store's; None: nobody knows."""

    lot_fields: frozenset[LotField]
    # Of these, the ones that are sent; quantity and, for new lots, price always are.
    sent: frozenset[LotField]
    price: PriceRule = field(default_factory=PriceRule)
    quantity: QuantityRule = field(default_factory=QuantityRule)
    price_decimals: int = 4
    rate: Decimal | None = _ONE
    is_away: bool = False

    @classmethod
    def of(cls, settings: StoreSettings, spec: ChannelSpec, *, rate: Decimal | None = _ONE) -> "StoreRules":
        """Answer the rules of a store's settings on its channel. Prices that can't be told stay as they are there."""
        unknown = frozenset({LotField.PRICE, LotField.TIERS}) if rate is None else frozenset()
        return cls(
            lot_fields=spec.lot_fields,
            sent=(frozenset({LotField.QTY, *settings.fields}) & spec.lot_fields) - unknown,
            price=settings.price_rule,
            quantity=settings.quantity_rule,
            price_decimals=spec.price_decimals,
            rate=rate,
            is_away=settings.is_away,
        )


class Shown(NamedTuple):
    """What a store is to show of a lot. `why`: why nothing; the quantity is 0 then."""

    state: LotState
    why: Unlisted | None = None


class Showing:
    """How a store shows lots: what takes time to work out is worked out once for all of them."""

    def __init__(self, rules: StoreRules) -> None:
        self._rules = rules
        # What stands in place of a lot's own value, by where it is in a state.
        self._fixed = tuple(
            (_PLACES[each], nothing if each in rules.lot_fields else None)
            for each, nothing in _UNSENT.items()
            if each not in rules.sent or each not in rules.lot_fields
        )
        self._has_stockrooms = LotField.STOCKROOM in rules.lot_fields
        self._least = _least(rules)
        self._has_own_prices = _is_as_here(rules)
        quantity = rules.quantity
        offers_all = not quantity.keep_back and quantity.at_most is None
        self._is_plain = self._has_own_prices and offers_all and not rules.is_away
        self._prices: dict[tuple[Decimal, bool], Decimal] = {}

    def of(self, lot: LotState, *, is_used: bool = False) -> Shown:
        """Answer how a lot of ours is to stand in a store; fields that its channel hasn't are None."""
        is_usual = lot.qty > 0 and lot.bulk == 1 and not lot.tiers and not lot.stockroom
        if is_usual and self._is_plain and lot.price > self._least:
            return Shown(self._plainly(lot))
        rules = self._rules
        kept: list[Any] = list(lot)
        price, qty = self._priced(lot.price, is_used=is_used), offered(lot, rules.quantity)
        for place, value in self._fixed:
            kept[place] = value
        if kept[_TIERS]:
            kept[_TIERS] = tiers_priced(lot, price, rules, is_used=is_used)
        if rules.is_away and self._has_stockrooms:
            # It stays there with all that it is, and nobody can buy it.
            kept[_STOCKROOM] = kept[_STOCKROOM] or AWAY_ROOM
        why = _why_not(lot, price, qty, rules)
        kept[0], kept[1] = 0 if why else qty, price
        return Shown(LotState._make(kept), why)

    def _plainly(self, lot: LotState) -> LotState:
        """Answer a lot as it is, but for what the channel hasn't: so most shops show most of their lots."""
        price = lot.price.quantize(self._least, ROUND_HALF_UP)
        if not self._fixed:
            return lot if price == lot.price else lot._replace(price=price)
        kept: list[Any] = list(lot)
        for place, value in self._fixed:
            kept[place] = value
        kept[1] = price
        return LotState._make(kept)

    def _priced(self, price: Decimal, *, is_used: bool) -> Decimal:
        if self._has_own_prices and price > self._least:
            return price.quantize(self._least, ROUND_HALF_UP)
        key = (price, is_used)
        found = self._prices.get(key)
        if found is None:
            if len(self._prices) >= _MOST_PRICES:
                self._prices.clear()
            found = self._prices[key] = priced(price, self._rules, is_used=is_used)
        return found


def shown(lot: LotState, rules: StoreRules, *, is_used: bool = False) -> Shown:
    """Answer how one lot is to stand in a store, as `Showing` does."""
    return Showing(rules).of(lot, is_used=is_used)


def offered(lot: LotState, rule: QuantityRule) -> int:
    """Answer how many pieces are offered: what isn't kept back, at most so many, in whole bulks."""
    pieces = max(0, lot.qty - rule.keep_back)
    if rule.at_most is not None:
        pieces = min(pieces, rule.at_most)
    bulk = max(1, lot.bulk or 1)
    return pieces // bulk * bulk


def priced(price: Decimal, rules: StoreRules, *, is_used: bool = False) -> Decimal:
    """Answer what a piece costs there; 0 where it has no price. Never less than the least amount of the channel."""
    if price <= 0:
        return Decimal(0)
    rule, least = rules.price, _least(rules)
    amount = price * (_ONE if rules.rate is None else rules.rate)
    change, value = changed_by(rule, is_used=is_used)
    if change is PriceChange.PERCENT:
        amount *= (_HUNDRED + value) / _HUNDRED
    elif change is PriceChange.AMOUNT:
        amount += value
    amount = _rounded(amount, rule.rounding)
    if rule.minimum is not None:
        amount = max(amount, rule.minimum)
    return max(least, amount.quantize(least, ROUND_HALF_UP))


def changed_by(rule: PriceRule, *, is_used: bool) -> tuple[PriceChange, Decimal]:
    """Answer how a rule changes prices of new lots, or of used ones."""
    if is_used and rule.used_change is not None:
        return rule.used_change, rule.used_value
    return rule.change, rule.value


def _least(rules: StoreRules) -> Decimal:
    return _ONE.scaleb(-rules.price_decimals)


def _is_as_here(rules: StoreRules) -> bool:
    """Tell whether prices there are ours, but for the decimals of the channel."""
    rule = rules.price
    is_used_as_new = rule.used_change in (None, PriceChange.SAME)
    is_plain = rule.change is PriceChange.SAME and is_used_as_new and rule.rounding is Rounding.NONE
    return is_plain and rule.minimum is None and rules.rate in (None, _ONE)


def tiers_priced(
    lot: LotState, price: Decimal, rules: StoreRules, *, is_used: bool = False
) -> tuple[tuple[int, Decimal], ...]:
    """Answer the steps that are still cheaper one after the other once they are priced as the lot is."""
    steps: list[tuple[int, Decimal]] = []
    last = price
    for qty, amount in lot.tiers or ():
        there = priced(amount, rules, is_used=is_used)
        if 0 < there < last:
            steps.append((qty, there))
            last = there
    return tuple(steps)


def lost(lot: LotState, lot_fields: Collection[LotField]) -> tuple[LotField, ...]:
    """Answer which fields of a lot say something that the channel can't show."""
    return tuple(
        each
        for each, nothing in _UNSENT.items()
        if each not in lot_fields and getattr(lot, each.value) not in (None, nothing)
    )


def _why_not(lot: LotState, price: Decimal, qty: int, rules: StoreRules) -> Unlisted | None:
    if lot.stockroom and LotField.STOCKROOM not in rules.lot_fields:
        return Unlisted.STOCKROOM
    if rules.is_away and LotField.STOCKROOM not in rules.lot_fields:
        return Unlisted.AWAY
    if lot.qty <= 0:
        return Unlisted.NO_PIECES
    # Where prices aren't sent, the listing keeps its own.
    if price <= 0 and LotField.PRICE in rules.sent:
        return Unlisted.NO_PRICE
    return None if qty else Unlisted.KEPT_BACK


def _rounded(amount: Decimal, rounding: Rounding) -> Decimal:
    """Round up to the next .99 or .95, or to the nearest 5 cents. What is too small for that stays as it is."""
    if rounding is Rounding.TO_5_CENTS:
        steps = (amount / _FIVE_CENTS).quantize(_ONE, ROUND_HALF_UP)
        return steps * _FIVE_CENTS if steps > 0 else amount
    ending = _ENDINGS.get(rounding)
    if ending is None or amount < ending:
        return amount
    whole = amount.to_integral_value(ROUND_FLOOR)
    return whole + ending if amount <= whole + ending else amount.to_integral_value(ROUND_CEILING) + ending
