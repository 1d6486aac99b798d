"""How a store is kept: its settings, what each may be, and what it is where nobody said.

Which of them a store has follows from what its channel can.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from common.errors import Invalid
from stores.channels import Can, ChannelSpec, LotField, Reach

_MOST_HOURS, _MOST_PIECES = 168, 1_000_000
_CURRENCY = re.compile(r"[A-Z]{3}")
_LEAST_PERCENT, _MOST_PERCENT, _MOST_AMOUNT = Decimal(-99), Decimal(900), Decimal(100_000)
_LONGEST_QUERY = 1_000
# Whose word counts for a field: sync.planning.Owner.
OWNERS = ("ours", "channel", "newest", "ask")
# Fields of a lot that a seller may keep from being pushed; a quantity always is.
OPTIONAL_FIELDS = tuple(each for each in LotField if each is not LotField.QTY)


class PriceChange(StrEnum):
    """How a price there comes from the lot's own."""

    SAME = "SAME"
    PERCENT = "PERCENT"
    AMOUNT = "AMOUNT"


class Rounding(StrEnum):
    """To what a price there is rounded."""

    NONE = "NONE"
    TO_99 = "TO_99"
    TO_95 = "TO_95"
    TO_5_CENTS = "TO_5_CENTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRule:
    """What a lot costs there. `value`: percent or amount, below zero for less.

    `used_change`, `used_value`: of used lots; None: as of new ones.
    """

    change: PriceChange = PriceChange.SAME
    value: Decimal = Decimal(0)
    used_change: PriceChange | None = None
    used_value: Decimal = Decimal(0)
    rounding: Rounding = Rounding.NONE
    minimum: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityRule:
    """How much of a lot is offered there. `last_piece`: whether its last one is, which the primary store offers too."""

    keep_back: int = 0
    at_most: int | None = None
    last_piece: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """What a seller decides about a store."""

    # In which the store sells; empty until it is known.
    currency: str = ""
    auto_sync: bool = True
    # Lots that aren't there yet are listed by themselves, once a run has brought the store into step.
    list_new_lots: bool = False
    # Whether the nightly check puts small differences right by itself.
    repair_drift: bool = False
    sync_interval_hours: int = 24
    # Orders placed before that day aren't brought in.
    import_orders_since: date | None = None
    push_order_status: bool = True
    push_tracking: bool = True
    # The buyer's or the channel's word, usually.
    push_delivered: bool = False
    push_completed: bool = False
    price_rule: PriceRule = field(default_factory=PriceRule)
    quantity_rule: QuantityRule = field(default_factory=QuantityRule)
    fields: tuple[LotField, ...] = OPTIONAL_FIELDS
    # Whose word counts for a field that was changed here and there: sync.planning.Owner by the field's name.
    owners: Mapping[str, str] = field(default_factory=dict)
    # Which lots are listed there, as the inventory's list is narrowed; empty: all.
    listed_query: str = ""
    # Nothing is for sale there for a while; what was is put back after it.
    is_away: bool = False

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "StoreSettings":
        """Read settings that were kept."""
        return _read(kept, {})

    def as_kept(self) -> dict[str, Any]:
        """Answer the settings as JSON, as they are kept and shown."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def settings_of(spec: ChannelSpec) -> tuple[str, ...]:
    """Answer the names of the settings that a store on this channel has."""
    if spec.reach is Reach.MANUAL:
        return ("currency",)
    names = ["currency", "import_orders_since"]
    if spec.reach is Reach.FULL:
        names += ["auto_sync", "list_new_lots", "sync_interval_hours", "repair_drift", "price_rule", "quantity_rule"]
        names += ["fields", "owners", "listed_query", "is_away"]
    if Can.PUSH_ORDER_STATUS in spec.can:
        names += ["push_order_status", "push_delivered", "push_completed"]
    if Can.PUSH_TRACKING in spec.can:
        names.append("push_tracking")
    return tuple(each.name for each in fields(StoreSettings) if each.name in names)


def shown(kept: Mapping[str, Any], spec: ChannelSpec) -> dict[str, Any]:
    """Answer the settings that a store on this channel has, with what they are where nobody said."""
    whole = StoreSettings.of(kept).as_kept()
    own = {name: whole[name] for name in settings_of(spec)}
    if "fields" in own:
        own["fields"] = [name for name in own["fields"] if name in spec.lot_fields]
    if "owners" in own:
        own["owners"] = {name: owner for name, owner in own["owners"].items() if name in spec.lot_fields}
    return own


def changed(kept: Mapping[str, Any], changes: Mapping[str, Any], spec: ChannelSpec) -> dict[str, Any]:
    """Answer the settings after some changes, as they are kept. Raises Invalid with errors by field."""
    names = settings_of(spec)
    errors: dict[str, list[str]] = {
        f"/settings/{name}": [f"A store on {spec.label} has no such setting."] for name in changes if name not in names
    }
    merged = _read({**kept, **{name: value for name, value in changes.items() if name in names}}, errors)
    unknown = [each for each in merged.fields if "fields" in changes and each not in spec.lot_fields]
    if unknown:
        errors["/settings/fields"] = [f"{spec.label} has no {', '.join(unknown)}."]
    if errors:
        raise Invalid(errors=errors)
    return shown(merged.as_kept(), spec)


class _WrongError(ValueError):
    """A value can't be taken; the text says what can."""


def _read(data: Mapping[str, Any], errors: dict[str, list[str]]) -> StoreSettings:
    """Read settings; what can't be is its default, and named in `errors`."""
    values: dict[str, Any] = {}
    for each in fields(StoreSettings):
        if each.name not in data:
            continue
        reader = _READERS[each.name]
        try:
            values[each.name] = reader(data[each.name], f"/settings/{each.name}", errors)
        except _WrongError as error:
            errors[f"/settings/{each.name}"] = [str(error)]
    return StoreSettings(**values)


Reader = Callable[[Any, str, dict[str, list[str]]], Any]


def _flag(value: Any, _at: str, _errors: dict[str, list[str]]) -> bool:
    if not isinstance(value, bool):
        raise _WrongError("True or false.")
    return value


def _number(least: int, most: int, *, may_be_nothing: bool = False) -> Reader:
    def read(value: Any, _at: str, _errors: dict[str, list[str]]) -> int | None:
        if value is None and may_be_nothing:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _WrongError(f"A whole number from {least} to {most:,}.")
        return value

    return read


def _currency(value: Any, _at: str, _errors: dict[str, list[str]]) -> str:
    if not isinstance(value, str) or (value and not _CURRENCY.fullmatch(value)):
        raise _WrongError("Three capital letters, such as EUR.")
    return value


def _day(value: Any, _at: str, _errors: dict[str, list[str]]) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _WrongError("A day, such as 2026-11-01.") from error


def _choice(kinds: type[StrEnum], *, may_be_nothing: bool = False) -> Reader:
    def read(value: Any, _at: str, _errors: dict[str, list[str]]) -> StrEnum | None:
        if value is None and may_be_nothing:
            return None
        try:
            return kinds(value)
        except ValueError as error:
            raise _WrongError(f"One of {', '.join(kinds)}.") from error

    return read


def _decimal(least: Decimal, most: Decimal, *, may_be_nothing: bool = False) -> Reader:
    def read(value: Any, _at: str, _errors: dict[str, list[str]]) -> Decimal | None:
        if value is None and may_be_nothing:
            return None
        try:
            amount = Decimal(value) if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else None
        except InvalidOperation:
            amount = None
        if amount is None or not amount.is_finite() or not least <= amount <= most:
            raise _WrongError(f"A number from {least:,} to {most:,}.")
        return amount

    return read


# Reads which lots a query leaves, and answers it as it is kept; ValueError says what is wrong. Set by the floor that
# knows lots.
QueryReader = Callable[[str], str]
_query_readers: list[QueryReader] = []


def read_queries_with(reader: QueryReader) -> None:
    """Have queries of lots be read by who knows lots."""
    _query_readers[:] = [reader]


def _query(value: Any, _at: str, _errors: dict[str, list[str]]) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_QUERY:
        raise _WrongError(f"A text of at most {_LONGEST_QUERY:,} characters.")
    try:
        return _query_readers[0](value.strip()) if _query_readers and value.strip() else value.strip()
    except ValueError as error:
        raise _WrongError(str(error)) from error


def _owners(value: Any, at: str, errors: dict[str, list[str]]) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _WrongError("An object.")
    names = {each.value for each in LotField if each is not LotField.QTY}
    errors |= {f"{at}/{name}": ["There is no such field."] for name in value if name not in names}
    errors |= {
        f"{at}/{name}": [f"One of {', '.join(OWNERS)}."]
        for name, owner in value.items()
        if name in names and owner not in OWNERS
    }
    return {each.value: value[each.value] for each in LotField if each.value in names and value.get(each.value)}


def _several(value: Any, _at: str, _errors: dict[str, list[str]]) -> tuple[LotField, ...]:
    if not isinstance(value, list | tuple) or not set(value) <= set(OPTIONAL_FIELDS):
        raise _WrongError(f"A list of {', '.join(OPTIONAL_FIELDS)}.")
    return tuple(each for each in OPTIONAL_FIELDS if each in value)


def _group(kind: type[Any], readers: Mapping[str, Reader]) -> Reader:
    def read(value: Any, at: str, errors: dict[str, list[str]]) -> Any:
        if not isinstance(value, Mapping):
            raise _WrongError("An object.")
        errors |= {f"{at}/{name}": ["There is no such member."] for name in value if name not in readers}
        values = {}
        for name in readers.keys() & value.keys():
            try:
                values[name] = readers[name](value[name], f"{at}/{name}", errors)
            except _WrongError as error:
                errors[f"{at}/{name}"] = [str(error)]
        return kind(**values)

    return read


def _price_rule(value: Any, at: str, errors: dict[str, list[str]]) -> PriceRule:
    rule: PriceRule = _PRICE_RULE(value, at, errors)
    changes = (("value", rule.change, rule.value), ("used_value", rule.used_change, rule.used_value))
    for name, change, amount in changes:
        if change is PriceChange.PERCENT and not _LEAST_PERCENT <= amount <= _MOST_PERCENT:
            errors[f"{at}/{name}"] = [f"From {_LEAST_PERCENT} to {_MOST_PERCENT} percent."]
    return rule


_PRICE_RULE = _group(PriceRule, {
    "change": _choice(PriceChange),
    "value": _decimal(-_MOST_AMOUNT, _MOST_AMOUNT),
    "used_change": _choice(PriceChange, may_be_nothing=True),
    "used_value": _decimal(-_MOST_AMOUNT, _MOST_AMOUNT),
    "rounding": _choice(Rounding),
    "minimum": _decimal(Decimal(0), _MOST_AMOUNT, may_be_nothing=True),
})  # fmt: skip
_READERS: Mapping[str, Reader] = {
    "currency": _currency,
    "auto_sync": _flag,
    "list_new_lots": _flag,
    "repair_drift": _flag,
    "sync_interval_hours": _number(1, _MOST_HOURS),
    "import_orders_since": _day,
    "push_order_status": _flag,
    "push_tracking": _flag,
    "push_delivered": _flag,
    "push_completed": _flag,
    "price_rule": _price_rule,
    "quantity_rule": _group(QuantityRule, {
        "keep_back": _number(0, _MOST_PIECES),
        "at_most": _number(1, _MOST_PIECES, may_be_nothing=True),
        "last_piece": _flag,
    }),
    "fields": _several,
    "owners": _owners,
    "listed_query": _query,
    "is_away": _flag,
}  # fmt: skip


def _plain(value: Any) -> Any:
    """Answer a value as JSON has it."""
    match value:
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case tuple() | list():
            return [_plain(inner) for inner in value]
        case Decimal():
            return f"{value:f}"
        case date():
            return value.isoformat()
        case StrEnum():
            return value.value
    return value
