"""Compares a run's stores by way of our stock, and plans what brings them into step.

First each store's own changes come here, on paper; then each that follows is given what our stock would be. So a change
on one store reaches the other by the same run, and one that both made is added up or asked about.
"""

from decimal import Decimal
from itertools import chain
from uuid import UUID

from sync.queries.our_lots import our_lots
from sync.remote import marker_of
from sync.services.runs.giving import Giving
from sync.services.runs.hub import Hub
from sync.services.runs.sides import lots_of
from sync.services.runs.taking import Taking


def compare(hub: Hub) -> None:
    """Plan everything."""
    taking, giving = Taking(hub), Giving(hub)
    markers: dict[str, UUID] = {}
    here = Decimal(0)
    chunks = our_lots(lots_of(hub.options))
    # From now on it is known how our lots stood, before it is read what was agreed on.
    first = next(chunks, [])
    for side in hub.sides:
        side.read_listings()
    for lots in chain([first], chunks):
        here += sum((lot.state.qty * lot.state.price for lot in lots), Decimal(0))
        for side in hub.sides:
            side.compare(lots)
        markers |= {
            str(lot.bricklink_lot_id): lot.pk for lot in lots
            if lot.bricklink_lot_id and any(lot.pk in side.ours for side in hub.sides)
        }  # fmt: skip
    for side in hub.sides:
        named = {marker_of(each.listing_id): each.lot_id for each in side.waiting if each.lot_id}
        side.match({**markers, **named})
        hub.gone += side.found.gone_count
    hub.before = {side.store.pk: side.value for side in hub.sides} | {hub.local.pk: here}
    hub.after = dict(hub.before)
    for side in hub.sides:
        taking.take(side)
    for side in hub.sides:
        giving.give(side)
    hub.writer.flush()
