"""What keeping in step does when something happened elsewhere."""

from uuid import UUID

from django.utils import timezone

from common.background import enqueue
from events.bus import on
from events.schemas import Occurrence
from orders.lifecycle import By
from sync.queries.pending import stores_concerned, stores_with_new_lots
from sync.services import bells, messages, notifying, pulling, runs, telling


# --- Push -------------------------------------------------------------------------------------------------------------
def _ring_for_lots(occurrence: Occurrence) -> None:
    lot_ids = [UUID(lot_id) for lot_id in occurrence.data["inventory_item_ids"]]
    for store_id in {*stores_concerned(lot_ids), *stores_with_new_lots()}:
        bells.ring(store_id)


@on("inventory.created")
def on_inventory_created(occurrence: Occurrence) -> None:
    """Have new lots listed where that is wanted."""
    _ring_for_lots(occurrence)


@on("inventory.updated")
def on_inventory_updated(occurrence: Occurrence) -> None:
    """Have stores show what is wanted now."""
    _ring_for_lots(occurrence)


@on("inventory.deleted")
def on_inventory_deleted(_occurrence: Occurrence) -> None:
    """Have stores offer nothing of lots that are gone."""
    for store_id in stores_concerned(None):
        bells.ring(store_id)


@on("store.updated")
def on_store_updated(occurrence: Occurrence) -> None:
    """Have a store follow its new rules."""
    bells.ring(UUID(occurrence.data["store_id"]))


# --- Runs -------------------------------------------------------------------------------------------------------------
@on("job.ended")
def on_job_ended(occurrence: Occurrence) -> None:
    """Note how the job of a run ended, where the run itself can't."""
    job_id, status = UUID(occurrence.data["job_id"]), occurrence.data["status"]
    if occurrence.data["job_type"] == runs.PREVIEW:
        runs.end_preview(job_id=job_id, status=status, now=timezone.now())
    if occurrence.data["job_type"] == runs.APPLY:
        runs.end_apply(job_id=job_id, status=status, now=timezone.now())


# --- Orders -----------------------------------------------------------------------------------------------------------
@on("order.status_changed")
def on_order_status_changed(occurrence: Occurrence) -> None:
    """Have its channel hear that an order was moved, unless the channel did it itself."""
    if occurrence.data["by"] != By.CHANNEL:
        _have_told(occurrence)


@on("order.updated")
def on_order_updated(occurrence: Occurrence) -> None:
    """Have its channel hear where the parcel of an order is."""
    if {"tracking_number", "tracking_url"} & set(occurrence.data["fields"]):
        _have_told(occurrence)


def _have_told(occurrence: Occurrence) -> None:
    if telling.have_told(order_id=UUID(occurrence.data["order_id"]), now=timezone.now()):
        enqueue(telling.TELL, store_id=occurrence.data["store_id"])


@on("buyer.erased")
def on_buyer_erased(occurrence: Occurrence) -> None:
    """Keep nothing more of a buyer whose personal data was deleted."""
    messages.forget_people(order_ids=[UUID(order_id) for order_id in occurrence.data["order_ids"]])


@on("store.connected")
def on_store_connected(occurrence: Occurrence) -> None:
    """Read the orders of a new store at once, and have its channel tell what happens there."""
    enqueue(pulling.PULL, store_id=occurrence.data["store_id"])
    enqueue(notifying.LISTEN, store_id=occurrence.data["store_id"])


@on("store.disconnected")
def on_store_disconnected(occurrence: Occurrence) -> None:
    """Take nothing more from who knows the address of a store."""
    notifying.take_address(store_id=UUID(occurrence.data["store_id"]))
