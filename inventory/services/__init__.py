"""What can be done to stock."""

from inventory.services.bulk_edit import edit_lots, preview_bulk_edit, start_bulk_edit
from inventory.services.lots import add_pieces, create_lot, delete_lots, split_lot, update_lot
from inventory.services.merging import count_equal, merge_lots, start_consolidation
from inventory.services.saved_views import delete_view, save_view, update_view
from inventory.services.stock import (
    Move,
    Need,
    Reservation,
    adjust_stock,
    consume_stock,
    count_stock,
    move_stock,
    release_stock,
    reserve_stock,
    restock,
    verify_stock,
)

__all__ = [
    "Move",
    "Need",
    "Reservation",
    "add_pieces",
    "adjust_stock",
    "consume_stock",
    "count_equal",
    "count_stock",
    "create_lot",
    "delete_lots",
    "delete_view",
    "edit_lots",
    "merge_lots",
    "move_stock",
    "preview_bulk_edit",
    "release_stock",
    "reserve_stock",
    "restock",
    "save_view",
    "split_lot",
    "start_bulk_edit",
    "start_consolidation",
    "update_lot",
    "update_view",
    "verify_stock",
]
