"""Orders come in from a store: read from the cursor, said in our words, taken over one by one.

Whatever is repeated, overtaken or broken off: an order's pieces move once. What it took on its own channel is taken off
the bases of its listings in the same transaction. One that can't be taken over doesn't stop the others; it is kept,
shown, and tried again.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg
import structlog
from django.db import DatabaseError, DataError, IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from common import shutdown, workspace
from common.errors import (
    BudgetExhausted,
    Conflict,
    Invalid,
    NotFound,
    ProblemError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    Unavailable,
)
from common.steps import step
from common.wire import CallClass
from orders import lifecycle
from orders.models import Order
from stores import services as stores
from stores.channels import spec_of
from stores.models import Store, StoreSyncState
from stores.queries import get_store
from stores.settings_schema import StoreSettings
from sync.channels import Channel
from sync.channels.base import MisreadError
from sync.models import StuckOrder
from sync.queries.asking import orders_since
from sync.queries.meanings import Meaning, meanings_of
from sync.remote import RemoteItem, RemoteOrder
from sync.services import notifying
from sync.services.arriving import NotWholeError, take_over
from sync.services.connecting import connect

logger = structlog.get_logger(__name__)

PULL = "sync.pull_orders"
# Who needs the orders waits for who is reading them.
_WAITS_S, _LOOKS_EVERY_S = 60.0, 0.2
_AGAIN = (
    timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6),
)  # fmt: skip
_STUCK_AT_ONCE = 20
_DEADLOCKS = 3
_MESSAGE_LENGTH, _NUMBER_LENGTH, _ERRORS_SHOWN = 500, 100, 3
_IN_TROUBLE = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


@dataclass(slots=True)
class Pulled:
    """What came of reading a store's orders."""

    taken: int = 0
    stuck: int = 0


def pull_orders(*, store_id: UUID, now: datetime, waits_s: float = _WAITS_S) -> Pulled:
    """Read what is new or changed of a store's orders, and take it over; then those that couldn't be before.

    Who comes second waits so long, and reads what is new since. Raises NotFound; Conflict where the store can't be
    asked; ProviderError and BudgetExhausted, which are kept with it; Unavailable where somebody else isn't done.
    """
    adapter = connect(store_id, call_class=CallClass.URGENT)
    with alone(store_id, waits_s=waits_s):
        notices = notifying.orders_to_look_at(store_id)
        reading = _Reading(get_store(store_id), adapter)
        try:
            reading.read()
            reading.try_again(now=now)
        except (ProviderError, BudgetExhausted) as error:
            stores.note_failure(store_id=store_id, error=error, now=now)
            raise
    stores.note_success(store_id=store_id, now=now)
    stores.note_orders_read(store_id=store_id, now=now)
    notifying.note_looked(notices=notices, now=now)
    return reading.pulled


def leave_stuck(*, store_id: UUID, stuck_id: int) -> StuckOrder:
    """Have an order that can't be taken over be tried no more, until it changes there. Raises NotFound."""
    with transaction.atomic():
        found = StuckOrder.objects.select_for_update().filter(pk=stuck_id, store_id=store_id).first()
        if found is None:
            raise NotFound("This order isn't waiting any more.")
        found.delete()
    return found


@contextlib.contextmanager
def alone(store_id: UUID, *, waits_s: float = _WAITS_S) -> Iterator[None]:
    """Be the only one who reads the orders of a store: what was read first is taken over first.

    The lock is the connection's that everything is written with; who loses it writes nothing any more.
    """
    key = f"sync.orders:{workspace.current_key()}:{store_id}"
    until = time.monotonic() + waits_s
    while not _asked("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key):
        if time.monotonic() >= until:
            raise Unavailable("Somebody is reading this store's orders, and doesn't get done.")
        time.sleep(_LOOKS_EVERY_S)
    try:
        yield
    finally:
        with contextlib.suppress(DatabaseError):
            _asked("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)


def _asked(statement: str, key: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, [key])
        return bool(cursor.fetchone()[0])


class _Reading:
    """One walk through a store's new and changed orders."""

    def __init__(self, store: Store, adapter: Channel) -> None:
        self.store, self.spec = store, spec_of(store.channel)
        self.pulled = Pulled()
        self._adapter = adapter
        self._since = orders_since(store)
        self._reach = self._since and min([self._since, *_still_open(store)])
        # What a page's items mean is asked once for all of its orders.
        self._meanings: dict[RemoteItem, Meaning] = {}
        # Nobody else adds to those that wait.
        self._stuck = set(StuckOrder.objects.filter(store=store).values_list("external_order_id", flat=True))

    def read(self) -> None:
        """Take over what is new or changed since the cursor; that moves with each page."""
        mark = self._since.isoformat() if self._since else ""
        before = self._cursor(mark)
        as_of = timezone.now()
        for page in self._adapter.fetch_orders(before, since=self._reach):
            step("sync.orders_fetched")
            self._learn(page.orders)
            for number in page.misread:
                self._keep(number, f"{self.spec.label} doesn't answer it in a form that is known here.", now=as_of)
            for remote in page.orders:
                self.take(remote, as_of=as_of)
            if page.cursor != before:
                stores.keep_order_cursor(store_id=self.store.pk, cursor=f"{mark}|{page.cursor}")
                before = page.cursor
            step("sync.cursor_kept")
            # Before what comes next is asked for: it is true for a later moment.
            as_of = timezone.now()
            if shutdown.is_requested():
                raise Unavailable("The orders aren't all read yet; it goes on by itself.")

    def _learn(self, orders: Iterable[RemoteOrder]) -> None:
        """Ask what the items of these orders mean, and of no others any more."""
        self._meanings = {}
        # What the database doesn't take is the trouble of its own order.
        with contextlib.suppress(DataError, ValueError):
            items = {line.item for order in orders for line in order.lines or ()}
            self._meanings |= meanings_of(self.store.channel, items)

    def _cursor(self, mark: str) -> str:
        """Answer where to go on: from the beginning, where older orders are wanted than were read."""
        kept = StoreSyncState.objects.filter(store=self.store).values_list("order_cursor", flat=True).first() or ""
        before, _, cursor = kept.partition("|")
        is_covered = not before or (mark and mark >= before)
        return cursor if is_covered else ""

    def try_again(self, *, now: datetime) -> None:
        """Take over what couldn't be before, as far as it is due."""
        due = StuckOrder.objects.filter(store=self.store, retry_at__lte=now).order_by("retry_at", "pk")
        for stuck in list(due[:_STUCK_AT_ONCE]):
            as_of = timezone.now()
            try:
                remote = self._adapter.fetch_order(stuck.external_order_id)
            except (MisreadError, ProviderRejected) as error:
                self._keep(stuck.external_order_id, error.detail, now=now)
                continue
            except ProviderUnavailable as error:
                # Not with every reading: what fails over this one keeps all else waiting.
                self._keep(stuck.external_order_id, error.detail, now=now)
                raise
            if remote is None:
                StuckOrder.objects.filter(pk=stuck.pk).delete()
            else:
                self.take(remote, as_of=as_of, is_repeated=True)

    def take(self, remote: RemoteOrder, *, as_of: datetime, is_repeated: bool = False) -> None:
        """Take one order over, or keep why it can't be."""
        try:
            if remote.lines is None and not is_repeated:
                remote = self._adapter.fetch_order(remote.order_id) or remote
            if unknown := {line.item for line in remote.lines or ()} - self._meanings.keys():
                self._meanings |= meanings_of(self.store.channel, unknown)
            self._take_over(remote, as_of=as_of)
        except (MisreadError, Invalid, Conflict, NotWholeError, DataError, IntegrityError) as error:
            if isinstance(error, DatabaseError):
                logger.exception("pull.order_unkept", store=str(self.store.pk), order=remote.order_id)
            self._keep(remote.order_id, _words(error, self.spec.label), now=as_of)
        else:
            self.pulled.taken += 1
            self._learn_currency(remote.currency)
            step("sync.order_committed")

    def _take_over(self, remote: RemoteOrder, *, as_of: datetime) -> None:
        for attempt in range(_DEADLOCKS):
            try:
                take_over(
                    self.store, self.spec, remote, as_of=as_of, now=timezone.now(), meanings=self._meanings,
                    is_stuck=remote.order_id in self._stuck,
                )  # fmt: skip
            except OperationalError as error:
                if not isinstance(error.__cause__, _IN_TROUBLE) or attempt == _DEADLOCKS - 1:
                    raise
            else:
                return

    def _learn_currency(self, currency: str) -> None:
        """Keep in which currency a store sells whose channel says so only with an order."""
        if StoreSettings.of(self.store.settings).currency:
            return
        with contextlib.suppress(Invalid, Conflict):
            self.store = stores.update_store(store_id=self.store.pk, changes={"settings": {"currency": currency}})

    def _keep(self, number: str, reason: str, *, now: datetime) -> None:
        """Keep that an order couldn't be taken over, and why."""
        self.pulled.stuck += 1
        number = number.replace("\x00", "")[:_NUMBER_LENGTH]
        self._stuck.add(number)
        with transaction.atomic():
            stuck = StuckOrder.objects.select_for_update().filter(store=self.store, external_order_id=number).first()
            stuck = stuck or StuckOrder(store=self.store, external_order_id=number, since=now)
            stuck.error = reason[:_MESSAGE_LENGTH]
            stuck.retry_at = now + _AGAIN[min(stuck.attempts, len(_AGAIN) - 1)]
            stuck.attempts += 1
            stuck.save()


def _still_open(store: Store) -> list[datetime]:
    """Answer when the oldest order was placed that is here and isn't done: it is followed from whichever day on others
    are brought in."""
    waiting = Order.objects.filter(store=store, status__in=sorted(lifecycle.PROMISED))
    return list(waiting.order_by("ordered_at").values_list("ordered_at", flat=True)[:1])


def _words(error: Exception, label: str) -> str:
    """Answer in words why an order couldn't be taken over."""
    match error:
        case NotWholeError():
            return f"{label} names no lines of it, though goods were sold."
        case Invalid() if error.errors:
            told = [
                f"{pointer.strip('/').replace('/', ' ')}: {' '.join(texts)}" if pointer else " ".join(texts)
                for pointer, texts in list(error.errors.items())[:_ERRORS_SHOWN]
            ]
            return "; ".join(told)
        case ProblemError():
            return error.detail or error.title
        case _:
            return "Our database doesn't take it as it is. Tell us its number."
