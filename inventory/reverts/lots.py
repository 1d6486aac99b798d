"""How lots are put back: through the services, quantities by movements, so that the books stay right."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.urls import reverse
from django.utils import timezone

from audit.diff import NOISE, State, Step, changed_fields
from audit.recording import CREATED, history_of
from audit.reverters import Bond, Objection, Patch, SetReverter, Way
from inventory import services
from inventory.choices import MovementKind
from inventory.models import InventoryItem, InventoryItemLocation, StockMovement
from inventory.reverts.exchanges import bonds_between, partners_of

_PROMISED = "Pieces of it were promised to an order or left with one; that is changed in the order."

# What of a lot changes as an order takes its way.
_OF_ORDERS = frozenset({"qty_available", "qty_reserved", "last_sold_at"})

_LOTS, _MOVEMENTS = InventoryItem._meta.db_table, StockMovement._meta.db_table
# What has happened to lots since they were made the last time, if it keeps them: movements of other deeds behind their
# first one. A lot without pieces has no first one, and goes by its moment.
_KEPT = f"""
SELECT t.id, t.qty_reserved, later.kind FROM {_LOTS} t
LEFT JOIN LATERAL (SELECT h.change_set_id, h.history_date FROM {history_of(InventoryItem)._meta.db_table} h
    WHERE h.id = t.id AND h.history_type = '{CREATED}' ORDER BY h.history_id DESC LIMIT 1) made ON true
LEFT JOIN LATERAL (SELECT min(m.id) AS id FROM {_MOVEMENTS} m
    WHERE m.inventory_item_id = t.id AND m.change_set_id = made.change_set_id) opening ON true
LEFT JOIN LATERAL (SELECT m.kind FROM {_MOVEMENTS} m
    WHERE m.inventory_item_id = t.id AND m.change_set_id <> made.change_set_id
      AND CASE WHEN opening.id IS NULL THEN m.created_at > made.history_date ELSE m.id > opening.id END
    ORDER BY m.id DESC LIMIT 1) later ON true
WHERE t.id = ANY(%s) AND (t.qty_reserved > 0 OR later.kind IS NOT NULL)
"""  # noqa: S608  # names come from the models


class LotReverter(SetReverter):
    """Puts lots' fields back, makes deleted ones again, takes new ones away. What is promised to orders stays."""

    follows = frozenset({"color_name"})
    keeps = {"currency": "It is the shop's."}
    lock_place = 40

    def is_consequence(self, step: Step) -> bool:
        """Pieces that were promised to an order, or left with it, follow that."""
        if not (step.before and step.after) or step.before["qty_reserved"] == step.after["qty_reserved"]:
            return False
        return {column.attname for column in changed_fields(step)} - NOISE <= _OF_ORDERS

    def permission(self, patch: Patch) -> str | None:
        return "inventory:delete" if patch.way is Way.REMOVE else "inventory:write"

    def objection(self, patch: Patch) -> Objection | None:
        return self.objections([patch])[0]

    def objections(self, patches: Sequence[Patch]) -> list[Objection | None]:
        """Answer for each; what has happened to new lots since is looked up for all of them at once."""
        stays = why_they_stay([patch.id for patch in patches if patch.way is Way.REMOVE])
        return [
            Objection(_PROMISED, counter_action="Open lot", url=_url(patch.id))
            if patch.way is Way.RESTORE and "qty_reserved" in patch.values
            else stays.get(patch.id)
            for patch in patches
        ]

    def company(self, steps: Sequence[Step], *, change_set_id: UUID) -> Mapping[type[models.Model], Collection[Any]]:
        """Answer the lots with which they exchanged pieces, and where pieces lay that go: no other heap gives way."""
        partners = partners_of([step.key for step in steps], change_set_id=change_set_id)
        moved = {step.key for step in steps if step.before and step.after} | set(partners)
        placed = history_of(InventoryItemLocation).objects.filter(
            change_set_id=change_set_id, inventory_item_id__in=list(moved)
        )
        return {
            InventoryItem: {other for others in partners.values() for other in others},
            InventoryItemLocation: set(placed.values_list("id", flat=True)) if moved else set(),
        }

    def bonds(self, standings: Sequence[tuple[Step, State | None]], *, change_set_id: UUID) -> Sequence[Bond]:
        """Answer which lots exchanged pieces."""
        return list(bonds_between(standings, change_set_id=change_set_id))

    def apply_all(self, patches: Sequence[Patch]) -> None:
        """Do all of one way by a few statements."""
        now = timezone.now()
        match patches[0].way:
            case Way.REMOVE:
                services.delete_lots(lot_ids=[patch.id for patch in patches], now=now)
            case Way.RECREATE:
                services.recreate_lots(values=[patch.values for patch in patches], now=now)
            case Way.RESTORE:
                services.restore_lots(values={patch.id: patch.values for patch in patches}, now=now)


def _url(lot_id: Any) -> str:
    return reverse("inventory:lot", args=[lot_id])


def why_they_stay(lot_ids: Sequence[Any]) -> dict[Any, Objection]:
    """Answer what has happened to lots since they were made, where that keeps them."""
    if not lot_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [list(lot_ids)])
        rows = cursor.fetchall()
    stays: dict[Any, Objection] = {}
    for lot_id, reserved, kind in rows:
        if reserved:
            words = "1 piece of it is" if reserved == 1 else f"{reserved:,} pieces of it are"
            stays[lot_id] = Objection(f"{words} promised to orders.", "Open lot", _url(lot_id))
        else:
            last = MovementKind(kind).label.lower()
            stays[lot_id] = Objection(f"Its pieces have moved since (last: {last}).", "Delete lot", _url(lot_id))
    return stays
