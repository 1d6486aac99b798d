"""Puts a lot somewhere else in one go, from where it was seen to a code, which is made if it is new."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import context
from common.errors import Conflict, Invalid
from inventory.codes import CodeError, clean
from inventory.models import InventoryItemLocation, Location
from inventory.queries.totes import in_totes_of, loose
from inventory.services.locations import create_location
from inventory.services.placements import PieceMove, move_pieces
from inventory.services.stock import lock_lots


@transaction.atomic
def relocate_lot(*, lot_id: UUID, seen: str, code: str, may_create: bool = False, now: datetime) -> int:
    """Move what lies at the lot's first place to the location of that code; without a code it is unplaced. Answer how
    many pieces moved.

    A lot that lies at one place or nowhere goes there as a whole. `seen`: the code of the first place as whoever moves
    it saw it. Raises Conflict where it lies elsewhere by now or doesn't fit in, Invalid for a code that no location has
    unless one may be made, InsufficientStock, NotFound.
    """
    # Also where a place is made for them.
    context.describe("inventory.move_pieces")
    [balance] = lock_lots({lot_id}).values()
    rows = InventoryItemLocation.objects.filter(inventory_item=lot_id, qty__gt=0).select_related("location")
    places = list(rows.order_by("location__route_key", "location_id"))
    first = places[0] if places else None
    here = first.location.code if first else ""
    if here.lower() != seen.strip().lower():
        raise Conflict(f"It lies {f'at {here}' if here else 'nowhere'} by now.")
    target_id = _location(code, may_create=may_create) if code.strip() else None
    moves = []
    if first and first.location_id != target_id:
        moves.append(PieceMove(lot_id=lot_id, source_id=first.location_id, target_id=target_id))
    unplaced = loose(balance.on_hand - sum(place.qty for place in places), in_totes_of([lot_id])[lot_id])
    if target_id and unplaced > 0 and len(places) <= 1:
        moves.append(PieceMove(lot_id=lot_id, target_id=target_id))
    if not moves:
        raise Invalid(errors={"/location": ["There are no pieces to put there." if target_id else "It lies nowhere."]})
    return move_pieces(moves=moves, now=now)


def _location(code: str, *, may_create: bool) -> UUID:
    try:
        text = clean(code)
    except CodeError as error:
        raise Invalid(errors={"/location": [str(error)]}) from None
    found = Location.objects.filter(code__iexact=text).first()
    if found is None and not may_create:
        raise Invalid(errors={"/location": [f"There is no location {text} yet."]})
    return found.pk if found else create_location(values={"code": text}).pk
