"""What orders do when something happened elsewhere."""

from uuid import UUID

from django.utils import timezone

from events.bus import on
from events.schemas import Occurrence
from orders import services
from orders.queries.shortages import are_waited_for
from orders.services import files


@on("inventory.created")
def on_inventory_created(occurrence: Occurrence) -> None:
    """Have lines that came in before their lot be of it."""
    lots = [UUID(lot_id) for lot_id in occurrence.data["inventory_item_ids"]]
    services.match_waiting(lot_ids=lots, now=timezone.now())


@on("inventory.updated")
def on_inventory_updated(occurrence: Occurrence) -> None:
    """Give pieces that came in to the orders that wait for them, before they are sold to somebody else."""
    lots = [UUID(lot_id) for lot_id in occurrence.data["inventory_item_ids"]]
    if waiting := are_waited_for(lots):
        services.cover_shortages(lot_ids=waiting, now=timezone.now())


@on("job.ended")
def on_job_ended(occurrence: Occurrence) -> None:
    """Note how the job of a file of orders ended."""
    if occurrence.data["job_type"] in (files.READ, files.APPLY):
        files.end_file(job_id=UUID(occurrence.data["job_id"]), status=occurrence.data["status"], now=timezone.now())
