"""Puts saved views back as they were, for reverts."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from audit import bulk, context
from common.errors import NotFound
from inventory.models import SavedView


def owner_of_view(*, view_id: UUID) -> UUID | None:
    """Answer whose view it is; None if it doesn't exist."""
    return SavedView.objects.filter(pk=view_id).values_list("owner_id", flat=True).first()


@transaction.atomic
def restore_view(*, view_id: UUID, values: Mapping[str, Any]) -> None:
    """Set a view's columns back, or make it again where it is gone; another default of its owner gives way."""
    context.describe("inventory.update_view")
    view = SavedView.objects.select_for_update().filter(pk=view_id).first()
    is_new = view is None
    view = view or SavedView(id=view_id)
    for name in ("owner_id", "name", "query", "is_shared", "is_default"):
        if name in values:
            setattr(view, name, values[name])
    if view.is_default:
        others = SavedView.objects.filter(owner_id=view.owner_id, is_default=True).exclude(pk=view_id)
        bulk.update(others, is_default=False)
    view.save(force_insert=is_new)


@transaction.atomic
def remove_view(*, view_id: UUID) -> None:
    """Forget a view. Raises NotFound."""
    context.describe("inventory.delete_view")
    view = SavedView.objects.select_for_update().filter(pk=view_id).first()
    if view is None:
        raise NotFound
    view.delete()
