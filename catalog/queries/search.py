"""Finds items: by any platform's number in one indexed query, else by words, else by words that look like them."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction

from catalog import colors
from catalog.choices import ItemType, System
from catalog.models.items import POPULAR
from catalog.search import WORD, Meaning, Number, color_in, color_words, is_size, turned, understood, words_in

MOST = 50
# A mapping that is less sure is a hint, and decides nothing.
SURE = 0.5
# How an item was found, beside the platforms: by its own number, by an older one, by a beginning, by words.
NUMBER, ALTERNATE, ELEMENT, BEGINS, WORDS, OWN = "number", "alternate", "element", "begins", "words", "own"
# What is meant where a number or a name fits several kinds: a set rather than its box.
_TYPES = (
    ItemType.PART, ItemType.SET, ItemType.MINIFIG, ItemType.GEAR, ItemType.BOOK, ItemType.INSTRUCTION, ItemType.BOX,
    ItemType.CATALOG, ItemType.CUSTOM,
)  # fmt: skip
# Items that are looked at more closely, the rest being behind them in any case.
_CANDIDATES, _BEGINNINGS = 100, 60
# Words of a wrong spelling that are looked at, and how many changed letters are one word's.
_ALIKE, _ALTERNATIVES, _CHANGES = 60, 2, 2
_CORRECTED_FROM, _LONG_WORD, _SHORT_WORD = 3, 6, 2
_MUCH_MORE = 100
# In how many items a color's name counts to be.
_AS_A_COLOR = 1_000
# Fewer hits than these, none of them by whole words, may be a wrong spelling's.
_FEW = 3


@dataclass(frozen=True, slots=True)
class Hit:
    """An item that was found. `how`: the constants above, or a platform; `written`: the number as that one has it.

    `color_id`: fixed by the number, or named beside it. `is_known_in_color`: None where no color is asked for, or
    nothing is known of the item's colors.
    """

    item_id: int
    item_type: str
    item_no: str
    name: str
    popularity: int
    how: str
    written: str = ""
    color_id: int | None = None
    is_known_in_color: bool | None = None
    is_provisional: bool = False
    confidence: float = 1.0

    @property
    def key(self) -> tuple[str, str]:
        """Answer what the item is known by everywhere."""
        return self.item_type, self.item_no

    @property
    def type_label(self) -> str:
        """Answer the kind of thing in words."""
        return str(ItemType(self.item_type).label)

    @property
    def color(self) -> colors.Color | None:
        """Answer the color that was meant."""
        return colors.get(self.color_id)

    @property
    def label(self) -> str:
        """Answer number and name."""
        return f"{self.item_no} {self.name}".strip()

    @property
    def found_by(self) -> str:
        """Answer whose number it was found by: `Brick Owl 771344-50`; nothing where it is the item's own."""
        if self.how in System.values:
            return f"{System(self.how).label} {self.written}"
        return {ELEMENT: f"LEGO element {self.written}", ALTERNATE: f"Older number {self.written}",
                OWN: f"Your own mapping of {self.written}"}.get(self.how, "")  # fmt: skip

    @property
    def translation(self) -> str:
        """Answer what was translated into what: `Brick Owl 771344-50 → 3001 Red`; nothing where nothing was."""
        if not self.found_by:
            return ""
        color = self.color
        return f"{self.found_by} → {self.item_no}{f' {color.name}' if color else ''}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, the best first. `corrected`: the words that were looked for instead of those typed."""

    meaning: Meaning
    hits: tuple[Hit, ...] = ()
    corrected: str = ""


def search(text: str, *, limit: int = 20, own: Sequence[Hit] = ()) -> Found:
    """Answer the items that a text means. `own`: what the shop itself says that it means, which comes first."""
    meaning = understood(text)
    if meaning.is_empty:
        return Found(meaning, tuple(own))
    limit = min(limit, MOST)
    hits: list[Hit] = list(own)
    corrected = ""
    if meaning.number is not None:
        hits += _by_number(meaning.number, meaning.color_ids)
    if not hits:
        found, corrected = _by_words(meaning)
        hits += found
    return Found(meaning, tuple(_each_once(hits)[:limit]), corrected)


def by_number(text: str) -> list[Hit]:
    """Answer the items that a text is a whole number of, on whichever platform; not those that only begin so."""
    meaning = understood(text)
    if meaning.number is None:
        return []
    return [hit for hit in _each_once(_by_number(meaning.number, meaning.color_ids)) if hit.how != BEGINS]


def _each_once(hits: Iterable[Hit]) -> list[Hit]:
    """Answer the hits without those of an item in a color that is there already."""
    # By number, since what a shop says itself needn't be in the catalog.
    seen: set[tuple[tuple[str, str], int | None]] = set()
    found = []
    for hit in hits:
        # In any color is said by the same item in a color too.
        if (hit.key, hit.color_id) in seen or (hit.color_id is None and any(hit.key == one for one, _ in seen)):
            continue
        seen.add((hit.key, hit.color_id))
        found.append(hit)
    return found


def _rows(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


# --- Numbers --------------------------------------------------------------------------------------------------------
_BY_NUMBER = """
SELECT f.how, f.written, f.color_id, f.confidence, i.id, i.item_type, i.item_no, i.name, i.popularity, i.is_provisional
FROM (
    SELECT 'number' AS how, item_no AS written, NULL::int AS color_id, 1.0 AS confidence, id AS item_id
        FROM catalog_catalogitem WHERE lower(item_no) = ANY(%(nos)s)
    UNION ALL
    SELECT 'alternate', (SELECT a FROM unnest(alternate_nos) a WHERE a = ANY(%(outside)s) LIMIT 1), NULL, 1.0, id
        FROM catalog_catalogitem WHERE alternate_nos && %(outside)s::varchar[]
    UNION ALL
    SELECT system, external_id, NULL, confidence, item_id FROM catalog_catalogexternalid
        WHERE external_id = ANY(%(outside)s) AND system <> 'bricklink'
    UNION ALL
    SELECT system, %(text)s, (SELECT id FROM catalog_catalogcolor WHERE brickowl_id = %(boid_color)s
            OR %(boid_color)s = ANY(brickowl_alternate_ids) ORDER BY id LIMIT 1), confidence, item_id
        FROM catalog_catalogexternalid WHERE external_id = %(boid)s AND system = 'brickowl'
    UNION ALL
    SELECT 'element', %(text)s, color_id, 1.0, item_id FROM catalog_catalogitemcolor
        WHERE lego_element_ids && ARRAY[%(element)s]::varchar[] AND %(element)s <> ''
    UNION ALL
    (SELECT 'begins', item_no, NULL, 1.0, id FROM catalog_catalogitem
        WHERE lower(item_no) LIKE %(begins)s AND lower(item_no) <> ALL(%(nos)s)
        ORDER BY popularity DESC, length(item_no), item_no LIMIT %(beginnings)s)
) f JOIN catalog_catalogitem i ON i.id = f.item_id
"""


def _by_number(number: Number, color_ids: Sequence[int]) -> list[Hit]:
    """Answer what has the number, on any platform, then what has one that begins so. One query."""
    rows = _rows(
        _BY_NUMBER,
        {
            "nos": list(number.nos), "outside": list(number.outside), "text": number.text, "boid": number.boid,
            "boid_color": number.boid_color, "element": number.element, "begins": f"{_escaped(number.begins)}%",
            "beginnings": _BEGINNINGS,
        },
    )  # fmt: skip
    wanted = color_ids[0] if color_ids else None
    of_system = number.system is not None and any(_is_of(number.system, row[0]) for row in rows)
    found = []
    for how, written, color_id, confidence, item_id, item_type, item_no, name, popularity, is_provisional in rows:
        if number.item_type not in (None, item_type):
            continue
        # Whose number it is said to be decides where that platform has it.
        if of_system and how != BEGINS and number.system is not None and not _is_of(number.system, how):
            continue
        # A number without a color of its own is meant in the color beside it.
        color = color_id if color_id is not None or item_type not in _IN_COLORS else wanted
        found.append(
            Hit(item_id, item_type, item_no, name, popularity, how, written, color, None, is_provisional,
                float(confidence))
        )  # fmt: skip
    return sorted(found, key=lambda hit: _rank_of_number(number, hit))


_IN_COLORS = frozenset({ItemType.PART, ItemType.GEAR})


def _is_of(system: System, how: str) -> bool:
    return how in (NUMBER, ALTERNATE) if system is System.BRICKLINK else how == system


def _rank_of_number(number: Number, hit: Hit) -> tuple[Any, ...]:
    """Answer by what the items of a number are sorted: six to eight digits are LEGO's element first, then a BOID."""
    if hit.how == BEGINS:
        rest = hit.item_no[len(number.text) :].lower()
        # An assembly of what was asked for: `973pb0001` is sold as `973pb0001c01`.
        is_assembly = rest[:1] == "c" and rest[1:].isdecimal()
        return (9, not is_assembly, -math.log1p(hit.popularity) + len(rest) / 2, hit.item_no)
    if hit.how == NUMBER and hit.item_no.lower() != number.begins:
        # A set without its variant, whose bare number may be any part's elsewhere.
        place = 5
    elif hit.confidence < SURE:
        place = 6
    else:
        order = (ELEMENT, System.BRICKOWL, NUMBER) if number.element else (NUMBER, ALTERNATE, ELEMENT, System.BRICKOWL)
        place = order.index(hit.how) if hit.how in order else len(order)
    return (place, -hit.confidence, hit.is_provisional, _TYPES.index(ItemType(hit.item_type)), -hit.popularity)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


# --- Words ----------------------------------------------------------------------------------------------------------
# Popular, and short for what was typed: good enough to choose whom to look at. `colored`: what has colors needn't have
# the color's words in its name.
_BY_WORDS = """
SELECT t.id, t.item_type, t.item_no, t.name, t.words, t.popularity, t.is_provisional, t.retired_at IS NOT NULL,
    CASE WHEN cardinality(%(colors)s::int[]) = 0 THEN NULL
        ELSE (SELECT bool_or(c.color_id = ANY(%(colors)s)) FROM catalog_catalogitemcolor c WHERE c.item_id = t.id) END
FROM (
    SELECT id, item_type, item_no, name, words, popularity, is_provisional, retired_at FROM catalog_catalogitem
    WHERE to_tsvector('simple'::regconfig, COALESCE(words, '')) @@ to_tsquery('simple', %(query)s)
        AND popularity >= %(least)s
    ORDER BY ln(1 + popularity) * 0.15 + %(length)s::float / greatest(length(name), %(length)s)
        + CASE item_type WHEN 'SET' THEN 0.15 WHEN 'PART' THEN 0.1 ELSE 0 END DESC LIMIT %(candidates)s
) t
"""


@dataclass(frozen=True, slots=True)
class _Word:
    """A word to look for: as it was typed, or as it may have been meant, with how many letters are different."""

    text: str
    changes: int = 0


_Query = Sequence[Sequence[_Word]]


def _by_words(meaning: Meaning) -> tuple[list[Hit], str]:
    """Answer what has the words, in any order, and as which words they were read if not as typed."""
    plain = [[_Word(word)] for word in meaning.plain]
    whole = [[_Word(word)] for word in meaning.words]
    if len(meaning.plain) == 1 and len(meaning.plain[0]) <= _SHORT_WORD:
        # The beginning of half the catalog: what is popular will do, and has an index of its own.
        hits = _matching(meaning, plain, whole, least=POPULAR)
        if len(hits) >= _FEW:
            return hits, ""
    hits = _matching(meaning, plain, whole)
    if len(hits) >= _FEW or any(_has_whole_words(hit, meaning.plain) for hit in hits):
        return hits, ""
    near = _alike(meaning.plain)
    meant = meaning
    if meaning.color_ids == () and near:
        # A color may be among what was mistyped.
        best = tuple((near.get(word) or [_Word(word)])[0].text for word in meaning.plain)
        color_ids, rest = color_in(best)
        if color_ids:
            meant = replace(meaning, color_ids=color_ids, plain=rest)
            near |= {right: [_Word(right, changes=1)] for right in rest if right not in meaning.plain}
    if near:
        query = [[_Word(word), *near.get(word, ())] for word in meant.plain]
        more = _matching(meant, query, query if meant is meaning else [])
        if more:
            known = {hit.item_id for hit in hits}
            words = " ".join((near.get(word) or [_Word(word)])[0].text for word in meaning.plain)
            return [*hits, *(hit for hit in more if hit.item_id not in known)], words if not hits else ""
    if hits or len(meaning.words) < 2:  # noqa: PLR2004  # of one word nothing can be left away
        return hits, ""
    every = dict.fromkeys(meant.plain if len(meant.plain) > 1 else meant.words)
    return _without_one(meant, [[_Word(word), *near.get(word, ())] for word in every]), ""


def _has_whole_words(hit: Hit, words: Iterable[str]) -> bool:
    return set(words) <= set(words_in(f"{hit.item_no} {hit.name}"))


def _without_one(meaning: Meaning, words: _Query) -> list[Hit]:
    """Answer what has all the words but one, for what nobody calls so."""
    parts = [_as_query([*words[:left_out], *words[left_out + 1 :]]) for left_out in range(len(words))]
    return _ranked(meaning, " | ".join(f"({part})" for part in parts if part), words)


def _matching(meaning: Meaning, plain: _Query, whole: _Query, *, least: int = 0) -> list[Hit]:
    """Answer what has the words without the color's, and what has all of them in its name. One query."""
    query = _as_query(plain)
    if meaning.color_ids and whole:
        # What is called by the color too: `Trans-Red` in the name of a print, or a set named `Black Pearl`.
        query = f"({query}) | ({_as_query(whole)})" if query else _as_query(whole)
    return _ranked(meaning, query, plain or whole, least=least)


def _ranked(meaning: Meaning, query: str, words: _Query, *, least: int = 0) -> list[Hit]:
    if not query:
        return []
    text = " ".join(options[0].text for options in words)
    rows = _rows(
        _BY_WORDS,
        {
            "query": query, "length": max(len(text), 3), "colors": list(meaning.color_ids), "least": least,
            "candidates": _CANDIDATES,
        },
    )  # fmt: skip
    scored = []
    for row in rows:
        item_id, item_type, item_no, name, known_words, popularity, is_provisional, is_retired, in_color = row
        is_colored = item_type in _IN_COLORS
        color_id = meaning.color_ids[0] if meaning.color_ids and is_colored else None
        hit = Hit(item_id, item_type, item_no, name, popularity, WORDS, "", color_id, in_color, is_provisional)
        score = _score(meaning, words, hit, known_words)
        scored.append((score - (0.5 if is_retired else 0.0), hit))
    scored.sort(
        key=lambda pair: (-pair[0], _TYPES.index(ItemType(pair[1].item_type)), len(pair[1].name), pair[1].item_no)
    )
    return [hit for _, hit in scored]


def _score(meaning: Meaning, words: _Query, hit: Hit, known_words: str) -> float:
    """Answer how well an item fits: how much of its name was typed, in which color, how popular it is."""
    # As the table has them: in lower case, a size being one word.
    own = WORD.findall(known_words)
    tokens = set(own)
    is_called_so = bool(meaning.color_ids) and tokens.issuperset(meaning.words)
    if is_called_so:
        words = [[_Word(word)] for word in meaning.words]
    score = 0.15 * math.log1p(hit.popularity)
    matched = sum(max(_fit(option, tokens) for option in options) for options in words)
    score += matched / max(1, len(own) - 1, len(words))
    score += 0.4 * matched / max(1, len(words))
    if words and own[1:2] and _fit(words[0][0], {own[1]}) >= 0.9:  # noqa: PLR2004  # a whole word
        score += 0.1
    if meaning.color_ids:
        if hit.item_type in _IN_COLORS:
            score += {True: 0.4, None: 0.05, False: -0.2}[hit.is_known_in_color]
        # Things without colors are meant only where the color is part of the name.
        else:
            score += 0.3 if is_called_so else -1.0
    if hit.is_provisional:
        score -= 0.15
    if hit.item_type in (ItemType.PART, ItemType.SET):
        score += 0.1
    return score


def _fit(word: _Word, tokens: set[str]) -> float:
    """Answer how well a word is met: as it is, turned as a size, as a beginning, as it may have been meant."""
    lost = 0.15 * word.changes
    if word.text in tokens:
        return 1.0 - lost
    if is_size(word.text) and turned(word.text) in tokens:
        return 0.8 - lost
    if word.text.endswith("s") and word.text[:-1] in tokens:
        return 0.95 - lost
    if any(token.startswith(word.text) for token in tokens):
        return 0.6 - lost
    return 0.0


def _as_query(words: _Query) -> str:
    """Answer the words as PostgreSQL searches for them: all of them, each as a beginning, sizes either way round."""
    return " & ".join(_one(options) for options in words)


def _one(options: Sequence[_Word]) -> str:
    forms: dict[str, None] = {}
    for option in options:
        for form in _forms(option.text):
            forms[form] = None
    return f"({' | '.join(forms)})" if len(forms) > 1 else next(iter(forms))


def _forms(word: str) -> Iterable[str]:
    safe = word.replace("'", "").replace("\\", "")
    yield f"'{safe}':*"
    if is_size(safe):
        # Whole, since 1x2 turned isn't the beginning of 2x16.
        yield f"'{turned(safe)}'"
    elif safe.endswith("s") and len(safe) > _CORRECTED_FROM:
        yield f"'{safe[:-1]}':*"


# --- Wrong spellings ------------------------------------------------------------------------------------------------
_ALIKE_WORDS = """
SELECT t.typed, w.word, w.items_count FROM unnest(%(words)s::text[]) t(typed)
CROSS JOIN LATERAL (
    SELECT word, items_count FROM catalog_catalogword WHERE word %% t.typed
    ORDER BY similarity(word, t.typed) DESC, items_count DESC LIMIT %(limit)s
) w
"""


def _alike(words: Sequence[str]) -> dict[str, list[_Word]]:
    """Answer the words of the catalog that look like those typed, the likeliest first. One query."""
    typed = [word for word in dict.fromkeys(words) if len(word) >= _CORRECTED_FROM and word.isalpha()]
    if not typed:
        return {}
    with transaction.atomic():
        # Of a short word a changed letter leaves few groups of three as they were.
        _rows("SELECT set_config('pg_trgm.similarity_threshold', '0.2', true)", {})
        rows = _rows(_ALIKE_WORDS, {"words": typed, "limit": _ALIKE})
    common = {word: items for word, known, items in rows if word == known}
    # A color needn't be in any item's name.
    rows += [(word, color, _AS_A_COLOR) for word in typed if word not in common for color in color_words()]
    found: dict[str, list[tuple[float, _Word]]] = {}
    for word, known, items in rows:
        # A word that is met isn't wrong, unless next to nothing is called so and much is by another.
        if items < common.get(word, 0) * _MUCH_MORE:
            continue
        changes = distance(word, known)
        if 0 < changes <= (1 if len(word) < _LONG_WORD else _CHANGES):
            found.setdefault(word, []).append((changes - math.log10(items) / 3, _Word(known, changes)))
    return {
        word: [option for _, option in sorted(options, key=lambda pair: (pair[0], pair[1].text))[:_ALTERNATIVES]]
        for word, options in found.items()
    }


def distance(one: str, other: str) -> int:
    """Answer how many letters are missing, too many, wrong, or have changed places with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, row, older = row, [i], before
        for j, second in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != second))
            if older and j > 1 and letter == other[j - 2] and one[i - 2] == second:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        before = last
    return row[-1]
