"""Sessions are held behind their orders and before lots; what their screens show rises their version.

The house's lock order is buyer, order, session, purchase, lot, location, listing.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum

from audit import bulk
from common import live
from common.errors import NotFound, StaleVersion
from inventory import services as inventory
from orders import services as orders
from orders.models import OrderLine
from picker.choices import Leaving
from picker.errors import SessionClosed
from picker.models import PickNeed, PickSession, PickSessionOrder, PickStop

TOPIC = "picking"
_COUNTED = ("total_orders", "total_items", "picked_items", "missing_items", "route_version", "route_metres")
_OVERTAKEN = "Somebody else changed this session meanwhile. Look at it again and repeat your change."


def next_number() -> int:
    """Answer a fresh number: they rise, with gaps where something was rolled back."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'number'))", [PickSession._meta.db_table])
        return int(cursor.fetchone()[0])


def lock_session(session_id: UUID, *, expected_version: int | None = None) -> PickSession:
    """Hold a session until the transaction ends, behind its orders. Raises NotFound, StaleVersion."""
    session = PickSession.objects.select_for_update(of=("self",), no_key=True).filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such pick session.")
    if expected_version is not None and expected_version != session.version:
        raise StaleVersion(_OVERTAKEN, current_version=session.version)
    return session


class _Grown(Exception):  # noqa: N818  # nothing that goes wrong: it lets go of what was held
    """More is to be held than was known before."""


@transaction.atomic
def hold_session(
    session_id: UUID, *, also: Collection[UUID] = (), expected_version: int | None = None
) -> tuple[PickSession, list[UUID]]:
    """Hold the orders that are in a session and others, then the session; answer it with those that are in it.

    Where an order came in while we waited, all is let go and begun again: no order is held behind a session, and none
    is left behind in one that ends. Raises NotFound, StaleVersion.
    """
    while True:
        try:
            with transaction.atomic():
                keys = orders_in(session_id)
                orders.lock_orders({*keys, *also})
                session = lock_session(session_id, expected_version=expected_version)
                here = orders_in(session_id)
                if not {*here} <= {*keys, *also}:
                    raise _Grown
                return session, here
        except _Grown:
            continue


def hold_lots_of(order_ids: Collection[UUID]) -> None:
    """Hold all lots of held orders at once: order by order, two deeds would wait for each other's lots."""
    lots = OrderLine.objects.filter(order__in=order_ids, inventory_item__isnull=False)
    inventory.hold_lots({key for key in lots.values_list("inventory_item_id", flat=True) if key})


def orders_in(session_id: UUID) -> list[UUID]:
    """Answer the orders that are in a session now, in the order in which orders are held."""
    entries = PickSessionOrder.objects.filter(session=session_id, left_at__isnull=True)
    return sorted(entries.values_list("order_id", flat=True))


def count_anew(session: PickSession) -> None:
    """Set the session's counts from its needs. It is held; the caller stores it."""
    sums = PickNeed.objects.filter(stop__session=session).aggregate(
        qty=Sum("qty", default=0), picked=Sum("qty_picked", default=0), missing=Sum("qty_missing", default=0)
    )
    session.total_items, session.picked_items, session.missing_items = sums["qty"], sums["picked"], sums["missing"]
    session.total_orders = session.entries.exclude(leaving=Leaving.REMOVED).count()


def store(session: PickSession, *, stops: Iterable[PickStop] = (), fields: tuple[str, ...] = ()) -> None:
    """Store a held session as a new version, with the stops that changed, and tell open screens.

    `fields`: those besides the counts that changed.
    """
    session.version += 1
    changed = {stop.pk: stop for stop in stops}
    for stop in changed.values():
        stop.changed_in = session.version
    PickStop.objects.bulk_update(changed.values(), ["changed_in", "picker"])
    bulk.bulk_update(PickSession, [session], fields=["version", *_COUNTED, *fields])
    live.notify(TOPIC)


def leave(session: PickSession, order_ids: Iterable[UUID], leaving: Leaving, *, now: datetime) -> None:
    """Have orders be in the session no longer. It is held."""
    entries = PickSessionOrder.objects.filter(session=session, order__in=list(order_ids), left_at__isnull=True)
    entries.update(left_at=now, leaving=leaving, updated_at=now)


def require_open(session: PickSession) -> None:
    """Pass, or raise SessionClosed where it has ended."""
    if not session.is_open:
        raise SessionClosed(f"Session {session.number} is {session.get_status_display().lower()}.")
