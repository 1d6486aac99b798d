"""What a count would change, before anybody accepts it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Sum

from common.errors import NotFound
from inventory.models import InventoryItem, InventoryItemLocation, Location
from inventory.queries.totes import InTotes, in_totes_of, loose


@dataclass(frozen=True, slots=True)
class CountLine:
    """A lot as it was expected and found at a place, and what follows from the difference.

    `qty_from_unplaced`: so many of the found ones are pieces of the lot that had no place until now.
    `qty_change`: so many more or fewer pieces the lot has. `problem`: why the line can't be accepted.
    """

    lot: InventoryItem
    qty_expected: int
    qty_found: int
    qty_from_unplaced: int
    qty_change: int
    problem: str = ""

    @property
    def is_different(self) -> bool:
        """Tell whether anything is other than expected."""
        return self.qty_found != self.qty_expected

    @property
    def is_unexpected(self) -> bool:
        """Tell whether the lot wasn't known to lie here."""
        return not self.qty_expected

    @property
    def qty_after(self) -> int:
        """Answer how many pieces the lot would have."""
        return self.lot.qty_on_hand + self.qty_change


@dataclass(frozen=True, slots=True)
class CountPlan:
    """What a count of a place would change."""

    location: Location
    lines: tuple[CountLine, ...]

    @property
    def differences(self) -> tuple[CountLine, ...]:
        """Answer the lines that are other than expected."""
        return tuple(line for line in self.lines if line.is_different)

    @property
    def acceptable(self) -> tuple[CountLine, ...]:
        """Answer the differences that can be accepted."""
        return tuple(line for line in self.differences if not line.problem)

    @property
    def qty_change(self) -> int:
        """Answer how many pieces the shop would have more or fewer."""
        return sum(line.qty_change for line in self.acceptable)


def line_of(lot: InventoryItem, *, expected: int, found: int, placed: int, in_totes: InTotes) -> CountLine:
    """Answer what finding so many pieces means. `placed`: how many lie at all of the lot's places together.

    What is in totes can't have been found.
    """
    more = found - expected
    from_unplaced = min(max(more, 0), loose(lot.qty_on_hand - placed, in_totes))
    change = more - from_unplaced
    problem = ""
    if change < -lot.qty_available:
        left = lot.qty_on_hand + change
        problem = (
            f"{lot.qty_reserved:,} {'piece is' if lot.qty_reserved == 1 else 'pieces are'} promised to orders, and only"
            f" {left:,} would be left. Look at other places, or change those orders first."
        )
    return CountLine(lot, expected, found, from_unplaced, change, problem)


def expected_at(location_id: UUID) -> dict[UUID, int]:
    """Answer how many pieces of which lot lie at a place as far as is known."""
    rows = InventoryItemLocation.objects.filter(location=location_id, qty__gt=0)
    return dict(rows.values_list("inventory_item", "qty"))


def qty_placed_of(lot_ids: Mapping[UUID, int] | set[UUID]) -> dict[UUID, int]:
    """Answer how many pieces of each lot lie at its places together."""
    rows = InventoryItemLocation.objects.filter(inventory_item__in=list(lot_ids)).values("inventory_item")
    return dict(rows.annotate(total=Sum("qty")).values_list("inventory_item", "total"))


def plan_count(*, location_id: UUID, found: Mapping[UUID, int]) -> CountPlan:
    """Answer what a count of a place would change: a lot that isn't among the found ones wasn't there. NotFound."""
    location = Location.objects.filter(pk=location_id).first()
    if location is None:
        raise NotFound
    expected = expected_at(location_id)
    keys = set(expected) | set(found)
    lots = InventoryItem.objects.in_bulk(list(keys))
    if set(found) - set(lots):
        raise NotFound("A lot of these no longer exists.")
    placed, totes = qty_placed_of(set(lots)), in_totes_of(set(lots))
    lines = [
        line_of(
            lot, expected=expected.get(key, 0), found=found.get(key, 0), placed=placed.get(key, 0), in_totes=totes[key]
        )
        for key, lot in lots.items()
    ]
    lines.sort(key=lambda line: (line.lot.item_no, line.lot.color_name, line.lot.pk))
    return CountPlan(location, tuple(lines))
