"""XML as a stream of flat items with true line numbers: defused, in flat memory, forgiving only about characters.

Expat does the parsing; it loads nothing from outside. No entity but the five of XML ever reaches it: a name of HTML
becomes its character before, any other `&` stands for itself, and a DOCTYPE may declare nothing.
"""

import html.entities
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.parsers import expat

from inventory.parsing.contents import head_text, kind_of, mended, texts
from inventory.parsing.problems import MAX_CELL, MAX_COLUMNS, MAX_ROWS, RowProblem, UnreadableFile

# Longest tag, comment or declaration, and deepest nesting; real files stay far below.
_MAX_TOKEN = 256 * 1024
_MAX_DEPTH = 50
# What may stand around the items, such as an application's own settings.
_MAX_AROUND = 256 * 1024

_NAME = re.compile(r"<([A-Za-z_][\w.:-]*)")
# What may stand before the root, with how it ends.
_BEFORE_ROOT = (("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE", ">"))
_CONTROLS = bytes(number for number in range(32) if number not in b"\t\n\r")
_NONCHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_AMPERSAND = re.compile(
    r"&(?!amp;|lt;|gt;|quot;|apos;)(?:#([0-9]{1,7});|#[xX]([0-9a-fA-F]{1,6});|([A-Za-z]\w{1,30};))?"
)
_CDATA = re.compile(r"(<!\[CDATA\[|\]\]>)")
_CURRENCY = re.compile(
    r"<Inventory\b[^>]{0,500}?\sCurrency\s*=\s*[\"']([A-Za-z]{3})[\"']|<BASECURRENCYCODE>\s{0,9}([A-Za-z]{3})\s{0,9}</"
)
_TAIL = 64
_CUT_OFF = (
    expat.errors.XML_ERROR_NO_ELEMENTS,
    expat.errors.XML_ERROR_UNCLOSED_TOKEN,
    expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
)
_OTHER_SHOWN = 60


class Structure(str):
    """A field that isn't plain text: written as XML, its attributes beside it."""

    __slots__ = ("attributes",)
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a file: where it begins, its tags in their order with their texts, its own attributes."""

    line: int
    fields: Sequence[tuple[str, str]]
    attributes: Mapping[str, str]

    def repeated(self) -> str | None:
        """Answer the first tag that stands in it more than once, if any does."""
        return next((name for name, count in Counter(name for name, _ in self.fields).items() if count > 1), None)


@dataclass(slots=True)
class Around:
    """What a file holds outside of its items."""

    root: str = ""
    doctype: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def root_of(head: bytes) -> str:
    """Answer the name of the root element of an XML file that begins so; empty if it isn't one."""
    text = head_text(head)
    at = _past_blanks(text, 0)
    while end := next((end for start, end in _BEFORE_ROOT if text.startswith(start, at)), ""):
        if end == ">" and 0 <= text.find("[", at) < text.find(">", at):
            # A DOCTYPE with declarations, which reading refuses.
            end = "]"
        found = text.find(end, at)
        if found < 0:
            return ""
        at = _past_blanks(text, found + len(end))
        if end == "]" and text.startswith(">", at):
            at = _past_blanks(text, at + 1)
    name = _NAME.match(text, at)
    return name[1] if name else ""


def _past_blanks(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at


def require_root(head: bytes, roots: Sequence[str], label: str) -> str:
    """Answer the root's name. Raises UnreadableFile, which says what the file is instead, if it is none of these."""
    if kind := kind_of(head):
        raise UnreadableFile(f"This is {kind}, not {label}.")
    if not head.strip(b"\x00\t\r\n \xef\xbb\xbf\xff\xfe"):
        raise UnreadableFile("The file is empty.")
    root = root_of(head)
    if root in roots:
        return root
    if root:
        raise UnreadableFile(
            f"This is an XML file of another kind: it begins with <{root[:_OTHER_SHOWN]}>, not <{roots[0]}>."
        )
    raise UnreadableFile(f"This isn't {label}: there is no <{roots[0]}> at its beginning.")


def escaped(text: str) -> str:
    """Answer the text as XML has it between tags and in attributes' quotes; what XML can't say is left out."""
    if text.isalnum():
        return text
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if not text.isprintable():
        text = _UNFIT.sub("", text).replace("\r", "&#13;")
    return text


def quoted(text: str) -> str:
    """Answer the text as XML has it in an attribute's quotes."""
    return escaped(text).replace("\n", "&#10;").replace("\t", "&#9;")


def currency_of(head: bytes) -> str:
    """Answer the currency that the beginning of a file states, in an attribute or a tag; empty if it doesn't."""
    found = _CURRENCY.search(head_text(head))
    return next(filter(None, found.groups())).upper() if found else ""


class _Mender:
    """Makes of a file's text what an XML parser takes, and finds the places where something had to go."""

    def __init__(self) -> None:
        self.line = 1
        self.found: list[RowProblem] = []
        self._in_cdata = False

    def mend(self, text: str) -> bytes:
        """Answer the next piece, as UTF-8. Pieces end where no reference, tag or line end is cut."""
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        start = text
        if "&" in text or self._in_cdata:
            text = self._references(text)
        try:
            data = text.encode()
        except UnicodeEncodeError:
            data = b""
        if (
            (not data and text)
            or len(data.translate(None, _CONTROLS)) != len(data)
            or any(mark in data for mark in _NONCHARACTERS)
        ):
            self._report(start)
            data = _UNFIT.sub("", mended(text)).encode()
        self.line += start.count("\n")
        return data

    def _report(self, text: str) -> None:
        line = self.line
        for row in text.split("\n"):
            if unfit := _UNFIT.search(row):
                code = ord(unfit[0])
                what = (
                    f"The byte {code - 0xDC00:#04x} isn't of the file's encoding and was taken as Windows means it"
                    if 0xDC80 <= code <= 0xDCFF  # noqa: PLR2004  # how such bytes are kept
                    else f"The character U+{code:04X} isn't allowed in XML and was left out"
                )
                self.found.append(
                    RowProblem(line, f"{what}; the rest of the line was read.", "", mended(row.strip())[:100])
                )
            line += 1

    def _references(self, text: str) -> str:
        if not self._in_cdata and "<![CDATA[" not in text:
            return _AMPERSAND.sub(_reference, text)
        parts = []
        for part in _CDATA.split(text):
            if part == "<![CDATA[":
                self._in_cdata = True
            elif part == "]]>":
                self._in_cdata = False
            elif not self._in_cdata:
                part = _AMPERSAND.sub(_reference, part)  # noqa: PLW2901  # the part, mended
            parts.append(part)
        return "".join(parts)


def _reference(found: re.Match[str]) -> str:
    """Answer what stands for a reference other than the five of XML."""
    decimal, hexadecimal, name = found.groups()
    if decimal or hexadecimal:
        code = int(decimal) if decimal else int(hexadecimal, 16)
        is_fit = code < 0x110000 and not _UNFIT.match(chr(code))  # noqa: PLR2004  # beyond is no Unicode
        return f"&#{code};" if is_fit else "\ufffd"
    if name and name in html.entities.html5:
        return escaped(html.entities.html5[name])
    return "&amp;" + found[0][1:]


class _Builder:
    """Expat's handlers: collects items, and what stands around them.

    The plain handlers are closures, because they are called for each tag of a file. An element that isn't plain text in
    an item is handed to the others, which keep it as XML, whole; so whatever is open beneath an item is a field.
    """

    def __init__(self, *, container: str, item: str, around: Around, line_offset: int) -> None:
        self.done: list[Item | RowProblem] = []
        self.is_over = False
        self.around = around
        # Where the item begins that isn't complete yet; 0 if there is none.
        self.open_item_line = 0
        self._container = container
        self._line_offset = line_offset
        self._was_inside = False
        self._rows = 0
        self._texts: list[str] = []
        self._fields: list[tuple[str, str]] = []
        # Of an element that is kept as XML: its parts, what is open in it, and who takes it.
        self._raw: list[str] = []
        self._raw_size = 0
        self._raw_level = 0
        self._raw_is_empty = False
        self._is_raw_cdata = False
        self._raw_name = ""
        self._raw_attributes: Mapping[str, str] = {}
        self._take: Callable[[Structure | None], None] = _dropped
        self.parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartDoctypeDeclHandler = self._doctype
        parser.EntityDeclHandler = self._entity
        self._start, self._end = self._plain_handlers(item, 3 if container else 2)
        self._handle_plainly()

    @property
    def line(self) -> int:
        """Answer where in the file the parser stands."""
        return self.parser.CurrentLineNumber + self._line_offset

    def bound(self) -> None:
        """Make true that one field or item of the file can't fill the memory."""
        if len(self._texts) > 1 and sum(map(len, self._texts)) > MAX_CELL:
            self._texts[:] = ["".join(self._texts)[: MAX_CELL + 1]]
        del self._fields[MAX_COLUMNS + 1 :]

    def _handle_plainly(self) -> None:
        parser = self.parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._texts.append
        parser.StartCdataSectionHandler = None
        parser.EndCdataSectionHandler = None

    def _doctype(self, name: str, _system: str | None, _public: str | None, has_internal_subset: int) -> None:
        if has_internal_subset:
            raise UnreadableFile(
                f"Line {self.line}: the DOCTYPE declares something of its own; such files aren't read."
            )
        self.around.doctype = name

    def _entity(self, *_declaration: object) -> None:
        raise UnreadableFile(f"Line {self.line}: the file declares entities; such files aren't read.")

    def _plain_handlers(  # noqa: C901  # closures, so that a tag costs two calls
        self, item: str, item_depth: int
    ) -> tuple[Callable[[str, dict[str, str]], None], Callable[[str], None]]:
        texts = self._texts
        forget = texts.clear
        # How far beneath an item: 0 is the item, 1 a field.
        depth = -item_depth
        root_depth = 1 - item_depth
        fields: list[tuple[str, str]] = []
        item_attributes: Mapping[str, str] = {}
        opened = ""

        def start(name: str, attributes: dict[str, str]) -> None:
            nonlocal depth, fields, item_attributes, opened
            depth += 1
            if depth == 1 and not attributes:
                opened = name
                forget()
            elif depth == 1:
                depth = 0
                self._keep(name, attributes, self._take_field)
            elif depth == 0 and name == item:
                self.open_item_line = self.line
                item_attributes = attributes
                fields = self._fields = []
            elif depth > 1:
                # A child where text was expected.
                depth = 0
                text = "".join(texts)
                self._keep(opened, {}, self._take_field)
                self._raw_text(text)
                self._raw_start(name, attributes)
            elif depth == root_depth:
                self.around.root = name
            elif name == self._container and depth < 0:
                self._was_inside = True
                self.around.attributes.update(attributes)
            else:
                depth -= 1
                self.around.ignored[name[:_OTHER_SHOWN]] += 1
                self._keep(name, attributes, self._take_around if depth == root_depth and self._container else _dropped)

        def end(name: str) -> None:
            nonlocal depth
            if depth == 1:
                fields.append((name, texts[0] if len(texts) == 1 else "".join(texts)))
            elif depth == 0:
                self._finish_item(fields, item_attributes)
            elif depth == root_depth:
                self.is_over = True
            depth -= 1

        return start, end

    def _finish_item(self, fields: Sequence[tuple[str, str]], attributes: Mapping[str, str]) -> None:
        line, self.open_item_line = self.open_item_line, 0
        self._rows += 1
        if self._rows > MAX_ROWS:
            raise UnreadableFile(f"Line {line}: a file may have {MAX_ROWS:,} lots at most.")
        if len(fields) > MAX_COLUMNS:
            self.done.append(RowProblem(line, f"This lot has more than {MAX_COLUMNS} tags."))
        else:
            self.done.append(Item(line, fields, attributes))

    def _take_field(self, kept: Structure | None) -> None:
        # One that is too large is as one that is too long.
        self._fields.append((self._raw_name, "x" * (MAX_CELL + 1) if kept is None else kept))

    def _take_around(self, kept: Structure | None) -> None:
        if kept is not None:
            (self.around.after if self._was_inside else self.around.before).append(kept)

    # An element that is kept as XML.

    def _keep(self, name: str, attributes: dict[str, str], take: Callable[[Structure | None], None]) -> None:
        self._raw = []
        self._raw_size = self._raw_level = 0
        self._raw_is_empty = False
        self._raw_name = name
        self._raw_attributes = attributes
        self._take = take
        parser = self.parser
        parser.StartElementHandler = self._raw_start
        parser.EndElementHandler = self._raw_end
        parser.CharacterDataHandler = self._raw_text
        parser.StartCdataSectionHandler = self._raw_cdata
        parser.EndCdataSectionHandler = self._raw_cdata_end
        self._raw_start(name, attributes)

    def _add_raw(self, text: str, *, is_inside: bool = True) -> None:
        if is_inside and self._raw_is_empty:
            self._raw_is_empty = False
            text = ">" + text
        self._raw_size += len(text)
        if self._raw_size <= _MAX_AROUND:
            self._raw.append(text)

    def _raw_start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._raw_level += 1
        if self._raw_level > _MAX_DEPTH:
            raise UnreadableFile(f"Line {self.line}: the file is nested more than {_MAX_DEPTH} deep.")
        self._add_raw(f"<{name}" + "".join(f' {key}="{quoted(value)}"' for key, value in attributes.items()))
        self._raw_is_empty = True

    def _raw_text(self, text: str) -> None:
        if text:
            self._add_raw(text if self._is_raw_cdata else escaped(text))

    def _raw_cdata(self) -> None:
        self._add_raw("<![CDATA[")
        self._is_raw_cdata = True

    def _raw_cdata_end(self) -> None:
        self._is_raw_cdata = False
        self._add_raw("]]>")

    def _raw_end(self, name: str) -> None:
        if self._raw_is_empty:
            self._add_raw("/>", is_inside=False)
            self._raw_is_empty = False
        else:
            self._add_raw(f"</{name}>")
        self._raw_level -= 1
        if self._raw_level:
            return
        kept = None
        if self._raw_size <= _MAX_AROUND:
            kept = Structure("".join(self._raw))
            kept.attributes = self._raw_attributes
        self._handle_plainly()
        self._take(kept)


def _dropped(_kept: Structure | None) -> None:
    """Nobody asks for it."""


def items(stream: BinaryIO, *, head: bytes, container: str, item: str, around: Around) -> Iterator[Item | RowProblem]:
    """Answer the items of an XML file: elements `item` in the root, or in its child `container`.

    `head` has been read from the stream already. `around` is filled meanwhile. Raises UnreadableFile where the file
    can't be read on, after what came before.
    """
    mender = _Mender()
    builder: _Builder | None = None
    fed = 0
    held = ""
    for text, is_last in _ended(texts(stream, head=head)):
        piece = held + text
        if builder is None:
            stripped = piece.lstrip()
            if not stripped and not is_last:
                held = piece
                continue
            offset = piece[: len(piece) - len(stripped)].replace("\r\n", "\n").replace("\r", "\n").count("\n")
            mender.line += offset
            builder = _Builder(container=container, item=item, around=around, line_offset=offset)
            piece = stripped
        if is_last:
            held = ""
        else:
            cut = _cut(piece)
            piece, held = piece[:cut], piece[cut:]
        if len(held) > _MAX_TOKEN:
            raise UnreadableFile(f"Line {mender.line}: a tag doesn't end; the file isn't XML from here on.")
        data = mender.mend(piece)
        fed += len(data)
        trouble = _feed(builder, data, is_last=is_last)
        yield from mender.found
        mender.found.clear()
        yield from builder.done
        builder.done.clear()
        if trouble is not None:
            yield from _judged(trouble, builder, piece)
            return
        builder.bound()
        if fed - builder.parser.CurrentByteIndex > _MAX_TOKEN * 4:
            raise UnreadableFile(f"Line {builder.line}: something begins here that doesn't end within reason.")


def _ended(pieces: Iterator[str]) -> Iterator[tuple[str, bool]]:
    """Answer each piece with whether it is the last."""
    last = next(pieces)
    for piece in pieces:
        yield last, False
        last = piece
    yield last, True


def _cut(piece: str) -> int:
    """Answer where a piece may end: outside of a tag, a reference, a line end and the brackets of CDATA."""
    opened = piece.rfind("<")
    end = opened if opened >= 0 and piece.find(">", opened) < 0 else len(piece)
    for mark, close in (("&", ";"), ("]", ">")):
        found = piece.rfind(mark, max(0, end - _TAIL), end)
        if found >= 0 and piece.find(close, found, end) < 0:
            end = found - 1 if mark == "]" and piece[found - 1 : found] == "]" else found
    return end - 1 if piece[end - 1 : end] == "\r" else max(end, 0)


def _feed(builder: _Builder, data: bytes, *, is_last: bool) -> Exception | None:
    """Have the parser read on; answer what stopped it."""
    try:
        builder.parser.Parse(data, is_last)
    except (expat.ExpatError, UnreadableFile) as error:
        return error
    return None


def _judged(error: Exception, builder: _Builder, piece: str) -> Iterator[RowProblem]:
    """Say what stopped the parser: raises UnreadableFile, unless all that was to be read had been read."""
    if isinstance(error, UnreadableFile):
        raise error
    if not isinstance(error, expat.ExpatError):
        raise TypeError(str(error)) from error
    line = builder.line
    if builder.is_over:
        if "<" in piece:
            yield RowProblem(line, "What stands behind the end of the inventory wasn't read.")
        return
    message = expat.errors.messages.get(error.code, "")
    if message in _CUT_OFF:
        inside = f", in the lot that begins in line {builder.open_item_line}" if builder.open_item_line else ""
        raise UnreadableFile(f"The file ends too early, in line {line}{inside}: it has been cut off.", line=line)
    raise UnreadableFile(f"Line {line} isn't well-formed XML ({message}); from there on nothing was read.", line=line)
