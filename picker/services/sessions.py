"""Sessions from their first order to their end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from string import ascii_uppercase
from uuid import UUID

from django.db import transaction

from audit import context
from common import actor
from common.errors import Conflict, Invalid
from common.ids import new_id
from events.bus import publish
from orders import services as orders
from orders.choices import URGENT_FLAGS, Flag
from orders.lifecycle import By, Status
from orders.models import Order, OrderLine
from orders.services.holding import hold_name
from picker.choices import Leaving, SessionStatus
from picker.errors import SessionClosed
from picker.events import PickSessionStarted
from picker.models import PickSession, PickSessionOrder
from picker.services import planning
from picker.services.ending import complete_session, give_back
from picker.services.fitting import close_needs, fit
from picker.services.holding import (
    count_anew,
    hold_lots_of,
    hold_session,
    leave,
    lock_session,
    next_number,
    require_open,
    store,
)

MOST_ORDERS = 200
NOTES_LENGTH = 2_000
# What may begin to be picked.
_PICKABLE = (Status.NEW, Status.PENDING, Status.PICKING)


@transaction.atomic
def create_session(
    *, order_ids: Sequence[UUID], now: datetime, notes: str = "", with_flagged: bool = False,
    session_id: UUID | None = None, starts: bool = False,
) -> PickSession:  # fmt: skip
    """Make a session of the orders, in their sequence: the first gets tote A. They become PICKING.

    `with_flagged`: orders with a flag that asks for a person are meant to be in it. `session_id`: a second press is the
    same session. `starts`: it is started at once. Raises Invalid; Conflict where an order can't be picked, is flagged
    or is in another session.
    """
    context.describe("picker.create_session")
    key = session_id or new_id()
    hold_name(f"session:{key}")
    if (present := PickSession.objects.filter(pk=key).first()) is not None:
        return present
    who = actor.current()
    session = PickSession(
        pk=key, number=next_number(), notes=_checked_notes(notes),
        created_by_id=who.id if who.kind == actor.ActorKind.USER else None,
    )  # fmt: skip
    wanted = _checked_orders(order_ids)
    _claim(wanted, with_flagged=with_flagged, now=now)
    session.save(force_insert=True)
    _enter(session, wanted, after=0)
    planning.plan_anew(session)
    _require_stops(session)
    count_anew(session)
    store(session)
    return start_session(session_id=key, now=now) if starts else session


@transaction.atomic
def add_orders(
    *, session_id: UUID, order_ids: Sequence[UUID], now: datetime, with_flagged: bool = False,
    expected_version: int | None = None,
) -> PickSession:  # fmt: skip
    """Add orders to an open session; their stops come at the end where it has begun. Raises as `create_session`."""
    context.describe("picker.add_orders")
    chosen = _checked_orders(order_ids)
    session, here = hold_session(session_id, also=chosen, expected_version=expected_version)
    require_open(session)
    wanted = [key for key in chosen if key not in here]
    if len(here) + len(wanted) > MOST_ORDERS:
        raise Invalid(errors={"/order_ids": [f"At most {MOST_ORDERS} orders in one session."]})
    _claim(wanted, with_flagged=with_flagged, now=now)
    last = session.entries.order_by("-sort_order").values_list("sort_order", flat=True).first() or 0
    # One that was in it before gets its tote back.
    again = session.entries.filter(order__in=wanted, left_at__isnull=False)
    known = set(again.values_list("order_id", flat=True))
    again.update(left_at=None, leaving="", updated_at=now)
    _enter(session, [key for key in wanted if key not in known], after=last)
    if session.status == SessionStatus.DRAFT:
        planning.plan_anew(session)
    else:
        _append(session, wanted)
    count_anew(session)
    store(session)
    return session


@transaction.atomic
def remove_order(
    *, session_id: UUID, order_id: UUID, now: datetime, expected_version: int | None = None
) -> PickSession:
    """Take an order out of an open session: it waits again, and keeps what was picked. Raises NotFound, Conflict."""
    context.describe("picker.remove_order")
    session, here = hold_session(session_id, also=[order_id], expected_version=expected_version)
    require_open(session)
    if order_id not in here:
        raise Conflict("This order isn't in the session.")
    give_back([order_id], now=now)
    leave(session, [order_id], Leaving.REMOVED, now=now)
    if session.status == SessionStatus.DRAFT:
        planning.plan_anew(session)
    else:
        close_needs(session, [order_id])
    count_anew(session)
    store(session)
    return session


@transaction.atomic
def update_session(
    *, session_id: UUID, now: datetime, notes: str | None = None, batch_codes: Mapping[UUID, str] | None = None,
    expected_version: int | None = None,
) -> PickSession:  # fmt: skip
    """Change the notes, and in a draft which order gets which tote. Raises Invalid, NotFound, SessionClosed."""
    context.describe("picker.update_session")
    session = lock_session(session_id, expected_version=expected_version)
    if notes is not None:
        session.notes = _checked_notes(notes)
    if batch_codes:
        if session.status != SessionStatus.DRAFT:
            raise SessionClosed("Totes can be changed until somebody starts.")
        _set_codes(session, batch_codes, now=now)
        planning.plan_anew(session)
        count_anew(session)
    store(session, fields=("notes",))
    return session


@transaction.atomic
def change_session(
    *, session_id: UUID, now: datetime, status: str | None = None, notes: str | None = None,
    expected_version: int | None = None,
) -> PickSession:  # fmt: skip
    """Change the notes of a session, start it (`ACTIVE`) or finish it (`COMPLETED`): all that is said, or nothing.

    Raises Invalid where nothing is said, NotFound, StaleVersion, SessionClosed.
    """
    if status is None and notes is None:
        raise Invalid(errors={"": ["Say a status or notes."]})
    session, _here = hold_session(session_id, expected_version=expected_version)
    if status == SessionStatus.ACTIVE:
        session = start_session(session_id=session_id, now=now)
    elif status == SessionStatus.COMPLETED:
        session = complete_session(session_id=session_id, now=now)
    if notes is not None:
        session = update_session(session_id=session_id, now=now, notes=notes)
    return session


@transaction.atomic
def start_session(*, session_id: UUID, now: datetime, expected_version: int | None = None) -> PickSession:
    """Start a draft: the walk is planned as things lie now. One that was started stays so. Raises SessionClosed."""
    context.describe("picker.start_session")
    session, keys = hold_session(session_id, expected_version=expected_version)
    if session.status == SessionStatus.ACTIVE:
        return session
    require_open(session)
    session.status, session.started_at = SessionStatus.ACTIVE, now
    planning.plan_anew(session)
    _require_stops(session)
    count_anew(session)
    store(session, fields=("status", "started_at"))
    publish(
        PickSessionStarted(
            session_id=session.pk, number=session.number, order_ids=tuple(keys), total_items=session.total_items
        )
    )
    return session


# --- Parts ----------------------------------------------------------------------------------------------------------
def batch_code(number: int) -> str:
    """Answer the batch code of an order's place: A for 1, Z for 26, AA for 27."""
    code = ""
    while number:
        number, letter = divmod(number - 1, len(ascii_uppercase))
        code = ascii_uppercase[letter] + code
    return code


def _checked_notes(notes: str) -> str:
    if len(notes) > NOTES_LENGTH or "\x00" in notes:
        raise Invalid(errors={"/notes": [f"At most {NOTES_LENGTH:,} characters."]})
    return notes.strip()


def _checked_orders(order_ids: Sequence[UUID]) -> list[UUID]:
    wanted = list(dict.fromkeys(order_ids))
    if not wanted:
        raise Invalid(errors={"/order_ids": ["Choose at least one order."]})
    if len(wanted) > MOST_ORDERS:
        raise Invalid(errors={"/order_ids": [f"At most {MOST_ORDERS} orders in one session. Choose fewer."]})
    return wanted


def _claim(order_ids: Sequence[UUID], *, with_flagged: bool, now: datetime) -> None:
    """Hold the orders in the house's order, check that they can be picked, and have them be so."""
    found = orders.lock_orders(order_ids)
    for order in found:
        _require_pickable(order, with_flagged=with_flagged)
    fresh = [order.pk for order in found if order.status != Status.PICKING]
    hold_lots_of(fresh)
    for key in fresh:
        orders.change_status(order_id=key, status=Status.PICKING, by=By.SYSTEM, now=now)


def _require_pickable(order: Order, *, with_flagged: bool) -> None:
    name = order.external_order_id
    if order.status not in _PICKABLE:
        raise Conflict(
            f"Order {name} is {order.get_status_display().lower()}; it can't be picked.", order=str(order.pk)
        )
    entry = PickSessionOrder.objects.filter(order=order.pk, left_at__isnull=True).select_related("session").first()
    if entry is not None:
        raise Conflict(f"Order {name} is in session {entry.session.number} already.", order=str(order.pk))
    flags = [Flag(flag).label for flag in order.flags if flag in URGENT_FLAGS]
    if flags and not with_flagged:
        raise Conflict(
            f"Order {name} is flagged: {', '.join(map(str, flags)).lower()}. Say that it is to be picked all the same,"
            " or leave it out.",
            order=str(order.pk), flagged=True,
        )  # fmt: skip


def _enter(session: PickSession, order_ids: Sequence[UUID], *, after: int) -> None:
    PickSessionOrder.objects.bulk_create(
        PickSessionOrder(session=session, order_id=key, sort_order=place, batch_code=batch_code(place))
        for place, key in enumerate(order_ids, start=after + 1)
    )


def _append(session: PickSession, order_ids: Sequence[UUID]) -> None:
    """Walk to what added orders want at the end; of one that comes back, what its lines still say holds."""
    codes = planning.codes_of(session)
    lines = list(OrderLine.objects.filter(order__in=order_ids))
    lines.sort(key=lambda line: (codes[line.order_id], line.position))
    fit(session, lines)


def _set_codes(session: PickSession, batch_codes: Mapping[UUID, str], *, now: datetime) -> None:
    """Give totes out anew: the codes are those that the session has, each to one order."""
    entries = {entry.order_id: entry for entry in session.entries.filter(left_at__isnull=True)}
    given = {key: str(code).strip().upper() for key, code in batch_codes.items()}
    if set(given) != set(entries) or sorted(given.values()) != sorted(entry.batch_code for entry in entries.values()):
        raise Invalid(errors={"/batch_codes": ["Give each order of the session one of its codes, each once."]})
    places = {entry.batch_code: entry.sort_order for entry in entries.values()}
    # Codes are unique: they are out of the way first.
    for entry in entries.values():
        entry.batch_code, entry.updated_at = f"~{entry.sort_order}"[:4], now
    PickSessionOrder.objects.bulk_update(entries.values(), ["batch_code", "updated_at"])
    for key, code in given.items():
        entries[key].batch_code, entries[key].sort_order = code, places[code]
    PickSessionOrder.objects.bulk_update(entries.values(), ["batch_code", "sort_order"])


def _require_stops(session: PickSession) -> None:
    if not session.stops.exists():
        raise Conflict(
            "There is nothing to pick: what these orders want is picked already, short, or of no lot that is known."
        )
