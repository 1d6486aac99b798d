"""What nobody knows the number of, for the shop's queue: in a channel's lots, in its orders, and of our own lots."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from inventory.choices import UnmappedReason
from inventory.models import InventoryItem
from inventory.questions import Question
from inventory.services import Met
from orders.lifecycle import PROMISED
from orders.models import OrderLine
from stores.models import Store
from sync.queries.meanings import meanings_of, no_number_of
from sync.remote import RemoteItem

_FOUR_PLACES = Decimal("0.0001")


def unmapped_in_orders(store: Store, *, rate: Decimal = Decimal(1)) -> list[Met]:
    """Answer which numbers in a store's open orders nobody knows, each line with its pieces.

    `rate`: what one of the store's currency is worth in the shop's.
    """
    lines = OrderLine.objects.filter(
        order__store=store, order__status__in=sorted(PROMISED), inventory_item__isnull=True, qty_ordered__gt=0
    ).exclude(external_item_no="")
    asked = {line.pk: _item_of(line) for line in lines}
    meanings = meanings_of(store.channel, set(asked.values()))
    return [
        Met(
            question=Question(store.channel, line.external_item_no), reason=meaning.reason, item_name=line.item_name,
            color_name=line.color_name, lots_count=1, qty=line.qty_ordered,
            amount=(line.qty_ordered * line.unit_price * rate).quantize(_FOUR_PLACES),
        )
        for line in lines
        if (meaning := meanings[asked[line.pk]]).reason
    ]  # fmt: skip


def _item_of(line: OrderLine) -> RemoteItem:
    return RemoteItem(
        item_type=line.item_type, item_no=line.external_item_no, color_no=line.external_color or None,
        condition=line.condition, completeness=line.completeness or None, name=line.item_name,
        color_name=line.color_name,
    )  # fmt: skip


def without_number(channel: str, lots: Sequence[InventoryItem]) -> list[Met]:
    """Answer the items of ours of which nobody knows the number on a channel, with what hangs on them."""
    return [
        Met(
            question=no_number_of(channel, lot), reason=UnmappedReason.NO_NUMBER, item_name=lot.item_name,
            color_name=lot.color_name, lots_count=1, qty=lot.qty_available,
            amount=lot.qty_available * lot.unit_price,
        )
        for lot in lots
    ]  # fmt: skip


def together(met: Iterable[Met]) -> list[Met]:
    """Answer each question once, with all that hangs on it."""
    found: dict[Question, Met] = {}
    for each in met:
        known = found.get(each.question)
        found[each.question] = each if known is None else replace(
            known, lots_count=known.lots_count + each.lots_count, qty=known.qty + each.qty,
            amount=known.amount + each.amount,
        )  # fmt: skip
    return list(found.values())
