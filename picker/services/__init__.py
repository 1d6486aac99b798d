"""What can be done to pick sessions."""

from picker.services.ending import cancel_session, complete_session
from picker.services.following import follow_order
from picker.services.picks import Recorded, record_pick
from picker.services.saying import Elsewhere, Pick
from picker.services.sessions import (
    add_orders,
    change_session,
    create_session,
    remove_order,
    start_session,
    update_session,
)
from picker.services.sharing import hand_over, join, note_seen, take_over

__all__ = [
    "Elsewhere", "Pick", "Recorded", "add_orders", "cancel_session", "change_session", "complete_session",
    "create_session", "follow_order", "hand_over", "join", "note_seen", "record_pick", "remove_order", "start_session",
    "take_over", "update_session",
]  # fmt: skip
