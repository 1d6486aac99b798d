"""Bulk edits as SQL: what each change does to which column, and for which lots it isn't done.

Preview and change are made of the same expressions, so the one can't promise what the other doesn't keep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from common.errors import Invalid
from inventory.choices import ItemCondition, StockRoom
from inventory.services.checks import INT_LIMIT, LENGTHS
from inventory.tiers import MOST_PLACES, PRICE_LIMIT, has_too_many_places

_PRICE_STEPS = ("set", "percent", "amount", "times")
_TEXT_STEPS = ("set", "append", "replace")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of a statement with its parameters."""

    text: str
    params: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a change isn't made to some lots."""

    words: str
    condition: Sql


@dataclass(frozen=True, slots=True)
class Part:
    """One change: the columns that it sets, and for which lots it doesn't."""

    words: str
    columns: Mapping[str, Sql]
    refusals: tuple[Refusal, ...] = ()

    @property
    def guarded(self) -> dict[str, Sql]:
        """Answer what each column will be: as it is where the change is refused."""
        if not self.refusals:
            return dict(self.columns)
        refused = _any(refusal.condition for refusal in self.refusals)
        return {
            name: Sql(f"CASE WHEN {refused.text} THEN {name} ELSE {value.text} END", (*refused.params, *value.params))
            for name, value in self.columns.items()
        }


@dataclass(frozen=True, slots=True)
class Program:
    """A bulk edit, worked out. `location_id`: where everything is moved; `is_deletion`: the lots go."""

    parts: tuple[Part, ...] = ()
    location_id: UUID | None = None
    is_deletion: bool = False
    refusals: tuple[Refusal, ...] = field(default=())

    @property
    def columns(self) -> dict[str, Sql]:
        """Answer what every column that is set will be."""
        return {name: value for part in self.parts for name, value in part.guarded.items()}

    @property
    def all_refusals(self) -> tuple[Refusal, ...]:
        """Answer every reason for which something isn't done."""
        return (*(refusal for part in self.parts for refusal in part.refusals), *self.refusals)

    @property
    def is_different(self) -> Sql:
        """Answer the condition that a lot would be another than it is."""
        if self.is_deletion:
            return _not_any(self.refusals)
        found: list[Sql] = []
        if columns := self.columns:
            values = ", ".join(value.text for value in columns.values())
            found.append(
                Sql(
                    f"ROW({', '.join(columns)}) IS DISTINCT FROM ROW({values})",
                    tuple(param for value in columns.values() for param in value.params),
                )
            )
        if self.location_id:
            found.append(
                Sql(
                    "(qty_available + qty_reserved > 0 AND qty_available + qty_reserved <> coalesce("
                    "(SELECT p.qty FROM inventory_inventoryitemlocation p WHERE p.location_id = %s"
                    " AND p.inventory_item_id = inventory_inventoryitem.id), 0))",
                    (self.location_id,),
                )
            )
        return _any(found)

    @property
    def words(self) -> str:
        """Answer what is done: `Price +5 %, condition Used`."""
        words = [part.words for part in self.parts]
        if self.location_id:
            words.append("moved")
        text = "Deleted" if self.is_deletion else ", ".join(words)
        return f"{text[:1].upper()}{text[1:]}"


def _any(conditions: Any) -> Sql:
    found = list(conditions)
    if not found:
        return Sql("false")
    return Sql(
        "(" + " OR ".join(one.text for one in found) + ")", tuple(param for one in found for param in one.params)
    )


def _not_any(refusals: tuple[Refusal, ...]) -> Sql:
    found = _any(refusal.condition for refusal in refusals)
    return Sql(f"NOT {found.text}", found.params)


# --- Changes --------------------------------------------------------------------------------------------------------
def program_of(changes: Mapping[str, Any], *, now: datetime) -> Program:
    """Work out a bulk edit. `changes`, as JSON: by field what is done to it. Raises Invalid with errors by field.

    `price`: {"how": set, percent, amount or times, "by", "round_to", "floor", "ceiling"}; `remarks`, `description`:
    {"how": set, append or replace, "text", "find"}; `location`: an id; `delete`: true; the others their new value.
    """
    if changes.get("delete") is True:
        promised = Refusal("Pieces are promised to orders", Sql("qty_reserved > 0"))
        return Program(is_deletion=True, refusals=(promised,))
    parts: list[Part] = []
    location_id: UUID | None = None
    refusals: tuple[Refusal, ...] = ()
    for name, wanted in changes.items():
        if name in {"price", "remarks", "description"} and not isinstance(wanted, Mapping):
            raise Invalid(errors={f"/{name}": ["Say how it changes."]})
        if name == "price":
            parts.append(_price(wanted, now=now, unlocks=changes.get("price_locked") is False))
        elif name in {"remarks", "description"}:
            parts.append(_text(name, wanted))
        elif name == "location":
            location_id = _location(wanted)
            refusals = (Refusal("There is nothing to move", Sql("qty_available + qty_reserved = 0")),)
        elif name in _PLAIN:
            parts.append(_PLAIN[name](wanted))
        else:
            raise Invalid(errors={f"/{name}": ["This can't be changed for many lots at once."]})
    if not parts and location_id is None:
        raise Invalid("Choose something to change.")
    return Program(parts=tuple(parts), location_id=location_id, refusals=refusals)


def _location(wanted: Any) -> UUID:
    try:
        return UUID(str(wanted))
    except ValueError:
        raise Invalid(errors={"/location": ["There is no such location."]}) from None


def _decimal(name: str, value: Any) -> Decimal:
    try:
        number = Decimal(str(value).replace(",", ".").replace("−", "-").strip())
    except InvalidOperation:
        raise Invalid(errors={f"/{name}": ["Type a number."]}) from None
    if not number.is_finite() or abs(number) >= PRICE_LIMIT:
        raise Invalid(errors={f"/{name}": ["Type a number below 100,000,000."]})
    if has_too_many_places(number):
        raise Invalid(errors={f"/{name}": [f"Type a number of at most {MOST_PLACES} decimals."]})
    return number


def _short(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _change(number: Decimal) -> str:
    return f"{number.normalize():+f}".replace("-", "−")


def _price(wanted: Mapping[str, Any], *, now: datetime, unlocks: bool) -> Part:
    how = wanted.get("how", "")
    if how not in _PRICE_STEPS:
        raise Invalid(errors={"/price": ["A price is set, or changed by a percentage, an amount or a factor."]})
    by = _decimal("price", wanted.get("by", ""))
    value, words = {
        "set": (Sql("%s::numeric", (by,)), f"price {_short(by)}"),
        "percent": (Sql("unit_price * %s::numeric", (1 + by / _HUNDRED,)), f"price {_change(by)} %"),
        "amount": (Sql("unit_price + %s::numeric", (by,)), f"price {_change(by)}"),
        "times": (Sql("unit_price * %s::numeric", (by,)), f"price × {_short(by)}"),
    }[how]
    if wanted.get("round_to"):
        step = _decimal("round_to", wanted["round_to"])
        if step <= 0:
            raise Invalid(errors={"/round_to": ["Round to a step above 0."]})
        value = Sql(f"round(({value.text}) / %s::numeric) * %s::numeric", (*value.params, step, step))
        words += f", rounded to {_short(step)}"
    for bound, function in (("floor", "greatest"), ("ceiling", "least")):
        if wanted.get(bound) not in (None, ""):
            limit = _decimal(bound, wanted[bound])
            value = Sql(f"{function}({value.text}, %s::numeric)", (*value.params, limit))
            words += f", {'at least' if bound == 'floor' else 'at most'} {_short(limit)}"
    value = Sql(f"round({value.text}, 4)", value.params)
    locked = Refusal(
        "The price is locked",
        Sql("(price_locked AND (price_lock_expires_at IS NULL OR price_lock_expires_at > %s))", (now,)),
    )
    beyond = Refusal(
        "The price would be below 0 or too high",
        Sql(f"({value.text} < 0 OR {value.text} >= %s)", (*value.params, *value.params, PRICE_LIMIT)),
    )
    return Part(words, {"unit_price": value}, (beyond,) if unlocks else (locked, beyond))


def _text(name: str, wanted: Mapping[str, Any]) -> Part:
    how, text = wanted.get("how", "set"), str(wanted.get("text", ""))
    if how not in _TEXT_STEPS:
        raise Invalid(errors={f"/{name}": ["A text is set, continued, or searched and replaced."]})
    if "\x00" in text or len(text) > LENGTHS[name]:
        raise Invalid(errors={f"/{name}": [f"At most {LENGTHS[name]:,} characters."]})
    if how == "set":
        return Part(f"{name} set" if text else f"{name} cleared", {name: Sql("%s::text", (text,))})
    if how == "append":
        value = Sql(f"CASE WHEN {name} = '' THEN %s::text ELSE {name} || ' ' || %s::text END", (text, text))
        words = f"{name} continued"
    else:
        find = str(wanted.get("find", ""))
        if not find:
            raise Invalid(errors={f"/{name}": ["Say what is to be replaced."]})
        value = Sql(f"replace({name}, %s, %s)", (find, text))
        words = f"“{find[:20]}” in {name} replaced"
    too_long = Refusal(
        f"The {name} would be too long", Sql(f"length({value.text}) > %s", (*value.params, LENGTHS[name]))
    )
    return Part(words, {name: value}, (too_long,))


def _condition(wanted: Any) -> Part:
    if wanted not in ItemCondition.values:
        raise Invalid(errors={"/condition": ["A lot is new or used."]})
    words = f"condition {ItemCondition(wanted).label.lower()}"
    if wanted == ItemCondition.NEW:
        return Part(words, {"condition": Sql("%s", (wanted,)), "sub_condition": Sql("NULL::varchar")})
    sealed = Refusal("A used set isn't sealed", Sql("coalesce(completeness = 'SEALED', false)"))
    return Part(words, {"condition": Sql("%s", (wanted,))}, (sealed,))


def _stock_room(wanted: Any) -> Part:
    if wanted not in ("", *StockRoom.values):
        raise Invalid(errors={"/stock_room_id": ["The stockrooms are A, B and C."]})
    words = f"into stockroom {wanted}" if wanted else "out of the stockroom"
    return Part(words, {"is_stock_room": Sql("%s", (bool(wanted),)), "stock_room_id": Sql("%s", (wanted,))})


def _locked(wanted: Any) -> Part:
    columns = {"price_locked": Sql("%s", (bool(wanted),))}
    if not wanted:
        columns |= {"price_lock_reason": Sql("''"), "price_lock_expires_at": Sql("NULL::timestamptz")}
    return Part("price locked" if wanted else "price unlocked", columns)


def _flag(name: str, yes: str, no: str) -> Any:
    return lambda wanted: Part(yes if wanted else no, {name: Sql("%s", (bool(wanted),))})


def _whole(name: str, label: str, *, low: int = 0, high: int = INT_LIMIT - 1, is_optional: bool = False) -> Any:
    def part(wanted: Any) -> Part:
        if is_optional and wanted in (None, ""):
            return Part(f"{label} cleared", {name: Sql("NULL::integer")})
        text = str(wanted).strip()
        if not text.isascii() or not text.isdecimal() or not low <= int(text) <= high:
            raise Invalid(errors={f"/{name}": [f"A whole number, {low} or more."]})
        return Part(f"{label} {int(text):,}", {name: Sql("%s::integer", (int(text),))})

    return part


def _cost(wanted: Any) -> Part:
    if wanted in (None, ""):
        return Part("cost cleared", {"cost_basis": Sql("NULL::numeric")})
    cost = _decimal("cost_basis", wanted)
    if cost < 0:
        raise Invalid(errors={"/cost_basis": ["An amount of 0 or more."]})
    return Part(f"cost {_short(cost)}", {"cost_basis": Sql("round(%s::numeric, 4)", (cost,))})


def _short_text(name: str, label: str) -> Any:
    def part(wanted: Any) -> Part:
        text = str(wanted or "").strip()
        if "\x00" in text or len(text) > LENGTHS[name]:
            raise Invalid(errors={f"/{name}": [f"At most {LENGTHS[name]:,} characters."]})
        return Part(f"{label} “{text[:30]}”" if text else f"{label} cleared", {name: Sql("%s", (text,))})

    return part


def _tiers(_wanted: Any) -> Part:
    return Part("tier prices cleared", {"tier_prices": Sql("'[]'::jsonb")})


_PLAIN: Mapping[str, Any] = {
    "condition": _condition,
    "stock_room_id": _stock_room,
    "price_locked": _locked,
    "is_retain": _flag("is_retain", "retained", "no longer retained"),
    "low_stock_threshold": _whole("low_stock_threshold", "low stock below", is_optional=True),
    "sale_percent": _whole("sale_percent", "sale", high=100),
    "bulk": _whole("bulk", "bulk", low=1),
    "cost_basis": _cost,
    "tier_prices": _tiers,
    "reserved_for": _short_text("reserved_for", "reserved for"),
    "category_name": _short_text("category_name", "category"),
    "item_name": _short_text("item_name", "name"),
}
