"""What a text in a search box means: a number of some platform, or words, with a color and sizes among them.

`normalized` and `understood` know no tables: what the words are worth is for `catalog.queries` to find out.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from catalog.choices import ITEM_TYPE_OF_LETTER, ItemType, System
from catalog.color_names import all_names

MAX_TEXT, MAX_WORDS = 200, 8
# LEGO's element ids, and the numbers that are taken for one first.
_ELEMENT = re.compile(r"\d{6,8}")
# Dashes and multiplication signs of other alphabets and of word processors.
_SIGNS = str.maketrans({**dict.fromkeys("‐‑‒–—―−﹣－", "-"), "×": "x", "✕": "x", "⨯": "x", "’": "'"})
_SIZE = re.compile(r"\d+(?:\.\d+)?(?:/\d+)?(?:x\d+(?:\.\d+)?(?:/\d+)?)+")
# `2 x 4`, `2 X 4 x 1/3`: sizes with blanks in them.
_SPACED = re.compile(r"(?<=\d)\s*x\s*(?=\d)")
WORD = re.compile(r"[^\W_]+(?:[/.][^\W_]+)*")
_BOID_IN_COLOR = re.compile(r"(\d{4,})-(\d{1,3})")
_SET = re.compile(r"\d{3,7}")

# What people write before a number: whose it is, or of what kind of thing.
_SYSTEMS: Mapping[str, System] = {
    "bl": System.BRICKLINK, "bricklink": System.BRICKLINK, "bo": System.BRICKOWL, "boid": System.BRICKOWL,
    "brickowl": System.BRICKOWL, "rb": System.REBRICKABLE, "rebrickable": System.REBRICKABLE,
    "ldraw": System.LDRAW, "design": System.LEGO_DESIGN, "brikick": System.BRIKICK,
}  # fmt: skip
_ELEMENT_WORDS = frozenset({"element", "lego", "elem"})
_TYPES: Mapping[str, ItemType] = {
    **{letter.lower(): kind for letter, kind in ITEM_TYPE_OF_LETTER.items()},
    "part": ItemType.PART, "set": ItemType.SET, "minifig": ItemType.MINIFIG, "fig": ItemType.MINIFIG,
    "gear": ItemType.GEAR, "book": ItemType.BOOK,
}  # fmt: skip
_BEFORE = re.compile(r"([a-z]+)\s*[:#\s]\s*(\S+)", re.IGNORECASE)

# What people write for a word of a color's name.
_SHORT: Mapping[str, tuple[str, ...]] = {
    "grey": ("gray",), "lt": ("light",), "lgt": ("light",), "dk": ("dark",), "drk": ("dark",), "med": ("medium",),
    "md": ("medium",), "transparent": ("trans",), "translucent": ("trans",), "tr": ("trans",), "vlt": ("very", "light"),
    "bley": ("bluish", "gray"), "lbg": ("light", "bluish", "gray"), "dbg": ("dark", "bluish", "gray"),
    "lbley": ("light", "bluish", "gray"), "dbley": ("dark", "bluish", "gray"), "blueish": ("bluish",),
    "bl": ("bluish",), "rdsh": ("reddish",), "gitd": ("glow", "in", "dark"), "modulex": ("mx",),
    "turqoise": ("turquoise",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Number:
    """A number as somebody wrote it, and the ways in which the tables may have it.

    `begins`: lower case, for completing it. `nos`: lower case, of items. `outside`: in every case, of platforms.
    """

    text: str
    begins: str
    nos: tuple[str, ...]
    outside: tuple[str, ...]
    # A BOID without the color that was behind it, and Brick Owl's number of that color.
    boid: str = ""
    boid_color: int | None = None
    system: System | None = None
    item_type: ItemType | None = None

    @property
    def element(self) -> str:
        """Answer the LEGO element id that it may be; nothing where it can't be one."""
        return self.text if self.system is None and self.item_type is None and _ELEMENT.fullmatch(self.text) else ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text means. `number`: the one number that it is, perhaps beside a color; `words`: everything, in order.

    `plain`: the words without the color's; `color_ids`: which colors these name, the likeliest first.
    """

    text: str
    words: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    color_ids: tuple[int, ...] = ()
    number: Number | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether there is nothing to look for."""
        return not self.words and self.number is None

    @property
    def sizes(self) -> tuple[str, ...]:
        """Answer the words that are sizes."""
        return tuple(word for word in self.plain if is_size(word))


def is_size(word: str) -> bool:
    """Tell whether a word is a size, as `2x4` and `1x1x2/3` are."""
    return _SIZE.fullmatch(word) is not None


def turned(size: str) -> str:
    """Answer a size with its first two sides the other way round: the sources don't agree which comes first."""
    first, second, *rest = size.split("x")
    return "x".join((second, first, *rest))


def normalized(text: str) -> str:
    """Answer a text in one form: plain dashes and signs, single blanks, no blanks at the ends."""
    plain = unicodedata.normalize("NFKC", text.replace("\0", " ").translate(_SIGNS)).translate(_SIGNS)
    return " ".join(plain.split())[:MAX_TEXT]


def words_in(text: str) -> tuple[str, ...]:
    """Answer the words of a text in lower case, a size being one: `Brick 2 x 4` is `brick` and `2x4`."""
    return tuple(WORD.findall(_SPACED.sub("x", normalized(text).lower())))


def number_of(text: str) -> Number | None:
    """Answer the number that a text is (catalog-sources.md, 4.4), None where it can't be one."""
    text = normalized(text)
    system: System | None = None
    item_type: ItemType | None = None
    is_element = False
    found = _BEFORE.fullmatch(text)
    if found and (any(map(str.isdigit, found[2])) or ":" in text):
        before, rest = found[1].lower(), found[2]
        system, item_type, is_element = _SYSTEMS.get(before), _TYPES.get(before), before in _ELEMENT_WORDS
        if system is None and item_type is None and not is_element:
            return None
        text = rest
    if not text or " " in text or is_size(text.lower()):
        return None
    if text.lower().endswith(".dat"):
        text = text[:-4]
    if not any(map(str.isdigit, text)) and system is None:
        return None
    return _number(text, system=system, item_type=item_type)


def _number(text: str, *, system: System | None, item_type: ItemType | None) -> Number:
    lower = text.lower()
    nos = [lower]
    if _SET.fullmatch(lower):
        nos.append(f"{lower}-1")
    outside = list(dict.fromkeys((text, lower, text.upper())))
    colored = _BOID_IN_COLOR.fullmatch(text)
    boid, boid_color = (colored[1], int(colored[2])) if colored and system in (None, System.BRICKOWL) else ("", None)
    return Number(text, lower, tuple(nos), tuple(outside), boid, boid_color, system, item_type)


def understood(text: str) -> Meaning:
    """Answer what a text means."""
    plain_text = normalized(text)
    whole = number_of(plain_text)
    if whole is not None:
        return Meaning(plain_text, words=(whole.begins,), plain=(whole.begins,), number=whole)
    words = words_in(plain_text)[:MAX_WORDS]
    color_ids, plain = color_in(words)
    rest = " ".join(plain)
    number = number_of(rest) if color_ids and len(plain) == 1 else None
    return Meaning(plain_text, words=words, plain=plain, color_ids=color_ids, number=number)


def color_in(words: Sequence[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Answer the colors that words name, and the other words. The longest name wins, and of equal ones the first."""
    best: tuple[int, int, tuple[int, ...]] | None = None
    for start in range(len(words)):
        for end in range(min(len(words), start + _longest()), start, -1):
            ids = _ids_of(words[start:end])
            if ids and (best is None or end - start > best[1] - best[0]):
                best = (start, end, ids)
    if best is None:
        return (), tuple(words)
    start, end, ids = best
    return ids, (*words[:start], *words[end:])


def color_named(text: str) -> tuple[int, ...]:
    """Answer the colors that a whole text names, on whichever platform and however shortened."""
    words = words_in(text)
    return _ids_of(words) if words else ()


def _ids_of(words: Sequence[str]) -> tuple[int, ...]:
    full = tuple(full for word in words for full in _SHORT.get(word, (word,)))
    return _names().get(full, ())


@cache
def _names() -> dict[tuple[str, ...], tuple[int, ...]]:
    """Answer what each name means, as words; BrickLink's own names before those of other platforms."""
    found: dict[tuple[str, ...], list[int]] = {}
    for color_id, name in all_names():
        written = WORD.findall(name.lower())
        words = tuple(full for word in written for full in _SHORT.get(word, (word,)))
        ids = found.setdefault(words, [])
        if color_id not in ids:
            ids.append(color_id)
    return {words: tuple(ids) for words, ids in found.items()}


@cache
def color_words() -> frozenset[str]:
    """Answer every word that names of colors are made of."""
    return frozenset(word for words in _names() for word in words)


@cache
def _longest() -> int:
    return max(map(len, _names()))
