"""How lots and views are put back: through the services, quantities by movements, so that the books stay right."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from audit import reverters
from audit.recording import CREATED, history_of
from audit.reverters import Objection, Patch, Reverter, Way
from common import actor
from common.errors import NotFound
from common.ids import new_id
from inventory import services
from inventory.choices import MovementKind
from inventory.models import InventoryItem, SavedView, StockMovement
from inventory.services.checks import EDITABLE

_PROMISED = "Pieces of it were promised to an order or left with one; that is changed in the order."


class LotReverter(Reverter):
    """Puts a lot's fields back, makes a deleted one again, takes a new one away. What is promised to orders stays."""

    follows = frozenset({"color_name"})
    keeps = {"currency": "It is the shop's."}

    def permission(self, patch: Patch) -> str | None:
        return "inventory:delete" if patch.way is Way.REMOVE else "inventory:write"

    def objection(self, patch: Patch) -> Objection | None:
        if patch.way is Way.RESTORE and "qty_reserved" in patch.values:
            return Objection(_PROMISED, counter_action="Open lot", url=reverse("inventory:lot", args=[patch.id]))
        return _why_it_stays(patch.id) if patch.way is Way.REMOVE else None

    def restore(self, patch: Patch) -> None:
        restore_lot(lot_id=patch.id, values=patch.values, now=timezone.now())

    def recreate(self, patch: Patch) -> None:
        recreate_lot(lot_id=patch.id, values=patch.values, now=timezone.now())

    def remove(self, patch: Patch) -> None:
        services.delete_lots(lot_ids=[patch.id], now=timezone.now())


def restore_lot(*, lot_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Set fields of a lot back, and the pieces that are for sale by a movement."""
    own = {name: value for name, value in values.items() if name in EDITABLE}
    lot = services.update_lot(lot_id=lot_id, changes=own, now=now)
    missing = values.get("qty_available", lot.qty_available) - lot.qty_available
    if missing:
        move = services.Move(lot_id=lot_id, kind=MovementKind.REVERT, cause_key=str(new_id()), available=missing)
        services.move_stock(moves=[move], now=now)


def recreate_lot(*, lot_id: UUID, values: Mapping[str, Any], now: datetime) -> None:
    """Make a deleted lot again under its id, with the pieces that it had."""
    services.create_lot(
        values={name: value for name, value in values.items() if name in EDITABLE},
        qty_available=values["qty_available"],
        lot_id=lot_id,
        kind=MovementKind.REVERT,
        now=now,
    )


def _why_it_stays(lot_id: UUID) -> Objection | None:
    """Answer what has happened to a lot since it was made, if that keeps it."""
    url = reverse("inventory:lot", args=[lot_id])
    lot = InventoryItem.objects.filter(pk=lot_id).only("qty_reserved").first()
    if lot is None:
        return None
    if lot.qty_reserved:
        return Objection(f"{lot.qty_reserved:,} pieces of it are promised to orders.", "Open lot", url)
    made = (
        history_of(InventoryItem)
        .objects.filter(id=lot_id, history_type=CREATED)
        .order_by("-history_id")
        .values_list("change_set_id", "history_date")
        .first()
    )
    if made is None:
        return None
    since = StockMovement.objects.filter(inventory_item_id=lot_id, created_at__gt=made[1])
    later = since.exclude(change_set_id=made[0]).order_by("-pk").first()
    if later is None:
        return None
    words = MovementKind(later.kind).label.lower()
    return Objection(f"Its pieces have moved since (last: {words}).", "Delete lot", url)


class SavedViewReverter(Reverter):
    """Puts a view back. It is its owner's, so nobody else can."""

    def permission(self, patch: Patch) -> str | None:  # the same for every patch
        return "inventory:read"

    def restore(self, patch: Patch) -> None:
        view = _view(patch.id)
        now = {name: getattr(view, name) for name in ("name", "is_shared", "is_default", "query")}
        services.update_view(view_id=patch.id, owner_id=view.owner_id, **{**now, **_known(patch.values)})

    def recreate(self, patch: Patch) -> None:
        services.save_view(view_id=patch.id, owner_id=patch.values["owner_id"], **_known(patch.values))

    def remove(self, patch: Patch) -> None:
        services.delete_view(view_id=patch.id, owner_id=_view(patch.id).owner_id)

    def objection(self, patch: Patch) -> Objection | None:
        owner = (
            patch.values.get("owner_id") if patch.way is Way.RECREATE else getattr(_found(patch.id), "owner_id", None)
        )
        if owner is not None and str(owner) != actor.current().id:
            return Objection("A view is its owner's to change.")
        return None


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in ("name", "is_shared", "is_default", "query") if name in values}


def _found(view_id: UUID) -> SavedView | None:
    return SavedView.objects.filter(pk=view_id).first()


def _view(view_id: UUID) -> SavedView:
    view = _found(view_id)
    if view is None:
        raise NotFound
    return view


def register() -> None:
    """Tell audit how this app's rows are put back."""
    reverters.register(InventoryItem, LotReverter())
    reverters.register(SavedView, SavedViewReverter())
