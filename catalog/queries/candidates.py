"""What something without a mapping may be, each with why it is offered. Offered only: nobody but a person chooses."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from catalog.choices import RelationKind, System
from catalog.queries.items import Key
from catalog.queries.search import ALTERNATE, ELEMENT, NUMBER, SURE, WORDS, Hit, by_number, search

MOST = 5
# Numbers that say nothing by their digits: that another platform has the same one is chance.
_OPAQUE = frozenset({System.BRICKOWL.value, ELEMENT})
_DIGITS = re.compile(r"\d{3,7}")
# What is printed, has a pattern or is a sheet of stickers is another thing than what is plain.
_DECORATED = re.compile(r"\d(pb|px|pr|pat|stk|p\d)", re.IGNORECASE)
_LONGEST = 60

_COLUMNS = "i.id, i.item_type, i.item_no, i.name, i.popularity"
_SHARED = f"""
SELECT {_COLUMNS}, s.shared::text FROM (
    SELECT c.item_id, count(DISTINCT e.element_id) AS shared FROM catalog_catalogelement e
    JOIN catalog_catalogitemcolor c ON c.lego_element_ids && ARRAY[e.element_id]::varchar[]
    WHERE e.part_no = %(number)s AND e.source IN ('rebrickable', 'bricklink', 'brickowl') GROUP BY c.item_id
) s JOIN catalog_catalogitem i ON i.id = s.item_id AND NOT i.is_provisional
ORDER BY s.shared DESC, i.popularity DESC, i.item_no LIMIT {MOST}
"""  # noqa: S608  # only what stands above
_RELATED = f"""
SELECT {_COLUMNS}, r.kind FROM (
    SELECT kind, child_id AS own_id, parent_id AS other_id FROM catalog_catalogrelation
    UNION ALL SELECT kind, parent_id, child_id FROM catalog_catalogrelation
) r JOIN catalog_catalogitem o ON o.id = r.own_id AND lower(o.item_no) = lower(%(number)s)
JOIN catalog_catalogitem i ON i.id = r.other_id AND NOT i.is_provisional
WHERE r.kind IN ('M', 'A')
ORDER BY r.kind DESC, i.popularity DESC, i.item_no LIMIT {MOST}
"""  # noqa: S608  # only what stands above
_SAME_DIGITS = f"""
SELECT {_COLUMNS}, '' FROM catalog_catalogitem i
WHERE lower(i.item_no) LIKE %(digits)s || '%%'
    AND lower(i.item_no) ~ ('^' || %(digits)s || '(-1|[a-z]{{1,3}}[0-9]{{0,2}})?$')
    AND lower(i.item_no) !~ '[0-9](pb|px|pr|pat|stk|p[0-9])' AND NOT i.is_provisional
ORDER BY length(i.item_no), i.popularity DESC, i.item_no LIMIT {MOST}
"""  # noqa: S608  # only what stands above
_RELATIONS = {RelationKind.MOLD: "Another mould of it", RelationKind.ALTERNATE: "An alternate of it"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that something may be, and why."""

    hit: Hit
    reason: str


def candidates(*, system: str, number: str, name: str = "", but: Collection[Key] = ()) -> list[Candidate]:
    """Answer at most five items that a number may mean, the likeliest first; none of `but`. A handful of queries."""
    found: list[Candidate] = []
    seen: set[Key] = set(but)
    for candidate in _in_order(system, number, name):
        if candidate.hit.key in seen or candidate.hit.is_provisional:
            continue
        seen.add(candidate.hit.key)
        found.append(candidate)
        if len(found) == MOST:
            break
    return found


def _in_order(system: str, number: str, name: str) -> Iterator[Candidate]:
    for hit in by_number(number) if len(number) <= _LONGEST else ():
        if reason := _reason(system, hit):
            yield Candidate(hit, reason)
    if system not in _OPAQUE:
        for hit, shared in _items(_SHARED, number=number):
            yield Candidate(hit, f"Has {shared} LEGO element{'' if shared == '1' else 's'} in common with it")
        for hit, kind in _items(_RELATED, number=number):
            yield Candidate(hit, _RELATIONS[RelationKind(kind)])
        digits = None if _DECORATED.search(number) else _DIGITS.match(number)
        for hit, _ in _items(_SAME_DIGITS, digits=digits[0]) if digits else ():
            yield Candidate(hit, "Begins with the same digits: perhaps another mould or an older number")
    if name:
        for hit in search(name, limit=MOST).hits:
            if hit.how == WORDS:
                yield Candidate(hit, "Its name is alike")


def _reason(system: str, hit: Hit) -> str:
    if hit.how == system:
        label = "LEGO" if system == ELEMENT else System(system).label
        if hit.confidence >= SURE:
            return f"{label}'s number can mean this"
        return f"Perhaps: a source is {round(hit.confidence * 100)} % sure that {label} means this"
    if system in _OPAQUE:
        return ""
    if hit.how in System.values:
        return f"{System(hit.how).label} has this number for it"
    return {NUMBER: "BrickLink has the same number for it", ALTERNATE: "An older number of it",
            ELEMENT: "LEGO has an element with this number"}.get(hit.how, "")  # fmt: skip


def _items(sql: str, **values: Any) -> Iterable[tuple[Hit, str]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows = cursor.fetchall()
    return [
        (Hit(item_id, item_type, item_no, name, popularity, NUMBER), str(why))
        for item_id, item_type, item_no, name, popularity, why in rows
    ]


# --- The other way round --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class OutsideCandidate:
    """A number that a platform may have for an item, and why."""

    number: str
    reason: str


_OUTSIDE = """
SELECT x.external_id, '' AS other, x.confidence FROM catalog_catalogexternalid x JOIN catalog_catalogitem i
    ON i.id = x.item_id AND i.item_type = %(item_type)s AND i.item_no = %(item_no)s WHERE x.system = %(system)s
UNION ALL
SELECT x.external_id, o.item_no, x.confidence FROM (
    SELECT child_id AS own_id, parent_id AS other_id FROM catalog_catalogrelation WHERE kind IN ('M', 'A')
    UNION ALL SELECT parent_id, child_id FROM catalog_catalogrelation WHERE kind IN ('M', 'A')
) r JOIN catalog_catalogitem i ON i.id = r.own_id AND i.item_type = %(item_type)s AND i.item_no = %(item_no)s
JOIN catalog_catalogitem o ON o.id = r.other_id
JOIN catalog_catalogexternalid x ON x.item_id = o.id AND x.system = %(system)s AND x.confidence >= 0.5
ORDER BY 2, 3 DESC, 1 LIMIT 20
"""


def outside_candidates(*, item_type: str, item_no: str, system: str) -> list[OutsideCandidate]:
    """Answer at most five numbers that a platform may have for an item: unsure ones, and other moulds'. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_OUTSIDE, {"item_type": item_type, "item_no": item_no, "system": system})
        rows = cursor.fetchall()
    found: dict[str, str] = {}
    for number, other, confidence in rows:
        told = f"The number of {other}, another mould" if other else f"A source is {round(confidence * 100)} % sure"
        found.setdefault(number, told)
    return [OutsideCandidate(number, reason) for number, reason in found.items()][:MOST]
