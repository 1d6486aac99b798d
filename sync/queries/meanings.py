"""What a channel's numbers mean here, and which numbers our lots have there.

The shop's own mappings come first, then the catalog's. Nothing is guessed: what can't be told says why.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from catalog import colors
from catalog.choices import MAY_HAVE_COLOR, NEEDS_COLOR, ItemType, System
from catalog.queries.references import Meant, numbers_preferred, resolve_references
from inventory.choices import Direction, UnmappedReason
from inventory.models import InventoryItem
from inventory.queries.mappings import OwnMeaning, OwnMeanings, number_alone, own_meanings
from inventory.questions import NUMBER_LENGTH, Question
from inventory.services import Met
from stores.channels import spec_of
from sync.remote import RemoteItem, RemoteLot

Key = tuple[str, str, int | None, str, str | None]
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a channel's item is here, in BrickLink's numbers; `why_not`: why nobody can say, in words."""

    item_type: str = ""
    item_no: str = ""
    color_id: int | None = None
    condition: str = ""
    completeness: str | None = None
    name: str = ""
    category: str = ""
    why_not: str = ""
    # Of UnmappedReason, where somebody could say which item it is.
    reason: str = ""

    @property
    def is_known(self) -> bool:
        """Tell whether it is known what it is."""
        return not self.why_not

    @property
    def key(self) -> Key | None:
        """Answer what it is, as lots are matched by it; None where nobody knows."""
        if self.why_not:
            return None
        return (self.item_type, self.item_no, self.color_id, self.condition, self.completeness)


def key_of_lot(lot: InventoryItem) -> Key:
    """Answer what a lot of ours is, as lots are matched by it."""
    return (lot.item_type, lot.item_no, lot.color_id, lot.condition, lot.completeness)


# --- What it means here -----------------------------------------------------------------------------------------------
def meanings_of(channel: str, items: Collection[RemoteItem]) -> Mapping[RemoteItem, Meaning]:
    """Answer what each item is. Two queries, however many there are."""
    if not items:
        return {}
    own = own_meanings()
    has_own_numbers = channel == System.BRICKOWL
    asked = {(channel, item.item_no) for item in items if item.item_no} if has_own_numbers else set()
    asked |= {_pair(number) for item in items if has_own_numbers for number in item.numbers}
    found = resolve_references(asked)
    read = _Reader(channel, spec_of(channel).label, own, found)
    return {item: read.meaning(item) for item in items}


def _pair(number: str) -> tuple[str, str]:
    system, _, bare = number.partition(":")
    return system, bare


@dataclass(frozen=True, slots=True)
class _Reader:
    channel: str
    label: str
    own: OwnMeanings
    found: Mapping[tuple[str, str], list[Meant]]

    def meaning(self, item: RemoteItem) -> Meaning:
        if not 0 < len(item.item_no) <= NUMBER_LENGTH or "\x00" in item.item_no:
            return Meaning(why_not=f"{self.label} says no number that can be one.", name=item.name)
        color, problem = self._color(item)
        said = self._own(item)
        if said is not None:
            # Who says what the number is may say the color with it.
            color, problem = (said.color_id, "") if said.color_id is not None else (color, problem)
            return self._made(item, said.item_type, said, color, problem)
        if self.channel != System.BRICKOWL:
            return self._made(item, item.item_type, None, color, problem)
        return self._looked_up(item, color, problem)

    def _looked_up(self, item: RemoteItem, color: int | None, problem: str) -> Meaning:
        meant = self.found.get((self.channel, item.item_no), [])
        # A mini build is what the catalog says that it is.
        fitting = [each for each in meant if item.item_type in (ItemType.CUSTOM, each.item_type)]
        items = {(each.item_type, each.item_no): each for each in fitting} or self._elsewhere(item)
        number = f"{self.label}'s number {item.item_no}"
        if not items:
            return Meaning(why_not=f"Nobody here knows {number}.", reason=UnmappedReason.UNKNOWN, name=item.name)
        if len(items) > 1:
            some = ", ".join(sorted(no for _, no in items)[:_SHOWN])
            return Meaning(why_not=f"{number} can be {some}.", reason=UnmappedReason.AMBIGUOUS, name=item.name)
        (only,) = items.values()
        return self._made(item, only.item_type, only, color, problem)

    def _elsewhere(self, item: RemoteItem) -> dict[tuple[str, str], Meant]:
        """Answer what it can be by the numbers of others that the channel names: the surest system that knows any."""
        by_system: dict[str, dict[tuple[str, str], Meant]] = {}
        for system, number in map(_pair, item.numbers):
            known = self.found.get((system, number), [])
            fitting = {(each.item_type, each.item_no): each for each in known if each.item_type == item.item_type}
            if not fitting and system == System.BRICKLINK:
                # BrickLink's number by the channel's own word is that number, whether the catalog has it or not.
                fitting = {(item.item_type, number): Meant(item.item_type, number, item.name, "", None, 1.0)}
            by_system.setdefault(system, {}).update(fitting)
        return next((found for found in by_system.values() if found), {})

    def _made(
        self, item: RemoteItem, item_type: str, meant: Meant | None, color: int | None, problem: str
    ) -> Meaning:  # fmt: skip
        if item_type not in MAY_HAVE_COLOR:
            color, problem = None, ""
        elif color == colors.NOT_APPLICABLE and item_type not in NEEDS_COLOR:
            color = None
        if not problem and color is None and item_type in NEEDS_COLOR:
            problem = f"{self.label} names no color of it, and a part needs one."
        if problem:
            return Meaning(why_not=problem, name=item.name)
        return Meaning(
            item_type=item_type, item_no=meant.item_no if meant else item.item_no, color_id=color,
            condition=item.condition, completeness=item.completeness if item_type == ItemType.SET else None,
            name=(meant.name if meant and meant.name else item.name), category=meant.category if meant else "",
        )  # fmt: skip

    def _color(self, item: RemoteItem) -> tuple[int | None, str]:
        """Answer BrickLink's number of the color, and what is wrong with the channel's."""
        if item.color_no is None:
            return None, ""
        number = int(item.color_no) if item.color_no.isascii() and item.color_no.isdecimal() else -1
        is_own = self.channel == System.BRICKOWL
        color = colors.of_platform(self.channel).get(number) if is_own else colors.get(number)
        if color is None:
            return None, f"{self.label}'s color {item.color_no} isn't known here."
        return color.id, ""

    def _own(self, item: RemoteItem) -> Meant | None:
        """Answer what the shop itself says of the number: in this color, else in any."""
        said = self.own.get((self.channel, number_alone(self.channel, item.item_no)), ())
        fitting = {each.external_color: each.meant for each in said if self._fits(each, item)}
        color = item.color_no or ""
        return fitting.get(color) or fitting.get("")

    def _fits(self, each: OwnMeaning, item: RemoteItem) -> bool:
        """Tell whether it is said of things of this type; lots that lie under the number itself keep it."""
        is_of_type = item.item_type in (ItemType.CUSTOM, each.meant.item_type)
        return is_of_type and item.item_type not in each.kept_types


def unmapped_of(
    channel: str, lots: Iterable[RemoteLot], meanings: Mapping[RemoteItem, Meaning], *, rate: Decimal = Decimal(1)
) -> list[Met]:  # fmt: skip
    """Answer which numbers of a channel's lots nobody knows, with what hangs on them, for `note_unmapped`.

    `rate`: what one of the store's currency is worth in the shop's.
    """
    found: dict[str, list[RemoteLot]] = {}
    for lot in lots:
        if meanings[lot.item].reason:
            found.setdefault(lot.item.item_no, []).append(lot)
    return [
        Met(
            question=Question(channel, number), reason=meanings[several[0].item].reason,
            item_name=several[0].item.name, color_name=_color_names(several), lots_count=len(several),
            qty=sum(lot.state.qty for lot in several),
            amount=(sum((lot.state.qty * lot.state.price for lot in several), Decimal(0)) * rate).quantize(
                Decimal("0.0001")
            ),
        )
        for number, several in found.items()
    ]  # fmt: skip


def _color_names(lots: Iterable[RemoteLot]) -> str:
    names = list(dict.fromkeys(lot.item.color_name for lot in lots if lot.item.color_name))
    return ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


# --- What it is there -------------------------------------------------------------------------------------------------
def numbers_on(channel: str, lots: Collection[InventoryItem]) -> dict[UUID, RemoteItem | str]:
    """Answer what each lot is in a channel's numbers, or in words why it has none. Two queries."""
    if not lots:
        return {}
    own = own_meanings()
    preferred = numbers_preferred(channel, {(lot.item_type, lot.item_no) for lot in lots})
    write = _Writer(channel, spec_of(channel).label, own, _outbound(channel, own), preferred)
    return {lot.pk: write.number(lot) for lot in lots}


def no_number_of(channel: str, lot: InventoryItem) -> Question:
    """Answer the question which number a lot has there, for `note_unmapped` (reason NO_NUMBER)."""
    return Question(channel, lot.item_no, lot.item_type, direction=Direction.OUTBOUND)


_Outbound = Mapping[tuple[str, str], list[tuple[str, OwnMeaning]]]


def _outbound(channel: str, own: OwnMeanings) -> _Outbound:
    """Answer which numbers there the shop itself says of an item, those of a color first."""
    found: dict[tuple[str, str], list[tuple[str, OwnMeaning]]] = {}
    for (system, number), several in sorted(own.items()):
        if system == channel:
            for each in several:
                found.setdefault((each.meant.item_type, each.meant.item_no), []).append((number, each))
    return found


@dataclass(frozen=True, slots=True)
class _Writer:
    channel: str
    label: str
    own: OwnMeanings
    outbound: _Outbound
    preferred: Mapping[tuple[str, str], str]

    def number(self, lot: InventoryItem) -> RemoteItem | str:
        color_no, problem = self._color(lot)
        if problem:
            return problem
        number = self._of_shop(lot)
        if not number and lot.item_type == ItemType.CUSTOM:
            return f"{self.label} has no number for your own items."
        number = number or self._of_catalog(lot)
        if not number:
            return f"{self.label} has no number for {lot.item_no} that is known here."
        return RemoteItem(
            item_type=lot.item_type, item_no=number, color_no=color_no, condition=lot.condition,
            completeness=lot.completeness, sub_condition=lot.sub_condition, name=lot.item_name,
            color_name=lot.color_name,
        )  # fmt: skip

    def _of_shop(self, lot: InventoryItem) -> str:
        if self.channel != System.BRICKOWL:
            # A lot under a number that isn't BrickLink's, of which the shop has said what it is.
            said = self.own.get((System.BRICKLINK.value, lot.item_no), ())
            return next((each.meant.item_no for each in said if each.meant.item_type == lot.item_type), "")
        mapped = self.outbound.get((lot.item_type, lot.item_no), [])
        fitting = [(number, each) for number, each in mapped if each.meant.color_id in (None, lot.color_id)]
        fitting.sort(key=lambda pair: pair[1].meant.color_id is None)
        return fitting[0][0] if fitting else ""

    def _of_catalog(self, lot: InventoryItem) -> str:
        # What the catalog doesn't know at all is taken to be BrickLink's number, as the seller typed it.
        unknown = "" if self.channel == System.BRICKOWL else lot.item_no
        return self.preferred.get((lot.item_type, lot.item_no), unknown)

    def _color(self, lot: InventoryItem) -> tuple[str | None, str]:
        if lot.color_id is None:
            return None, ""
        if self.channel != System.BRICKOWL:
            return str(lot.color_id), ""
        color = colors.get(lot.color_id)
        if lot.color_id == colors.NOT_APPLICABLE:
            return None, ""
        if color is None or color.brickowl_id is None:
            return None, f"{self.label} has no color {lot.color_name or lot.color_id}."
        return str(color.brickowl_id), ""
