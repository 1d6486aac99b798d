"""Sets one column of many lots at once, each to its own value, with history and versions as ever."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from audit.recording import CHANGED, listed, record, tracked_fields
from inventory.models import InventoryItem

_TYPES = {"remarks": "text", "cost_basis": "numeric"}


def write_column(name: str, values: Mapping[UUID, str | Decimal | None], *, now: datetime) -> int:
    """Set that column of the lots, by their keys; answer how many differ then. The lots are locked."""
    if not values:
        return 0
    keys = sorted(values)
    statement = (
        f"UPDATE {InventoryItem._meta.db_table} t SET {name} = v.value, version = t.version + 1, updated_at = %s"  # noqa: S608  # names come from the models
        f" FROM unnest(%s::uuid[], %s::{_TYPES[name]}[]) v (id, value)"
        f" WHERE t.id = v.id AND t.{name} IS DISTINCT FROM v.value"
        f" RETURNING {listed(tracked_fields(InventoryItem), 't.')}"
    )
    return record(InventoryItem, statement, [now, keys, [values[key] for key in keys]], kind=CHANGED)
