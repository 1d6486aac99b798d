"""Whole inventories as they are kept: a line for each lot, compressed, written page by page. Pure.

A line is the lot's number, its state as bases are kept, and the rest of it as a list of JSON, but with tabs for commas.
So most lots are compared without being read: a base in the same words is the same state.
"""

import json
import zlib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from sync.remote import LotState, RemoteItem, RemoteLot
from sync.states import as_text, read_state

_FORM = b"4"
# The first level is three times as fast as the usual one, and the file a quarter larger.
_LEVEL = 1
_PIECE = 256 * 1024
# Lots that are written as one: a call for each takes longer than what it writes.
_AT_ONCE = 500
# Amounts and times as text. Tabs between, so that what is between two lots is in no text: there they are escaped.
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=("\t", ":"), check_circular=False, default=str).encode
_BETWEEN = "]\t["
_BEHIND_STATE = RemoteLot._fields.index("state") + 1
# In the last line, where lots have their number.
_END = b""


class UnreadableError(ValueError):
    """What was kept is of another form, or cut."""


class Packer:
    """Takes an inventory page by page, and answers its body."""

    def __init__(self) -> None:
        self.count = 0
        self._worth = Decimal(0)
        self._pieces: list[bytes] = []
        self._press = zlib.compressobj(_LEVEL)
        self._write([_FORM.decode()])

    def add(self, page: Iterable[RemoteLot]) -> None:
        """Take some lots."""
        left = iter(page)
        while lots := list(islice(left, _AT_ONCE)):
            # Nothing in a lot is a list behind a list, so that each ends where the next begins.
            rest = _ENCODE([(lot.item, *lot[_BEHIND_STATE:]) for lot in lots])[2:-2].split(_BETWEEN)
            self._write([
                f"{lot.lot_id}\t{as_text(lot.state)}\t[{said}]" for lot, said in zip(lots, rest, strict=True)
            ])  # fmt: skip
            self._worth += sum((lot.state.qty * lot.state.price for lot in lots if lot.is_for_sale), Decimal(0))
            self.count += len(lots)

    def body(self) -> bytes:
        """Answer all of it, once everything was added."""
        self._write([f"\t{self.count}\t{self._worth:f}"])
        self._pieces.append(self._press.flush())
        return b"".join(self._pieces)

    def _write(self, lines: list[str]) -> None:
        self._pieces.append(self._press.compress(("\n".join(lines) + "\n").encode()))


class Inventory:
    """The lots of a store as they were fetched, by their numbers there; each is read when somebody wants it."""

    def __init__(self, body: bytes | memoryview) -> None:
        """Raise UnreadableError."""
        self._lines: dict[str, bytes] = {}
        count, worth = 0, Decimal(0)
        try:
            for number, line in _lines(bytes(body)):
                if number != _END:
                    self._lines[number.decode()] = line
                else:
                    said, _tab, amount = line.partition(b"\t")
                    count, worth = int(said), Decimal(amount.decode())
        except (zlib.error, ValueError, ArithmeticError) as error:
            raise UnreadableError(str(error)) from error
        if count != len(self._lines):
            # A store can tell a lot twice, as one that moved to another page meanwhile.
            worth = sum((lot.state.qty * lot.state.price for lot in self if lot.is_for_sale), Decimal(0))
        # What is for sale there, in the store's currency.
        self.worth = worth

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, number: str) -> bool:
        return number in self._lines

    def __iter__(self) -> Iterator[RemoteLot]:
        return map(self.lot, self._lines)

    def numbers(self) -> Collection[str]:
        """Answer the numbers of all lots, in the order in which they were told."""
        return self._lines.keys()

    def is_kept_as(self, number: str, text: str) -> bool:
        """Tell whether a lot's state is kept in those very words; where it isn't it may yet be the same."""
        line, kept = self._lines[number], text.encode()
        return line.startswith(kept) and line.startswith(b"\t", len(kept))

    def state(self, number: str) -> LotState:
        """Answer how a lot stands."""
        return _state(self._lines[number].partition(b"\t")[0])

    def lot(self, number: str) -> RemoteLot:
        """Answer a lot."""
        state, _tab, rest = self._lines[number].partition(b"\t")
        return _lot(number, _state(state), json.loads(rest.replace(b"\t", b",")))


def _lines(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Answer the number of each lot, and the rest of its line; at last the number of nothing, and what ends it."""
    press, rest, number = zlib.decompressobj(), b"", None
    for start in range(0, len(body), _PIECE):
        *whole, rest = (rest + press.decompress(body[start : start + _PIECE])).split(b"\n")
        for line in whole:
            if number is None and line != _FORM:
                raise UnreadableError("of another form")
            number, _tab, said = line.partition(b"\t")
            if said:
                yield number, said
    if not press.eof or rest or number != _END:
        raise UnreadableError("cut short")


def _state(text: bytes) -> LotState:
    state = read_state(json.loads(text))
    if state is None:
        raise UnreadableError("without a state")
    return state


def _lot(number: str, state: LotState, rest: list[Any]) -> RemoteLot:
    (*words, numbers), marker, version, is_for_sale, weight, cost, made, warnings, in_carts = rest
    return RemoteLot(
        lot_id=number, item=RemoteItem._make((*words, tuple(numbers))), state=state,
        marker=marker, version=version, is_for_sale=is_for_sale,
        weight_grams=None if weight is None else Decimal(weight), cost=None if cost is None else Decimal(cost),
        created_at=None if made is None else datetime.fromisoformat(made), warnings=tuple(warnings),
        in_carts=in_carts,
    )  # fmt: skip
