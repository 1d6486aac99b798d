"""Sessions: which there are, whose they are, and what became of their orders."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from common import actor
from common.errors import NotFound, PermissionDenied
from orders.models import OrderLine
from picker.choices import OPEN
from picker.models import PickSession, PickSessionOrder

MANAGE = "picker:manage_sessions"


@dataclass(frozen=True, slots=True)
class Short:
    """Pieces of a line that weren't there, or that the books hadn't."""

    line: OrderLine

    @property
    def qty(self) -> int:
        """Answer how many."""
        return self.line.qty_missing + self.line.qty_short


@dataclass(frozen=True, slots=True)
class Outcome:
    """An order of a session, and what of it is short."""

    entry: PickSessionOrder
    short: Sequence[Short]


def sessions(status: Collection[str] = ()) -> "QuerySet[PickSession]":
    """Answer the sessions, of some statuses or of all."""
    found = PickSession.objects.select_related("created_by")
    return found.filter(status__in=status) if status else found


def get_session(session_id: UUID) -> PickSession:
    """Answer a session. One query. Raises NotFound."""
    session = sessions().filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such pick session.")
    return session


def is_own(session: PickSession, who: actor.Actor) -> bool:
    """Tell whether somebody made the session or picks in it. One query at most."""
    if who.kind != actor.ActorKind.USER:
        return False
    return str(session.created_by_id) == str(who.id) or session.pickers.filter(user=UUID(who.id)).exists()


def require_own(session: PickSession, who: actor.Actor) -> None:
    """Pass for who manages sessions, and for one's own; else raise PermissionDenied."""
    if not who.can(MANAGE) and not is_own(session, who):
        raise PermissionDenied("This is a colleague's session.", permission=MANAGE)


def session_of(order_id: UUID) -> PickSession | None:
    """Answer the open session that an order is in. One query."""
    found = PickSession.objects.filter(status__in=OPEN, entries__order=order_id, entries__left_at__isnull=True)
    return found.first()


def entries_of(session: PickSession) -> list[PickSessionOrder]:
    """Answer the orders that are or were in a session, in the order of their totes. One query."""
    return list(session.entries.select_related("order__store").order_by("sort_order"))


def outcomes_of(session: PickSession, entries: Sequence[PickSessionOrder] | None = None) -> list[Outcome]:
    """Answer the orders of a session with what is short of them. Two queries."""
    chosen = entries_of(session) if entries is None else entries
    is_short = Q(qty_missing__gt=0) | Q(qty_short__gt=0)
    lines = OrderLine.objects.filter(is_short, order__in=[entry.order_id for entry in chosen])
    short: dict[Any, list[Short]] = defaultdict(list)
    for line in lines.order_by("position"):
        short[line.order_id].append(Short(line))
    return [Outcome(entry, short[entry.order_id]) for entry in chosen]


def open_stops(session: PickSession) -> int:
    """Answer at how many stops pieces are still to be picked. One query."""
    left = session.stops.filter(needs__qty__gt=F("needs__qty_picked") + F("needs__qty_missing"))
    return left.distinct().count()
