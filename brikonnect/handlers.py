"""What the composition root does when something happened: the demo's buyers come once there is something to buy."""

from uuid import UUID

from events.bus import on
from events.schemas import Occurrence
from inventory.demo import KEY
from inventory.queries import imports
from jobs import services as jobs

DEMO_ORDERS = "demo_orders"


@on("import.completed")
def on_import_completed(occurrence: Occurrence) -> None:
    """Have the demo's orders made when its stock is in."""
    if imports.get_import(UUID(occurrence.data["import_id"])).idempotency_key == KEY:
        jobs.start(DEMO_ORDERS, key=KEY)
