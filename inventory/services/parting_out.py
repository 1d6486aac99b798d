"""Takes a set apart into lots: as an import of what it is made of, with the import's job, report and one undo."""

import io
import json
from datetime import datetime
from typing import Any

from common import workspace
from common.errors import Invalid
from inventory.choices import FieldPolicy, QuantityPolicy
from inventory.import_options import Options
from inventory.models import InventoryImport
from inventory.part_out import Plan, Row, completeness_of
from inventory.services.importing import start_import


def part_out(*, plan: Plan, set_no: str, condition: str, key: str, now: datetime) -> InventoryImport:
    """Add the plan's lots to the stock, by a job; the same key does it once. What is there already gets more pieces and
    keeps its price. Raises Invalid where a lot has no price, or nothing is left to add."""
    if not plan.taken:
        raise Invalid("Everything is left out. Leave something in.")
    if plan.unpriced:
        raise Invalid(
            errors={"/default_price": [f"{plan.unpriced:,} lots have no price in your shop yet. Say one for them."]}
        )
    # A lot a line, as the report counts them.
    lots = ",\n".join(
        json.dumps(_as_lot(row, set_no=set_no, condition=condition), ensure_ascii=False) for row in plan.taken
    )
    content = f'{{"currency": "{workspace.current().currency}", "lots": [{lots}]}}'
    return start_import(
        file=io.BytesIO(content.encode()),
        file_name=f"Part out {set_no}",
        format_code="json",
        options=Options(quantity=QuantityPolicy.ADD, fields=FieldPolicy.FILL, apply_at_once=True),
        key=key,
        now=now,
    )


def _as_lot(row: Row, *, set_no: str, condition: str) -> dict[str, Any]:
    piece = row.piece
    lot: dict[str, Any] = {
        "item_type": piece.item_type,
        "item_no": piece.item_no,
        "item_name": piece.name,
        "category_name": piece.category,
        "color_id": piece.color_id,
        "condition": condition,
        "qty": piece.qty,
        "unit_price": str(row.price),
        "acquired_from": f"Set {set_no}",
    }
    if completeness := completeness_of(piece, condition):
        lot["completeness"] = completeness
    if row.cost is not None:
        lot["cost_basis"] = str(row.cost)
    if row.place:
        lot["locations"] = [{"code": row.place, "qty": piece.qty}]
    return lot
