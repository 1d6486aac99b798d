"""An order comes in, or a newer version of one: worked on any number of times, in any sequence, it moves stock once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from audit import bulk, context
from catalog import colors
from common import workspace
from common.ids import new_ids
from common.money import Money
from events.bus import publish
from orders import lifecycle
from orders.choices import Flag, PaymentStatus
from orders.events import OrderCreated
from orders.incoming import IncomingLine, IncomingOrder
from orders.lifecycle import By, Status, Verdict
from orders.models import Buyer, Order, OrderLine
from orders.services import holding
from orders.services.buyers import find_or_make_buyer
from orders.services.checks import Findings, checked, is_web_address
from orders.services.holding import Held, hold_name, next_number, set_flags, settle, settle_birth, total_of
from orders.services.matching import Match, match_lines
from orders.services.moving import move
from stores.models import Store
from stores.queries import get_store

# These the channel lowers as it has raised them; the others, and those that a person raised, stay with people.
_OF_CHANNEL = frozenset(
    {Flag.ON_HOLD, Flag.CANCEL_REQUESTED, Flag.PAYMENT_PROBLEM, Flag.PARTIALLY_SHIPPED, Flag.PARTIALLY_REFUNDED}
)
_KEY_LENGTH = 120
_ENDED, _LEFT = "ended_after_shipping", "left_after_cancelling"
_SHIPPED_THERE = "It was shipped on the channel after it had been cancelled here."
_CHANGED_AFTER = "The channel changed this order's lines after it had left or ended."
# What a version of an order says newly, field by field.
_PLAIN = (
    "channel_status", "shipping_method", "shipping_cost", "insurance", "tax_amount", "discount_amount",
)  # fmt: skip
_PERSON = ("buyer_name", "buyer_email", "buyer_username", "buyer_note")


@transaction.atomic
def import_order(*, store_id: UUID, incoming: IncomingOrder, now: datetime) -> Order:
    """Take over what a channel says of an order: made with its lines and their stock, or brought up to that version.

    Only differences move stock: a line that is new, gone, more or fewer. What is older than what is known changes
    nothing, what leaves the house stays as it left. Raises Invalid with errors by field; NotFound for the store.
    """
    context.describe("orders.import_order")
    checked(incoming)
    known = hold_known(get_store(store_id), incoming.external_order_id)
    return take_version(known, incoming, now=now).order


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a channel's order; nobody else brings it in until the transaction ends.

    `order_id` is None where nothing is known of it yet.
    """

    store: Store
    number: str
    order_id: UUID | None = None
    status: str = ""
    channel_status: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """An order as a channel's version left it. `lines`: none where that version was too old to change anything."""

    order: Order
    lines: Sequence[OrderLine] = ()


def hold_known(store: Store, number: str) -> Known:
    """Hold the number of an order on its channel until the transaction ends, and answer what is known of it."""
    number = number.strip()
    hold_name(f"order:{store.pk}:{number}")
    found = Order.objects.filter(store=store, external_order_id=number)
    row = found.values_list("pk", "status", "channel_status", "channel_as_of").first()
    return Known(store, number, *row) if row else Known(store, number)


def take_version(known: Known, incoming: IncomingOrder, *, now: datetime) -> Taken:
    """Take over what a channel says of an order whose number is held, as `import_order` does.

    Inside the transaction in which it is held. Raises Invalid with errors by field.
    """
    findings = checked(incoming)
    if known.order_id is None:
        return _make(known.store, known.number, incoming, findings, now=now)
    if known.as_of is not None and incoming.as_of < known.as_of:
        return Taken(Order.objects.select_related("store").get(pk=known.order_id))
    return _renew(known.order_id, known.store, incoming, findings, now=now)


# --- A new one ------------------------------------------------------------------------------------------------------
def _make(store: Store, number: str, incoming: IncomingOrder, findings: Findings, *, now: datetime) -> Taken:
    status = incoming.status or Status.NEW
    order = Order(
        number=next_number(), store=store, external_order_id=number, status=status, status_changed_at=now,
        currency=incoming.currency, ordered_at=incoming.ordered_at, channel_as_of=incoming.as_of,
        moves_stock=not incoming.is_history, payment_status=incoming.payment_status or PaymentStatus.UNPAID,
    )  # fmt: skip
    order.buyer = _buyer(store, incoming)
    _take_over(order, incoming)
    _raise_flags(order, incoming)
    if status in lifecycle.GONE:
        order.shipped_at = incoming.shipped_at or incoming.as_of
    lines = _new_lines(order, incoming.lines, store, incoming)
    _sum_up(order, lines, incoming)
    order.warnings = _warnings(findings, lines)
    settle_birth(order, lines, now=now)
    holding.follow(order, lines)
    bulk.bulk_create(Order, [order])
    holding.save_lines(lines, {})
    publish(
        OrderCreated(
            order_id=order.pk, store_id=store.pk, external_order_id=number, status=order.status,
            currency=order.currency, grand_total=str(order.grand_total),
        )
    )  # fmt: skip
    return Taken(order, lines)


def _buyer(store: Store, incoming: IncomingOrder) -> Buyer | None:
    return find_or_make_buyer(
        channel=store.channel, name=incoming.buyer_name, email=incoming.buyer_email,
        username=incoming.buyer_username, ordered_at=incoming.ordered_at,
    )  # fmt: skip


def _match(lines: tuple[IncomingLine, ...], store: Store, incoming: IncomingOrder) -> list[Match]:
    return match_lines(
        lines, store_id=store.pk, channel=store.channel, currency=incoming.currency,
        own_currency=workspace.current().currency,
    )  # fmt: skip


def _new_lines(
    order: Order, given: Sequence[IncomingLine], store: Store, incoming: IncomingOrder, *, after: int = 0
) -> list[OrderLine]:
    """Answer lines with their lots, numbered on from `after`."""
    matches = _match(tuple(given), store, incoming)
    lines = []
    for position, (line, key, match) in enumerate(zip(given, new_ids(len(given)), matches, strict=True), start=1):
        made = _line(order, after + position, match)
        made.pk, made.channel_key = key, _identity(line)
        lines.append(made)
    return lines


def _line(order: Order, position: int, match: Match) -> OrderLine:
    given = match.line
    color = colors.get(given.color_id) if given.color_id is not None else None
    line = OrderLine(
        order=order, position=position, inventory_item_id=match.lot.pk if match.lot else None,
        item_type=given.item_type, item_no=given.item_no, item_name=given.item_name, color_id=given.color_id,
        color_name=color.name if color else "", condition=given.condition, completeness=given.completeness,
        description=given.description, external_line_id=given.external_line_id,
        external_lot_id=given.external_lot_id, external_item_no=given.external_item_no,
        external_color=given.external_color, qty_ordered=given.qty, qty_channel=given.qty,
        unit_price=Money(given.unit_price, order.currency).rounded_unit().amount,
    )  # fmt: skip
    line.line_total = total_of(line, order.currency)
    return line


# --- A version of one that is known ---------------------------------------------------------------------------------
def _renew(order_id: UUID, store: Store, incoming: IncomingOrder, findings: Findings, *, now: datetime) -> Taken:
    # Whoever was erased stays so, whatever the channel still tells of them.
    is_erased = Order.objects.filter(pk=order_id, buyer__erased_at__isnull=False).exists()
    buyer = None if is_erased else _buyer(store, incoming)
    held = holding.hold(order_id)
    order = held.order
    if buyer is not None and order.buyer_id is None:
        order.buyer = buyer
    order.channel_as_of = incoming.as_of
    _take_over(order, incoming, with_person=not is_erased)
    is_told = bool(incoming.payment_status) and "payment_status" not in incoming.unsaid
    if is_told and order.payment_status not in _settled(order):
        order.payment_status = incoming.payment_status
    if "flags" not in incoming.unsaid:
        ours = {Flag.PARTIALLY_REFUNDED} if order.refunded_total else set()
        lowered = set(order.channel_flags) - set(incoming.flags)
        set_flags(order, remove=lowered - ours)
        order.channel_flags = sorted(set(order.channel_flags) - lowered)
    _raise_flags(order, incoming)
    _renew_lines(held, store, incoming, findings, now=now)
    _sum_up(order, held.lines, incoming)
    # What is more or fewer comes before what leaves.
    settle(order, held.lines, now=now)
    _renew_status(held, incoming, findings, now=now)
    order.warnings = _warnings(findings, held.lines)
    if not held.finish():
        holding.remember_as_of(order)
    return Taken(order, held.lines)


def _raise_flags(order: Order, incoming: IncomingOrder) -> None:
    """Raise what the channel tells; what a person had raised before stays that person's."""
    raised = (set(incoming.flags) & _OF_CHANNEL) - set(order.flags)
    order.channel_flags = sorted({*order.channel_flags, *map(str, raised)})
    set_flags(order, add=incoming.flags)


def _settled(order: Order) -> frozenset[str]:
    """Answer the payments that a channel which knows less doesn't turn back: what was given back here."""
    return (
        frozenset({PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED}) if order.refunded_total else frozenset()
    )


def _take_over(order: Order, incoming: IncomingOrder, *, with_person: bool = True) -> None:
    for name in (*_PLAIN, *(_PERSON if with_person else ())):
        if name not in incoming.unsaid:
            setattr(order, name, getattr(incoming, name))
    address = {
        name: order.ship_to.get(name, "") if f"ship_to.{name}" in incoming.unsaid else text
        for name, text in asdict(incoming.ship_to).items()
    }
    if with_person:
        order.ship_to = {name: text for name, text in address.items() if text}
    if "ship_to.country" not in incoming.unsaid:
        order.ship_country = incoming.ship_to.country
    _take_tracking(order, incoming, with_person=with_person)
    if "paid_at" not in incoming.unsaid or order.paid_at is None:
        order.paid_at = incoming.paid_at or order.paid_at
    order.ship_by = incoming.ship_by or order.ship_by


def _take_tracking(order: Order, incoming: IncomingOrder, *, with_person: bool) -> None:
    """Take over where the parcel is. A channel that doesn't know yet takes nothing away that was typed in."""
    number, url = incoming.tracking_number.strip(), incoming.tracking_url.strip()
    if with_person and (number or url):
        order.tracking_number, order.tracking_url = number, url if is_web_address(url) else ""


def _renew_status(held: Held, incoming: IncomingOrder, findings: Findings, *, now: datetime) -> None:
    order = held.order
    if incoming.status is None:
        return
    if incoming.is_reinstated and order.status == Status.CANCELLED:
        # However far it is there: first it has its pieces again.
        move(held, Status.PENDING, by=By.CHANNEL, now=now)
    match lifecycle.verdict(Status(order.status), incoming.status, is_reinstated=incoming.is_reinstated):
        case Verdict.MOVE:
            move(held, incoming.status, by=By.CHANNEL, now=now, shipped_at=incoming.shipped_at)
        case Verdict.DISPUTE:
            ended = incoming.status.value.lower()
            _object(held, findings, Flag.DISPUTE, _ENDED, f"It was {ended} on the channel after it had been shipped.")
        case Verdict.KEEP if order.status == Status.CANCELLED and incoming.status in lifecycle.GONE:
            _object(held, findings, Flag.DISPUTE, _LEFT, _SHIPPED_THERE)
        case Verdict.KEEP:
            pass


def _object(held: Held, findings: Findings, flag: Flag, code: str, text: str) -> None:
    """Raise a flag over what the channel tells, the first time that it does: a person may have lowered it since."""
    findings.warn(code, text)
    if code not in {warning["code"] for warning in held.before["warnings"]}:
        set_flags(held.order, add=[flag])


def _sum_up(order: Order, lines: list[OrderLine], incoming: IncomingOrder) -> None:
    """Take the channel's sums, or add up where it has none."""
    is_said = "lines" not in incoming.unsaid
    goods = sum((line.line_total for line in lines), Decimal(0)) if is_said else order.subtotal
    order.subtotal = goods if incoming.subtotal is None else incoming.subtotal
    total = order.subtotal + order.shipping_cost + order.insurance + order.tax_amount - order.discount_amount
    order.grand_total = max(total, Decimal(0)) if incoming.grand_total is None else incoming.grand_total
    order.refunded_total = min(order.refunded_total, order.grand_total)


def _warnings(findings: Findings, lines: list[OrderLine]) -> list[dict[str, str]]:
    for line in lines:
        if line.inventory_item_id is None and line.qty_ordered:
            name = line.item_no or line.external_item_no or line.item_name or line.external_lot_id
            findings.warn("unmatched", f"{name}: none of your lots is known to be this. Say in its line which it is.")
    return findings.warnings[:50]


# --- Lines ----------------------------------------------------------------------------------------------------------
def _renew_lines(held: Held, store: Store, incoming: IncomingOrder, findings: Findings, *, now: datetime) -> None:
    """Take over what differs in the lines: pieces more or fewer, lines added and gone.

    Lines that have left the house stay as they left; that something else is told now is a matter for a person.
    """
    order = held.order
    # A channel that names no lines at all has lost them; it doesn't mean that everything was taken out.
    if not incoming.lines or "lines" in incoming.unsaid:
        return
    known = _by_identity(held.lines)
    told = dict(zip(_numbered([_identity(line) for line in incoming.lines]), incoming.lines, strict=True))
    added = [line for identity, line in told.items() if identity not in known]
    differences = {
        identity: (told[identity].qty if identity in told else 0) - (line.qty_channel or 0)
        for identity, line in known.items()
    }
    if order.status not in lifecycle.PROMISED:
        if added or any(differences.values()):
            _object(held, findings, Flag.ITEMS_CHANGED, "changed_after", _CHANGED_AFTER)
        return
    for identity, line in known.items():
        if differences[identity]:
            _change_qty(held, line, differences[identity])
            line.qty_channel = told[identity].qty if identity in told else 0
        if identity in told:
            line.unit_price = Money(told[identity].unit_price, order.currency).rounded_unit().amount
            line.description = told[identity].description
            line.line_total = total_of(line, order.currency)
    _match_anew(held, told, known, store, incoming, now=now)
    _add_lines(held, added, store, incoming)
    # Whoever has begun with it must hear of it.
    if (added or any(differences.values())) and order.status not in lifecycle.EDITABLE:
        set_flags(order, add=[Flag.ITEMS_CHANGED])


def _add_lines(held: Held, added: list[IncomingLine], store: Store, incoming: IncomingOrder) -> None:
    position = max((line.position for line in held.lines), default=0)
    held.lines += _new_lines(held.order, added, store, incoming, after=position)


def _match_anew(
    held: Held, told: dict[str, IncomingLine], known: dict[str, OrderLine], store: Store, incoming: IncomingOrder,
    *, now: datetime,
) -> None:  # fmt: skip
    """Look again for the lots of lines that have none: a listing or a mapping may have come since."""
    open_lines = [
        (line, told[identity])
        for identity, line in known.items()
        if line.inventory_item_id is None and line.qty_ordered and identity in told
    ]
    matches = _match(tuple(given for _line, given in open_lines), store, incoming) if open_lines else []
    for (line, _given), match in zip(open_lines, matches, strict=True):
        if match.lot is not None:
            holding.be_of(held.order, line, match.lot, now=now)


def _change_qty(held: Held, line: OrderLine, difference: int) -> None:
    """Have a line take in more pieces, or fewer: first those that are short, then those of lots that stepped in."""
    if difference > 0:
        line.qty_ordered += difference
    else:
        left = -difference
        for each in (line, *(cover for cover in held.lines if cover.covers_id == line.pk)):
            taken = min(left, each.qty_ordered)
            holding.want_fewer(each, taken)
            left -= taken
            each.line_total = total_of(each, held.order.currency)
    line.line_total = total_of(line, held.order.currency)


def _by_identity(lines: list[OrderLine]) -> dict[str, OrderLine]:
    own = [line for line in lines if line.qty_channel is not None]
    return dict(zip(_numbered([line.channel_key for line in own]), own, strict=True))


def _identity(line: IncomingLine) -> str:
    """Answer by what a line is known again in the next version of its order."""
    if line.external_line_id:
        return f"line:{line.external_line_id}"
    if line.external_lot_id:
        return f"lot:{line.external_lot_id}"
    number = line.external_item_no or line.item_no or line.item_name
    color = line.external_color or line.color_id
    return f"item:{line.item_type}:{number}:{color}:{line.condition}:{line.completeness}"[:_KEY_LENGTH]


def _numbered(names: list[str]) -> list[str]:
    """Tell equal names apart by how often they have come: such lines keep their order."""
    seen: dict[str, int] = {}
    answers = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        answers.append(f"{name}#{seen[name]}")
    return answers
