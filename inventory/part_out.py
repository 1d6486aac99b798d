"""Works out what becomes of a set that is taken apart: which lots, at what price, and what each of them cost. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

from inventory.costs import spread
from inventory.repricing import Basis, Guide, Terms, Thing, judge

_UNIT = Decimal("0.0001")
_HIGHEST = 10
_SET = "SET"


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
    """Lots of the same thing that are there already. `price`, `cost`: of the one that gets the pieces, which keeps
    both; where the cost is none or 0, the set's is taken.
    """

    lots: int
    pieces: int
    price: Decimal
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A lot that comes of it. `owned`: None where it is new to the shop. `cost`: of a piece.

    `guide`: what a piece goes for. `is_guided`: the price is made from that.
    """

    piece: Piece
    price: Decimal | None
    owned: Owned | None
    is_left_out: bool = False
    cost: Decimal | None = None
    place: str = ""
    why_there: str = ""
    guide: Guide = field(default_factory=Guide)
    is_guided: bool = False

    @property
    def sold(self) -> Decimal | None:
        """Answer what a piece was sold for on average."""
        return self.guide.sold.price_qty_avg if self.guide.sold else None

    @property
    def offered(self) -> Decimal | None:
        """Answer what a piece is offered for on average."""
        return self.guide.stock.price_qty_avg if self.guide.stock else None

    @property
    def own_cost(self) -> Decimal | None:
        """Answer what a piece of the lot that gets these goes on to cost, whatever the set did; None for the set's."""
        return (self.owned.cost or None) if self.owned else None

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
    def keeping_cost(self) -> int:
        """Answer how many lots go on to cost what they did before."""
        return sum(row.own_cost is not None for row in self.taken)

    @property
    def unpriced(self) -> int:
        """Answer how many lots have no price yet."""
        return sum(row.price is None for row in self.taken)

    @property
    def sold_value(self) -> Decimal:
        """Answer what its pieces were sold for on average, where that is known."""
        return sum(((row.sold or Decimal(0)) * row.piece.qty for row in self.taken), Decimal(0))

    @property
    def offered_value(self) -> Decimal:
        """Answer what its pieces are offered for on average, where that is known."""
        return sum(((row.offered or Decimal(0)) * row.piece.qty for row in self.taken), Decimal(0))

    @property
    def sold_margin(self) -> Decimal | None:
        """Answer what is earned over the cost at what pieces were sold for, if that is known."""
        return None if self.total_cost is None else self.sold_value - self.total_cost

    @property
    def sold_loss(self) -> Decimal:
        """Answer how far what pieces were sold for is below the cost; 0 where it isn't, or none is known."""
        return max(-(self.sold_margin or Decimal(0)), Decimal(0))

    @property
    def unasked(self) -> int:
        """Answer of how many lots nobody has asked what they go for."""
        return sum(row.guide.sold is None or row.guide.stock is None for row in self.taken)

    @property
    def half_count(self) -> int:
        """Answer in how few lots half of the value lies; 0 where there is no value."""
        left, count = self.value / 2, 0
        for value in sorted((row.value for row in self.taken), reverse=True):
            if left <= 0:
                break
            left, count = left - value, count + 1
        return count

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

    @property
    def loss(self) -> Decimal:
        """Answer how far the value is below the cost; 0 where it isn't, or none is known."""
        return max(-(self.margin or Decimal(0)), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How a set is taken apart. `default_price`: of lots that the shop has no price for. `total_cost`: of all sets.

    `terms`: how prices of what is new are made from the price guide; None where they aren't.
    """

    times: int = 1
    condition: str = "NEW"
    with_spares: bool = True
    default_price: Decimal | None = None
    terms: Terms | None = None
    total_cost: Decimal | None = None
    left_out: frozenset[str] = field(default_factory=frozenset)


def completeness_of(piece: Piece, condition: str) -> str | None:
    """Answer how complete a set is that was inside of the set: sealed as it came, or all there once it was used."""
    if piece.item_type != _SET:
        return None
    return "SEALED" if condition == "NEW" else "COMPLETE"


def together(pieces: Iterable[Piece], *, times: int) -> list[Piece]:
    """Answer the pieces of so many sets, those of one item and color as one."""
    sums: Counter[str] = Counter()
    first: dict[str, Piece] = {}
    for piece in pieces:
        first.setdefault(piece.key, piece)
        sums[piece.key] += piece.qty
    return [replace(piece, qty=sums[key] * times) for key, piece in first.items()]


def plan(
    pieces: Sequence[Piece], *, unknown: Sequence[Piece], owned: Mapping[str, Owned], choices: Choices,
    guides: Mapping[str, Guide] | None = None,
) -> Plan:  # fmt: skip
    """Answer what becomes of the pieces: the price of what is there already, else the price guide's, else the default;
    the cost by value."""
    rows = []
    for piece in pieces:
        mine, guide = owned.get(piece.key), (guides or {}).get(piece.key, Guide())
        guided = _guided(guide, choices.terms) if mine is None and choices.terms else None
        price = mine.price if mine else choices.default_price if guided is None else guided
        is_left_out = piece.key in choices.left_out
        rows.append(Row(piece, price, mine, is_left_out, guide=guide, is_guided=guided is not None))
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


def _guided(guide: Guide, terms: Terms) -> Decimal | None:
    return judge(Thing(price=Decimal(0)), guide, terms).price


def terms_of(basis: str, factor: Decimal | None) -> Terms | None:
    """Answer how prices of what is new are made: from a figure of the price guide, rounded to cents, or not at all."""
    return Terms(basis=Basis(basis), factor=factor or Decimal(1)) if basis else None
