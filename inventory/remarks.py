"""Reads codes of locations out of remarks, and writes them back, by the shop's own pattern. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

MAX_LENGTH = 120
_FIELD = re.compile(r"\{([a-z]*)\}")
_CODE = r"[^\W_](?:[\w./-]{0,38}[^\W_])?"
_QTY = r"(?:\s*[(×x]\s*\d{1,9}\s*\)?)?"
_CODES = rf"{_CODE}{_QTY}(?:\s*[,;+&]\s*{_CODE}{_QTY})*"
_ONE = re.compile(rf"({_CODE})(?:\s*[(×x]\s*(\d{{1,9}})\s*\)?)?")
_SPLIT = re.compile(r"\s*[,;+&]\s*")
# Where a bracket or sign that belongs to the location begins at the end of a text, and ends at its beginning.
_OPENER = re.compile(r"(?P<cut>[@#(\[<]+)\Z")
_CLOSER = re.compile(r"\A[)\]>]+(?P<cut>)")


class PatternError(ValueError):
    """The pattern can't be one; the message says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """What remarks say: codes with the pieces at each where that is said, and the text apart from them."""

    codes: tuple[tuple[str, int | None], ...]
    text: str


def _never(_code: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A shop's way of writing locations into remarks: `{location}`, `{location} | {text}`, `Loc: {location}`.

    `opens` and `closes` are written around the location wherever it stands, `joins` between it and the text, and `edge`
    at the text's other side.
    """

    source: str
    opens: str
    closes: str
    joins: str = ""
    edge: str = ""
    has_text: bool = False
    text_first: bool = False

    def read(self, remarks: str, *, is_known: Callable[[str], bool] = _never) -> Found | None:
        """Answer the codes in the remarks; None where there are none. A code that isn't known has a digit in it."""
        found = _regex(self).search(remarks)
        if found is None:
            return None
        codes = []
        for part in _SPLIT.split(found["location"]):
            one = _ONE.fullmatch(part)
            if one is None or not (any(map(str.isdigit, one[1])) or is_known(one[1])):
                return None
            codes.append((one[1], int(one[2]) if one[2] else None))
        if len({code.casefold() for code, _ in codes}) < len(codes):
            return None
        return Found(tuple(codes), self._text(remarks, found))

    def _text(self, remarks: str, found: re.Match[str]) -> str:
        if self.has_text:
            return (found["text"] or "").strip()
        return " ".join(filter(None, (remarks[: found.start()].strip(), remarks[found.end() :].strip())))

    def write(self, remarks: str, codes: Sequence[str], *, is_known: Callable[[str], bool] = _never) -> str | None:
        """Answer the remarks with these codes instead of those in it; None where that would lose other text."""
        found = self.read(remarks, is_known=is_known)
        text = found.text if found else remarks.strip()
        if not codes:
            return text if found else remarks
        location = f"{self.opens}{', '.join(codes)}{self.closes}".strip()
        if not text:
            return location
        if self.has_text:
            if self.text_first:
                return f"{self.edge}{text}{self.joins}{location}"
            return f"{location}{self.joins}{text}{self.edge}"
        return f"{text} {location}" if self.is_marked else None

    @property
    def is_marked(self) -> bool:
        """Tell whether the words around the location make it unmistakable inside other text."""
        return bool((self.opens + self.closes).strip())


def _flexible(literal: str) -> str:
    """Answer the literal as a regular expression that takes more or less space."""
    if not literal.strip():
        return r"\s+" if literal else ""
    return r"\s*".join(["", *map(re.escape, literal.split()), ""])


@cache
def _regex(pattern: Pattern) -> re.Pattern[str]:
    opens, closes, joins, edge = map(_flexible, (pattern.opens, pattern.closes, pattern.joins, pattern.edge))
    location = rf"{opens}(?P<location>{_CODES}){closes}"
    if not pattern.has_text:
        # A marked location may stand anywhere; a bare one is the whole of the remarks.
        whole = rf"(?<!\w){location}(?!\w)" if pattern.is_marked else rf"\A\s*{location}\s*\Z"
    elif pattern.text_first:
        whole = rf"\A\s*(?:{edge}(?P<text>.*?){joins})?{location}\s*\Z"
    else:
        whole = rf"\A\s*{location}(?:{joins}(?P<text>.*?){edge})?\s*\Z"
    return re.compile(whole, re.IGNORECASE | re.DOTALL)


@cache
def compiled(source: str) -> Pattern:
    """Answer the pattern. Raises PatternError."""
    source = source.strip()
    if len(source) > MAX_LENGTH:
        raise PatternError(f"A pattern has at most {MAX_LENGTH} characters.")
    names = _FIELD.findall(source)
    if names.count("location") != 1:
        raise PatternError("A pattern has {location} in it once, such as {location} | {text}.")
    if set(names) - {"location", "text"} or names.count("text") > 1 or source.count("{") != len(names):
        raise PatternError("A pattern has {location}, and {text} at most once; nothing else stands in braces.")
    literals = _FIELD.split(source)[::2]
    if len(names) == 1:
        return Pattern(source, opens=literals[0], closes=literals[1])
    if not literals[1]:
        raise PatternError("Something stands between {location} and {text}, at least a space.")
    if names[0] == "text":
        joins, opens = _cut(_OPENER, literals[1])
        return Pattern(source, opens, literals[2], joins, literals[0], has_text=True, text_first=True)
    closes, joins = _cut(_CLOSER, literals[1])
    return Pattern(source, literals[0], closes, joins, literals[2], has_text=True)


def _cut(where: re.Pattern[str], literal: str) -> tuple[str, str]:
    """Answer what stands between location and text in two: a bracket or sign belongs to the location alone."""
    found = where.search(literal)
    place = found.start("cut") if found else (len(literal) if where is _OPENER else 0)
    return literal[:place], literal[place:]


def shares(codes: Sequence[tuple[str, int | None]], qty: int) -> dict[str, int]:
    """Answer how many of `qty` pieces lie at each code: what the remarks say, the rest shared equally among the others.

    Where the remarks say more than there is, what comes first gets it.
    """
    left = qty
    made: dict[str, int] = {}
    for code, stated in codes:
        if stated is not None:
            made[code] = min(stated, left)
            left -= made[code]
    open_codes = [code for code, stated in codes if stated is None]
    for place, code in enumerate(open_codes):
        made[code] = left // len(open_codes) + (place < left % len(open_codes))
    return {code: pieces for code, pieces in made.items() if pieces}
