"""Works out what becomes of a set that is taken apart: which lots, at what price, and what each of them cost. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

from inventory.costs import spread

_UNIT = Decimal("0.0001")
_HIGHEST = 10


@dataclass(frozen=True, slots=True)
class Piece:
    """What a set has of one item in one color, in all."""

    item_type: str
    item_no: str
    name: str
    category: str
    color_id: int | None
    qty: int

    @property
    def key(self) -> str:
        """Answer by what it is known on the page."""
        return f"{self.item_type}:{self.item_no}:{'' if self.color_id is None else self.color_id}"


@dataclass(frozen=True, slots=True)
class Owned:
    """Lots of the same thing that are there already. `price`: of the one that gets the pieces."""

    lots: int
    pieces: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Row:
    """A lot that comes of it. `owned`: None where it is new to the shop. `cost`: of a piece."""

    piece: Piece
    price: Decimal | None
    owned: Owned | None
    is_left_out: bool = False
    cost: Decimal | None = None
    place: str = ""
    why_there: str = ""

    @property
    def value(self) -> Decimal:
        """Answer what its pieces sell for."""
        return (self.price or Decimal(0)) * self.piece.qty


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of a set. `unknown`: what is in it under numbers that BrickLink doesn't have."""

    rows: tuple[Row, ...] = ()
    unknown: tuple[Piece, ...] = ()
    total_cost: Decimal | None = None

    @property
    def taken(self) -> list[Row]:
        """Answer the rows that aren't left out."""
        return [row for row in self.rows if not row.is_left_out]

    @property
    def value(self) -> Decimal:
        """Answer what all of it sells for."""
        return sum((row.value for row in self.taken), Decimal(0))

    @property
    def pieces(self) -> int:
        """Answer how many pieces come of it."""
        return sum(row.piece.qty for row in self.taken)

    @property
    def new(self) -> int:
        """Answer how many lots are new to the shop."""
        return sum(row.owned is None for row in self.taken)

    @property
    def restocked(self) -> int:
        """Answer how many lots get more pieces."""
        return len(self.taken) - self.new

    @property
    def unpriced(self) -> int:
        """Answer how many lots have no price yet."""
        return sum(row.price is None for row in self.taken)

    @property
    def top_share(self) -> int | None:
        """Answer how many percent of the value the ten most valuable lots are; None where there is no value."""
        if not self.value:
            return None
        best = sorted((row.value for row in self.taken), reverse=True)[:_HIGHEST]
        return int((sum(best, Decimal(0)) / self.value * 100).to_integral_value(ROUND_HALF_UP))

    @property
    def margin(self) -> Decimal | None:
        """Answer what is earned over the cost, if that is known."""
        return None if self.total_cost is None else self.value - self.total_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How a set is taken apart. `default_price`: of lots that the shop has no price for. `total_cost`: of all sets."""

    times: int = 1
    condition: str = "NEW"
    with_spares: bool = True
    default_price: Decimal | None = None
    total_cost: Decimal | None = None
    left_out: frozenset[str] = field(default_factory=frozenset)


def together(pieces: Iterable[Piece], *, times: int) -> list[Piece]:
    """Answer the pieces of so many sets, those of one item and color as one."""
    sums: Counter[str] = Counter()
    first: dict[str, Piece] = {}
    for piece in pieces:
        first.setdefault(piece.key, piece)
        sums[piece.key] += piece.qty
    return [replace(piece, qty=sums[key] * times) for key, piece in first.items()]


def plan(pieces: Sequence[Piece], *, unknown: Sequence[Piece], owned: Mapping[str, Owned], choices: Choices) -> Plan:
    """Answer what becomes of the pieces: the price of what is there already, else the default; the cost by value."""
    rows = []
    for piece in pieces:
        mine = owned.get(piece.key)
        price = mine.price if mine else choices.default_price
        rows.append(Row(piece, price, mine, is_left_out=piece.key in choices.left_out))
    if choices.total_cost is not None:
        taken = [row for row in rows if not row.is_left_out]
        weights = [row.value for row in taken]
        if not any(weights):
            weights = [Decimal(row.piece.qty) for row in taken]
        shares = dict(zip((row.piece.key for row in taken), spread(choices.total_cost, weights), strict=True))
        rows = [
            row
            if row.is_left_out
            else replace(row, cost=(shares[row.piece.key] / row.piece.qty).quantize(_UNIT, rounding=ROUND_HALF_UP))
            for row in rows
        ]
    return Plan(tuple(rows), tuple(unknown), choices.total_cost)
