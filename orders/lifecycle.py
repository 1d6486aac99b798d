"""The life of an order: every status, who may move it where, and what that does to stock. Pure, and the only place."""

from enum import StrEnum


class Status(StrEnum):
    """Where an order stands (definitions.md, 6.1)."""

    NEW = "NEW"
    PENDING = "PENDING"
    PICKING = "PICKING"
    PACKING = "PACKING"
    READY = "READY"
    SHIPPED = "SHIPPED"
    DELIVERED = "DELIVERED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class By(StrEnum):
    """Who moves an order."""

    USER = "U"
    SYSTEM = "S"
    CHANNEL = "C"
    REVERT = "R"


class Effect(StrEnum):
    """What a step does to the stock that an order holds."""

    RESERVE = "RESERVE"
    RELEASE = "RELEASE"
    CONSUME = "CONSUME"
    # What was shipped by mistake is promised again: only a revert does it.
    TAKE_BACK = "TAKE_BACK"


# The happy way from left to right, and the two ends beside it.
WAY: tuple[Status, ...] = (
    Status.NEW, Status.PENDING, Status.PICKING, Status.PACKING, Status.READY, Status.SHIPPED, Status.DELIVERED,
    Status.COMPLETED,
)  # fmt: skip
ENDS: tuple[Status, ...] = (Status.CANCELLED, Status.REFUNDED)
RANK: dict[Status, int] = {status: rank for rank, status in enumerate(WAY)}

# Pieces are promised, have left the house, or are free again. A refunded order keeps what it had.
PROMISED = frozenset({Status.NEW, Status.PENDING, Status.PICKING, Status.PACKING, Status.READY})
GONE = frozenset({Status.SHIPPED, Status.DELIVERED, Status.COMPLETED})
# Somebody has work with it.
OPEN = PROMISED
# Lines may be changed by hand: nobody picks yet.
EDITABLE = frozenset({Status.NEW, Status.PENDING})

_N, _P, _PI, _PA, _R = Status.NEW, Status.PENDING, Status.PICKING, Status.PACKING, Status.READY
_S, _D, _C, _X, _F = Status.SHIPPED, Status.DELIVERED, Status.COMPLETED, Status.CANCELLED, Status.REFUNDED

# definitions.md, 6.2, row by row: from, to, and by whom.
_ROWS: dict[Status, dict[Status, str]] = {
    _N: {_P: "USC", _PI: "S", _R: "C", _S: "C", _D: "C", _C: "C", _X: "UC", _F: "C"},
    _P: {_N: "U", _PI: "SU", _PA: "U", _R: "C", _S: "UC", _D: "C", _C: "C", _X: "UC", _F: "UC"},
    _PI: {_P: "SU", _PA: "SU", _R: "C", _S: "C", _D: "C", _C: "C", _X: "UC", _F: "UC"},
    _PA: {_P: "U", _PI: "U", _R: "USC", _S: "USC", _D: "C", _C: "C", _X: "UC", _F: "UC"},
    _R: {_P: "U", _PA: "U", _S: "USC", _D: "C", _C: "C", _X: "UC", _F: "UC"},
    _S: {_R: "R", _D: "USC", _C: "USC", _F: "UC"},
    _D: {_S: "R", _C: "USC", _F: "UC"},
    _C: {_F: "UC"},
    _X: {_N: "R", _P: "RC", _F: "UC"},
    _F: {},
}
TABLE: dict[tuple[Status, Status], frozenset[By]] = {
    (start, end): frozenset(By(letter) for letter in letters)
    for start, row in _ROWS.items()
    for end, letters in row.items()
}


def allowed(start: Status, by: By) -> tuple[Status, ...]:
    """Answer where an order may be moved from there, in the order of the way."""
    return tuple(end for end in (*WAY, *ENDS) if by in TABLE.get((start, end), ()))


def is_allowed(start: Status, end: Status, by: By) -> bool:
    """Tell whether the step is open. Standing still always is: it does nothing."""
    return start is end or by in TABLE.get((start, end), ())


def is_backwards(start: Status, end: Status) -> bool:
    """Tell whether the step goes back on the way: people are asked why."""
    return start in RANK and end in RANK and RANK[end] < RANK[start]


def effects(start: Status, end: Status) -> tuple[Effect, ...]:
    """Answer what the step does to stock. A step that jumps does what all the steps between would have done."""
    if start in PROMISED:
        if end in GONE:
            return (Effect.CONSUME,)
        return (Effect.RELEASE,) if end in ENDS else ()
    if start in GONE:
        return (Effect.TAKE_BACK,) if end in PROMISED else ()
    if start is Status.CANCELLED and end in PROMISED:
        return (Effect.RESERVE,)
    return ()


def birth(status: Status) -> tuple[Effect, ...]:
    """Answer what an order does to stock that is first heard of in that status."""
    if status in ENDS:
        return ()
    return (Effect.RESERVE, *effects(Status.NEW, status))


class Verdict(StrEnum):
    """What becomes of a status that a channel tells."""

    MOVE = "MOVE"
    # Not further than it is: its own word is kept, nothing moves.
    KEEP = "KEEP"
    # It ended there after it had left here: a person decides.
    DISPUTE = "DISPUTE"


def verdict(start: Status, told: Status, *, is_reinstated: bool = False) -> Verdict:
    """Answer what to do about a channel's status. A channel never moves an order backwards.

    `is_reinstated`: the channel itself has taken its cancellation back.
    """
    if start in GONE and told in ENDS:
        return Verdict.DISPUTE
    if start is told or By.CHANNEL not in TABLE.get((start, told), ()):
        return Verdict.KEEP
    if start is Status.CANCELLED and told is Status.PENDING and not is_reinstated:
        return Verdict.KEEP
    return Verdict.MOVE


class LineStatus(StrEnum):
    """How far the picking of a line is (definitions.md, 7)."""

    PENDING = "PENDING"
    PICKED = "PICKED"
    PARTIAL = "PARTIAL"
    MISSING = "MISSING"


def line_status(*, qty_ordered: int, qty_picked: int, qty_missing: int) -> LineStatus:
    """Answer the status that follows from the counts of picking."""
    if not qty_picked and not qty_missing:
        return LineStatus.PENDING
    if qty_picked >= qty_ordered:
        return LineStatus.PICKED
    return LineStatus.MISSING if qty_missing >= qty_ordered else LineStatus.PARTIAL
