"""Pieces that went from one lot into another go back with both lots or not at all: else they would be there twice, or
nowhere."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from django.db import connection

from audit.diff import State, Step
from audit.models import ChangeSet
from audit.reverters import Bond, Objection
from inventory.choices import MovementKind
from inventory.models import StockMovement

_MOVEMENTS = StockMovement._meta.db_table
_CHANGED_SINCE = Objection(
    "It exchanged pieces with another lot, and one of the two has changed since; both go back, or neither."
)

# The two sides of an exchange have causes of one stem, and end in `:from` and `:to`.
_PARTNERS = f"""
SELECT m.inventory_item_id, o.inventory_item_id FROM {_MOVEMENTS} m JOIN {_MOVEMENTS} o
  ON o.kind = m.kind AND o.cause_key = CASE WHEN m.cause_key LIKE '%%:from'
     THEN regexp_replace(m.cause_key, ':from$', ':to') ELSE regexp_replace(m.cause_key, ':to$', ':from') END
WHERE m.inventory_item_id = ANY(%s) AND m.change_set_id = %s
  AND m.kind IN ('{MovementKind.MERGE}', '{MovementKind.SPLIT}') AND o.inventory_item_id <> m.inventory_item_id
"""  # noqa: S608  # names come from the models


def partners_of(lot_ids: Collection[UUID], *, change_set_id: UUID) -> dict[UUID, set[UUID]]:
    """Answer with which lots the change set had these exchange pieces; of a revert, what it took back had."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    if lot_ids:
        with connection.cursor() as cursor:
            cursor.execute(_PARTNERS, [list(lot_ids), _first_deed(change_set_id)])
            for lot_id, partner in cursor.fetchall():
                found[lot_id].add(partner)
    return found


def _first_deed(change_set_id: UUID) -> UUID:
    """Answer the change set that a row of reverts and their reverts began with."""
    found = change_set_id
    while (earlier := ChangeSet.objects.filter(pk=found).values_list("reverts_id", flat=True).first()) is not None:
        found = earlier
    return found


def bonds_between(standings: Sequence[tuple[Step, State | None]], *, change_set_id: UUID) -> Iterator[Bond]:
    """Answer which lots go back together, each given with how it is now. They can as long as all are as they were left.

    A lot that has what it had before by another way would have its pieces twice.
    """
    moved = {step.key: (step, now) for step, now in standings if _pieces(step.before) != _pieces(step.after)}
    for group in _groups(partners_of(moved.keys(), change_set_id=change_set_id)):
        members = [moved[key] for key in group if key in moved]
        if all(_pieces(now) == _pieces(step.before) for step, now in members):
            continue
        is_as_left = all(_pieces(now) == _pieces(step.after) for step, now in members)
        keys = frozenset(step.key for step, _ in members)
        yield Bond(keys, None if is_as_left else _CHANGED_SINCE)


def _pieces(lot: State | None) -> tuple[int, int] | None:
    return None if lot is None else (lot["qty_available"], lot["qty_reserved"])


def _groups(partners: Mapping[UUID, Iterable[UUID]]) -> Iterator[set[UUID]]:
    """Answer the sets of lots that hang together."""
    left = set(partners)
    while left:
        group, new = set[UUID](), {left.pop()}
        while new:
            group |= new
            new = {other for key in new for other in partners.get(key, ())} - group
        left -= group
        yield group
