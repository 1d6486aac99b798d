"""Reads what a large change set did a part at a time, so that memory doesn't grow with it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models import Max, Min

from audit.diff import Step
from audit.queries.change_sets import tallies
from audit.queries.rows import Span, steps
from audit.recording import CREATED, DELETED, history_of, key_of, quote
from audit.reverters import Way


@dataclass(frozen=True, slots=True)
class Phase:
    """The entities of one model that go back in one way, and how many there are."""

    model: type[models.Model]
    way: Way
    count: int


@dataclass(frozen=True, slots=True)
class Part:
    """Some of a phase's entities; `after` asks for the next ones, None is that there are no more."""

    steps: Sequence[Step]
    after: int | None


def _way(first: str, last: str) -> Way:
    """Answer how an entity goes back, from the kinds of the first and last history row that the change set left."""
    if first == CREATED:
        return Way.REMOVE
    return Way.RECREATE if last == DELETED else Way.RESTORE


def phases_of(change_set_id: UUID) -> list[Phase]:
    """Answer what a change set did by model and by the way in which it goes back, in no order."""
    found = []
    for tally in tallies([change_set_id]).get(change_set_id, []):
        table, key = quote(history_of(tally.kind.model)._meta.db_table), quote(key_of(tally.kind.model).column)
        counts: Counter[Way] = Counter()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT first, last, count(*) FROM (SELECT (array_agg(history_type ORDER BY history_id))[1] AS first,"  # noqa: S608  # names come from the models
                f" (array_agg(history_type ORDER BY history_id DESC))[1] AS last FROM {table} WHERE change_set_id = %s"
                f" GROUP BY {key}) x GROUP BY first, last",
                [change_set_id],
            )
            for first, last, count in cursor.fetchall():
                counts[_way(first, last)] += count
        found += [Phase(tally.kind.model, way, count) for way, count in counts.items()]
    return found


def part_of(phase: Phase, change_set_id: UUID, *, after: int, limit: int) -> Part:
    """Answer the phase's entities whose first change is among the `limit` next history rows after `after`."""
    table, key = quote(history_of(phase.model)._meta.db_table), quote(key_of(phase.model).column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT history_id, {key} FROM {table} WHERE change_set_id = %s AND history_id > %s"  # noqa: S608  # as above
            " ORDER BY history_id LIMIT %s",
            [change_set_id, after, limit],
        )
        rows = cursor.fetchall()
        # By the keys: whichever index is taken, the cost doesn't grow with what the change set did besides.
        cursor.execute(
            f"SELECT min(history_id), max(history_id), (array_agg(history_type ORDER BY history_id))[1],"  # noqa: S608  # as above
            f" (array_agg(history_type ORDER BY history_id DESC))[1] FROM {table}"
            f" WHERE change_set_id = %s AND {key} = ANY(%s) GROUP BY {key} HAVING min(history_id) > %s ORDER BY 1",
            [change_set_id, list({row[1] for row in rows}), after],
        )
        spans = [(start, end) for start, end, first, last in cursor.fetchall() if _way(first, last) is phase.way]
    return Part(tuple(steps({phase.model: spans})[phase.model].values()), rows[-1][0] if len(rows) == limit else None)


def steps_of(model: type[models.Model], keys: Collection[Any], change_set_id: UUID) -> list[Step]:
    """Answer what a change set did to some entities of one model; nothing of those that it didn't change."""
    name = key_of(model).attname
    rows = history_of(model).objects.filter(**{f"{name}__in": list(keys)}, change_set_id=change_set_id)
    spans: list[Span] = list(
        rows.values_list(name).annotate(start=Min("history_id"), end=Max("history_id")).order_by("start")
        .values_list("start", "end")
    )  # fmt: skip
    return list(steps({model: spans})[model].values())
