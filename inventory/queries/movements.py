"""A lot's ledger: each movement with what was there then, and who or what it was."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from audit import labels
from audit.models import ChangeSet
from inventory.choices import MovementKind
from inventory.models import StockMovement


@dataclass(frozen=True, slots=True)
class MovementRow:
    """One line of a lot's ledger: what moved, what was there then, who or what it was."""

    id: int
    kind: str
    label: str
    delta_available: int
    delta_reserved: int
    balance_available: int
    balance_reserved: int
    at: datetime
    note: str
    actor: str
    deed: str
    change_set_url: str
    cause_url: str
    cause_words: str
    cause_permission: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Some of a lot's movements, newest first; `before` asks for older ones, None is that there are none."""

    rows: tuple[MovementRow, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class Cause:
    """Where a kind of cause is shown, to whom, and how the link is called."""

    url_name: str
    words: str
    permission: str


_CAUSES = {
    "import": Cause("inventory:import", "The import", "inventory:import"),
    "lot": Cause("inventory:lot", "The other lot", "inventory:read"),
    "location": Cause("inventory:location", "The location", "inventory:read"),
    "order": Cause("orders:order", "The order", "orders:read"),
}


def movements_of(lot_id: UUID, *, before: int | None = None, limit: int = 50) -> Ledger:
    """Answer a lot's ledger, newest first, each line with its cause. Two queries."""
    moves = StockMovement.objects.filter(inventory_item_id=lot_id)
    if before is not None:
        moves = moves.filter(pk__lt=before)
    read = list(moves.order_by("-pk")[: limit + 1])
    shown = read[:limit]
    sets = {row.pk: row for row in ChangeSet.objects.filter(pk__in={move.change_set_id for move in shown})}
    return Ledger(
        rows=tuple(_movement_row(move, sets.get(move.change_set_id)) for move in shown),
        before=shown[-1].pk if len(read) > limit else None,
    )


def _movement_row(move: StockMovement, deed: ChangeSet | None) -> MovementRow:
    cause = _CAUSES.get(move.cause_type)
    return MovementRow(
        id=move.pk,
        kind=move.kind,
        label=str(MovementKind(move.kind).label),
        delta_available=move.delta_available,
        delta_reserved=move.delta_reserved,
        balance_available=move.balance_available,
        balance_reserved=move.balance_reserved,
        at=move.created_at,
        note=move.note,
        actor=deed.actor_name if deed else "",
        deed=labels.deed_words(deed.action, deed.reason) if deed else "",
        change_set_url=reverse("audit:change_set", args=[deed.pk]) if deed else "",
        cause_url=reverse(cause.url_name, args=[move.cause_id]) if cause and move.cause_id else "",
        cause_words=cause.words if cause else "",
        cause_permission=cause.permission if cause else "",
    )
