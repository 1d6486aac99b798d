"""One order of a channel is taken over: said in our words, with what follows for its store's listings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Sum

from audit.context import change_set
from audit.models import Source
from common.steps import step
from orders import lifecycle
from orders.choices import OrderStatus
from orders.models import Order, OrderLine
from orders.services import Known, hold_known, take_version
from stores.channels import ChannelSpec
from stores.models import Store
from sync.models import OrderTold, StuckOrder
from sync.queries.asking import orders_since
from sync.queries.meanings import Meaning, meanings_of
from sync.remote import RemoteItem, RemoteOrder
from sync.services import bases
from sync.translating import incoming_order

# So often an order that names no lines is asked again before it is believed.
_BELIEVED_AFTER = 3


class NotWholeError(Exception):
    """The channel's answer can't be all of the order."""


def take_over(
    store: Store, spec: ChannelSpec, remote: RemoteOrder, *, as_of: datetime, now: datetime,
    meanings: Mapping[RemoteItem, Meaning] | None = None, is_stuck: bool = True,
) -> Order | None:  # fmt: skip
    """Take over an order as it was read at `as_of`, with what follows for its listings, in one transaction.

    `meanings`: what its items mean, where that was asked before. `is_stuck`: False where it is known not to wait since
    it couldn't be taken over. Answer None for one that isn't wanted. Raises Invalid with errors by field.
    """
    with change_set("orders.import_order", source=Source.JOB), transaction.atomic():
        known = hold_known(store, remote.order_id)
        if known.order_id is None and not _is_wanted(store, remote):
            if is_stuck:
                _free(store, remote)
            return None
        if known.order_id is None:
            _check_is_whole(store, remote)
        if meanings is None:
            meanings = meanings_of(store.channel, {line.item for line in remote.lines or ()})
        incoming = incoming_order(
            remote, meanings, label=spec.label, as_of=as_of, is_history=remote.ordered_at < store.created_at,
            is_reinstated=_is_reinstated(known, remote, spec),
        )  # fmt: skip
        if remote.tracking_number and _is_told_by_us(known, remote):
            # In its own form, which may be less than what is known here.
            incoming = replace(incoming, tracking_number="", tracking_url="")
        # Before its lines are brought up to what is told now.
        before = pieces_of(known.order_id) if known.order_id else {}
        taken = take_version(known, incoming, now=now)
        order = taken.order
        if incoming.tracking_number:
            _note_tracking(order, now=now)
        if known.as_of is None or as_of >= known.as_of:
            pieces = _Pieces(before, _pieces_in(taken.lines), order.moves_stock)
            _take_off(store, pieces, remote, known, spec, as_of=as_of)
        if is_stuck:
            _free(store, remote)
        step("sync.order_taken")
    return order


def _is_told_by_us(known: Known, remote: RemoteOrder) -> bool:
    """Tell whether a channel's tracking number is what we told it."""
    told = OrderTold.objects.filter(pk=known.order_id).values_list("tracking", flat=True).first() or ""
    return remote.tracking_number.strip() in told.splitlines()


def _note_tracking(order: Order, *, now: datetime) -> None:
    """Keep that a channel knows where a parcel is, since it has told us."""
    tracking = f"{order.tracking_number}\n{order.tracking_url}".strip()
    told, is_new = OrderTold.objects.get_or_create(
        order=order, defaults={"store_id": order.store_id, "tracking": tracking, "is_due": False, "since": now}
    )
    if not is_new and told.tracking != tracking:
        OrderTold.objects.filter(pk=told.pk).update(tracking=tracking)


def _is_wanted(store: Store, remote: RemoteOrder) -> bool:
    """Tell whether an order that isn't known is brought in: not from before the day, nor of which nothing is left."""
    since = orders_since(store)
    is_purged = remote.lines is None and remote.status is None and not remote.flags
    return not is_purged and (since is None or remote.ordered_at >= since)


def _check_is_whole(store: Store, remote: RemoteOrder) -> None:
    if remote.lines or (remote.lines is not None and remote.subtotal <= 0):
        return
    stuck = StuckOrder.objects.filter(store=store, external_order_id=remote.order_id).first()
    if stuck is None or stuck.attempts < _BELIEVED_AFTER:
        raise NotWholeError


def _free(store: Store, remote: RemoteOrder) -> None:
    StuckOrder.objects.filter(store=store, external_order_id=remote.order_id).delete()


def pieces_of(order_id: UUID) -> dict[str, int]:
    """Answer how many pieces an order has taken there by its channel's last word, by its numbers of the lots."""
    rows = OrderLine.objects.filter(order=order_id, qty_channel__isnull=False).exclude(external_lot_id="")
    told = rows.values_list("external_lot_id").annotate(pieces=Sum("qty_channel")).order_by()
    return {str(number): pieces or 0 for number, pieces in told}


def _pieces_in(lines: Iterable[OrderLine]) -> dict[str, int]:
    """Answer of an order's lines what `pieces_of` answers."""
    pieces: dict[str, int] = {}
    for line in lines:
        if line.external_lot_id and line.qty_channel is not None:
            pieces[line.external_lot_id] = pieces.get(line.external_lot_id, 0) + line.qty_channel
    return pieces


def _is_reinstated(known: Known, remote: RemoteOrder, spec: ChannelSpec) -> bool:
    """Tell whether the channel itself has taken its cancellation back."""
    was_cancelled = known.status == OrderStatus.CANCELLED and known.channel_status in spec.cancelled
    is_alive = remote.status is not None and lifecycle.Status(remote.status.value) not in lifecycle.ENDS
    return was_cancelled and is_alive


@dataclass(frozen=True, slots=True)
class _Pieces:
    """How many pieces an order had taken there by its channel's last word, and by this one, by its numbers of lots.

    `move_stock`: our stock is counted with them. Where it isn't, what is taken or given back now is for a look at the
    lot.
    """

    before: Mapping[str, int]
    after: Mapping[str, int]
    move_stock: bool


def _take_off(
    store: Store, pieces: _Pieces, remote: RemoteOrder, known: Known, spec: ChannelSpec, *, as_of: datetime
) -> None:  # fmt: skip
    """Take what the order took on its channel newly off its listings' bases.

    What was given back, and what isn't said here as it is there, is for a look at the lot.
    """
    before, after = pieces.before, pieces.after
    numbers = {*after, *before}
    sold = {number: after.get(number, 0) - before.get(number, 0) for number in numbers}
    told: dict[str, int] = {}
    for line in remote.lines or ():
        told[line.lot_id] = told.get(line.lot_id, 0) + line.qty
    unsure = {number: after.get(number, 0) - qty for number, qty in told.items() if number}
    unsure = {number: qty for number, qty in unsure.items() if qty}
    has_ended = remote.status is not None and lifecycle.Status(remote.status.value) in lifecycle.ENDS
    is_reinstated = _is_reinstated(known, remote, spec)
    if (has_ended and remote.channel_status != known.channel_status) or is_reinstated:
        # Given back there or not, taken again or not.
        for number in numbers:
            qty = max(after.get(number, 0), before.get(number, 0))
            unsure[number] = unsure.get(number, 0) + (-qty if is_reinstated else qty)
    if known.order_id is not None and not pieces.move_stock:
        unsure = dict.fromkeys([*unsure, *(number for number, qty in sold.items() if qty)], 0)
        sold = {}
    if known.order_id is None:
        earliest = latest = remote.ordered_at
    else:
        earliest, latest = known.as_of or remote.ordered_at, as_of
    bases.take_off(store_id=store.pk, sold=sold, earliest=earliest, latest=latest, unsure=unsure)
