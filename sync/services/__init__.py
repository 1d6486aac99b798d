"""What can be done with the channels."""

from sync.services.connecting import Tested, connect, connect_store, probe_store, replace_credentials, try_credentials
from sync.services.pushing import SYNC_NOW, push_store, start_sync
from sync.services.sending import Settled, Want, send, settle_doubtful
from sync.services.turns import Busy, turn

__all__ = [
    "SYNC_NOW", "Busy", "Settled", "Tested", "Want", "connect", "connect_store", "probe_store", "push_store",
    "replace_credentials", "send", "settle_doubtful", "start_sync", "try_credentials", "turn",
]  # fmt: skip
