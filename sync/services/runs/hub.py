"""Our stock between the stores of a run, and the plan that comes of comparing them by way of it."""

from collections import Counter
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from inventory.models import InventoryItem
from stores.channels import LotField
from stores.models import Store
from sync.choices import Action, SkipReason
from sync.models import SyncRun
from sync.pairing import Mine, Pair
from sync.remote import RemoteLot
from sync.services.runs.lines import Agreements, Line, Writer
from sync.services.runs.options import Options
from sync.services.runs.sides import Side
from sync.services.runs.words import what_of_mine, what_there
from sync.states import as_json

_NO_FIELDS: frozenset[LotField] = frozenset()


@dataclass(slots=True)
class Taken:
    """What comes here from a pair. `asked`: fields of which a person says whose count."""

    each: Pair
    values: dict[str, Any] = field(default_factory=dict)
    delta: int = 0
    asked: frozenset[LotField] = frozenset()

    @property
    def is_anything(self) -> bool:
        """Tell whether anything changes here."""
        return bool(self.values or self.delta)


class Hub:
    """Our stock between the stores of a run, as it will be by what was planned so far; and the plan itself."""

    def __init__(self, run: SyncRun, sides: list[Side], options: Options, *, local: Store, now: datetime) -> None:
        self.run, self.sides, self.options, self.local, self.now = run, sides, options, local, now
        self.writer, self.agreements = Writer(run), Agreements()
        self.equal = 0
        # Pairs that are different and that nobody has noted: once they are, a person is asked.
        self.to_ask = 0
        self.unlisted: Counter[str] = Counter()
        self.gone = 0
        # Fields that a person is asked about, by listing, and the listings that were looked at.
        self.asked: dict[UUID, list[tuple[LotField, Any, Any, Any]]] = {}
        # What is on offer in each store, and here, before and after, in the shop's currency.
        self.before: dict[UUID, Decimal] = {}
        self.after: dict[UUID, Decimal] = {}
        self.values: dict[UUID, dict[str, Any]] = {}
        self.deltas: Counter[UUID] = Counter()
        # The line that changes a lot here, or brings it in; lots that are not there yet.
        self.line_of: dict[UUID, int] = {}
        self.new: dict[UUID, InventoryItem] = {}
        self.open: dict[str, list[Taken]] = {}
        self.unmapped_lots: dict[str, list[InventoryItem]] = {}

    def as_changed(self, lot: InventoryItem) -> InventoryItem:
        """Answer a lot as it will be by what was planned so far."""
        changes = self.values.get(lot.pk)
        if not changes and not self.deltas[lot.pk]:
            return lot
        made = copy(lot)
        for name, value in (changes or {}).items():
            setattr(made, name, value)
        made.qty_available = max(0, lot.qty_available + self.deltas[lot.pk])
        return made

    def ground(self, side: Side, one: Taken) -> dict[str, Any]:
        """Answer what is noted of a pair before anything is sent to it: how it stands there."""
        known, spare = one.each.known, one.each.spare
        base = as_json(one.each.theirs.state)
        if known is not None and known.base is not None:
            old = as_json(known.base)
            base |= {each.value: old[each.value] for each in one.asked if each.value in old}
        listing = known or spare
        return {
            "store": str(side.store.pk), "number": one.each.theirs.lot_id, "base": base,
            "listing": str(listing.listing_id) if listing else None, "moved": moved_by(one.each),
            "lot": str(one.each.lot_id),
            "asked": [] if known else [
                [each.value, base.get(each.value), as_json(side.wanted(one.each)[0]).get(each.value)]
                for each in sorted(one.asked)
            ],
        }  # fmt: skip

    # --- What is left alone -------------------------------------------------------------------------------------------
    def unknown(self, side: Side, lot: RemoteLot, *, why: str = "") -> None:
        """Plan nothing for a lot there of which nobody knows what it is, or that can't be one of ours."""
        meaning = side.meanings[lot.item]
        self.writer.add(
            Line(
                store=side.store, action=Action.SKIP, skip=SkipReason.UNMATCHED, what=what_there(lot.item),
                reason=why or meaning.why_not, source_number=lot.lot_id, next=lot.state, worth=side.worth(lot.state),
            )
        )  # fmt: skip

    def skip_there(self, side: Side, lot: RemoteLot, reason: SkipReason) -> None:
        """Leave a lot alone that is only there."""
        self.writer.add(
            Line(
                store=side.store, action=Action.SKIP, skip=reason, what=what_there(lot.item), source_number=lot.lot_id,
                next=lot.state, worth=side.worth(lot.state),
            )
        )  # fmt: skip

    def skip(
        self, side: Side, each: Pair, reason: SkipReason, *, extra: Mapping[str, Any] | None = None,
        fields: frozenset[LotField] = _NO_FIELDS,
    ) -> None:  # fmt: skip
        """Leave a pair alone."""
        ours = side.wanted(each)[0]
        self.writer.add(
            Line(
                store=side.store, action=Action.SKIP, skip=reason, what=what_of_mine(side.ours[each.lot_id]),
                lot_id=each.lot_id, listing_id=each.known.listing_id if each.known else None,
                target_number=each.theirs.lot_id, before=each.theirs.state, next=ours, fields=fields or side.fields,
                worth=abs(side.worth(ours) - side.worth(each.theirs.state)), extra=extra or {},
            )
        )  # fmt: skip

    def leave_busy(self, side: Side, each: Pair) -> None:
        """Leave a pair alone of which nobody can say how it stands there just now."""
        if each.theirs.state.differences(side.wanted(each)[0], side.fields):
            self.skip(side, each, SkipReason.BUSY)
        else:
            self.equal += 1

    def skip_here(self, side: Side, mine: Mine, skip: SkipReason, *, reason: str = "") -> None:
        """Leave a lot alone that isn't there."""
        self.writer.add(
            Line(
                store=side.store, action=Action.SKIP, skip=skip, what=what_of_mine(mine), reason=reason,
                lot_id=None if mine.lot_id in self.new else mine.lot_id, next=mine.state, worth=side.worth(mine.state),
            )
        )  # fmt: skip


def moved_by(each: Pair) -> int | None:
    """Answer by how many pieces a lot there differs from what was agreed on; None where nothing was."""
    base = each.known.base if each.known else None
    return None if base is None else each.theirs.state.qty - base.qty
