"""What can be done to stock."""

from inventory.services.counting import count_location, count_lot
from inventory.services.locations import (
    create_location,
    delete_location,
    generate_locations,
    put_in_route,
    set_counted,
    set_route,
    update_location,
)
from inventory.services.lots import create_lot, delete_lots, split_lot, update_lot
from inventory.services.placements import PieceMove, move_contents, move_pieces, restore_placements
from inventory.services.purchases import (
    add_lots,
    create_purchase,
    delete_purchase,
    remove_line,
    restore_line,
    set_line,
    update_purchase,
)
from inventory.services.remarks import read_chunk, start_reading, start_writing, write_chunk
from inventory.services.restoring import owner_of_view, remove_view, restore_view
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
    "PieceMove",
    "Reservation",
    "add_lots",
    "adjust_stock",
    "consume_stock",
    "count_location",
    "count_lot",
    "count_stock",
    "create_location",
    "create_lot",
    "create_purchase",
    "delete_location",
    "delete_lots",
    "delete_purchase",
    "generate_locations",
    "move_contents",
    "move_pieces",
    "move_stock",
    "owner_of_view",
    "put_in_route",
    "read_chunk",
    "release_stock",
    "remove_line",
    "remove_view",
    "reserve_stock",
    "restock",
    "restore_line",
    "restore_placements",
    "restore_view",
    "set_counted",
    "set_line",
    "set_route",
    "split_lot",
    "start_reading",
    "start_writing",
    "update_location",
    "update_lot",
    "update_purchase",
    "verify_stock",
    "write_chunk",
]
