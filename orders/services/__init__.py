"""What can be done to orders and buyers."""

from orders.incoming import Address, IncomingLine, IncomingOrder
from orders.services.buyers import merge_buyers, set_buyer_notes
from orders.services.erasure import erase_buyer, erase_old_buyers
from orders.services.holding import Held, hold, hold_stock, lock_orders
from orders.services.importing import Known, hold_known, import_order, take_version
from orders.services.manual import NewLine, NewOrder, create_order, set_lines, update_order
from orders.services.many import start_moving, start_tagging
from orders.services.marking import tag_orders
from orders.services.parcels import create_replacement, ship_alone, ship_together
from orders.services.picking import PickChange, apply_picks
from orders.services.printing import start_printing
from orders.services.refunds import refund_order, remove_refund
from orders.services.shortages import cover_shortages, drop_short, match_line, reserve_again, take_from_lot
from orders.services.statuses import (
    Outcome,
    cancel_order,
    change_many,
    change_status,
    close_old,
    set_payment,
    ship_order,
)
from orders.services.waiting import Arrived, give_arrived, hold_waiting, lots_of, match_waiting

__all__ = [
    "Address",
    "Arrived",
    "Held",
    "IncomingLine",
    "IncomingOrder",
    "Known",
    "NewLine",
    "NewOrder",
    "Outcome",
    "PickChange",
    "apply_picks",
    "cancel_order",
    "change_many",
    "change_status",
    "close_old",
    "cover_shortages",
    "create_order",
    "create_replacement",
    "drop_short",
    "erase_buyer",
    "erase_old_buyers",
    "give_arrived",
    "hold",
    "hold_known",
    "hold_stock",
    "hold_waiting",
    "import_order",
    "lock_orders",
    "lots_of",
    "match_line",
    "match_waiting",
    "merge_buyers",
    "refund_order",
    "remove_refund",
    "reserve_again",
    "set_buyer_notes",
    "set_lines",
    "set_payment",
    "ship_alone",
    "ship_order",
    "ship_together",
    "start_moving",
    "start_printing",
    "start_tagging",
    "tag_orders",
    "take_from_lot",
    "take_version",
    "update_order",
]
