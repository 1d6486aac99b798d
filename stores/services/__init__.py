"""What can be done to stores."""

from stores.services.credentials import cleaned, set_credentials
from stores.services.state import (
    StoreLedger,
    keep_order_cursor,
    note_failure,
    note_orders_read,
    note_pushed,
    note_success,
)
from stores.services.stores import create_store, disconnect_store, set_away, update_store

__all__ = [
    "StoreLedger", "cleaned", "create_store", "disconnect_store", "keep_order_cursor", "note_failure",
    "note_orders_read", "note_pushed", "note_success", "set_away", "set_credentials", "update_store",
]  # fmt: skip
