"""The list of pick sessions: those under way with a bar for each picker, drafts, and how the finished ones went."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Count, F, Q, Sum
from django.urls import reverse

from picker.choices import OPEN, SessionStatus
from picker.models import Picker, PickNeed, PickSession

_SECONDS_PER_HOUR = 3600
# More sessions than this are under way in no shop.
_MOST_OPEN = 100


@dataclass(frozen=True, slots=True)
class Share:
    """How far somebody is with the stops that are theirs; `name` is empty for those that are nobody's."""

    user_id: UUID | None
    name: str
    pieces: int
    done: int
    missing: int
    stops: int
    stops_done: int
    seen_at: datetime | None

    @property
    def words(self) -> str:
        """Answer what the bar says."""
        return f"{self.name or 'Nobody yet'}: {self.done:,} of {self.pieces:,} pieces"


@dataclass(frozen=True, slots=True)
class SessionCard:
    """A session as lists show it."""

    id: UUID
    number: int
    status: str
    orders: int
    pieces: int
    picked: int
    missing: int
    notes: str
    created_by: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    metres: float | None
    shares: tuple[Share, ...] = ()

    @property
    def url(self) -> str:
        """Answer the session's page."""
        return reverse("picker:session", args=[self.id])

    @property
    def done(self) -> int:
        """Answer how many pieces are settled: picked, or missing."""
        return self.picked + self.missing

    @property
    def left(self) -> int:
        """Answer how many pieces are still to be picked."""
        return self.pieces - self.done

    @property
    def minutes(self) -> int | None:
        """Answer how long it took, or nothing while it isn't over."""
        if self.started_at is None or self.completed_at is None:
            return None
        return max(1, round((self.completed_at - self.started_at).total_seconds() / 60))

    @property
    def per_hour(self) -> int | None:
        """Answer how many pieces were picked in an hour."""
        if self.started_at is None or self.completed_at is None or not self.picked:
            return None
        seconds = max(1.0, (self.completed_at - self.started_at).total_seconds())
        return round(self.picked * _SECONDS_PER_HOUR / seconds)


def card_of(session: PickSession, shares: Sequence[Share] = ()) -> SessionCard:
    """Answer a session as lists show it; it has `created_by` beside it."""
    metres = session.route_metres
    return SessionCard(
        id=session.pk, number=session.number, status=session.status, orders=session.total_orders,
        pieces=session.total_items, picked=session.picked_items, missing=session.missing_items, notes=session.notes,
        created_by=str(session.created_by) if session.created_by else "", created_at=session.created_at,
        started_at=session.started_at, completed_at=session.completed_at,
        metres=None if metres is None else float(metres), shares=tuple(shares),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Overview:
    """All sessions that are open, and a page of those that are over, the newest first."""

    active: tuple[SessionCard, ...]
    drafts: tuple[SessionCard, ...]
    ended: tuple[SessionCard, ...]
    # The number before which the next page goes on.
    older: int | None


def overview(*, before: int | None = None, limit: int = 20) -> Overview:
    """Answer the list of sessions. At most five queries."""
    sessions = PickSession.objects.select_related("created_by")
    is_open = sessions.filter(status__in=OPEN).order_by("-number")[:_MOST_OPEN] if before is None else []
    opened = list(is_open)
    shares = shares_of([session.pk for session in opened if session.status == SessionStatus.ACTIVE])
    ended = sessions.exclude(status__in=OPEN)
    if before is not None:
        ended = ended.filter(number__lt=before)
    page = list(ended.order_by("-number")[: limit + 1])
    return Overview(
        active=tuple(card_of(each, shares[each.pk]) for each in opened if each.status == SessionStatus.ACTIVE),
        drafts=tuple(card_of(each) for each in opened if each.status == SessionStatus.DRAFT),
        ended=tuple(card_of(each) for each in page[:limit]),
        older=page[limit - 1].number if len(page) > limit else None,
    )


def shares_of(session_ids: Collection[UUID]) -> dict[UUID, list[Share]]:
    """Answer by session how far each picker is, who has most before who has least. Three queries."""
    shares: dict[UUID, list[Share]] = defaultdict(list)
    if not session_ids:
        return shares
    rows: Any = (
        PickNeed.objects.filter(stop__session__in=session_ids)
        .order_by()
        .values_list("stop__session", "stop__picker")
        .annotate(
            pieces=Sum("qty"), picked=Sum("qty_picked"), missing=Sum("qty_missing"),
            stops=Count("stop", distinct=True),
            open_stops=Count("stop", distinct=True, filter=Q(qty__gt=F("qty_picked") + F("qty_missing"))),
        )
    )  # fmt: skip
    seen = {
        (session, user): at
        for session, user, at in Picker.objects.filter(session__in=session_ids).values_list(
            "session", "user", "seen_at"
        )
    }
    found = list(rows)
    users = {row[1] for row in found if row[1]} | {user for _session, user in seen}
    names = {user.pk: str(user) for user in get_user_model().objects.filter(pk__in=users)}
    for session, user, pieces, picked, missing, stops, open_stops in found:
        shares[session].append(
            Share(
                user, names.get(user, ""), pieces, picked + missing, missing, stops, stops - open_stops,
                seen.pop((session, user), None),
            )
        )  # fmt: skip
    for (session, user), at in seen.items():
        shares[session].append(Share(user, names.get(user, ""), 0, 0, 0, 0, 0, at))
    for each in shares.values():
        each.sort(key=lambda share: (not share.name, -share.pieces, share.name))
    return shares
