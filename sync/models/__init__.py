"""Tables of what keeps stores in step."""

from sync.models.conflicts import SyncConflict
from sync.models.listings import ListingState
from sync.models.orders import Notice, NotifyAddress, OrderMessage, OrderTold, StuckOrder
from sync.models.runs import Snapshot, SyncAgreement, SyncPlanItem, SyncRun

__all__ = [
    "ListingState", "Notice", "NotifyAddress", "OrderMessage", "OrderTold", "Snapshot", "StuckOrder", "SyncAgreement",
    "SyncConflict", "SyncPlanItem", "SyncRun",
]  # fmt: skip
