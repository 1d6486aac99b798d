"""Stock for the demo's shop, brought in as a seller would: as a file."""

import tempfile
from datetime import datetime

from common import workspace
from inventory import formats, generator
from inventory.import_options import Options
from inventory.services import importing

LOTS = 1_500
_FORMAT = "bsx"
KEY = "demo-stock"


def stock_up(*, now: datetime) -> None:
    """Have a worker import the demo's lots and places, unless that was asked for before."""
    currency = workspace.current().currency
    with tempfile.TemporaryFile() as file:
        for piece in formats.get(_FORMAT).write(generator.lots(LOTS, currency=currency), currency=currency):
            file.write(piece)
        file.seek(0)
        importing.start_import(
            file=file,
            file_name="demo-stock.bsx",
            options=Options(read_locations=True, apply_at_once=True),
            key=KEY,
            now=now,
        )
