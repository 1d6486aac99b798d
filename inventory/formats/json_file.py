"""JSON: an object with `lots`, a bare array of them, or one a line; read as a stream, and strict about types."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, BinaryIO

from catalog import colors
from catalog.choices import ItemType
from inventory.choices import Completeness, ItemCondition, SubCondition
from inventory.formats.base import (
    HEAD_BYTES,
    MAX_ROWS,
    FileFacts,
    Format,
    FormatSpec,
    Lot,
    LotRow,
    Reading,
    RowProblem,
    UnreadableFile,
    register,
)
from inventory.parsing import values as v
from inventory.parsing.columns import iso
from inventory.parsing.contents import head_text, kind_of, mended, texts

# One lot, or one other member, written out.
_MAX_VALUE = 1024 * 1024
_SPACE = re.compile(r"[ \t\r\n]*")
_PIECE = 64 * 1024
_CURRENCY = re.compile(r'"currency"\s*:\s*"([A-Z]{3})"')
_LONGEST_NUMBER = 60
# Members that an export has for people and programs, and that no import takes.
_SILENT = frozenset(("id", "qty_reserved", "currency"))


class _Literal(str):
    """A number of JSON, as it is written."""

    __slots__ = ()


class _TwiceError(ValueError):
    """A member stands in an object twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        name = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise _TwiceError(f"“{name[:60]}” stands in this lot more than once.")
    return found


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_Literal, parse_int=_Literal, parse_constant=_Literal
)

_lax_decoder = json.JSONDecoder(parse_float=_Literal, parse_int=_Literal)


class _Buffer:
    """The text of a file, taken in as it is needed, with the line in which its unread part begins."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self._counted = 0
        self._line = 1
        self._is_over = False

    @property
    def line(self) -> int:
        """Answer where in the file the unread part begins."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _more(self, count: int = 1) -> bool:
        """Take in so many characters, or what is left; tell whether any came."""
        taken: list[str] = []
        while count > 0 and (piece := next(self._pieces, None)) is not None:
            taken.append(mended(piece))
            count -= len(piece)
        if not taken:
            self._is_over = True
            return False
        _ = self.line
        self._text = "".join((self._text[self._at :], *taken))
        self._at = self._counted = 0
        return True

    def peek(self) -> str:
        """Answer the next character that isn't a blank; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Pass the next character."""
        self._at += 1

    def value(self) -> Any:
        """Answer the next value. Raises UnreadableFile where it can't be read, _TwiceError where this lot can't."""
        self.peek()
        decoder, twice = _decoder, None
        while True:
            try:
                found, end = decoder.raw_decode(self._text, self._at)
            except _TwiceError as error:
                # Where it ends is found by a decoder that doesn't mind.
                decoder, twice = _lax_decoder, error
                continue
            except RecursionError:
                raise UnreadableFile(f"Line {self.line}: this is nested too deeply.") from None
            except json.JSONDecodeError as error:
                if self._is_complete_error(error) or not self._as_much_again():
                    raise self._unreadable(error) from None
                continue
            # A number at the very end may go on.
            if end == len(self._text) and self._text[end - 1] not in '}]"' and self._as_much_again():
                continue
            self._at = end
            if twice is not None:
                raise twice
            return found

    def _as_much_again(self) -> bool:
        """Take in as much as is unread, so that a value decoded from its start each time is decoded twice in all."""
        unread = len(self._text) - self._at
        return self._more(max(1, min(unread, _MAX_VALUE + 1 - unread)))

    def _is_complete_error(self, error: json.JSONDecodeError) -> bool:
        """Tell whether more text can't mend it."""
        if len(self._text) - self._at > _MAX_VALUE:
            return True
        # What ends with the text so far may be cut; a string's error is told where the string begins.
        return error.pos < len(self._text) - 16 and not error.msg.startswith("Unterminated string")

    def _unreadable(self, error: json.JSONDecodeError) -> UnreadableFile:
        line = self.line
        if len(self._text) - self._at > _MAX_VALUE:
            return UnreadableFile(f"Line {line}: one lot takes more than a megabyte.", line=line)
        place = line + self._text.count("\n", self._at, error.pos)
        if (self._is_over and error.pos >= len(self._text.rstrip()) - 16) or error.msg.startswith("Unterminated"):
            return UnreadableFile(f"The file ends too early, in the lot that begins in line {line}.", line=place)
        return UnreadableFile(f"Line {place} isn't JSON ({error.msg}); from there on nothing was read.", line=place)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Answer the rest line by line."""
        while True:
            end = self._text.find("\n", self._at)
            if end < 0:
                if len(self._text) - self._at <= _MAX_VALUE and self._more():
                    continue
                end = len(self._text)
            line, text = self.line, self._text[self._at : end]
            if len(text) > _MAX_VALUE:
                raise UnreadableFile(f"Line {line}: one lot takes more than a megabyte.", line=line)
            self._at = min(end + 1, len(self._text))
            if text.strip():
                yield line, text
            if self._at >= len(self._text) and self._is_over:
                return

    def is_one_a_line(self) -> bool:
        """Tell whether the object that comes stands in one line, and is a lot."""
        while "\n" not in self._text[self._at :] and len(self._text) - self._at <= _MAX_VALUE and self._more():
            pass
        end = self._text.find("\n", self._at)
        try:
            found = json.loads(self._text[self._at : end if end >= 0 else None])
        except (ValueError, RecursionError):
            return False
        return isinstance(found, dict) and "lots" not in found and bool(found.keys() & {"item_no", "bricklink_lot_id"})


def _lots(buffer: _Buffer, reading: Reading) -> Iterator[tuple[int, Any]]:
    """Answer the lots' values with the lines in which they begin; a sentence (ValueError) where one can't be read."""
    first = buffer.peek()
    if first == "[":
        yield from _array(buffer)
    elif first == "{" and buffer.is_one_a_line():
        yield from _one_a_line(buffer)
        return
    elif first == "{":
        yield from _members(buffer, reading)
    elif not first:
        raise UnreadableFile("The file is empty.")
    else:
        raise UnreadableFile("This isn't JSON: it begins with neither an object nor an array.")
    if buffer.peek():
        yield buffer.line, ValueError("What stands behind the end wasn't read.")


def _array(buffer: _Buffer) -> Iterator[tuple[int, Any]]:
    buffer.skip()
    if buffer.peek() == "]":
        buffer.skip()
        return
    while True:
        buffer.peek()
        line = buffer.line
        try:
            found = buffer.value()
        except _TwiceError as twice:
            found = twice
        yield line, found
        after = buffer.peek()
        if after not in (",", "]"):
            what = "ends too early" if not after else "isn't JSON (a comma is missing); from there on nothing was read"
            raise UnreadableFile(f"The file {what}, in line {buffer.line}.", line=buffer.line)
        buffer.skip()
        if after == "]":
            return


def _members(buffer: _Buffer, reading: Reading) -> Iterator[tuple[int, Any]]:
    buffer.skip()
    has_lots = False
    after = "," if buffer.peek() != "}" else "}"
    while after == ",":
        if buffer.peek() != '"':
            raise UnreadableFile(f"Line {buffer.line} isn't JSON: the name of a member is missing.", line=buffer.line)
        name = buffer.value()
        if buffer.peek() != ":":
            raise UnreadableFile(f"Line {buffer.line} isn't JSON: a colon is missing.", line=buffer.line)
        buffer.skip()
        if name == "lots" and buffer.peek() == "[":
            has_lots = True
            yield from _array(buffer)
        else:
            buffer.value()
            if name not in ("currency", "format"):
                reading.ignored[str(name)[:60]] += 1
        after = buffer.peek()
        if after not in (",", "}"):
            raise UnreadableFile(f"The file ends too early, in line {buffer.line}.", line=buffer.line)
        buffer.skip()
    if not has_lots:
        raise UnreadableFile('This JSON has no array "lots".')


def _one_a_line(buffer: _Buffer) -> Iterator[tuple[int, Any]]:
    for line, text in buffer.lines():
        try:
            yield line, _decoder.decode(text)
        except json.JSONDecodeError as error:
            yield line, ValueError(f"This line isn't JSON ({error.msg}).")
        except _TwiceError as twice:
            yield line, twice
        except RecursionError:
            yield line, ValueError("This line is nested too deeply.")


# What members say, each with the type that it has to be of.


def _string(read: Callable[[str], Any]) -> Callable[[Any], Any]:
    def say(value: Any) -> Any:
        if value.__class__ is not str:
            raise v.WordError("Expected text.", raw=_raw(value))
        return read(value)

    return say


def _integer(what: str, low: int = 0, high: int = v.MAX_INT) -> Callable[[Any], Any]:
    def say(value: Any) -> Any:
        if value.__class__ is not _Literal or len(value) > _LONGEST_NUMBER:
            raise v.WordError("Expected a whole number.", raw=_raw(value))
        return v.whole(value, what, low, high)

    return say


def _amount(read: Callable[[str], Any]) -> Callable[[Any], Any]:
    """An amount may be a number or, as we write it, text."""

    def say(value: Any) -> Any:
        if value.__class__ is not _Literal and value.__class__ is not str:
            raise v.WordError("Expected an amount.", raw=_raw(value))
        return read(value)

    return say


def _flag(value: Any) -> Any:
    if not isinstance(value, bool):
        raise v.WordError("Expected true or false.", raw=_raw(value))
    return value


def _or_null(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else read(value)


def _one_of(allowed: Iterable[str]) -> Callable[[Any], Any]:
    known = frozenset(allowed)

    def say(value: Any) -> Any:
        if not isinstance(value, str) or value not in known:
            raise v.WordError(f"Expected one of {', '.join(sorted(known))}.", raw=_raw(value))
        return str(value)

    return say


def _words(field: str) -> Callable[[Any], Any]:
    return _string(lambda value: v.words(value, field))


def _moment(value: str) -> datetime:
    found = v.iso_time(value)
    if found is None:
        raise v.WordError(f"{v.shown(value)} isn't a time of ISO 8601.", raw=value)
    return found


def _color(value: Any) -> Any:
    color_id = _integer("The color")(value)
    if color_id not in colors.all_colors():
        raise v.WordError(f"{color_id} isn't one of BrickLink's colors.", raw=_raw(value))
    return color_id


def _tiers(value: Any) -> list[tuple[int, Decimal]]:
    if not isinstance(value, list) or len(value) > v.TIERS:
        raise v.WordError("Expected up to three steps.", raw=_raw(value))
    steps = []
    for place, step in enumerate(value, start=1):
        if not isinstance(step, dict) or step.keys() != {"qty", "price"}:
            raise v.WordError('Each step has "qty" and "price".', raw=_raw(step))
        steps.append((place, _integer("The tier quantity")(step["qty"]), _amount(v.amount)(step["price"])))
    return v.tiers(steps)


def _locations(value: Any) -> list[tuple[str, int | None]]:
    if not isinstance(value, list) or len(value) > 1000:  # noqa: PLR2004  # far beyond any lot
        raise v.WordError("Expected a list of locations.", raw=_raw(value))
    found = []
    for place in value:
        if not isinstance(place, dict) or not {"code"} <= place.keys() <= {"code", "qty"}:
            raise v.WordError('Each location has "code" and "qty".', raw=_raw(place))
        code = place["code"]
        if code.__class__ is not str or not 0 < len(code) <= v.MAX_LOCATION_CODE or v.UNPRINTABLE.search(code):
            raise v.WordError("A location's code is a short text.", raw=_raw(code))
        found.append((code, _or_null(_integer("The quantity"))(place.get("qty"))))
    return found


def _raw(value: Any) -> str:
    return value[:100] if isinstance(value, str) else json.dumps(value, default=str)[:100]


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "item_type": _one_of(ItemType.values),
    "item_no": _string(v.item_no),
    "item_name": _words("item_name"),
    "category_name": _words("category_name"),
    "color_id": _or_null(_color),
    "color_name": _words("color_name"),
    "condition": _one_of(ItemCondition.values),
    "completeness": _or_null(_one_of(Completeness.values)),
    "sub_condition": _or_null(_one_of(SubCondition.values)),
    "qty": _integer("The quantity"),
    "qty_delta": _integer("The difference", -v.MAX_INT),
    "unit_price": _amount(v.amount),
    "cost_basis": _or_null(_amount(v.amount)),
    "sale_percent": _integer("The sale", 0, v.MAX_SALE),
    "bulk": _integer("The bulk quantity", 1),
    "tier_prices": _tiers,
    "description": _words("description"),
    "remarks": _words("remarks"),
    "is_retain": _flag,
    "is_stock_room": _flag,
    "stock_room_id": _one_of(["", *v.STOCK_ROOMS]),
    "weight_grams": _or_null(_amount(v.grams)),
    "low_stock_threshold": _or_null(_integer("The threshold")),
    "reserved_for": _words("reserved_for"),
    "acquired_from": _words("acquired_from"),
    "date_added": _string(_moment),
    "last_sold_at": _or_null(_string(_moment)),
    "bricklink_lot_id": _or_null(_integer("The lot number", 1, v.MAX_LOT_ID)),
    "locations": _locations,
    "is_deleted": _flag,
}


def _row(line: int, found: Any, ignored: Counter[str]) -> LotRow | RowProblem:
    if isinstance(found, ValueError):
        return RowProblem(line, str(found))
    if not isinstance(found, dict):
        return RowProblem(line, "A lot is an object.", "", _raw(found))
    values: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    try:
        for name, value in found.items():
            read = _READERS.get(name)
            if read is not None:
                try:
                    values[name] = read(value)
                except v.WordError as wrong:
                    raise v.WordError(str(wrong), field=name, raw=wrong.raw or _raw(value)) from None
            elif name not in _SILENT:
                ignored[name[:60]] += 1
        for field in v.settle(values):
            ignored[f"{field} of a {values.get('item_type', 'lot').lower()}"] += 1
    except v.WordError as wrong:
        return RowProblem(line, str(wrong), wrong.field, wrong.raw)
    return LotRow(line, values, extra)


def _written(lot: Lot) -> dict[str, Any]:
    return {
        "id": lot.id,
        "item_type": lot.item_type,
        "item_no": lot.item_no,
        "item_name": lot.item_name,
        "category_name": lot.category_name,
        "color_id": lot.color_id,
        "color_name": lot.color_name,
        "condition": lot.condition,
        "completeness": lot.completeness,
        "sub_condition": lot.sub_condition,
        "qty": lot.qty_available,
        "qty_reserved": lot.qty_reserved,
        "unit_price": _amount_text(lot.unit_price),
        "currency": lot.currency,
        "cost_basis": _amount_text(lot.cost_basis),
        "sale_percent": lot.sale_percent,
        "bulk": lot.bulk,
        "tier_prices": [{"qty": qty, "price": _amount_text(price)} for qty, price in lot.tier_prices],
        "description": lot.description,
        "remarks": lot.remarks,
        "is_retain": lot.is_retain,
        "is_stock_room": lot.is_stock_room,
        "stock_room_id": lot.stock_room_id,
        "weight_grams": _amount_text(lot.weight_grams),
        "low_stock_threshold": lot.low_stock_threshold,
        "reserved_for": lot.reserved_for,
        "acquired_from": lot.acquired_from,
        "date_added": iso(lot.date_added),
        "last_sold_at": iso(lot.last_sold_at) if lot.last_sold_at else None,
        "bricklink_lot_id": lot.bricklink_lot_id,
        "locations": [{"code": code, "qty": qty} for code, qty in lot.locations],
    }


def _amount_text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.4f}"


@register
class JsonFile(Format):
    """Lots by the API's names of their fields."""

    spec = FormatSpec(
        code="json",
        label="JSON",
        suffix=".json",
        media_type="application/json",
        docs="https://www.rfc-editor.org/rfc/rfc8259",
    )

    def sniff(self, head: bytes) -> bool:
        """Tell it by the first two signs."""
        if kind_of(head):
            return False
        start = re.sub(r"\s+", "", head_text(head)[:1000])[:2]
        return start in ('{"', "[{", "[]", "{}")

    def facts(self, stream: BinaryIO) -> FileFacts:
        """Answer the currency, if it stands at the beginning."""
        head = stream.read(HEAD_BYTES)
        self._require_json(head)
        found = _CURRENCY.search(head_text(head))
        return FileFacts(currency=found[1] if found else "")

    @staticmethod
    def _require_json(head: bytes) -> None:
        if kind := kind_of(head):
            raise UnreadableFile(f"This is {kind}, not a JSON file.")

    def read(self, stream: BinaryIO, *, mapping: Mapping[str, str] | None = None) -> Reading:
        """Answer the rows."""
        reading = Reading(rows=iter(()))
        reading.rows = self._rows(stream, reading)
        return reading

    def _rows(self, stream: BinaryIO, reading: Reading) -> Iterator[LotRow | RowProblem]:
        head = stream.read(HEAD_BYTES)
        self._require_json(head)
        for count, (line, found) in enumerate(_lots(_Buffer(texts(stream, head=head)), reading)):
            if count >= MAX_ROWS:
                raise UnreadableFile(f"Line {line}: a file may have {MAX_ROWS:,} lots at most.", line=line)
            yield _row(line, found, reading.ignored)

    def write(self, lots: Iterable[Lot], *, currency: str, around: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """Answer an object with the currency and the lots, one a line."""
        encode = json.JSONEncoder(ensure_ascii=False).encode
        parts, size = [f'{{"currency": {json.dumps(currency)}, "lots": ['], 0
        between = "\n"
        for lot in lots:
            text = encode(_written(lot))
            parts.append(between + text)
            between = ",\n"
            size += len(text)
            if size > _PIECE:
                yield "".join(parts).encode("utf-8", "replace")
                parts, size = [], 0
        parts.append("\n]}\n")
        yield "".join(parts).encode("utf-8", "replace")
