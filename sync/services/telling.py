"""Channels are told how their orders stand here: nothing is queued, what is to be told is read from the order.

A row says what was told last. Whoever is told twice is told the same, so that a worker may die at any moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from common import shutdown, workspace
from common.errors import BudgetExhausted, Conflict, CredentialsRefused, ProblemError, ProviderError
from common.steps import step
from common.wire import CallClass
from orders.choices import OrderStatus, PaymentStatus
from orders.lifecycle import Status
from orders.models import Order
from stores import services as stores
from stores.channels import Can
from stores.queries import spec_for
from stores.settings_schema import StoreSettings
from sync import remote as there
from sync.channels import Channel
from sync.models import OrderTold
from sync.queries import asking
from sync.remote import Pushed, StatusPush, Tracking
from sync.services import bases
from sync.services.arriving import pieces_of
from sync.services.connecting import connect

TELL = "sync.tell_orders"
# After each refusal; then it is for a person.
_AGAIN = (
    timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=12),
    timedelta(days=1),
)  # fmt: skip
_AT_ONCE, _KEPT = 100, 20
_MESSAGE_LENGTH = 500


@transaction.atomic
def have_told(*, order_id: UUID, now: datetime) -> bool:
    """Have the channel of an order hear how it stands, if there is anything that it should; answer whether there is."""
    order = Order.objects.select_related("store").filter(pk=order_id).first()
    if order is None:
        return False
    told = OrderTold.objects.select_for_update().filter(order=order).first()
    wanted = wanted_of(order)
    known = (told.status, told.tracking) if told else ("", "")
    if wanted == known or not any(wanted):
        if told is not None and (told.is_due or told.error):
            _settle(told, is_due=False)
        return False
    told = told or OrderTold(order=order, store_id=order.store_id)
    if not told.is_due or told._state.adding:
        told.since = now
    _settle(told, is_due=True)
    return True


def _settle(told: OrderTold, *, is_due: bool, error: str = "", waits_at: str = "") -> None:
    """Store whether something is to be told, with what stands in its way; tries begin anew."""
    told.is_due, told.error, told.waits_at = is_due, error, waits_at
    told.attempts, told.retry_at = 0, None
    told.save()


def wanted_of(order: Order) -> tuple[str, str]:
    """Answer which status and tracking an order's channel should know, by the store's settings; empty: nothing."""
    spec = spec_for(order.store.channel)
    if spec is None:
        return "", ""
    settings = StoreSettings.of(order.store.settings)
    status = Status(order.status)
    if status is Status.COMPLETED and not settings.push_completed:
        status = Status.DELIVERED
    if status is Status.DELIVERED and not settings.push_delivered:
        status = Status.SHIPPED
    may_tell = settings.push_order_status and Can.PUSH_ORDER_STATUS in spec.can and status not in _NOT_TOLD
    tracking = f"{order.tracking_number}\n{order.tracking_url}".strip()
    may_track = settings.push_tracking and Can.PUSH_TRACKING in spec.can and bool(order.tracking_number)
    return status.value if may_tell else "", tracking if may_track else ""


# Where an order begins, and what its channel does itself.
_NOT_TOLD = frozenset({Status.NEW, Status.PENDING, Status.REFUNDED})


def tell_store(*, store_id: UUID, now: datetime) -> int:
    """Tell a store's channel what it should hear; answer how many orders it was told of. A suspended shop's waits.

    Raises Conflict where the store can't be asked; ProviderError and BudgetExhausted, which are kept with it.
    """
    done = 0
    if workspace.current().is_suspended:
        return done
    with _alone(store_id) as is_mine:
        due = list(_due(store_id, now)) if is_mine else []
        adapter = connect(store_id, call_class=CallClass.URGENT) if due else None
        for order_id in due:
            if adapter is None or shutdown.is_requested():
                break
            done += _tell(order_id, adapter, now=now)
    return done


def _due(store_id: UUID, now: datetime) -> list[UUID]:
    rows = asking.to_be_told(now).filter(store_id=store_id).order_by("since", "pk")
    return list(rows.values_list("pk", flat=True)[:_AT_ONCE])


@contextmanager
def _alone(store_id: UUID) -> Iterator[bool]:
    """Answer whether nobody else tells this store's channel; who comes second leaves it to the first."""
    key = f"sync.telling:{workspace.current_key()}:{store_id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [key])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [key])
            except DatabaseError:
                # It went with its connection.
                pass


def _tell(order_id: UUID, adapter: Channel, *, now: datetime) -> int:
    order = Order.objects.select_related("store").get(pk=order_id)
    told = OrderTold.objects.get(pk=order_id)
    status, tracking = wanted_of(order)
    pushed = Pushed.NOT_NEEDED
    try:
        step("sync.telling")
        if tracking and tracking != told.tracking:
            _track(order, adapter)
            _keep(order, tracking=tracking, said="tracking number", now=now)
        if status and status != told.status:
            pushed = _move(order, status, adapter)
            if pushed in (Pushed.DONE, Pushed.NOT_NEEDED):
                _keep(order, status=status, said=_word(status) if pushed is Pushed.DONE else "", now=now)
    except CredentialsRefused as error:
        stores.note_failure(store_id=order.store_id, error=error, now=now)
        raise
    except (ProviderError, BudgetExhausted) as error:
        _put_off(order_id, error, now=now)
        if not _is_of_order(error):
            stores.note_failure(store_id=order.store_id, error=error, now=now)
            raise
        return 0
    _rest(order, pushed)
    return 1


def _is_of_order(error: ProblemError) -> bool:
    """Tell whether it is this order that the channel doesn't take, and not everything that fails."""
    return error.type in ("provider-rejected", "outcome-unknown")


def _track(order: Order, adapter: Channel) -> None:
    adapter.push_tracking(
        Tracking(
            order_id=order.external_order_id, number=order.tracking_number, url=order.tracking_url,
            shipped_at=order.shipped_at,
        )
    )  # fmt: skip
    step("sync.tracking_told")


def _move(order: Order, status: str, adapter: Channel) -> Pushed:
    pushed = adapter.push_order_status(
        StatusPush(
            order_id=order.external_order_id, status=there.OrderStatus(status), channel_status=order.channel_status,
            is_paid=order.payment_status != PaymentStatus.UNPAID,
        )
    )  # fmt: skip
    step("sync.status_told")
    return pushed


@transaction.atomic
def _keep(order: Order, *, said: str, now: datetime, status: str = "", tracking: str = "") -> None:
    """Keep what the channel knows now; `said`: in words, empty where it knew already."""
    told = OrderTold.objects.select_for_update().get(pk=order.pk)
    told.status, told.tracking = status or told.status, tracking or told.tracking
    if said:
        told.said = [*told.said, {"at": now.isoformat(), "what": said}][-_KEPT:]
    told.save(update_fields=["status", "tracking", "said"])
    if status == Status.CANCELLED and said:
        # Its pieces may be for sale there again.
        bases.take_off(store_id=order.store_id, sold={}, earliest=now, latest=now, unsure=pieces_of(order.pk))
    step("sync.told_kept")


@transaction.atomic
def _rest(order: Order, pushed: Pushed) -> None:
    """Have nothing be left to tell, unless the order was moved on meanwhile, or can't be told from where it stands."""
    told = OrderTold.objects.select_for_update().get(pk=order.pk)
    status, tracking = wanted_of(Order.objects.select_related("store").get(pk=order.pk))
    is_due = (bool(status) and status != told.status) or (bool(tracking) and tracking != told.tracking)
    is_asked = is_due and (status, tracking) == wanted_of(order)
    label = getattr(spec_for(order.store.channel), "label", "")
    match pushed:
        case Pushed.NOT_YET if is_asked:
            error = (
                f"{label} can't be told that it is {_word(status)} as long as it stands there as"
                f" {order.channel_status}. It is told by itself once that changes."
            )
            _settle(told, is_due=True, error=error, waits_at=order.channel_status)
        case Pushed.BY_HAND if is_asked:
            error = f"{label} takes from nobody but you that it is {_word(status)}. Say so there, too."
            _settle(told, is_due=True, error=error, waits_at=order.channel_status)
        case _:
            _settle(told, is_due=is_due)


def _word(status: str) -> str:
    return str(OrderStatus(status).label).lower()


@transaction.atomic
def _put_off(order_id: UUID, error: ProblemError, *, now: datetime) -> None:
    """Keep why the channel wasn't told, and when it is tried again; in the end never, until somebody asks for it."""
    told = OrderTold.objects.select_for_update().get(pk=order_id)
    told.error = (error.detail or error.title)[:_MESSAGE_LENGTH]
    told.is_due = told.attempts < len(_AGAIN)
    wait = error.extra.get("retry_after")
    told.retry_at = now + (timedelta(seconds=wait) if wait else _AGAIN[min(told.attempts, len(_AGAIN) - 1)])
    if _is_of_order(error):
        told.attempts += 1
    told.save(update_fields=["error", "is_due", "attempts", "retry_at"])


@transaction.atomic
def tell_again(*, order_id: UUID, now: datetime) -> None:
    """Have a channel be told once more of an order that it didn't take. Raises Conflict where nothing waits."""
    told = OrderTold.objects.select_for_update().filter(pk=order_id).exclude(error="").first()
    if told is None:
        raise Conflict("Nothing about this order waits to be told.")
    told.is_due, told.attempts, told.retry_at, told.since, told.waits_at = True, 0, None, now, ""
    told.save(update_fields=["is_due", "attempts", "retry_at", "since", "waits_at"])
