"""The versions of an order, each with the deed that made it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from audit import labels
from audit.recording import history_of
from orders.models import Order


def versions_of(order_id: UUID) -> Any:
    """Answer the kept versions of an order, in no order."""
    return history_of(Order).objects.filter(id=order_id).select_related("change_set")


def rows_of(versions: Sequence[Any]) -> list[dict[str, Any]]:
    """Answer versions as the API shows them."""
    return [
        {
            "at": row.change_set.created_at, "change_set_id": row.change_set_id, "action": row.change_set.action,
            "words": labels.deed_words(row.change_set.action, row.change_set.reason),
            "actor_name": row.change_set.actor_name, "status": row.status, "version": row.version,
        }
        for row in versions
    ]  # fmt: skip
