"""What picking does when something happened to its orders."""

from uuid import UUID

from django.utils import timezone

from events.bus import on
from events.schemas import Occurrence
from picker import services


@on("order.updated")
def on_order_updated(occurrence: Occurrence) -> None:
    """Have the walk want what the order's lines want by now."""
    if "lines" in occurrence.data["fields"]:
        services.follow_order(order_id=UUID(occurrence.data["order_id"]), now=timezone.now())


@on("order.status_changed")
def on_order_status_changed(occurrence: Occurrence) -> None:
    """Have an order that isn't picked any more leave its session."""
    services.follow_order(order_id=UUID(occurrence.data["order_id"]), now=timezone.now())
