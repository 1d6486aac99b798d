"""What can be done to stock."""

from inventory.services.bulk_edit import edit_lots, preview_bulk_edit, start_bulk_edit
from inventory.services.counting import count_location, count_lot
from inventory.services.locations import (
    create_location,
    delete_location,
    delete_unused_locations,
    generate_locations,
    number_route,
    put_in_route,
    set_counted,
    set_route,
    sort_lots,
    start_put_in_route,
    update_location,
)
from inventory.services.lots import add_pieces, create_lot, delete_lots, split_lot, update_lot
from inventory.services.many import Action, Outcome, Wish, change_lots
from inventory.services.mappings import forget_item_mapping, set_item_mapping
from inventory.services.merging import count_equal, merge_lots, start_consolidation
from inventory.services.parting_out import part_out
from inventory.services.placements import PieceMove, move_contents, move_pieces, restore_placements
from inventory.services.price_guides import start_fetching, start_fetching_of
from inventory.services.purchases import (
    add_lots,
    create_purchase,
    delete_purchase,
    remove_line,
    restore_line,
    restore_line_values,
    set_line,
    update_purchase,
)
from inventory.services.relocating import relocate_lot
from inventory.services.remarks import read_chunk, start_reading, start_writing, write_chunk
from inventory.services.restoring import recreate_locations, recreate_lots, restore_lots
from inventory.services.saved_views import delete_view, save_view, update_view
from inventory.services.shortages import tell_oversold
from inventory.services.stock import (
    Move,
    Need,
    Reservation,
    adjust_stock,
    consume_stock,
    count_stock,
    hold_lots,
    move_stock,
    release_stock,
    reserve_held,
    reserve_stock,
    restock,
    verify_stock,
)
from inventory.services.totes import put_down, take_to_totes
from inventory.services.unmapped import Met, leave_unmapped, map_number, map_outside, note_unmapped, reopen

__all__ = [
    "Action",
    "Met",
    "Move",
    "Need",
    "Outcome",
    "PieceMove",
    "Reservation",
    "Wish",
    "add_lots",
    "add_pieces",
    "adjust_stock",
    "change_lots",
    "consume_stock",
    "count_equal",
    "count_location",
    "count_lot",
    "count_stock",
    "create_location",
    "create_lot",
    "create_purchase",
    "delete_location",
    "delete_lots",
    "delete_purchase",
    "delete_unused_locations",
    "delete_view",
    "edit_lots",
    "forget_item_mapping",
    "generate_locations",
    "hold_lots",
    "leave_unmapped",
    "map_number",
    "map_outside",
    "merge_lots",
    "move_contents",
    "move_pieces",
    "move_stock",
    "note_unmapped",
    "number_route",
    "part_out",
    "preview_bulk_edit",
    "put_down",
    "put_in_route",
    "read_chunk",
    "recreate_locations",
    "recreate_lots",
    "release_stock",
    "relocate_lot",
    "remove_line",
    "reopen",
    "reserve_held",
    "reserve_stock",
    "restock",
    "restore_line",
    "restore_line_values",
    "restore_lots",
    "restore_placements",
    "save_view",
    "set_counted",
    "set_item_mapping",
    "set_line",
    "set_route",
    "sort_lots",
    "split_lot",
    "start_bulk_edit",
    "start_consolidation",
    "start_fetching",
    "start_fetching_of",
    "start_put_in_route",
    "start_reading",
    "start_writing",
    "take_to_totes",
    "tell_oversold",
    "update_location",
    "update_lot",
    "update_purchase",
    "update_view",
    "verify_stock",
    "write_chunk",
]
