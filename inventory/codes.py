"""Codes of locations and labels: what a code says of its place, ranges of codes, what a scanner read. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from uuid import UUID

MAX_GENERATED = 10_000
CODE_LENGTH = 40
PART_LENGTH = 20
_LEVELS = 4
_SEPARATORS = re.compile(r"[-._/\s]+")
_LETTERS_DIGITS = re.compile(r"([^\W\d_]+)(\d+)")
_RUNS = re.compile(r"\d+|[^\W\d_]+|[\W_]+")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f]")

LOCATION_PREFIX = "BKN-LOC:"
LOT_PREFIX = "BKN-LOT:"


class CodeError(ValueError):
    """The code can't be one, or two codes make no range; the message says why."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Where a code says that its place is, from the largest part of the storage to the smallest."""

    zone: str = ""
    aisle: str = ""
    shelf: str = ""
    bin: str = ""


@dataclass(frozen=True, slots=True)
class Scan:
    """What was scanned or typed: a location's label, a lot's label, or plain text that may be either."""

    text: str
    is_location: bool = False
    lot_id: UUID | None = None


def clean(code: str) -> str:
    """Answer a code without space around it. Raises CodeError where it can't be one."""
    text = code.strip()
    if not text:
        raise CodeError("A location needs a code.")
    if len(text) > CODE_LENGTH:
        raise CodeError(f"A code has at most {CODE_LENGTH} characters.")
    if _UNSEEN.search(text):
        raise CodeError("A code is one line of text.")
    if "," in text or ";" in text:
        raise CodeError("Commas and semicolons separate codes, so a code has none.")
    return text


def parts_of(code: str) -> Parts:
    """Answer the parts of a code: A-01-2 is zone A, aisle 01, shelf 2. A number alone is a bin."""
    found = [part for part in _SEPARATORS.split(code.strip()) if part]
    if len(found) == 1:
        together = _LETTERS_DIGITS.fullmatch(found[0])
        found = list(together.groups()) if together else found
        if not together:
            return Parts(bin=found[0][:PART_LENGTH])
    if len(found) > _LEVELS:
        found = [*found[: _LEVELS - 1], "-".join(found[_LEVELS - 1 :])]
    return Parts(*(part[:PART_LENGTH] for part in found))


def _steps(first: str, last: str) -> list[str]:
    """Answer what one place of the codes runs through: 01 to 20, A to D, or the one text that both have."""
    if first == last:
        return [first]
    if first.isdecimal() and last.isdecimal():
        low, high = int(first), int(last)
        width = len(first) if first.startswith("0") or len(first) == len(last) else 0
        if low > high:
            raise CodeError(f"{first} comes after {last}.")
        if high - low >= MAX_GENERATED:
            raise CodeError(f"From {first} to {last} are more than {MAX_GENERATED:,}.")
        return [f"{number:0{width}d}" for number in range(low, high + 1)]
    if len(first) == len(last) == 1 and first.isascii() and last.isascii() and first.isupper() == last.isupper():
        if not (first.isalpha() and last.isalpha()) or first > last:
            raise CodeError(f"{first} to {last} is no range.")
        return [chr(number) for number in range(ord(first), ord(last) + 1)]
    raise CodeError(f"“{first}” to “{last}” is no range; numbers and single letters run.")


def between(first: str, last: str) -> list[str]:
    """Answer every code from the first to the last, each number and letter running by itself: A-01-1 … A-20-6.

    Raises CodeError where the two are built differently, or there are more than MAX_GENERATED.
    """
    first, last = clean(first), clean(last)
    ours, theirs = _RUNS.findall(first), _RUNS.findall(last)
    if len(ours) != len(theirs):
        raise CodeError("Both codes have the same parts, such as A-01-1 and A-20-6.")
    runs = [_steps(one, other) for one, other in zip(ours, theirs, strict=True)]
    count = 1
    for run in runs:
        count *= len(run)
    if count > MAX_GENERATED:
        raise CodeError(f"These are {count:,} codes; at most {MAX_GENERATED:,} are made at once.")
    return ["".join(code) for code in _checked(product(*runs))]


def _checked(codes: Iterator[tuple[str, ...]]) -> Iterator[tuple[str, ...]]:
    for code in codes:
        if sum(map(len, code)) > CODE_LENGTH:
            raise CodeError(f"A code has at most {CODE_LENGTH} characters.")
        yield code


def read_scan(text: str) -> Scan:
    """Answer what was scanned or typed. A label of ours says which of the two it is of."""
    plain = text.strip()
    upper = plain.upper()
    if upper.startswith(LOCATION_PREFIX):
        return Scan(plain[len(LOCATION_PREFIX) :].strip(), is_location=True)
    if upper.startswith(LOT_PREFIX):
        rest = plain[len(LOT_PREFIX) :].strip()
        try:
            return Scan(rest, lot_id=UUID(rest))
        except ValueError:
            return Scan(rest)
    return Scan(plain)


def location_payload(code: str) -> str:
    """Answer what the QR code of a location's label holds."""
    return f"{LOCATION_PREFIX}{code}"


def lot_payload(lot_id: UUID) -> str:
    """Answer what the QR code of a lot's label holds."""
    return f"{LOT_PREFIX}{lot_id}"
