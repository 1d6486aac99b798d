"""How saved views are put back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from audit.reverters import Objection, Patch, Reverter, Way
from common import actor
from common.errors import NotFound
from inventory import services
from inventory.models import ListPage, SavedView


class SavedViewReverter(Reverter):
    """Puts a view back. It is its owner's, so nobody else can."""

    def permission(self, patch: Patch) -> str | None:
        page = (patch.now or patch.values).get("page", ListPage.LOTS)
        return "orders:read" if page == ListPage.ORDERS else "inventory:read"

    def restore(self, patch: Patch) -> None:
        view = _view(patch.id)
        now = {name: getattr(view, name) for name in ("name", "is_shared", "is_default", "query")}
        services.update_view(view_id=patch.id, owner_id=view.owner_id, **{**now, **_known(patch.values)})

    def recreate(self, patch: Patch) -> None:
        services.save_view(
            view_id=patch.id, owner_id=patch.values["owner_id"], page=patch.values.get("page", ListPage.LOTS),
            **_known(patch.values),
        )  # fmt: skip

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
