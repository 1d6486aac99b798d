"""Brick Owl's API: lots and orders of a store.

https://www.brickowl.com/api_docs, checked on 2026-04-02; channels-brickowl.md, sections 1 to 4, 6 and 7. Its numbers
are texts, its empty maps are lists, and an answer with an `error` is one whatever HTTP's status says.
"""

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

from common.errors import CredentialsRefused, OutcomeUnknown, ProviderRejected
from common.wire.batches import answers_of
from stores.channels import Can, ChannelSpec, CredentialField, Reach
from sync.channels.base import Channel, order_pages, pages_of, register, text_of
from sync.channels.brickowl import lots, orders
from sync.remote import (
    Act,
    Hint,
    Incoming,
    Operation,
    OrderPage,
    Outcome,
    Pushed,
    Refusal,
    RemoteLot,
    RemoteOrder,
    ShopFacts,
    StatusPush,
    Topic,
    Tracking,
    Verdict,
)

_BATCH = 50
# 100 batches a minute, of whatever phase: a hair less, and never two at once.
_BATCHES_PER_SECOND = 98 / 60
_MISSING = re.compile(r"not found|does ?n.t exist|unknown (lot|order)|invalid (lot|order)|no such", re.IGNORECASE)
_NO_KEY = re.compile(r"\bkey\b|permission|access|approv|not allowed", re.IGNORECASE)
_WRONG_KEY = re.compile(r"invalid key|unknown key", re.IGNORECASE)
_ABOUT_COLOR = re.compile(r"(invalid|unknown) colou?r|colou?r.*not (found|known)", re.IGNORECASE)
_ABOUT_PIECES = re.compile(r"quantity|stock|below|negative", re.IGNORECASE)
_LISTED, _LISTED_MORE = 50, (500, 5000)
_ALL_LOTS = {"active_only": "0"}
T = TypeVar("T")
# Some arguments of a request, and what they are for.
Inner = tuple[str, dict[str, str]]


@register
class BrickOwl(Channel):
    """The other large marketplace, with numbers and colors of its own."""

    finds_by_marker = True
    spec = ChannelSpec(
        code="brickowl",
        label="Brick Owl",
        docs="https://www.brickowl.com/api_docs",
        reach=Reach.FULL,
        can=frozenset(Can) - {Can.FETCH_MESSAGES, Can.REGISTER_NOTIFICATIONS},
        url="https://api.brickowl.com/v1",
        credentials=(CredentialField(name="key", label="API key", help="From your account's page at Brick Owl"),),
        steps=(
            "Sign in to Brick Owl with the account that owns the store, and open the API keys on its account page.",
            "Make a key. Allow it orders, inventory and user details; it needs nothing else.",
            "Copy the key into the field below.",
        ),
        steps_url="https://www.brickowl.com/api_docs",
        lot_fields=lots.LOT_FIELDS,
        price_decimals=3,
        batch_create=_BATCH,
        batch_update=_BATCH,
        batch_delete=_BATCH,
        # 600 a minute.
        per_second=9.5,
        burst=5,
        order_url="https://www.brickowl.com/mystore/orders/view/{order_id}",
        cancelled=frozenset({"Cancelled"}),
    )

    def __init__(self, **plain: Any) -> None:
        super().__init__(**plain)
        budget = self._wire.budget
        rate = min(budget.per_second, _BATCHES_PER_SECOND)
        slow = replace(budget, key=f"{budget.key}:batch", per_second=rate, burst=1, ledger=None)
        self._batch_wire = replace(self._wire, budget=slow)

    @staticmethod
    def unwrap(status: int, data: Any) -> tuple[int, Any]:
        """Answer what an answer with an `error` means, whatever HTTP's status says."""
        return enveloped(status, data)

    @staticmethod
    def explain(status: int, data: Any) -> Mapping[str, Any]:
        """Answer what is wrong with the key, or with what was sent."""
        return explained(status, data)

    def test_connection(self) -> ShopFacts:
        """Answer what the account says of its store, and try whether the key may see orders and lots."""
        facts = self._get("test_connection", shop_of, "user/details")
        if facts is None:
            none = (
                "The account of this key has no store at Brick Owl. Open one there, or take the key of another account."
            )
            raise ProviderRejected(none, provider="brickowl", operation="test_connection")
        for scope, path, arguments in (
            ("orders", "order/list", {"list_type": "store", "limit": "1"}),
            ("inventory", "inventory/list", {"lot_id": "0"}),
        ):
            try:
                self._get("test_connection", lambda data: data, path, arguments, may_be_missing=True)
            except ProviderRejected:
                continue
            except CredentialsRefused as error:
                needs = f"The key may not see {scope}. Allow it {scope} on your account's page at Brick Owl."
                raise CredentialsRefused(
                    needs, **{**error.extra, "reason": Refusal.SCOPE.value, "scope": scope}
                ) from error
        return facts

    # --- Lots ---------------------------------------------------------------------------------------------------------
    def fetch_inventory(self) -> Iterator[tuple[RemoteLot, ...]]:
        """Answer all lots, those without pieces too; they come by one call, and are whole before the first is out."""
        yield from pages_of(self._lots("fetch_inventory", _ALL_LOTS))

    def fetch_lot(self, lot_id: str) -> RemoteLot | None:
        """Answer a lot as it is now."""
        found = self._lots("fetch_lot", {**_ALL_LOTS, "lot_id": lot_id})
        return next((lot for lot in found if lot.lot_id == lot_id), None)

    def find_lots(self, markers: Collection[str]) -> Mapping[str, tuple[RemoteLot, ...]]:
        """Answer the lots with those markers, by one call for all."""
        wanted = frozenset(markers)
        only = {"external_id_1": next(iter(wanted))} if len(wanted) == 1 else {}
        found: dict[str, tuple[RemoteLot, ...]] = {}
        for lot in self._lots("find_lots", {**_ALL_LOTS, **only}) if wanted else ():
            if lot.marker in wanted:
                found[lot.marker] = (*found.get(lot.marker, ()), lot)
        return found

    def _lots(self, operation: str, arguments: Mapping[str, str]) -> tuple[RemoteLot, ...]:
        def read(data: Any) -> tuple[RemoteLot, ...]:
            return () if data is None else lots.lots_of(data)

        is_one = "lot_id" in arguments or "external_id_1" in arguments
        return self._get(operation, read, "inventory/list", arguments, may_be_missing=is_one, hook=lots.lot_hook)

    def apply(self, operations: Sequence[Operation]) -> Iterator[Outcome]:
        """Carry operations out, fifty requests at a time; one alone without a batch, whose rate is lower."""
        batch: list[tuple[Operation, list[Inner]]] = []
        for operation in operations:
            if operation.act is Act.CREATE and (reason := lots.unfit(operation)):
                yield Outcome(key=operation.key, verdict=Verdict.REFUSED, reason=reason)
                continue
            inner = lots.inner_requests(operation)
            if not inner:
                yield Outcome(key=operation.key, verdict=Verdict.DONE, lot_id=operation.lot_id)
                continue
            if sum(len(requests) for _operation, requests in batch) + len(inner) > _BATCH:
                yield from self._batch(batch)
                batch = []
            batch.append((operation, inner))
        if batch:
            yield from self._batch(batch)

    @classmethod
    def requests_in(cls, operation: Operation) -> int:
        """Answer how many requests of a batch an operation takes: a new lot may take two."""
        return len(lots.inner_requests(operation)) if operation.act is Act.CREATE and not lots.unfit(operation) else 1

    def _batch(self, batch: list[tuple[Operation, list[Inner]]]) -> Iterator[Outcome]:
        requests = [request for _operation, inner in batch for request in inner]
        try:
            if len(requests) == 1:
                answers = [self._post("apply", *requests[0])]
            else:
                answers = self._understood(
                    "apply", lambda: answers_of(self._batched(requests), len(requests)), is_repeatable=False
                )
        except OutcomeUnknown as error:
            yield from (_unknown(operation, error.detail) for operation, _inner in batch)
            return
        except ProviderRejected as error:
            if len(requests) > 1:
                # What of it was done before it was refused isn't said.
                yield from (_unknown(operation, error.detail) for operation, _inner in batch)
                return
            answers = [{"error": {"status": error.extra.get("said") or error.detail}}]
        left = iter(answers)
        for operation, inner in batch:
            yield outcome_of(operation, inner, [next(left) for _request in inner])

    def _batched(self, requests: list[Inner]) -> Any:
        body = {"requests": [
            {"endpoint": endpoint, "request_method": "POST", "params": [arguments]} for endpoint, arguments in requests
        ]}  # fmt: skip
        form = {"key": self._credentials["key"].strip(), "requests": json.dumps(body, separators=(",", ":"))}
        return self._batch_wire.call("apply", method="POST", path="bulk/batch", form=form).data

    # --- Orders -------------------------------------------------------------------------------------------------------
    def fetch_orders(self, cursor: str, *, since: datetime | None = None) -> Iterator[OrderPage]:
        """Answer the orders that changed, one a page: each costs two calls, which are not to be made twice."""
        changes = orders.Changes(cursor, since)
        arguments = {"list_type": "store", "sort_by": "updated"}
        if changes.is_first and since is not None:
            arguments["order_time"] = str(int(since.timestamp()))
        summaries: list[orders.Summary] = []
        for limit in _LISTED_MORE[-1:] if changes.is_first else (_LISTED, *_LISTED_MORE):
            asked = {**arguments, "limit": str(limit)}
            summaries = self._get("fetch_orders", orders.summaries_of, "order/list", asked)
            if len(summaries) < limit or changes.reaches_back(summaries):
                break
        changed = ((summary.order_id, after) for summary, after in changes.of(summaries))
        yield from order_pages(changed, lambda order_id: self._order("fetch_orders", order_id))

    def fetch_order(self, order_id: str) -> RemoteOrder | None:
        """Answer an order with its lines, by two calls."""
        return self._order("fetch_order", order_id)

    def _order(self, operation: str, order_id: str) -> RemoteOrder | None:
        arguments = {"order_id": order_id}
        row = self._get(operation, _order_row, "order/view", arguments, may_be_missing=True)
        if row is None:
            return None
        items = self._get(operation, lambda data: data, "order/items", arguments)
        return self._understood(operation, lambda: orders.order_of(row, items))

    def push_order_status(self, push: StatusPush) -> Pushed:
        """Set Brick Owl's status. One that is reached already is refused, so that a refusal is looked into."""
        number = orders.word_for(push)
        if isinstance(number, Pushed):
            return number
        arguments = {"order_id": push.order_id, "status_id": str(number)}
        try:
            self._order_call("push_order_status", "order/set_status", arguments)
        except (ProviderRejected, OutcomeUnknown) as error:
            row = self._get("push_order_status", _order_row, "order/view", {"order_id": push.order_id})
            if row is None or not orders.is_reached(push, row):
                raise
            return Pushed.DONE if isinstance(error, OutcomeUnknown) else Pushed.NOT_NEEDED
        return Pushed.DONE

    def push_tracking(self, tracking: Tracking) -> Pushed:
        """Write the number, or the address at which the parcel is followed, into the order."""
        arguments = {"order_id": tracking.order_id, "tracking_id": tracking.url or tracking.number}
        self._order_call("push_tracking", "order/tracking", arguments, is_repeatable=True)
        return Pushed.DONE

    @classmethod
    def parse_notification(cls, incoming: Incoming, *, secret: str, now: datetime) -> tuple[Hint, ...]:
        """Read the order and the store of a request that nobody signs."""
        order_id, store_id = incoming.query.get("order_id", ""), incoming.query.get("store_id", "")
        if not (order_id.isdecimal() and store_id.isdecimal()):
            unknown = "This is no notification of Brick Owl's."
            raise ProviderRejected(unknown, provider="brickowl", operation="parse_notification")
        return (Hint(topic=Topic.ORDER, resource_id=order_id, account=store_id, hint_id=f"{store_id}:{order_id}"),)

    # --- The two ways to ask ------------------------------------------------------------------------------------------
    def _get(
        self,
        operation: str,
        read: Callable[[Any], T],
        path: str,
        arguments: Mapping[str, str] | None = None,
        **more: Any,
    ) -> T:
        params = {"key": self._credentials["key"].strip(), **(arguments or {})}
        return self._ask(operation, read, {"path": path, "params": params, **more})

    def _post(self, operation: str, path: str, arguments: Mapping[str, str], **more: Any) -> Any:
        form = {"key": self._credentials["key"].strip(), **arguments}
        return self._ask(operation, lambda data: data, {"method": "POST", "path": path, "form": form, **more})

    def _order_call(self, operation: str, path: str, arguments: Mapping[str, str], **more: Any) -> None:
        if not _success(self._post(operation, path, arguments, **more)):
            refused = "Brick Owl didn't do it, and doesn't say why."
            raise ProviderRejected(refused, provider="brickowl", operation=operation)


def enveloped(status: int, data: Any) -> tuple[int, Any]:
    """Read an answer: one with an `error` is none, and that something isn't there is 404."""
    said = error_in(data)
    if not said or status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return status, None if said else data
    if status == HTTPStatus.FORBIDDEN or _NO_KEY.search(said):
        return HTTPStatus.FORBIDDEN, None
    if status in (HTTPStatus.OK, HTTPStatus.BAD_REQUEST):
        return (HTTPStatus.NOT_FOUND if _MISSING.search(said) else HTTPStatus.BAD_REQUEST), None
    return status, None


def error_in(data: Any) -> str:
    """Read the text of an error, which is a text or an object with one; empty where there is none."""
    if not isinstance(data, dict) or not data.get("error"):
        return ""
    error = data["error"]
    if isinstance(error, dict):
        return text_of(error.get("status") or error.get("message")) or "error"
    return text_of(error)


def explained(status: int, data: Any) -> Mapping[str, Any]:
    """Answer what an error says besides its status."""
    said = error_in(data)[:200]
    if status == HTTPStatus.FORBIDDEN:
        if not said or _WRONG_KEY.search(said):
            wrong = "Brick Owl doesn't know this key, or it was deleted there. Copy it again, whole."
            return {"reason": Refusal.WRONG_KEY.value, "detail": wrong}
        lacks = f"Brick Owl says of the key: {said}. Allow it orders, inventory and user details there."
        return {"reason": Refusal.SCOPE.value, "detail": lacks}
    if said and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return {"said": said, "detail": f"Brick Owl doesn't take this: {said}"}
    return {}


def shop_of(data: Any) -> ShopFacts | None:
    """Read what an account says of its store, None where it has none."""
    store = data.get("store_details") if data["has_store"] not in (False, "0", 0) else None
    if not store:
        return None
    is_open = store.get("open") not in (False, "0", 0)
    return ShopFacts(
        name=text_of(store.get("name")),
        currency=str(store.get("base_currency") or "").upper(),
        country=_country(store.get("country")),
        account=str(store["store_id"]),
        warnings=() if is_open else ("The store is closed at Brick Owl.",),
    )


def outcome_of(operation: Operation, inner: Sequence[Inner], answers: Sequence[Any]) -> Outcome:
    """Read what became of an operation from the answers to its requests."""
    first, *others = answers
    if not _success(first):
        reason = error_in(first)
        if not reason:
            return _unknown(operation, "Brick Owl neither did it nor refused it, as far as it says.")
        is_missing = bool(_MISSING.search(reason))
        if operation.act is Act.DELETE and is_missing:
            return Outcome(key=operation.key, verdict=Verdict.DONE, lot_id=operation.lot_id)
        # More was to be taken than is there: somebody bought, or changed it there.
        takes_pieces = inner[0][1].get("relative_quantity", "").startswith("-")
        is_short = takes_pieces and bool(_ABOUT_PIECES.search(reason))
        is_stale = is_short or (is_missing and operation.act is Act.UPDATE)
        verdict = Verdict.STALE if is_stale else Verdict.REFUSED
        return Outcome(key=operation.key, verdict=verdict, lot_id=operation.lot_id, reason=_in_words(reason))
    lot_id = str(first.get("lot_id") or operation.lot_id)
    if others and not _success(others[0]):
        unset = tuple(lots.FIELD_OF_ARGUMENT[name] for name in inner[1][1] if name in lots.FIELD_OF_ARGUMENT)
        reason = error_in(others[0]) or "Brick Owl took the lot, and not all of its fields."
        return Outcome(key=operation.key, verdict=Verdict.DONE, lot_id=lot_id, reason=reason, unset=unset)
    return Outcome(key=operation.key, verdict=Verdict.DONE, lot_id=lot_id)


def _in_words(reason: str) -> str:
    """Answer a refusal with what it means, where that is known."""
    if _ABOUT_COLOR.search(reason):
        return f"Brick Owl doesn’t know this item in this color. Look at the lot’s color. (It says: {reason})"
    return reason


def _success(data: Any) -> bool:
    return isinstance(data, dict) and "error" not in data and str(data.get("status")).lower() == "success"


def _unknown(operation: Operation, reason: str) -> Outcome:
    return Outcome(key=operation.key, verdict=Verdict.UNKNOWN, lot_id=operation.lot_id, reason=reason)


def _order_row(data: Any) -> dict[str, Any] | None:
    if data is not None and not isinstance(data, dict):
        raise ValueError("no order")
    return data or None


def _country(value: Any) -> str:
    code = text_of(value).upper()
    return "GB" if code == "UK" else code
