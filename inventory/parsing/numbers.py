"""Numbers as people and programs write them: with signs of currencies, grouped thousands, a comma before decimals."""

import re
from collections.abc import Iterable

from inventory.parsing.values import WordError, shown

_CURRENCY = re.compile(r"\A(?:[A-Za-z]{2,3}\s*)?[€$£¥]?\s*|\s*(?:[€$£¥]|[A-Za-z]{3})\Z")
_SPACES = re.compile("[\\s'’\u00a0\u202f]")
_DIGITS = re.compile(r"[+-]?[0-9.,]*[0-9][0-9.,]*\Z")
_GROUPED = {",": re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+\Z"), ".": re.compile(r"[+-]?[0-9]{1,3}(?:\.[0-9]{3})+\Z")}
_OTHER = {",": ".", ".": ","}
_GROUP = 3
_LONGEST = 60
_REMEMBERED = 20_000


class Number(str):
    """A number that was one already in its file: with a point, and without doubt."""

    __slots__ = ()


class Numbers:
    """Reads the numbers of one file, which writes its decimals in one way. Which, its numbers tell."""

    def __init__(self) -> None:
        # "." or ","; empty while no number has told.
        self.decimal = ""
        self._known: dict[str, str] = {}

    def learn(self, words: Iterable[str]) -> None:
        """Take from the words how this file writes its decimals, where one of them leaves no doubt."""
        for word in words:
            if self.decimal:
                return
            bare = _bare(word)
            told = _told(bare) if bare else ""
            self.decimal = told if told in _OTHER else ""

    def plain(self, word: str) -> str:
        """Answer a number with a point and without groups. Raises WordError where it is none, or could be two."""
        if word.__class__ is Number:
            return word
        known = self._known.get(word)
        if known is None:
            known = self._plain(word)
            if len(self._known) < _REMEMBERED:
                self._known[word] = known
        return known

    def _plain(self, word: str) -> str:
        bare = _bare(word)
        if bare is None:
            raise WordError(f"{shown(word)} isn't a number.")
        told = _told(bare)
        if told == "?":
            if not self.decimal:
                raise WordError(
                    f"{shown(word)} could be two numbers: the file doesn't show which of “,” and “.” precedes decimals."
                )
            told = self.decimal
        elif told and not self.decimal:
            self.decimal = told
        if told and told != self.decimal:
            raise WordError(
                f"{shown(word)} isn't written as the file's other numbers are (decimals after “{self.decimal}”)."
            )
        group = _OTHER[told] if told else ""
        before, _, after = bare.partition(told) if told else (bare, "", "")
        if group and group in before:
            if not _GROUPED[group].match(before):
                raise WordError(f"{shown(word)} isn't a number.")
            before = before.replace(group, "")
        if group and group in after:
            raise WordError(f"{shown(word)} isn't a number.")
        return f"{before}.{after}" if after else before


def _bare(word: str) -> str | None:
    """Answer the digits and signs of a number; None if it is none."""
    bare = word.strip()
    if len(bare) > _LONGEST:
        return None
    if not bare.isdecimal():
        bare = _SPACES.sub("", _CURRENCY.sub("", bare))
    return bare if _DIGITS.match(bare) else None


def _told(bare: str) -> str:
    """Answer which sign stands before decimals by what this number shows; "" if it shows none, "?" in doubt."""
    dot, comma = bare.rfind("."), bare.rfind(",")
    if dot < 0 and comma < 0:
        return ""
    if dot >= 0 and comma >= 0:
        return "." if dot > comma else ","
    sign, at = (".", dot) if dot >= 0 else (",", comma)
    if bare.count(sign) > 1:
        return _OTHER[sign]
    before, after = bare[:at].lstrip("+-"), bare[at + 1 :]
    if len(after) != _GROUP or not before or before.startswith("0") or len(before) > _GROUP:
        return sign
    return "?"


def whole_part(plain: str) -> str:
    """Answer a whole number that a spreadsheet wrote with decimals of zero; anything else as it stands."""
    before, _, after = plain.partition(".")
    return before if not after.strip("0") else plain
