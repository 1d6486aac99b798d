"""Which lot a line is of: the one that it names, by its listing, else by what it is, and never by a guess."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

from catalog.choices import MAY_HAVE_COLOR, System
from inventory.models import InventoryItem
from inventory.queries.holdings import lots_by_id
from inventory.queries.listings import lots_of_listings
from inventory.queries.mappings import own_mappings_of
from orders.incoming import IncomingLine

# What a line takes over from its lot, and by what lots that are alike are ranked.
_READ = (
    "item_type", "item_no", "item_name", "color_id", "color_name", "condition", "completeness", "unit_price", "remarks",
    "qty_available", "date_added",
)  # fmt: skip
_Key = tuple[str, str, int | None, str, str]


@dataclass(frozen=True, slots=True)
class Match:
    """What a line means: the line in our numbers, and the lot that it is of, if one is."""

    line: IncomingLine
    lot: InventoryItem | None


def match_lines(
    lines: Sequence[IncomingLine], *, store_id: UUID, channel: str, currency: str, own_currency: str
) -> list[Match]:
    """Answer for each line what it means. A few queries, however many lines.

    Of several lots that are the same thing the best is taken, always the same one: with the line's price, with its
    remarks, with enough pieces, with the most, the oldest.
    """
    translated = _translated(lines, channel=channel)
    numbers = {line.external_lot_id for line in lines if line.external_lot_id}
    listed = lots_of_listings(store_id, numbers, only=_READ) if numbers else {}
    wanted = [line for line in translated if line.item_no and line.external_lot_id not in listed]
    alike = _lots_like(wanted)
    ids = {line.lot_id for line in lines if line.lot_id}
    named: dict[UUID | None, InventoryItem] = dict(lots_by_id(ids).items()) if ids else {}
    answers = []
    for line in translated:
        if lot := named.get(line.lot_id) or listed.get(line.external_lot_id):
            answers.append(Match(_as_lot(line, lot), lot))
            continue
        answers.append(_best(line, alike.get(_key_of(line), ()), same_money=currency == own_currency))
    return answers


def _best(line: IncomingLine, lots: Sequence[InventoryItem], *, same_money: bool) -> Match:
    if not line.item_no or not lots:
        return Match(line, None)
    lot = min(lots, key=lambda lot: _rank(lot, line, same_money=same_money))
    return Match(_as_lot(line, lot), lot)


def _translated(lines: Sequence[IncomingLine], *, channel: str) -> list[IncomingLine]:
    """Answer the lines with what the shop itself says that the channel's numbers mean: that wins."""
    if channel not in System.values:
        return list(lines)
    meanings = own_mappings_of(channel, [line.external_item_no or line.item_no for line in lines])
    if not meanings:
        return list(lines)
    answers = []
    for line in lines:
        number = line.external_item_no or line.item_no
        found = meanings.get((number, line.external_color)) or meanings.get((number, ""))
        if found is None:
            answers.append(line)
            continue
        color = found.color_id if found.color_id is not None else line.color_id
        answers.append(replace(line, item_type=found.item_type, item_no=found.item_no, color_id=color))
    return answers


def _key_of(line: IncomingLine) -> _Key:
    color = line.color_id if line.item_type in MAY_HAVE_COLOR else None
    return (line.item_type, line.item_no, color, line.condition, line.completeness)


def _lots_like(lines: Sequence[IncomingLine]) -> dict[_Key, list[InventoryItem]]:
    """Answer the lots for sale by what they are. One query, read by item numbers."""
    if not lines:
        return {}
    found = InventoryItem.objects.filter(item_no__in={line.item_no for line in lines}, is_stock_room=False).only(*_READ)
    by_key: dict[_Key, list[InventoryItem]] = defaultdict(list)
    for lot in found:
        by_key[(lot.item_type, lot.item_no, lot.color_id, lot.condition, lot.completeness or "")].append(lot)
    return by_key


def _rank(lot: InventoryItem, line: IncomingLine, *, same_money: bool) -> tuple[bool, bool, bool, int, object, UUID]:
    is_priced = same_money and lot.unit_price == line.unit_price.quantize(Decimal("0.0001"))
    is_remarked = bool(line.remarks) and lot.remarks == line.remarks
    return (
        not is_priced, not is_remarked, lot.qty_available < line.qty, -lot.qty_available, lot.date_added, lot.pk,
    )  # fmt: skip


def _as_lot(line: IncomingLine, lot: InventoryItem) -> IncomingLine:
    """Answer the line with its lot's own words: the channel's may be another platform's."""
    return replace(
        line, item_type=lot.item_type, item_no=lot.item_no, color_id=lot.color_id, condition=lot.condition,
        completeness=lot.completeness or "", item_name=lot.item_name or line.item_name,
    )  # fmt: skip
