"""What a file is by its content, and its bytes as text whatever their encoding."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

_CHUNK_BYTES = 64 * 1024

_SIGNATURES = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a picture, a sound or a film"),
    (b"\x1f\x8b", "a GZIP archive"),
    (b"BZh", "a BZIP2 archive"),
    (b"Rar!", "a RAR archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\xfd7zXZ", "an XZ archive"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file (.xls, .doc), or one with a password"),
    (b"SQLite format 3", "a database"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
    (b"{\\rtf", "a text document (RTF)"),
)
_ZIPPED = (
    (b"xl/", "an Excel workbook (.xlsx)"),
    (b"word/", "a Word document"),
    (b"ppt/", "a presentation"),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet (.ods)"),
    (b"opendocument.text", "a text document (.odt)"),
)
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"<\?xml[^>]{0,100}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
# Encodings of text, one byte or several; others that Python knows (rot13, punycode, zip …) are none.
_TEXT_ENCODING = re.compile(r"ascii|utf-8|iso8859-\d+|cp\d{3,4}|koi8-[ru]|mac-roman|gb\w+|big5\w*|shift_jis\w*|euc_\w+")
_ESCAPED = re.compile("[\udc80-\udcff]")


def kind_of(head: bytes) -> str:
    """Answer in words what a file is that begins so, where it is none of text; empty if it may be text."""
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    if head.startswith(b"PK\x03\x04"):
        return next((name for mark, name in _ZIPPED if mark in head), "a ZIP archive")
    text = head_text(head)
    if "\x00" in text:
        return "a file of bytes without text"
    start = text[:200].lstrip().casefold()
    if start.startswith(("<!doctype html", "<html")):
        return "a web page, perhaps that of a sign-in"
    return ""


def encoding_of(head: bytes) -> str:
    """Answer the encoding of a text that begins so: by its mark, its look, its declaration; else UTF-8."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    sample = head[:400]
    for encoding, zero in (("utf-16-le", 1), ("utf-16-be", 0)):
        zeros = sample[zero::2].count(0)
        if len(sample) > 1 and zeros * 10 > len(sample) * 4 and not sample[1 - zero :: 2].count(0):
            return encoding
    declared = _DECLARED.match(head.lstrip())
    if declared and not _is_utf8(head):
        name = _known(declared[1].decode("ascii"))
        # Browsers and shops mean Windows' table where they say Latin-1.
        return "cp1252" if name == "iso8859-1" else name
    return "utf-8"


def _known(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return "utf-8"
    return found if _TEXT_ENCODING.fullmatch(found) and found != "ascii" else "utf-8"


def _is_utf8(head: bytes) -> bool:
    """Tell whether the bytes beyond ASCII, if there are any, are UTF-8; by chance other encodings never look so."""
    if head.isascii():
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def errors_for(encoding: str) -> str:
    """Answer how bytes that aren't of the encoding become text: kept for `mended`, or the sign for "unknown"."""
    return "surrogateescape" if encoding == "utf-8" else "replace"


def head_text(head: bytes) -> str:
    """Answer the beginning of a file as text, without its mark, ending anywhere."""
    encoding = encoding_of(head)
    text = codecs.getincrementaldecoder(encoding)(errors=errors_for(encoding)).decode(head)
    return mended(text.removeprefix("\ufeff"))


def texts(stream: BinaryIO, *, head: bytes) -> Iterator[str]:
    """Answer a file as pieces of text, `head` having been read from it already.

    Bytes that aren't of its encoding are lone surrogates; see `mended`.
    """
    piece = head
    encoding = encoding_of(piece)
    decoder = codecs.getincrementaldecoder(encoding)(errors=errors_for(encoding))
    text = decoder.decode(piece).removeprefix("\ufeff")
    while piece:
        yield text
        piece = stream.read(_CHUNK_BYTES)
        text = decoder.decode(piece, final=not piece)
    yield text


def _windows_character(found: re.Match[str]) -> str:
    byte = bytes([ord(found[0]) - 0xDC00])
    try:
        return byte.decode("cp1252")
    except UnicodeDecodeError:
        return "\ufffd"


def mended(text: str) -> str:
    """Answer the text with the bytes that weren't UTF-8 as Windows means them."""
    return text if text.isascii() else _ESCAPED.sub(_windows_character, text)
