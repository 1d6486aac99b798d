"""How far listings are, as it is kept when something was sent or refused; their bases move in `services.bases`."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit import bulk
from inventory.models import InventoryExternalId
from sync.models import ListingState
from sync.remote import Act, LotState, Operation
from sync.states import as_json, read_state

_ERROR_LENGTH = 500
_NO_REASON = "It was refused, and nobody says why."
# After each refusal of the same listing; a change of its lot or of the store's rules tries at once.
_RETRIES = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=8), timedelta(days=1))
# A lot that can't be read costs a call each time.
_READ_AGAIN, _READ_LATER = timedelta(minutes=5), timedelta(minutes=30)
_KEPT = tuple(each.name for each in ListingState._meta.concrete_fields if not each.primary_key and each.name != "store")


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that is about to be sent: the caller's key, the listing, and with what it was worked out."""

    key: str
    listing_id: UUID
    operation: Operation
    asked_at: datetime
    lot_version: int | None = None
    rules_version: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent and not answered. `moved`: by how many pieces, since sales move what is expected meanwhile."""

    act: Act
    state: LotState | None
    moved: int

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Sent":
        """Read what was kept."""
        state = read_state(kept) if "qty" in kept else None
        return cls(Act(kept.get("act", Act.UPDATE)), state, int(kept.get("moved", 0)))

    def expected(self, base: LotState) -> LotState:
        """Answer how a changed listing stands once it has had its effect."""
        return (self.state or base)._replace(qty=max(0, base.qty + self.moved))


def as_sent(operation: Operation) -> dict[str, Any]:
    """Answer what is kept of an operation before it is sent."""
    before, after = operation.before, operation.after
    moved = after.qty - before.qty if before is not None and after is not None else 0
    return {"act": operation.act.value, "moved": moved, **(as_json(after) if after is not None else {})}


def hold(listing_ids: Collection[UUID]) -> dict[UUID, InventoryExternalId]:
    """Hold listings until the transaction ends, in the order of their keys; after orders and lots."""
    rows = InventoryExternalId.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=listing_ids)
    return {row.pk: row for row in rows.order_by("pk")}


def states_of(listings: Mapping[UUID, InventoryExternalId]) -> dict[UUID, ListingState]:
    """Answer how far held listings are; a new row where there is none."""
    found = {row.listing_id: row for row in ListingState.objects.filter(listing__in=list(listings))}
    return {
        key: found.get(key) or ListingState(listing_id=key, store_id=listing.store_id)
        for key, listing in listings.items()
    }


def keep(states: Iterable[ListingState]) -> None:
    """Store how far held listings are, whether they had a row before or not."""
    rows = list(states)
    if rows:
        ListingState.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["listing"], update_fields=list(_KEPT)
        )


def answered(state: ListingState) -> None:
    """Have nothing be expected any more."""
    state.sent, state.sent_at = None, None


def at_rest(state: ListingState) -> None:
    """Have nothing be left to do."""
    state.error, state.attempts, state.retry_at = "", 0, None
    state.urgency, state.waiting_since = None, None


def refuse(state: ListingState, reason: str, *, now: datetime) -> None:
    """Keep why the channel refuses, and when it is tried again."""
    state.error = (reason or _NO_REASON)[:_ERROR_LENGTH]
    state.retry_at = now + _RETRIES[min(state.attempts, len(_RETRIES) - 1)]
    state.attempts += 1
    state.urgency, state.waiting_since = None, state.waiting_since or now


def set_aside(state: ListingState, reason: str, *, now: datetime) -> None:
    """Keep why a listing can't be read; until that is tried again nothing is sent to it."""
    refuse(state, reason, now=now)
    state.retry_at = None
    state.read_again_at = now + (_READ_AGAIN if state.attempts == 1 else _READ_LATER)


def unlist(listing: InventoryExternalId, state: ListingState, *, now: datetime, reason: str = "") -> None:
    """Have a held listing whose lot is gone there have no number.

    With a reason it stays so until a person or a run lists it again; else it is made anew when it is wanted.
    """
    listing.external_lot_id, listing.base, listing.last_synced_at = None, {}, now
    bulk.bulk_update(InventoryExternalId, [listing], fields=["external_lot_id", "base", "last_synced_at"])
    answered(state)
    at_rest(state)
    state.must_read, state.read_at, state.lot_version, state.read_again_at = False, None, None, None
    state.may_have_fewer = state.may_have_more = 0
    state.error = reason[:_ERROR_LENGTH]
