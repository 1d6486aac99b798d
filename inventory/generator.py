"""Stock as real stores have it, of any size and the same again for the same seed: for the bench, the demo and tests.

Real part numbers and their names, a few of which make most of the lots, as everywhere; colors as often as they are met;
quantities and prices with the long tails that stores have; and the oddities that importing has to live with.
"""

import csv
import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import accumulate
from pathlib import Path
from uuid import UUID

from catalog import colors
from inventory.formats.base import Lot

# Category: number and name, two blanks or a line between them, the commonest first.
# Real numbers and names, nearly all of parts.
_ITEMS = Path(__file__).parent / "data" / "common_items.csv"
# Of these, prints are sold too.
_PRINTED = frozenset(("3069b", "3068b", "2431", "3070b", "87079", "98138", "14769", "3001", "3004", "3010"))
_PRINTS = ("Gauge", "Arrow", "Black Grille", "Keyboard", "Red Cross", "'POLICE'")

# BrickLink's ids, the color met most often first, with how often out of a thousand.
_COLORS = (
    (11, 170), (86, 120), (1, 105), (85, 95), (5, 75), (3, 48), (7, 45), (2, 44), (88, 42), (63, 28), (12, 26),
    (59, 22), (6, 20), (69, 20), (120, 18), (4, 17), (155, 12), (36, 11), (156, 10), (34, 10), (80, 10), (68, 8), (110, 7),
    (115, 7), (48, 5), (17, 5), (14, 5), (15, 5), (23, 4), (47, 4), (89, 4), (65, 3), (9, 3), (10, 3), (150, 2),
    (40, 2), (95, 2), (96, 1), (42, 1),
)  # fmt: skip
_WORDS = (
    "slightly scratched", "very good condition", "<b>new</b> & unused", "from set 10265", "Kratzer, sonst gut",
    "légèrement jauni", "no cracks", "minor play wear", "2 with tooth marks", "aus Nichtraucherhaushalt", "ex-display",
    "«comme neuf»", "stored dark & dry", "from <i>sealed</i> bag", "ＬＥＧＯ正規品", "🧱 sorted by hand",
)  # fmt: skip
_FREE_REMARKS = ("Box 7, left", "upstairs", "to be sorted", "Kiste 3 / Fach B", "=SUM(A1:A3)", "@desk", "ask Jörg", "?")
_BUYERS = ("brickfan77", "steine_jan", "legolas", "moc-builder")

_RARE = ("GEAR", "BOOK", "CATALOG", "INSTRUCTION", "BOX")
_NEWEST = datetime(2026, 1, 1, tzinfo=UTC)
_SHARE_OF_DUPLICATES = 0.03


@cache
def _items() -> dict[str, list[tuple[str, str, str]]]:
    """Answer items as (number, name, category) by their type."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    with _ITEMS.open(newline="") as table:
        for row in csv.DictReader(table):
            found.setdefault(row["item_type"], []).append((row["item_no"], row["name"], row["category"]))
    return found


@cache
def _parts() -> tuple[list[tuple[str, str, str]], list[float]]:
    """Answer the parts, prints among them, and how often each is met, added up."""
    bases = _items()["PART"]
    prints = [
        (f"{number.rstrip('b')}pb{place:03}", f"{name} with {what} Pattern", category)
        for number, name, category in bases
        if number in _PRINTED
        for place, what in enumerate(_PRINTS, start=1)
    ]
    found = bases + prints
    random.Random(3001).shuffle(found)  # noqa: S311  # which parts are met most is no secret
    return found, list(accumulate(1 / (place + 12) ** 0.9 for place in range(len(found))))


@cache
def _color_weights() -> tuple[list[int], list[float]]:
    return [color_id for color_id, _ in _COLORS], list(accumulate(float(often) for _, often in _COLORS))


def lots(count: int, *, seed: int = 1, currency: str = "EUR") -> Iterator[Lot]:
    """Answer `count` lots, one at a time; the same ones for the same seed."""
    maker = _Maker(seed, currency)
    recent: list[Lot] = []
    for place in range(count):
        if recent and maker.chance(_SHARE_OF_DUPLICATES):
            lot = maker.duplicate(maker.choice(recent), place)
        else:
            lot = maker.lot(place)
        recent.append(lot)
        if len(recent) > 500:  # noqa: PLR2004  # enough to choose from
            del recent[:250]
        yield lot


def drifted(made: Iterable[Lot], *, share: float = 0.1, seed: int = 2) -> Iterator[Lot]:
    """Answer the lots as they are some weeks later: a share of them with another quantity, price, place or text."""
    dice = random.Random(seed)  # noqa: S311  # repeatable, not secret
    for lot in made:
        if dice.random() >= share:
            yield lot
            continue
        kind = dice.random()
        if kind < 0.5:  # noqa: PLR2004  # half of what changes is sold
            yield replace(lot, qty_available=max(0, lot.qty_available - dice.randint(1, 5)) or lot.qty_available + 7)
        elif kind < 0.8:  # noqa: PLR2004  # then prices
            factor = Decimal(dice.choice(("1.10", "0.90", "1.25")))
            price = (lot.unit_price * factor).quantize(Decimal("0.001"))
            yield replace(lot, unit_price=price if price != lot.unit_price else price + Decimal("0.01"), tier_prices=())
        elif kind < 0.95:  # noqa: PLR2004  # then places
            yield replace(lot, remarks=f"Z-{dice.randint(1, 40):02}-{dice.randint(1, 9)}")
        else:
            yield replace(lot, description=f"{lot.description} (checked)".strip()[:5000])


class _Maker:
    def __init__(self, seed: int, currency: str) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # repeatable, not secret
        self._currency = currency

    def chance(self, share: float) -> bool:
        """Tell whether it happens this time."""
        return self._dice.random() < share

    def choice(self, among: list[Lot]) -> Lot:
        """Answer one of them."""
        return self._dice.choice(among)

    def duplicate(self, lot: Lot, place: int) -> Lot:
        """Answer another lot of the same thing, elsewhere and at another price."""
        price = (lot.unit_price * Decimal("1.1")).quantize(Decimal("0.001")) + Decimal("0.01")
        return replace(
            lot,
            id=self._id(),
            qty_available=self._quantity(),
            unit_price=price,
            tier_prices=(),
            remarks=self._remarks(),
            bricklink_lot_id=self._lot_id(place),
        )

    def lot(self, place: int) -> Lot:
        """Answer a lot."""
        dice = self._dice
        kind, number, name, category, color_id = self._thing()
        is_new = self.chance(0.62)
        price = self._price(kind)
        added = _NEWEST - timedelta(seconds=dice.randint(0, 6 * 365 * 86_400))
        color = colors.get(color_id)
        has_room = self.chance(0.04)
        completeness = None
        if kind == "SET":
            completeness = dice.choice(("COMPLETE", "INCOMPLETE", "SEALED") if is_new else ("COMPLETE", "INCOMPLETE"))
        return Lot(
            id=self._id(),
            item_type=kind,
            item_no=number,
            item_name=name,
            category_name=category,
            color_id=color_id,
            color_name=color.name if color else "",
            condition="NEW" if is_new else "USED",
            completeness=completeness,
            sub_condition=None,
            qty_available=self._quantity() if kind == "PART" else max(1, self._quantity() // 40),
            qty_reserved=0,
            unit_price=price,
            currency=self._currency,
            cost_basis=(price * Decimal("0.4")).quantize(Decimal("0.001")) if self.chance(0.3) else None,
            sale_percent=dice.choice((5, 10, 15, 20, 30)) if self.chance(0.05) else 0,
            bulk=dice.choice((2, 5, 10, 25)) if self.chance(0.04) else 1,
            tier_prices=self._tiers(price) if self.chance(0.06) else (),
            description=dice.choice(_WORDS) if self.chance(0.15) else "",
            remarks=self._remarks(),
            is_retain=self.chance(0.08),
            is_stock_room=has_room,
            stock_room_id=dice.choice("ABC") if has_room else "",
            weight_grams=None,
            low_stock_threshold=None,
            reserved_for=dice.choice(_BUYERS) if self.chance(0.002) else "",
            acquired_from="",
            date_added=added,
            last_sold_at=self._sold(added) if self.chance(0.4) else None,
            bricklink_lot_id=self._lot_id(place),
            locations=(),
            extra={},
        )

    def _thing(self) -> tuple[str, str, str, str, int | None]:
        dice = self._dice
        kind = dice.random()
        if kind < 0.92:  # noqa: PLR2004  # most of every store
            parts, weights = _parts()
            number, name, category = dice.choices(parts, cum_weights=weights)[0]
            ids, often = _color_weights()
            return "PART", number, name, category, dice.choices(ids, cum_weights=often)[0]
        # Then minifigures, sets, and a little of all else.
        rare = "SET" if kind < 0.985 else dice.choice(_RARE)  # noqa: PLR2004  # as above
        name_of_kind = "MINIFIG" if kind < 0.96 else rare  # noqa: PLR2004  # as above
        return name_of_kind, *dice.choice(_items()[name_of_kind]), None

    def _id(self) -> str:
        return str(UUID(int=self._dice.getrandbits(128), version=4))

    def _lot_id(self, place: int) -> int:
        # BrickLink counts over all its stores, so a store's numbers ascend with gaps.
        return 100_000_000 + place * 37 + self._dice.randrange(37)

    def _quantity(self) -> int:
        return max(1, min(50_000, round(self._dice.lognormvariate(2.3, 1.5))))

    def _price(self, kind: str) -> Decimal:
        price = self._dice.lognormvariate(-2.3, 1.1) if kind == "PART" else self._dice.lognormvariate(1.5, 0.9)
        return Decimal(round(min(30.0, max(0.01, price)) * 1000)) / 1000

    def _tiers(self, price: Decimal) -> tuple[tuple[int, Decimal], ...]:
        start = self._dice.choice((10, 25, 50, 100))
        steps = self._dice.randint(1, 3)
        return tuple(
            (start * 2**step, max(Decimal("0.001"), (price * (100 - 5 * (step + 1)) / 100).quantize(Decimal("0.001"))))
            for step in range(steps)
        )

    def _remarks(self) -> str:
        dice = self._dice
        kind = dice.random()
        if kind < 0.8:  # noqa: PLR2004  # most sellers write the place here
            return f"{dice.choice('ABCDEFGH')}-{dice.randint(1, 60):02}-{dice.randint(1, 9)}"
        return dice.choice(_FREE_REMARKS) if kind < 0.9 else ""  # noqa: PLR2004  # some write other things

    def _sold(self, added: datetime) -> datetime:
        return added + timedelta(seconds=self._dice.randint(0, max(1, int((_NEWEST - added).total_seconds()))))
