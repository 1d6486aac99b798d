"""What can be done to stock."""

from inventory.services.lots import create_lot, delete_lots, split_lot, update_lot
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
    "adjust_stock",
    "consume_stock",
    "count_stock",
    "create_lot",
    "delete_lots",
    "move_stock",
    "release_stock",
    "reserve_stock",
    "restock",
    "split_lot",
    "update_lot",
    "verify_stock",
]
