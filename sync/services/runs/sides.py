"""One store of a run, as it was fetched, beside our stock as that store is to show it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from itertools import islice
from uuid import UUID

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from inventory.models import InventoryExternalId, InventoryItem
from inventory.queries.filters import Filters, filtered
from orders.models import OrderLine
from stores import queries as stores
from stores.channels import LotField
from stores.choices import Channel
from stores.models import Store
from stores.settings_schema import StoreSettings
from sync.choices import Action, ItemStatus
from sync.models import ListingState, Snapshot, SyncPlanItem, SyncRun
from sync.pairing import Known, Mine, Pair, Paired, pair
from sync.planning import Owner
from sync.queries.meanings import Meaning, meanings_of
from sync.queries.our_lots import CHUNK, OurLot
from sync.queries.wanted import Shows, rules_of
from sync.remote import LotState, RemoteItem
from sync.rules import Unlisted
from sync.services.bases import UNSURE
from sync.services.runs.options import Differs, Options
from sync.snapshots import Inventory
from sync.states import as_text, read_state


class Side:
    """A store with its lots and our listings of it. `gives`: what ours are to be goes there."""

    def __init__(self, store: Store, snapshot: Snapshot, *, gives: bool, prefers: Owner, options: Options) -> None:
        spec = stores.spec_for(store.channel)
        if spec is None:
            raise LookupError(store.channel)
        self.store, self.spec, self.gives, self.prefers, self.options = store, spec, gives, prefers, options
        self.read_at: datetime = snapshot.fetched_at
        self.rules = rules_of(store)
        settings = StoreSettings.of(store.settings)
        self.owners: Mapping[LotField, Owner] = {
            LotField(name): Owner(owner) for name, owner in getattr(settings, "owners", {}).items()
        }
        wanted = self.rules.sent if options.fields is None else {LotField.QTY, *options.fields} & self.rules.sent
        self.fields = frozenset(wanted)
        self.theirs = Inventory(snapshot.body)
        self.meanings: Mapping[RemoteItem, Meaning] = {}
        self._shows = Shows(store, rules=self.rules)
        # Listings that stand there as was agreed on, with which our lots are compared as they are read; by their lots'
        # keys as numbers, which are found sooner.
        self._agreed: dict[int, tuple[UUID, str]] = {}
        # Those of them of which our lot is the same too: nearly all of most stores, and nothing else is kept of them.
        self.equal: dict[int, tuple[UUID, str]] = {}
        # Everything else: our lots, and listings by their numbers or without one.
        self.ours: dict[UUID, Mine] = {}
        self.known: dict[str, Known] = {}
        self.waiting: list[Known] = []
        # Lots of ours that have more than one listing there.
        self._several: set[int] = set()
        # Numbers of lots there that no listing has.
        self._unlisted: list[str] = []
        self._doubtful: frozenset[UUID] = frozenset()
        self.busy: frozenset[str] = frozenset()
        self.found = Paired()
        # Listings of a lot that has another one there, which offers its pieces.
        self.twice: frozenset[UUID] = frozenset()
        # Lots there whose pieces go to another one of their kind.
        self.merged: set[str] = set()
        self.listed_by_inverse: frozenset[str] = frozenset()

    @property
    def has_bricklink_numbers(self) -> bool:
        """Tell whether its numbers of lots are those that files of BrickLink's have."""
        return self.store.channel == Channel.BRICKLINK

    @property
    def rate(self) -> Decimal:
        """Answer what one of the store's currency is worth in the shop's."""
        return 1 / self.rules.rate if self.rules.rate else Decimal(1)

    def owners_of(self, known: Known | None) -> Mapping[LotField, Owner]:
        """Answer whose word counts: of a listing that nobody agreed on yet, the one that the run prefers."""
        if known is not None and known.base is not None:
            return self.owners
        owner = {Differs.ASK: Owner.ASK, Differs.NEWEST: Owner.NEWEST}.get(self.options.differs, self.prefers)
        return dict.fromkeys(LotField, owner)

    def read_listings(self) -> None:
        """Read what is known of the store's listings. Our lots are read from before that moment, and added after it."""
        doubtful = ListingState.objects.filter(Q(sent__isnull=False) | Q(must_read=True), store=self.store)
        self._doubtful = frozenset(doubtful.values_list("pk", flat=True))
        listed: set[str] = set()
        first: dict[int, UUID] = {}
        twice: set[UUID] = set()
        rows = InventoryExternalId.objects.filter(store=self.store).order_by("created_at", "pk")
        # The base as text: most are compared, and needn't be read.
        columns = rows.values_list("pk", "inventory_item_id", "external_lot_id", Cast("base", TextField()))
        for key, lot_id, number, base in columns.iterator(chunk_size=CHUNK):
            if number is None:
                self.waiting.append(self._known(key, lot_id, None, base))
                continue
            listed.add(number)
            if lot_id is not None:
                if first.setdefault(lot_id.int, key) is not key:
                    twice.add(key)
                    self._several.add(lot_id.int)
                elif number in self.theirs and self._is_agreed(number, base):
                    self._agreed[lot_id.int] = (key, number)
                    continue
            self.known[number] = self._known(key, lot_id, number, base)
        self.twice = frozenset(twice)
        self._unlisted = [number for number in self.theirs.numbers() if number not in listed]

    def _is_agreed(self, number: str, base: str) -> bool:
        """Tell whether a lot stands there as was agreed on: mostly in the same words, else both are read."""
        return self.theirs.is_kept_as(number, base) or self.theirs.state(number) == read_state(json.loads(base))

    def _known(self, key: UUID, lot_id: UUID | None, number: str | None, base: str) -> Known:
        return Known(key, lot_id, number, read_state(json.loads(base)), key in self._doubtful)

    def compare(self, lots: Sequence[OurLot]) -> None:
        """Tell which of our lots stand there as they shall, and keep the others to be matched."""
        self._shows.add(lots)
        for lot in lots:
            state, why, may_be_new = self._shows.listed_or_new(lot)
            found = self._agreed.pop(lot.pk.int, None)
            if found is not None:
                if self._is_shown(found[1], state) and lot.pk.int not in self._several:
                    self.equal[lot.pk.int] = found
                    continue
                key, number = found
                theirs = self.theirs.state(number)
                self.known[number] = Known(key, lot.pk, number, theirs, key in self._doubtful)
            self._keep(lot, state, why, may_be_new=may_be_new)

    def _is_shown(self, number: str, state: LotState) -> bool:
        """Tell whether a lot stands there as it shall: mostly in the same words, else it is read."""
        return self.theirs.is_kept_as(number, as_text(state)) or self.theirs.state(number) == state

    def add(self, lots: Sequence[OurLot]) -> None:
        """Have some of our lots be otherwise, or new."""
        self._shows.add(lots)
        for lot in lots:
            state, why, may_be_new = self._shows.listed_or_new(lot)
            self._keep(lot, state, why, may_be_new=may_be_new)

    def _keep(self, lot: OurLot, state: LotState, why: Unlisted | None, *, may_be_new: bool) -> None:
        number = str(lot.bricklink_lot_id) if lot.bricklink_lot_id and self.has_bricklink_numbers else ""
        self.ours[lot.pk] = Mine(
            lot_id=lot.pk, version=lot.version, key=lot.key, state=state, why=why.value if why else "",
            may_be_new=may_be_new, names=(number,) if number else (), name=lot.item_name, color_name=lot.color_name,
            updated_at=lot.updated_at,
        )  # fmt: skip

    def match(self, markers: Mapping[str, UUID]) -> None:
        """Find which lots there are which of ours, of those that aren't the same on both sides."""
        self.busy = sold_since(self.store.pk, self.read_at)
        if self.options.inverse_of:
            self.listed_by_inverse = listed_by(self.options.inverse_of, self.store)
        # What belongs to a lot that the run isn't about is left alone, and what is gone there is found to be so.
        known = {
            number: each for number, each in self.known.items()
            if each.lot_id is None or each.lot_id in self.ours or number not in self.theirs
        }  # fmt: skip
        # A lot that is listed needs no other listing of its own.
        waiting = [each for each in self.waiting if each.lot_id is None or each.lot_id.int not in self.equal]
        unlisted = [self.theirs.lot(number) for number in self._unlisted]
        self.meanings = meanings_of(self.store.channel, {lot.item for lot in unlisted})
        listed = [self.theirs.lot(number) for number in known if number in self.theirs]
        self.found = pair(
            [*listed, *unlisted], self.ours, known, waiting=waiting, markers=markers,
            key_of=lambda lot: self.meanings[lot.item].key,
        )  # fmt: skip

    def equal_pair(self, lot_id: UUID) -> Pair | None:
        """Answer the pair of a lot that stood there as it should, if it did."""
        found = self.equal.get(lot_id.int)
        if found is None:
            return None
        key, number = found
        theirs = self.theirs.lot(number)
        return Pair(theirs, lot_id, Known(key, lot_id, number, theirs.state, key in self._doubtful))

    def was_looked_at(self, listing_id: UUID) -> bool:
        """Tell whether a listing was compared: not one of which nobody can say how it stands just now."""
        return listing_id in self._looked_at

    @cached_property
    def _looked_at(self) -> set[UUID]:
        # Of a hundred thousand, and mostly nobody asks.
        equal = {key for key, number in self.equal.values() if number not in self.busy and key not in self._doubtful}
        return equal | {each.known.listing_id for each in self.found.pairs if each.known and not self.is_busy(each)}

    @property
    def value(self) -> Decimal:
        """Answer what is on offer there, in the shop's currency."""
        return self.theirs.worth * self.rate

    def is_busy(self, each: Pair) -> bool:
        """Tell whether nobody can say how a lot stands there just now."""
        return each.theirs.lot_id in self.busy or bool(each.known and each.known.is_in_doubt)

    def wanted(self, each: Pair) -> tuple[LotState, str]:
        """Answer how the store is to show the lot of a pair, and why nothing, if so."""
        mine = self.ours[each.lot_id]
        is_twice = each.known is not None and each.known.listing_id in self.twice
        if is_twice or each.theirs.lot_id in self.merged:
            return mine.state._replace(qty=0), Unlisted.TWICE.value
        return mine.state, mine.why

    def worth(self, state: LotState, qty: int | None = None) -> Decimal:
        """Answer what so many pieces at its price are worth in the shop's currency."""
        return (state.qty if qty is None else qty) * state.price * self.rate


def sold_since(store_id: UUID, moment: datetime) -> frozenset[str]:
    """Answer the store's numbers of lots that were sold since then, or so shortly before that nobody can tell."""
    rows = OrderLine.objects.filter(order__store_id=store_id, order__ordered_at__gte=moment - UNSURE)
    return frozenset(rows.exclude(external_lot_id="").values_list("external_lot_id", flat=True))


def listed_by(run_id: str, store: Store) -> frozenset[str]:
    """Answer the store's numbers of the lots that a run listed there."""
    done = SyncPlanItem.objects.filter(sync_run=UUID(run_id), store=store, action=Action.ADD, status=ItemStatus.APPLIED)
    return frozenset(done.exclude(target_external_id="").values_list("target_external_id", flat=True))


def lots_of(options: Options) -> "QuerySet[InventoryItem]":
    """Answer our lots that a run is about."""
    return filtered(Filters.parse(options.lots)) if options.lots else InventoryItem.objects.all()


def these_lots(keys: Iterable[UUID]) -> Iterator[list[InventoryItem]]:
    """Answer lots by their keys, some at a time; those that are gone aren't there."""
    left = iter(keys)
    while some := list(islice(left, CHUNK)):
        yield list(InventoryItem.objects.filter(pk__in=some).order_by("pk"))


def sides_of(run: SyncRun, options: Options) -> list[Side]:
    """Answer the stores of a run that have a server: the source first."""
    both = run.direction == "BIDIRECTIONAL"
    sides = []
    for store, snapshot, is_target in (
        (run.source_store, run.source_snapshot, False), (run.target_store, run.target_snapshot, True),
    ):  # fmt: skip
        if store.channel == Channel.LOCAL or snapshot is None:
            continue
        counts = _counts_first(run, store, is_target=is_target)
        sides.append(
            Side(store, snapshot, gives=is_target or both, prefers=Owner.CHANNEL if counts else Owner.OURS,
                 options=options)
        )  # fmt: skip
    return sides


def _counts_first(run: SyncRun, store: Store, *, is_target: bool) -> bool:
    """Tell whether a store's word counts where it and we never agreed: the source's, or the primary store's."""
    if run.direction == "BIDIRECTIONAL" and (run.source_store.is_primary or run.target_store.is_primary):
        return store.is_primary
    return not is_target
