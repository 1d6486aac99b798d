"""What a number means that the catalog doesn't know yet: asked outside, one source after the other, and kept."""

import re
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import structlog
from django.db.models import Q

from catalog.choices import ItemType, Source, System
from catalog.models import CatalogExternalId, CatalogItem, CatalogItemColor, LookUpMiss
from catalog.services import keeping
from catalog.services.connecting import connect, is_connected
from catalog.services.turns import a_place_to_wait, one_at_a_time
from catalog.sources import Can, registry
from catalog.sources import Source as SourceAdapter
from catalog.sources.base import ELEMENT, FoundItems, ItemColor
from common import limits
from common.errors import ProviderError, RateLimited
from common.wire import CallClass

logger = structlog.get_logger(__name__)

# A number that nobody knew isn't asked for again for so long.
MISS_KEPT_FOR = timedelta(days=1)
# Who is asked, one after the other until somebody knows: the best cross-references first, scarce calls later.
_ORDER = ("rebrickable", "bricklink", "brickowl")
# For one call to one of them, while a person waits and others may have to be asked.
_CALL_S = 8.0
# A shop's share of what all shops have together.
_A_DAY = limits.Limit(name="look_up", amount=5000, window_s=86_400)
# One number may mean moulds of a part that Rebrickable keeps apart; each costs a call to learn its colors.
_COLORS_OF_AT_MOST = 3
# What can be a number of anybody's: one word with a digit in it.
_NUMBER = re.compile(r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9._-]{1,29}")
_WITH_SUFFIX = re.compile(r"[0-9]{3,}-[0-9]{1,3}")
_ELEMENT_DIGITS = 6


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What a number means. `color_id`: BrickLink's, where the number says a color.

    `asked`: who outside has answered, now or earlier today; `away`: who didn't, so that nobody knows what they know.
    """

    items: tuple[CatalogItem, ...]
    color_id: int | None = None
    asked: tuple[str, ...] = ()
    away: tuple[str, ...] = ()

    @property
    def was_asked(self) -> bool:
        """Tell whether somebody outside was asked."""
        return bool(self.asked or self.away)


def can_look_up() -> bool:
    """Tell whether there is anybody outside to be asked."""
    return bool(asked_labels())


def asked_labels() -> tuple[str, ...]:
    """Answer the names of those who are asked, in that order."""
    return tuple(registry.get(code).spec.label for code in _ORDER if is_connected(code))


def look_up(*, system: str, number: str, now: datetime) -> LookedUp:
    """Answer the items that the number of a system means (System, or ELEMENT for LEGO's element ids).

    Known ones are answered at once. Else those outside who know such numbers are asked, once for equal questions, until
    one of them has it, and what it knows is kept. Who is away or has no calls left is passed over. That nobody knows it
    is remembered for a day, if all have said so. Not atomic: they are asked outside of any transaction. Raises
    RateLimited (BudgetExhausted is one) and ProviderError where none of them answered, and RateLimited where too many
    wait for them already.
    """
    number = number.strip()
    if (known := _answered(system, number, now)) is not None:
        return known
    with a_place_to_wait():
        return _asked_once(system, number, now)


def _asked_once(system: str, number: str, now: datetime) -> LookedUp:
    with one_at_a_time(f"look_up:{system}:{number}"):
        # Whoever was first has kept the answer by now.
        return _answered(system, number, now) or _asked(system, number, now)


def look_up_anywhere(*, text: str, now: datetime) -> LookedUp:
    """Answer what a number means that may be anybody's: LEGO's, BrickLink's, Brick Owl's, Rebrickable's, LDraw's.

    As `look_up` does for each system whose numbers look like it, until one of them has it; known ones go first. What
    is no number, such as words, is asked nobody. Takes as long as many calls may: for a request of its own.
    """
    number = text.strip()
    systems = systems_of(number)
    for system in systems:
        if (known := _known(system, number)).items:
            return known
    asked: dict[str, None] = {}
    away: dict[str, None] = {}
    trouble: RateLimited | ProviderError | None = None
    with ExitStack() as place:
        is_waiting = False
        for system in systems:
            if (found := _answered(system, number, now)) is None:
                if not is_waiting:
                    place.enter_context(a_place_to_wait())
                    is_waiting = True
                try:
                    found = _asked_once(system, number, now)
                except (RateLimited, ProviderError) as error:
                    trouble = trouble or error
                    away |= dict.fromkeys(_labels(_who_knows(system)))
                    continue
            asked |= dict.fromkeys(found.asked)
            away |= dict.fromkeys(found.away)
            if found.items:
                return found
    if trouble is not None and not asked:
        raise trouble
    return LookedUp(items=(), asked=tuple(label for label in asked if label not in away), away=tuple(away))


def systems_of(number: str) -> tuple[str, ...]:
    """Answer whose number it may be by its looks, the likeliest first."""
    if not _NUMBER.fullmatch(number):
        return ()
    if _WITH_SUFFIX.fullmatch(number):
        # A set, or a part of Brick Owl's with the color behind it.
        return (System.BRICKLINK, System.BRICKOWL)
    if not number.isdecimal():
        return (System.BRICKLINK, System.REBRICKABLE, System.LDRAW)
    if len(number) >= _ELEMENT_DIGITS:
        return (ELEMENT, System.BRICKLINK, System.BRICKOWL, System.LEGO_DESIGN)
    return (System.BRICKLINK, System.REBRICKABLE, System.BRICKOWL, System.LEGO_DESIGN)


def _answered(system: str, number: str, now: datetime) -> LookedUp | None:
    """Answer what is known without asking, be it that nobody knows it; None where asking is worth it."""
    known = _known(system, number)
    if known.items or not number or not (who := _who_knows(system)):
        return known
    return LookedUp(items=(), asked=_labels(who)) if is_missed(system, number, now) else None


def _who_knows(system: str) -> tuple[str, ...]:
    """Answer who is connected and may know numbers of that system, in the order in which they are asked."""
    return tuple(code for code in _ORDER if system in registry.get(code).spec.systems and is_connected(code))


def _labels(codes: Sequence[str]) -> tuple[str, ...]:
    return tuple(registry.get(code).spec.label for code in codes)


def _asked(system: str, number: str, now: datetime) -> LookedUp:
    verdict = limits.take(_A_DAY, "shop")
    if not verdict.allowed:
        raise RateLimited("So many numbers were looked up today.", retry_after=verdict.reset_s)
    asked: list[str] = []
    away: list[str] = []
    trouble: RateLimited | ProviderError | None = None
    for code in _who_knows(system):
        label = registry.get(code).spec.label
        try:
            found = _ask(code, system, number, now)
        except (RateLimited, ProviderError) as error:
            logger.warning("look_up.passed_over", source=code, error=error.type, detail=error.detail)
            trouble = trouble or error
            away.append(label)
            continue
        asked.append(label)
        if found.items:
            return LookedUp(items=found.items, color_id=found.color_id, asked=tuple(asked), away=tuple(away))
    if trouble is None:
        remember_miss(system, number, now)
    elif not asked:
        raise trouble
    return LookedUp(items=(), asked=tuple(asked), away=tuple(away))


def _ask(code: str, system: str, number: str, now: datetime) -> LookedUp:
    """Ask one source, and keep what it knows."""
    adapter, source = connect(code, call_class=CallClass.URGENT, total_s=_CALL_S), Source(code)
    found = adapter.look_up(system, number)
    known_colors = _colors_of(adapter, found)
    if system == ELEMENT and found.color_id is not None:
        # The list of a part's colors has only those that are in a set.
        own = ItemColor(color_id=found.color_id, element_ids=(number,), sets_count=0, image_url="")
        known_colors = {item.number: [*known_colors.get(item.number, ()), own] for item in found.items}
    kept = keeping.keep(source, found.items, known_colors, now=now)
    items = {item.pk: item for several in kept.values() for item in several}
    return LookedUp(items=tuple(items.values()), color_id=keeping.color_id_of(source, found.color_id))


def forget_misses(*, now: datetime) -> int:
    """Delete the misses that are over; answer how many."""
    deleted, _ = LookUpMiss.objects.filter(until__lte=now).delete()
    return deleted


def _known(system: str, number: str) -> LookedUp:
    if system == ELEMENT:
        rows = (
            CatalogItemColor.objects.filter(lego_element_ids__contains=[number]).select_related("item").order_by("id")
        )
        first = next(iter(rows), None)
        return LookedUp(items=tuple(row.item for row in rows), color_id=first.color_id if first else None)
    by_id = Q(
        pk__in=CatalogExternalId.objects.filter(
            system=system, external_id=number, confidence__gte=Decimal("0.5")
        ).values("item_id")
    )
    if system == System.BRICKLINK:
        # Sets have the same numbers on both sides.
        by_id |= Q(item_no=number, is_provisional=False) | Q(item_no=number, item_type=ItemType.SET)
        by_id |= Q(alternate_nos__contains=[number])
    return LookedUp(items=tuple(CatalogItem.objects.filter(by_id).order_by("-popularity", "id")))


def is_missed(system: str, number: str, now: datetime) -> bool:
    return LookUpMiss.objects.filter(system=system, external_id=number, until__gt=now).exists()


def missed_among(system: str, numbers: Collection[str], now: datetime) -> set[str]:
    """Answer of which numbers of that system nobody knew lately what they mean. One query."""
    missed = LookUpMiss.objects.filter(system=system, external_id__in=numbers, until__gt=now)
    return set(missed.values_list("external_id", flat=True))


def remember_miss(system: str, number: str, now: datetime) -> None:
    LookUpMiss.objects.update_or_create(system=system, external_id=number, defaults={"until": now + MISS_KEPT_FOR})


def _colors_of(source: SourceAdapter, found: FoundItems) -> dict[str, Sequence[ItemColor]]:
    """Answer in which colors the parts exist, by the source's numbers of them, where it knows."""
    if Can.COLORS_OF not in source.spec.can:
        return {}
    parts = [item for item in found.items if item.item_type == ItemType.PART][:_COLORS_OF_AT_MOST]
    return {item.number: source.colors_of(item.number) for item in parts}
