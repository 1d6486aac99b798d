"""What pages of runs say in words: a store's rules, what a plan does, values of fields."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from common.templatetags.ui import count, money_filter, unit_price
from stores import queries as stores
from stores.channels import LotField
from stores.choices import Channel
from stores.models import Store
from stores.settings_schema import PriceChange, Rounding, StoreSettings
from sync.choices import RunStatus
from sync.models import SyncRun
from sync.queries.listing import Deed
from sync.queries.runs import FIELD_LABELS

_ROUNDED = {
    Rounding.TO_99: "rounded to .99", Rounding.TO_95: "rounded to .95", Rounding.TO_5_CENTS: "rounded to 5 cents",
}  # fmt: skip
_CENT = Decimal("0.01")
_VERBS = (("add", "added"), ("update", "changed"), ("remove", "removed"))


def rules_of(store: Store) -> list[str]:
    """Answer in sentences what a store shows of the shop's lots."""
    if store.channel == Channel.LOCAL:
        return ["Your lots as they are here: quantities, prices, texts."]
    settings, spec = StoreSettings.of(store.settings), stores.spec_for(store.channel)
    synced = [each for each in settings.fields if spec is None or each in spec.lot_fields]
    names = [FIELD_LABELS[LotField.QTY], *(FIELD_LABELS[each] for each in synced)]
    found = [_price(settings), _quantity(settings), f"In step: {_listed(names)}."]
    if settings.listed_query:
        found.append("Only the lots that its filter leaves are listed.")
    if settings.is_away:
        found.append("On vacation: nothing is for sale there.")
    return found


def _price(settings: StoreSettings) -> str:
    rule = settings.price_rule
    parts = [_by(rule.change, rule.value)]
    if rule.used_change is not None:
        parts.append(f"used lots {_by(rule.used_change, rule.used_value)}")
    if rule.rounding in _ROUNDED:
        parts.append(_ROUNDED[rule.rounding])
    if rule.minimum is not None:
        parts.append(f"at least {unit_price(rule.minimum)}")
    return f"Price: {', '.join(parts)}."


def _by(change: PriceChange, value: Decimal) -> str:
    way = "less" if value < 0 else "more"
    if change is PriceChange.PERCENT:
        return f"{abs(value):f} % {way} than here"
    return f"{unit_price(abs(value))} {way} than here" if change is PriceChange.AMOUNT else "as here"


def _quantity(settings: StoreSettings) -> str:
    rule = settings.quantity_rule
    parts = ["all pieces" if rule.at_most is None else f"at most {count(rule.at_most)} of a lot"]
    if rule.keep_back:
        parts.append(f"{count(rule.keep_back)} kept back")
    if not rule.last_piece:
        parts.append("the last piece isn't offered")
    return f"Quantity: {', '.join(parts)}."


def deed_words(deed: Deed) -> list[str]:
    """Answer in sentences what a plan does in one store."""
    where = "to your stock" if deed.is_here else f"to {deed.label}"
    there = "in your stock" if deed.is_here else f"on {deed.label}"
    found = []
    if deed.add:
        found.append(f"{_lots(deed.add)} {_are(deed.add)} added {where}.")
    if deed.update:
        found.append(f"{_lots(deed.update)} {_are(deed.update)} changed {there}.")
    if deed.remove:
        found.append(f"{_lots(deed.remove)} {_are(deed.remove)} removed {'from' + there[2:]}.")
    return found


def did(run: SyncRun, status: RunStatus) -> str:
    """Answer in a few words what a run does, or did."""
    summary = run.plan_summary
    if applied := summary.get("applied"):
        parts = [f"{count(applied[name])} {verb}" for name, verb in _VERBS if applied.get(name)]
        parts += [f"{count(applied['failed'])} failed"] if applied.get("failed") else []
        return ", ".join(parts) or "Nothing changed"
    if status not in (RunStatus.PREVIEW_READY, RunStatus.APPLYING, RunStatus.COMPLETED):
        return ""
    parts = [
        f"{count(summary[name])} to {verb}"
        for name, verb in (("add", "add"), ("update", "change"), ("remove", "remove"))
        if summary.get(name)
    ]
    return ", ".join(parts) or f"{count(summary.get('equal', 0))} lots equal"


def value_words(field: str, value: Any) -> str:
    """Answer a field's value, as it is kept or as it is, as people read it."""
    if value is None or value == "":
        return "none"
    if field == LotField.QTY:
        return count(value)
    if field == LotField.PRICE:
        return unit_price(value)
    if field == LotField.TIERS:
        return " · ".join(f"{qty}+ {unit_price(price)}" for qty, price in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if field == LotField.SALE:
        return f"{value} %"
    return str(value)


def state_words(state: dict[str, Any]) -> str:
    """Answer how many pieces at which price, of a state as it is kept."""
    price = state.get("price")
    return f"{count(state.get('qty'))}{f' × {unit_price(price)}' if price is not None else ''}"


def span(seconds: int) -> str:
    """Answer about how long something takes."""
    if seconds < 60:  # noqa: PLR2004  # a minute
        return "under a minute"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {round(minutes / 60)} h"  # noqa: PLR2004  # an hour and a half


def difference(before: Decimal, after: Decimal) -> str:
    """Answer by how much a value changes, with its sign; nothing where it stays."""
    change = (after - before).quantize(_CENT)
    return "" if not change else f"{'+' if change > 0 else ''}{money_filter(change)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _lots(number: int) -> str:
    return f"{count(number)} lot{'' if number == 1 else 's'}"


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
