"""What goes to a store of a run: it is given what our stock will be."""

from collections.abc import Iterable, Mapping
from typing import Any

from inventory.models import InventoryItem
from sync.choices import Action, SkipReason
from sync.pairing import Known, Mine, Pair
from sync.queries.meanings import numbers_on
from sync.queries.our_lots import our_lot
from sync.remote import RemoteLot
from sync.rules import Unlisted
from sync.services.runs.hub import Hub, Taken, moved_by
from sync.services.runs.lines import Agreed, Line
from sync.services.runs.options import Crowds
from sync.services.runs.sides import Side, these_lots
from sync.services.runs.words import WHY, what_of, what_of_mine, what_there
from sync.states import as_json

# For these reasons a lot is taken off a store; for the others it shows none there, and stays.
_TAKEN_OFF = frozenset({Unlisted.GONE, Unlisted.STOCKROOM, Unlisted.NOT_CHOSEN})
_MERGE_HERE = "There are fewer of its kind there. Merge the lots here first, or list each by itself."
_CHUNK = 5_000


class Giving:
    """Plans what goes to a run's stores."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    def give(self, side: Side) -> None:
        """Plan what one store is given."""
        for one in self.hub.open[str(side.store.pk)]:
            self._give_one(side, one)
        for lot_id in self.hub.line_of:
            each = side.equal_pair(lot_id)
            if each is None:
                continue
            # It stood there as it should, and what came from another store has changed that.
            self.hub.equal -= 1
            if side.is_busy(each):
                self.hub.leave_busy(side, each)
            else:
                self._give_one(side, Taken(each))
        if not side.gives:
            return
        for lot, known in side.found.orphans:
            self._take_off(side, lot, known, why=Unlisted.GONE.value)
        self._list_there(side)

    def _give_one(self, side: Side, one: Taken) -> None:
        each, theirs = one.each, one.each.theirs.state
        final, why = side.wanted(each)
        sent = side.fields - one.asked
        mine = side.ours[each.lot_id]
        is_inverse = each.theirs.lot_id in side.listed_by_inverse
        if side.gives and (why in _TAKEN_OFF or is_inverse):
            ground = self.hub.ground(side, one) if is_inverse and each.known is None else {}
            self._take_off(side, each.theirs, each.known, why=why, mine=mine, ground=ground)
            return
        if side.gives and theirs.differences(final, sent):
            target = theirs._replace(**{name.value: getattr(final, name.value) for name in sent})
            moved = side.worth(target) - side.worth(theirs)
            self.hub.after[side.store.pk] += moved
            self.hub.writer.add(
                Line(
                    store=side.store, action=Action.UPDATE, what=what_of_mine(mine), lot_id=each.lot_id,
                    listing_id=each.known.listing_id if each.known else None, target_number=each.theirs.lot_id,
                    before=theirs, next=target, fields=sent, reason=WHY.get(why, ""),
                    worth=abs(moved), after=self.hub.line_of.get(each.lot_id),
                    extra={} if one.is_anything else self.hub.ground(side, one) if self._is_to_be_noted(each) else {},
                )
            )  # fmt: skip
        elif one.asked:
            ground = {} if one.is_anything else self.hub.ground(side, one)
            self.hub.to_ask += bool(ground) and each.known is None
            self.hub.skip(side, each, SkipReason.CONFLICT, extra=ground, fields=one.asked)
        elif not one.is_anything:
            self.hub.equal += 1
            if self._is_to_be_noted(each):
                self._agree(side, each, mine)

    @staticmethod
    def _is_to_be_noted(each: Pair) -> bool:
        return each.known is None or each.known.base != each.theirs.state

    def _agree(self, side: Side, each: Pair, mine: Mine) -> None:
        listing = each.known or each.spare
        self.hub.agreements.add(
            Agreed(
                side.store.pk, each.lot_id, mine.version, each.theirs.lot_id, as_json(each.theirs.state),
                listing.listing_id if listing else None, moved_by(each),
            )
        )  # fmt: skip

    def _take_off(
        self, side: Side, lot: RemoteLot, known: Known | None, *, why: str, mine: Mine | None = None,
        ground: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Plan that a lot is taken off a store, if it was agreed on once and nothing keeps it there."""
        what = what_of_mine(mine) if mine else what_there(lot.item)
        line = Line(
            store=side.store, action=Action.REMOVE, what=what, lot_id=mine.lot_id if mine else None,
            listing_id=known.listing_id if known else None, target_number=lot.lot_id, before=lot.state,
            reason=WHY.get(why, "It was listed by the run that was undone."), worth=side.worth(lot.state),
            extra=ground or {},
        )  # fmt: skip
        if lot.state.retain or lot.state.stockroom:
            line.action, line.skip = Action.SKIP, SkipReason.RETAINED
        elif not ground and (known is None or known.base is None or not self.hub.options.removes):
            line.action, line.skip = Action.SKIP, SkipReason.NOT_LISTED
        elif (known is not None and known.is_in_doubt) or lot.lot_id in side.busy:
            line.action, line.skip = Action.SKIP, SkipReason.BUSY
        else:
            self.hub.after[side.store.pk] -= line.worth
        self.hub.writer.add(line)

    def _list_there(self, side: Side) -> None:
        """Plan which lots are listed that aren't there yet."""
        keys = []
        for lot_id in side.found.only_here:
            mine = side.ours[lot_id]
            if mine.why or not mine.may_be_new:
                self.hub.unlisted[mine.why or Unlisted.NO_RATE.value] += 1
            elif self.hub.options.inverse_of or not (self.hub.options.lists_new or lot_id in side.found.spare):
                continue
            elif lot_id in side.found.crowd_here and self.hub.options.crowds is Crowds.FIRST:
                self.hub.skip_here(side, mine, SkipReason.CROWD)
            elif lot_id in side.found.crowd_here and self.hub.options.crowds is Crowds.MERGE:
                self.hub.skip_here(side, mine, SkipReason.CROWD, reason=_MERGE_HERE)
            else:
                keys.append(lot_id)
        for lots in these_lots(keys):
            self._add_there(side, [self.hub.as_changed(lot) for lot in lots])
        for lots in _some(list(self.hub.new.values())):
            side.add([our_lot(lot) for lot in lots])
            self._add_there(side, [lot for lot in lots if side.ours[lot.pk].may_be_new])

    def _add_there(self, side: Side, lots: list[InventoryItem]) -> None:
        numbers = numbers_on(side.store.channel, lots)
        for lot in lots:
            mine, number = side.ours[lot.pk], numbers[lot.pk]
            if isinstance(number, str):
                self.hub.unmapped_lots.setdefault(side.store.channel, []).append(lot)
                self.hub.skip_here(side, mine, SkipReason.UNMATCHED, reason=number)
                continue
            spare = side.found.spare.get(lot.pk)
            self.hub.after[side.store.pk] += side.worth(mine.state)
            self.hub.writer.add(
                Line(
                    store=side.store, action=Action.ADD, what=what_of(lot),
                    lot_id=None if lot.pk in self.hub.new else lot.pk, listing_id=spare.listing_id if spare else None,
                    next=mine.state, worth=side.worth(mine.state), after=self.hub.line_of.get(lot.pk),
                    reason="It isn't there any more." if spare and spare.number else "",
                    extra={"unlist": True} if spare and spare.number else {},
                )
            )  # fmt: skip


def _some(lots: list[InventoryItem]) -> Iterable[list[InventoryItem]]:
    return (lots[first : first + _CHUNK] for first in range(0, len(lots), _CHUNK))
