"""What a line of an import makes of its lot: the line's values laid over the lot's row, in SQL."""

from inventory.choices import FieldPolicy
from inventory.models import InventoryItem

# Columns of a lot that no line states: they are given to it.
GIVEN = ("id", "created_at", "updated_at", "version", "qty_available", "qty_reserved", "currency", "location_key")
STATED = tuple(str(field.column) for field in InventoryItem._meta.concrete_fields if field.column not in GIVEN)

# What a line makes of its lot, by field policy: JSON that is laid over the lot's row. New things have no grade, and a
# set that turns out to be used isn't sealed.
_OVERLAYS = {
    FieldPolicy.FILE: "l.values || CASE WHEN l.values ? 'extra'"
    " THEN jsonb_build_object('extra', t.extra || (l.values -> 'extra')) ELSE '{}' END"
    " || CASE WHEN coalesce(l.values ->> 'condition', t.condition) = 'NEW'"
    " THEN '{\"sub_condition\": null}'::jsonb ELSE '{}' END"
    " || CASE WHEN l.values ->> 'condition' = 'USED' AND NOT l.values ? 'completeness' AND t.completeness = 'SEALED'"
    " THEN '{\"completeness\": null}'::jsonb ELSE '{}' END",
    FieldPolicy.FILL: "(SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(l.values)"
    " WHERE coalesce(to_jsonb(t) ->> key, '') IN ('', '0', '0.0000', '[]', '{}'))",
    FieldPolicy.KEEP: "'{}'::jsonb",
}


def overlay(policy: FieldPolicy) -> str:
    """Answer what a line `l` makes of its lot `t`, as the lot's row `r`: for a FROM clause."""
    return f"jsonb_populate_record(t, {_OVERLAYS[policy]})"


def differs() -> str:
    """Answer the condition that the row `r` isn't what the lot `t` is."""
    columns = ", ".join(f"{{0}}.{name}" for name in STATED)
    return f"ROW({columns.format('r')}) IS DISTINCT FROM ROW({columns.format('t')})"
