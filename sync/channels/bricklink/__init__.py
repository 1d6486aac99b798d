"""BrickLink's store API: lots, orders, messages.

https://www.bricklink.com/v3/api.page, checked on 2026-04-02; channels-bricklink.md. What it knows of the catalog is
asked by `catalog.sources`, with an account of the installation's own; here it is the seller's.
"""

import json
import re
from collections import deque
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from itertools import groupby
from typing import Any
from urllib.parse import quote

from common.errors import OutcomeUnknown, ProblemError, ProviderRejected
from common.wire.oauth import Sign, signer
from stores.channels import Can, ChannelSpec, CredentialField, Reach
from sync.channels.base import MISREAD, Channel, order_pages, pages_of, register, text_of
from sync.channels.bricklink import lots, orders
from sync.remote import (
    Act,
    Hint,
    Incoming,
    Message,
    Operation,
    OrderPage,
    Outcome,
    Pushed,
    Refusal,
    RemoteLot,
    RemoteOrder,
    ShopFacts,
    StatusPush,
    Tracking,
    Verdict,
)

Batch = list[tuple[Operation, dict[str, Any]]]

# How a refusal names what it is about (section 4).
_NAMED = re.compile(r"item\.no: *(\S+)")
# How it says that the day's calls are used up isn't documented.
_QUOTA = re.compile(r"limit|quota|blocked consumer_key", re.IGNORECASE)
_QUOTA_CODES = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})
_QUOTA_PAUSE_S = 3600.0
_ADDRESS = re.compile(r"IP: *([0-9a-fA-F.:]+)")
_LAST_STATUS = 599
# By what the description of a 401 begins with (section 3).
_REFUSALS: Mapping[str, tuple[Refusal, str]] = {
    "SIGNATURE_INVALID": (
        Refusal.WRONG_SECRET,
        "BrickLink can't verify the signature: one of the two secrets is wrong. Copy both again, whole.",
    ),
    "CONSUMER_KEY_UNKNOWN": (Refusal.WRONG_KEY, "BrickLink doesn't know this consumer key. Copy it again, whole."),
    "TOKEN_REJECTED": (
        Refusal.REVOKED,
        "BrickLink doesn't know this token, or it was deleted there. Make a new one, and copy both of its parts.",
    ),
    "TIMESTAMP_REFUSED": (
        Refusal.CLOCK,
        "BrickLink refuses the time of the request: the clock of this server is off. Tell whoever runs it.",
    ),
    "PARAMETER_ABSENT": (Refusal.WRONG_KEY, "BrickLink misses one of the four values. Copy all of them again."),
}


@register
class BrickLink(Channel):
    """The largest marketplace; everybody's numbers are its own."""

    spec = ChannelSpec(
        code="bricklink",
        label="BrickLink",
        docs="https://www.bricklink.com/v3/api.page",
        reach=Reach.FULL,
        can=frozenset(Can) - {Can.REGISTER_NOTIFICATIONS},
        url="https://api.bricklink.com/api/store/v1",
        credentials=(
            CredentialField(name="consumer_key", label="Consumer key", help="32 characters", is_secret=False),
            CredentialField(name="consumer_secret", label="Consumer secret", help="32 characters"),
            CredentialField(name="token", label="Token value", help="32 characters", is_secret=False),
            CredentialField(name="token_secret", label="Token secret", help="32 characters"),
        ),
        steps=(
            "Sign in to BrickLink as the seller, and open its page for registering an API consumer.",
            "If BrickLink asks, accept its terms. It then shows a consumer key and a consumer secret.",
            "Under “Register” on the same page, add an access token: enter 0.0.0.0 as the address and as the mask, so "
            "that every address of ours is let in.",
            "Copy the four values from there into the fields below.",
        ),
        steps_url="https://www.bricklink.com/v2/api/register_consumer.page",
        lot_fields=lots.LOT_FIELDS,
        batch_create=lots.MOST_CREATED,
        per_day=5_000,
        per_second=4.0,
        burst=8,
        order_url="https://www.bricklink.com/orderDetail.asp?ID={order_id}",
        cancelled=orders.CANCELLED,
        notify_steps=(
            "Open BrickLink's page for API consumers, where your token is.",
            "Paste this address as the callback URL, and save.",
        ),
    )

    @staticmethod
    def signer(credentials: Mapping[str, str]) -> Sign:
        """Answer what signs each attempt anew: a nonce that was seen is refused."""
        return signer(**credentials)

    @staticmethod
    def unwrap(status: int, data: Any) -> tuple[int, Any]:
        """Answer `meta.code` and `data`: HTTP's status is 200 whatever happened."""
        return envelope(status, data)

    @staticmethod
    def explain(status: int, data: Any) -> Mapping[str, Any]:
        """Answer what is wrong with the credentials, or with what was sent."""
        return explained(status, data)

    @staticmethod
    def retry_after(status: int, headers: Mapping[str, str], body: bytes) -> float | None:
        """Answer an hour where BrickLink itself says that the day's calls are used up; a gateway may be just busy."""
        said = Channel.retry_after(status, headers, body)
        is_quota = said is None and status == HTTPStatus.TOO_MANY_REQUESTS and b'"meta"' in body
        return _QUOTA_PAUSE_S if is_quota else said

    def test_connection(self) -> ShopFacts:
        """Answer what the newest order says of the store; BrickLink has no call for the store itself."""
        return self._ask("test_connection", shop_of, orders_request())

    # --- Lots ---------------------------------------------------------------------------------------------------------
    def fetch_inventory(self) -> Iterator[tuple[RemoteLot, ...]]:
        """Answer all lots, which come by one call and are whole before the first is answered."""
        yield from pages_of(self._inventory("fetch_inventory"))

    def fetch_lot(self, lot_id: str) -> RemoteLot | None:
        """Answer a lot as it is now; one that is another seller's is none."""
        return self._ask("fetch_lot", _lot_or_none, {"path": f"inventories/{_safe(lot_id)}", "may_be_missing": True})

    def find_lots(self, markers: Collection[str]) -> Mapping[str, tuple[RemoteLot, ...]]:
        """Answer the lots with those markers, by one call for all."""
        found: dict[str, tuple[RemoteLot, ...]] = {}
        wanted = frozenset(markers)
        for lot in self._inventory("find_lots"):
            if lot.marker in wanted:
                found[lot.marker] = (*found.get(lot.marker, ()), lot)
        return found

    def _inventory(self, operation: str) -> tuple[RemoteLot, ...]:
        return self._ask(operation, lots.lots_of, {"path": "inventories", "hook": lots.lot_hook})

    def apply(self, operations: Sequence[Operation]) -> Iterator[Outcome]:
        """Create in lists; change and delete one by one."""
        for act, group in groupby(operations, key=lambda operation: operation.act):
            match act:
                case Act.CREATE:
                    yield from self._create(list(group))
                case Act.UPDATE:
                    yield from map(self._update, group)
                case Act.DELETE:
                    yield from map(self._delete, group)

    @classmethod
    def may_have_done(cls, operation: Operation) -> bool:
        """Tell whether its request is repeated by itself: what takes or brings no pieces."""
        before, after = operation.before, operation.after
        if operation.act is Act.UPDATE and before is not None and after is not None:
            return before.qty == after.qty
        return operation.act is Act.DELETE

    def _create(self, operations: list[Operation]) -> Iterator[Outcome]:
        fit = []
        for operation in operations:
            if reason := lots.unfit(operation):
                yield Outcome(key=operation.key, verdict=Verdict.REFUSED, reason=reason)
            else:
                fit.append(operation)
        waiting = deque(lots.batches(fit))
        while waiting:
            again = yield from self._created(waiting.popleft())
            waiting.extendleft(reversed(again))

    def _created(self, batch: Batch) -> Generator[Outcome, None, list[Batch]]:
        """Create some lots, and answer what is to be tried again. A list is answered without ids."""
        bodies = [body for _operation, body in batch]
        only = len(batch) == 1
        request = {"method": "POST", "path": "inventories", "json": bodies[0] if only else bodies}
        lot, verdict, reason = None, Verdict.DONE, ""
        try:
            lot = self._ask(
                "apply", lambda data: lots.lot_of(data) if only and isinstance(data, dict) else None, request
            )
        except OutcomeUnknown as error:
            verdict, reason = Verdict.UNKNOWN, error.detail
        except ProviderRejected as error:
            if not only:
                return (yield from self._told_apart(batch, error.detail))
            verdict, reason = Verdict.REFUSED, error.detail
        for operation, _body in batch:
            yield Outcome(key=operation.key, verdict=verdict, lot_id=lot.lot_id if lot else "", lot=lot, reason=reason)
        return []

    def _told_apart(self, batch: Batch, reason: str) -> Generator[Outcome, None, list[Batch]]:
        """Tell the lots of a refused list apart, and answer those that are to be tried again.

        What of the list was kept isn't known (section 4), so it is looked at first. An item that the refusal names is
        refused; where it names none, the list is tried by halves.
        """
        try:
            found = self.find_lots([operation.marker for operation, _body in batch])
        except ProblemError:
            for operation, _body in batch:
                yield Outcome(key=operation.key, verdict=Verdict.UNKNOWN, reason=reason)
            raise
        named = _NAMED.search(reason)
        rest: Batch = []
        is_told = False
        for operation, body in batch:
            if there := found.get(operation.marker):
                yield Outcome(key=operation.key, verdict=Verdict.DONE, lot_id=there[0].lot_id, lot=there[0])
            elif named and body["item"]["no"] == named[1]:
                is_told = True
                yield Outcome(key=operation.key, verdict=Verdict.REFUSED, reason=reason)
            else:
                rest.append((operation, body))
        half = len(rest) if is_told else (len(rest) + 1) // 2
        return [part for part in (rest[:half], rest[half:]) if part]

    def _update(self, operation: Operation) -> Outcome:
        body = lots.update_body(operation)
        if not body:
            return Outcome(key=operation.key, verdict=Verdict.DONE, lot_id=operation.lot_id)
        request = {
            "method": "PUT", "path": f"inventories/{_safe(operation.lot_id)}", "json": body,
            "is_repeatable": "quantity" not in body,
        }  # fmt: skip
        return self._one(operation, request, takes_pieces=str(body.get("quantity", "")).startswith("-"))

    def _delete(self, operation: Operation) -> Outcome:
        request = {
            "method": "DELETE", "path": f"inventories/{_safe(operation.lot_id)}", "is_repeatable": True,
            "may_be_missing": True,
        }  # fmt: skip
        return self._one(operation, request)

    def _one(self, operation: Operation, request: Mapping[str, Any], *, takes_pieces: bool = False) -> Outcome:
        lot, verdict, reason = None, Verdict.DONE, ""
        try:
            lot = self._ask("apply", _lot_or_none, request)
        except OutcomeUnknown as error:
            verdict, reason = Verdict.UNKNOWN, error.detail
        except ProviderRejected as error:
            status, reason = error.extra["answer_status_meant"], error.detail
            # More was to be taken than is there: somebody bought meanwhile.
            is_short = takes_pieces and status == HTTPStatus.UNPROCESSABLE_ENTITY
            verdict = Verdict.STALE if is_short or status == HTTPStatus.NOT_FOUND else Verdict.REFUSED
        return Outcome(key=operation.key, verdict=verdict, lot_id=operation.lot_id, lot=lot, reason=reason)

    # --- Orders -------------------------------------------------------------------------------------------------------
    def fetch_orders(self, cursor: str, *, since: datetime | None = None) -> Iterator[OrderPage]:
        """Answer the orders that changed, one a page: each costs two calls, which are not to be made twice."""
        summaries = self._ask("fetch_orders", orders.summaries_of, orders_request())
        changed = ((summary.order_id, after) for summary, after in orders.Changes(cursor, since).of(summaries))
        yield from order_pages(changed, lambda order_id: self._order("fetch_orders", order_id))

    def fetch_order(self, order_id: str) -> RemoteOrder | None:
        """Answer an order with its lines, by two calls; the lines of a purged one are gone."""
        return self._order("fetch_order", order_id)

    def _order(self, operation: str, order_id: str) -> RemoteOrder | None:
        path = f"orders/{_safe(order_id)}"
        row = self._ask(operation, _order_row, {"path": path, "may_be_missing": True})
        if row is None:
            return None
        batches = None
        if orders.word_of(row) != orders.PURGED:
            batches = self._ask(operation, lambda data: data, {"path": f"{path}/items", "may_be_missing": True})
        return self._understood(operation, lambda: orders.order_of(row, batches))

    def push_order_status(self, push: StatusPush) -> Pushed:
        """Set BrickLink's status; a refusal is looked into before it is believed."""
        word = orders.word_for(push)
        if isinstance(word, Pushed):
            return word
        path = f"orders/{_safe(push.order_id)}"
        body = {"field": "status", "value": word}
        request = {"method": "PUT", "path": f"{path}/status", "json": body, "is_repeatable": True}
        try:
            self._ask("push_order_status", lambda data: data, request)
        except ProviderRejected:
            there = self._ask("push_order_status", orders.word_of, {"path": path})
            if not orders.is_reached(push, there):
                raise
            return Pushed.NOT_NEEDED
        return Pushed.DONE

    def push_tracking(self, tracking: Tracking) -> Pushed:
        """Write number, link and day of shipping into the order."""
        self._ask("push_tracking", lambda data: data, tracking_request(tracking))
        return Pushed.DONE

    @classmethod
    def parse_notification(cls, incoming: Incoming, *, secret: str, now: datetime) -> tuple[Hint, ...]:
        """Read the list that BrickLink posts; nobody signs it, so that it is no more than a hint."""
        try:
            return orders.hints_of(json.loads(incoming.body))
        except MISREAD as error:
            unknown = "This is no notification of BrickLink's."
            raise ProviderRejected(unknown, provider="bricklink", operation="parse_notification") from error

    def fetch_messages(self, order_id: str) -> tuple[Message, ...]:
        """Answer what was written about an order."""
        request = {"path": f"orders/{_safe(order_id)}/messages", "may_be_missing": True}
        return self._ask("fetch_messages", orders.messages_of, request)


def envelope(status: int, data: Any) -> tuple[int, Any]:
    """Read the envelope of an answer: the status that is meant, and the data, None where there is none."""
    if data is None and status == HTTPStatus.NO_CONTENT:
        return status, None
    meta = data.get("meta") if isinstance(data, dict) else None
    if not isinstance(meta, dict):
        raise ValueError("an answer without meta")
    code, description = int(str(meta.get("code"))), str(meta.get("description"))
    if not HTTPStatus.OK <= code <= _LAST_STATUS:
        raise ValueError(f"{code} is no status")
    if code in _QUOTA_CODES and _QUOTA.search(description):
        return HTTPStatus.TOO_MANY_REQUESTS, None
    if code == HTTPStatus.FORBIDDEN and meta.get("message") == "PERMISSION_DENIED":
        # Somebody else's lot or order: there is none of that number here.
        return HTTPStatus.NOT_FOUND, None
    if code == HTTPStatus.UNAUTHORIZED and description.startswith("NONCE_USED"):
        # Each attempt has a nonce of its own; the next will do.
        return HTTPStatus.SERVICE_UNAVAILABLE, None
    return code, data.get("data")


def explained(status: int, data: Any) -> Mapping[str, Any]:
    """Answer what an error says besides its status."""
    meta = data.get("meta") if isinstance(data, dict) else None
    said = text_of(meta.get("description")) if isinstance(meta, dict) else ""
    members: dict[str, Any] = {"answer_status_meant": int(status)}
    if "blocked consumer_key" in said.lower():
        blocked = "BrickLink has blocked this consumer key for too many calls. Ask BrickLink's help desk to unblock it."
        return members | {"reason": Refusal.BLOCKED.value, "detail": blocked}
    if status == HTTPStatus.UNAUTHORIZED:
        if said.startswith("TOKEN_IP_MISMATCHED"):
            found = _ADDRESS.search(said)
            address = found[1] if found else ""
            detail = (
                f"BrickLink refuses this server's address. Add {address or 'it'} under “Register” on BrickLink's API "
                "page, and copy the token that it then shows."
            )
            return members | {"reason": Refusal.ADDRESS.value, "address": address, "detail": detail}
        for prefix, (reason, detail) in _REFUSALS.items():
            if said.startswith(prefix):
                return members | {"reason": reason.value, "detail": detail}
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY) and said:
        return members | {"detail": f"BrickLink doesn't take this: {said[:200]}"}
    return members


def orders_request() -> dict[str, Any]:
    """Ask for the summaries of all orders that still have details."""
    return {"path": "orders", "params": {"direction": "in", "status": "-purged"}}


def shop_of(data: Any) -> ShopFacts:
    """Read from the newest order whose the store is, what it is called, and in which currency it sells."""
    if not isinstance(data, list):
        raise ValueError("no list of orders")
    if not data:
        return ShopFacts()
    newest = max(data, key=lambda row: int(row["order_id"]))
    cost = newest.get("cost") or {}
    return ShopFacts(
        name=text_of(newest.get("store_name")), currency=str(cost.get("currency_code") or "").upper(),
        account=text_of(newest.get("seller_name")),
    )  # fmt: skip


def tracking_request(tracking: Tracking) -> dict[str, Any]:
    """Tell how a parcel can be followed."""
    shipping: dict[str, Any] = {"tracking_no": tracking.number}
    if tracking.url:
        shipping["tracking_link"] = tracking.url
    if tracking.shipped_at is not None:
        shipping["date_shipped"] = tracking.shipped_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    path = f"orders/{_safe(tracking.order_id)}"
    return {"method": "PUT", "path": path, "json": {"shipping": shipping}, "is_repeatable": True}


def _lot_or_none(data: Any) -> RemoteLot | None:
    return lots.lot_of(data) if data else None


def _order_row(data: Any) -> dict[str, Any] | None:
    if data is not None and not isinstance(data, dict):
        raise ValueError("no order")
    return data or None


def _safe(number: str) -> str:
    return quote(number, safe="")
