"""What comes here from a store of a run: what its seller changed or added there."""

from typing import Any
from uuid import UUID

from common.errors import Invalid
from inventory.choices import ItemCondition
from inventory.models import InventoryItem
from inventory.services.lots import new_lot
from stores.channels import LotField
from sync.choices import Action, SkipReason
from sync.pairing import Pair
from sync.planning import Decision, compare
from sync.queries.our_lots import lot_state, our_lot
from sync.remote import LotState, RemoteLot
from sync.services.runs.arrivals import kept_values, values_of
from sync.services.runs.hub import Hub, Taken
from sync.services.runs.lines import Agreed, Line
from sync.services.runs.options import Crowds, Differs, NewThere
from sync.services.runs.sides import Side, these_lots
from sync.services.runs.words import what_of
from sync.states import as_json
from sync.taking import can_be_taken, lot_values

_ALL = frozenset(LotField)


class Taking:
    """Plans what comes here from a run's stores, one after the other."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        # Of each store, once somebody asks.
        self._pairs: dict[UUID, dict[UUID, Pair]] = {}

    def take(self, side: Side) -> None:
        """Plan what comes here from one store, and have the others see it."""
        taken: list[Taken] = []
        self.hub.equal += len(side.equal)
        for each in side.found.pairs:
            if side.is_busy(each):
                self.hub.leave_busy(side, each)
            else:
                taken.append(self._compared(side, each, side.wanted(each)[0]))
        self.hub.open[str(side.store.pk)] = taken
        self._change_lots(side, [one for one in taken if one.is_anything])
        for lot in side.found.unknown:
            self.hub.unknown(side, lot)
        for lot in side.found.only_there:
            self._arrive(side, lot)

    def _compared(self, side: Side, each: Pair, ours: LotState) -> Taken:
        known, theirs = each.known, each.theirs.state
        if ours == theirs:
            # As nearly all are when a store is compared for the first time.
            return Taken(each)
        base = known.base if known else None
        result = compare(
            base=base, ours=ours, theirs=theirs, fields=side.fields, owners=side.owners_of(known),
            ours_is_newer=_is_newer(side, each),
        )  # fmt: skip
        one = Taken(each)
        is_used = side.ours[each.lot_id].condition == ItemCondition.USED
        asked = {compared.field for compared in result.of(Decision.ASK)}
        values: dict[LotField, Any] = {}
        for compared in result.of(Decision.TAKE, Decision.BOTH):
            if compared.field is LotField.QTY:
                one.delta = theirs.qty - (base.qty if base is not None else ours.qty)
            elif base is not None and not can_be_taken(compared.field, compared.value, side.rules, is_used=is_used):
                asked.add(compared.field)
            else:
                values[compared.field] = compared.value
        if base is None and self.hub.options.differs is Differs.LOWEST and LotField.QTY in side.fields:
            asked.discard(LotField.QTY)
            one.delta = min(0, theirs.qty - ours.qty)
        one.asked, one.values = frozenset(asked), lot_values(values, side.rules, is_used=is_used)
        if known is not None and asked:
            self.hub.asked[known.listing_id] = [
                (name, getattr(base, name.value, None), getattr(ours, name.value), getattr(theirs, name.value))
                for name in sorted(asked)
            ]
        return one

    def _change_lots(self, side: Side, taken: list[Taken]) -> None:
        """Plan what changes here because of a store, and have the others see it."""
        by_lot: dict[UUID, list[Taken]] = {}
        for one in taken:
            by_lot.setdefault(one.each.lot_id, []).append(one)
        for lots in these_lots(sorted(by_lot)):
            changed = []
            for lot in lots:
                now = self.hub.as_changed(lot)
                for one in by_lot[lot.pk]:
                    now = self._change_lot(side, lot, one, now)
                changed.append(our_lot(now))
            for other in self.hub.sides:
                other.add(changed)

    def _change_lot(self, side: Side, lot: InventoryItem, one: Taken, now: InventoryItem) -> InventoryItem:
        """Plan what changes of a lot; answer it as it will be."""
        before = lot_state(now)
        self.hub.values.setdefault(lot.pk, {}).update(one.values)
        self.hub.deltas[lot.pk] += one.delta
        now = self.hub.as_changed(lot)
        after = lot_state(now)
        theirs = one.each.theirs
        moved = after.qty * after.price - before.qty * before.price
        self.hub.after[self.hub.local.pk] += moved
        self.hub.line_of[lot.pk] = self.hub.writer.add(
            Line(
                store=self.hub.local, action=Action.UPDATE, what=what_of(lot), lot_id=lot.pk,
                listing_id=one.each.known.listing_id if one.each.known else None, source_number=theirs.lot_id,
                before=before, next=after, fields=_ALL, reason=f"Changed on {side.store.name}",
                worth=abs(moved), after=self.hub.line_of.get(lot.pk),
                extra={
                    **self.hub.ground(side, one), "delta": one.delta, "values": kept_values(one.values),
                    "seen": kept_values({name: getattr(lot, name) for name in one.values}),
                },
            )
        )  # fmt: skip
        return now

    # --- New there --------------------------------------------------------------------------------------------------
    def _arrive(self, side: Side, lot: RemoteLot) -> None:
        partners = side.found.crowd_there.get(lot.lot_id, ())
        if partners and self.hub.options.crowds is Crowds.FIRST:
            self.hub.skip_there(side, lot, SkipReason.CROWD)
            return
        if self.hub.options.new_there is NewThere.LEAVE or self.hub.options.lots:
            self.hub.skip_there(side, lot, SkipReason.NEW_THERE)
            return
        if lot.lot_id in side.busy:
            self.hub.skip_there(side, lot, SkipReason.BUSY)
            return
        if partners and self.hub.options.crowds is Crowds.MERGE:
            self._merge(side, lot, partners[0])
            return
        values = values_of(lot, side.meanings[lot.item], side.rules, is_bricklink=side.has_bricklink_numbers)
        try:
            made = new_lot(values=values, qty_available=lot.state.qty, now=self.hub.now)
        except Invalid as wrong:
            told = " ".join(message for messages in wrong.errors.values() for message in messages)
            self.hub.unknown(side, lot, why=told)
            return
        self.hub.after[self.hub.local.pk] += made.qty_available * made.unit_price
        key = self.hub.writer.add(
            Line(
                store=self.hub.local, action=Action.ADD, what=what_of(made), source_number=lot.lot_id,
                next=lot_state(made), worth=made.qty_available * made.unit_price,
                reason=f"Only on {side.store.name}",
                extra={
                    "store": str(side.store.pk), "number": lot.lot_id, "base": as_json(lot.state), "listing": None,
                    "lot": str(made.pk), "values": kept_values(values),
                },
            )
        )  # fmt: skip
        others = [other for other in self.hub.sides if other is not side and other.gives]
        if others:
            self.hub.line_of[made.pk], self.hub.new[made.pk] = key, made

    def _merge(self, side: Side, lot: RemoteLot, lot_id: UUID) -> None:
        """Have the pieces of a lot there be ours, in the lot that has a partner there; that one offers them then."""
        if side.store.pk not in self._pairs:
            self._pairs[side.store.pk] = {each.lot_id: each for each in side.found.pairs}
        partner = self._pairs[side.store.pk].get(lot_id)
        if partner is not None and partner.known is None:
            # Noted first, so that it is the older listing of the two.
            listing = partner.spare.listing_id if partner.spare else None
            base = as_json(partner.theirs.state)
            self.hub.agreements.add(
                Agreed(side.store.pk, lot_id, None, partner.theirs.lot_id, base, listing, moved=None)
            )
        side.merged.add(lot.lot_id)
        one = Taken(Pair(lot, lot_id), delta=lot.state.qty)
        self._change_lots(side, [one])
        self.hub.open[str(side.store.pk)].append(one)


def _is_newer(side: Side, each: Pair) -> bool:
    """Tell whether our lot was changed after the one there was made: most channels tell no other time."""
    ours, theirs = side.ours[each.lot_id].updated_at, each.theirs.created_at
    return ours is None or theirs is None or ours >= theirs
