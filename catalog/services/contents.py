"""What is in a set that the catalog knows by its number alone: asked outside, and kept."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from catalog.choices import ItemType, Source, System
from catalog.models import CatalogItem, CatalogSetItem
from catalog.queries.items import set_numbered
from catalog.services import keeping
from catalog.services.connecting import connect, is_connected
from catalog.services.looking_up import is_missed, look_up, remember_miss
from catalog.services.turns import a_place_to_wait, one_at_a_time
from catalog.sources import Source as SourceAdapter
from catalog.sources.base import SetLine
from common import limits
from common.errors import RateLimited
from common.wire import CallClass

_SOURCE = Source.REBRICKABLE
# As whose number a set is remembered to have no contents.
_MISS = "contents"
_CALL_S = 8.0
# A shop's share of what all shops have together: a set costs as many calls as it has figures, and two more.
_A_DAY = limits.Limit(name="contents", amount=500, window_s=86_400)
# Each figure costs a call, a second apart, and a person waits; the others of a set stay whole.
_FIGURES_AT_MOST = 8
_WITH_SUFFIX = re.compile(r".+-\d+")


def can_look_up_contents() -> bool:
    """Tell whether there is anybody outside who knows what is in sets."""
    return is_connected(_SOURCE.value)


def look_up_contents(*, set_no: str, now: datetime) -> bool:
    """Have the catalog know what is in a set, its figures' parts included; answer whether it does.

    `set_no`: with or without its `-1`. Asked once for equal questions; that nobody knows it is remembered for a day.
    Not atomic: the source is asked outside of any transaction. Raises RateLimited and ProviderError with nothing kept.
    """
    item = _set(set_no.strip(), now)
    if item is None or _has_contents(item) or not can_look_up_contents():
        return item is not None and _has_contents(item)
    with a_place_to_wait(), one_at_a_time(f"contents:{item.item_no}"):
        # Whoever was first has kept the answer by now.
        if _has_contents(item) or is_missed(_MISS, item.item_no, now):
            return _has_contents(item)
        verdict = limits.take(_A_DAY, "shop")
        if not verdict.allowed:
            raise RateLimited("The contents of so many sets were looked up today.", retry_after=verdict.reset_s)
        source = connect(_SOURCE.value, call_class=CallClass.URGENT, total_s=_CALL_S)
        lines = source.contents_of(item.item_no)
        if not lines:
            remember_miss(_MISS, item.item_no, now)
            return False
        figures = _figures(source, lines)
        _keep(item, lines, figures, now=now)
    return True


def _set(set_no: str, now: datetime) -> CatalogItem | None:
    """Answer the set of that number, which is looked up where the catalog doesn't know it."""
    item = set_numbered(set_no)
    if item is None and set_no:
        number = set_no if _WITH_SUFFIX.fullmatch(set_no) else f"{set_no}-1"
        found = look_up(system=System.BRICKLINK, number=number, now=now).items
        item = next((each for each in found if each.item_type == ItemType.SET), None)
    return item


def _has_contents(item: CatalogItem) -> bool:
    return CatalogSetItem.objects.filter(set=item).exists()


def _figures(source: SourceAdapter, lines: Sequence[SetLine]) -> dict[str, Sequence[SetLine]]:
    """Answer the parts of those of its figures of which the catalog doesn't know them, by their numbers."""
    numbers = {line.item.number for line in lines if line.item.item_type == ItemType.MINIFIG}
    known = CatalogSetItem.objects.filter(set__item_type=ItemType.MINIFIG, set__item_no__in=numbers)
    unknown = sorted(numbers - set(known.values_list("set__item_no", flat=True)))
    return {number: source.contents_of(number) for number in unknown[:_FIGURES_AT_MOST]}


@transaction.atomic
def _keep(item: CatalogItem, lines: Sequence[SetLine], figures: dict[str, Sequence[SetLine]], *, now: datetime) -> None:
    everything = [*lines, *(line for inside in figures.values() for line in inside)]
    kept = keeping.keep(_SOURCE, {line.item.number: line.item for line in everything}.values(), {}, now=now)
    items = {number: _preferred(number, several) for number, several in kept.items()}
    _have(item, lines, items)
    for number, inside in figures.items():
        _have(items[number], inside, items)


def _preferred(number: str, items: Sequence[CatalogItem]) -> CatalogItem:
    """Answer which of several items with one number is meant, by the rule of the import."""
    return min(items, key=lambda item: (item.is_provisional, item.item_no != number, item.pk))


def _have(owner: CatalogItem, lines: Sequence[SetLine], items: dict[str, CatalogItem]) -> None:
    counts: Counter[tuple[int, int | None, bool]] = Counter()
    for line in lines:
        color_id = keeping.color_id_of(_SOURCE, line.color_id)
        counts[items[line.item.number].pk, color_id, line.is_spare] += line.qty
    CatalogSetItem.objects.bulk_create(
        [
            CatalogSetItem(
                set=owner, item_id=item_id, color_id=color_id, qty=qty, is_spare=is_spare, source=_SOURCE,
            )
            for (item_id, color_id, is_spare), qty in counts.items() if qty > 0
        ],
        ignore_conflicts=True,
    )  # fmt: skip
