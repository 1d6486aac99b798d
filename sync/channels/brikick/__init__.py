"""Brikick's store API: lots and orders of a store on the house's own marketplace.

channels-brikick.md, sections 1 to 5, checked on 2026-04-02. Every change has an idempotency key, so that one whose
answer was lost is asked again, and done once.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

from common.errors import CredentialsRefused, OutcomeUnknown, ProviderRejected, ProviderUnavailable
from stores.channels import Can, ChannelSpec, CredentialField, Reach
from sync.channels.base import MISREAD, Channel, as_cursor, marks_in, register, text_of
from sync.channels.brikick import lots, orders
from sync.channels.brikick.answers import error_of, explained, outcome_of
from sync.remote import (
    Hint,
    Incoming,
    Operation,
    OrderPage,
    Outcome,
    Pushed,
    Refusal,
    Registration,
    RemoteLot,
    RemoteOrder,
    ShopFacts,
    StatusPush,
    Topic,
    Tracking,
    Verdict,
)

T = TypeVar("T")

_BATCH = 500
_LOTS_A_PAGE, _ORDERS_A_PAGE = "2000", "100"
_NEEDS = ("lots:read", "lots:write", "orders:read", "orders:write")
_REACHES_BACK = timedelta(minutes=10)
# A signed notification is no older, and no newer.
_WINDOW_S = 300
# Without the changes of lots: our own come back as such, and so does what each order takes.
_EVENTS = ("order.created", "order.updated", "order.cancelled", "lot.deleted", "store.access_changed")
_TOPICS = {"order": Topic.ORDER, "lot": Topic.LOT, "store": Topic.STORE}


@register
class Brikick(Channel):
    """A marketplace with BrickLink's numbers."""

    finds_by_marker = True
    spec = ChannelSpec(
        code="brikick",
        label="Brikick",
        docs="https://api.brikick.com/api/v1/docs",
        reach=Reach.FULL,
        can=frozenset(Can) - {Can.FETCH_MESSAGES},
        url="https://api.brikick.com/api/v1/store",
        credentials=(CredentialField(name="api_key", label="API key", help="Begins with brk_"),),
        steps=(
            "Sign in to Brikick, and ask for access to the store API in your store's settings.",
            "Once it is approved, make a key there with the permissions to read and write lots and orders.",
            "Copy the key into the field below.",
        ),
        lot_fields=lots.LOT_FIELDS,
        batch_create=_BATCH,
        batch_update=_BATCH,
        batch_delete=_BATCH,
        per_day=10_000,
        per_second=0.98,
        burst=1,
        order_url="https://www.brikick.com/store/orders/{order_id}",
        cancelled=frozenset({"CANCELLED"}),
    )

    @staticmethod
    def headers(credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Answer the key's header."""
        return {"X-Api-Key": credentials["api_key"].strip()}

    @staticmethod
    def unwrap(status: int, data: Any) -> tuple[int, Any]:
        """Answer an equal request under way as one to be asked again."""
        is_running = status == HTTPStatus.CONFLICT and error_of(data).get("code") == "idempotency_in_progress"
        return (HTTPStatus.SERVICE_UNAVAILABLE, None) if is_running else (status, data)

    @staticmethod
    def explain(status: int, data: Any) -> Mapping[str, Any]:
        """Answer what is wrong with the key, or with what was sent."""
        return explained(status, data)

    def test_connection(self) -> ShopFacts:
        """Answer what Brikick says of the store; a key without a permission that is needed is refused."""
        row = self._ask("test_connection", _object, {"path": "me"})
        lacks = self._understood("test_connection", lambda: [scope for scope in _NEEDS if scope not in row["scopes"]])
        if lacks:
            needs = f"The key lacks {', '.join(lacks)}. Make one with these permissions in your store's settings there."
            raise CredentialsRefused(
                needs,
                provider="brikick",
                operation="test_connection",
                reason=Refusal.SCOPE.value,
                scope=" ".join(lacks),
            )
        return self._understood("test_connection", lambda: shop_of(row))

    # --- Lots ---------------------------------------------------------------------------------------------------------
    def fetch_inventory(self) -> Iterator[tuple[RemoteLot, ...]]:
        """Answer all lots, two thousand at a time."""
        yield from self._pages("fetch_inventory", lots.lot_or_none, "lots", {"limit": _LOTS_A_PAGE})

    def fetch_lot(self, lot_id: str) -> RemoteLot | None:
        """Answer a lot as it is now."""
        request = {"path": f"lots/{_safe(lot_id)}", "may_be_missing": True}
        return self._ask("fetch_lot", lambda data: lots.lot_or_none(data) if data else None, request)

    def find_lots(self, markers: Collection[str]) -> Mapping[str, tuple[RemoteLot, ...]]:
        """Answer the lots with those markers; more than one are looked for among all."""
        wanted = frozenset(markers)
        only = {"external_id": next(iter(wanted))} if len(wanted) == 1 else {}
        found: dict[str, tuple[RemoteLot, ...]] = {}
        pages = self._pages("find_lots", lots.lot_or_none, "lots", {"limit": _LOTS_A_PAGE, **only}) if wanted else ()
        for lot in (lot for page in pages for lot in page):
            if lot.marker in wanted:
                found[lot.marker] = (*found.get(lot.marker, ()), lot)
        return found

    def apply(self, operations: Sequence[Operation]) -> Iterator[Outcome]:
        """Carry operations out, five hundred at a time."""
        ready: list[tuple[Operation, dict[str, Any]]] = []
        for operation in operations:
            body = lots.operation_body(operation)
            if body is None:
                yield Outcome(key=operation.key, verdict=Verdict.DONE, lot_id=operation.lot_id)
            else:
                ready.append((operation, body))
        for start in range(0, len(ready), _BATCH):
            yield from self._batch(ready[start : start + _BATCH])

    def _batch(self, batch: list[tuple[Operation, dict[str, Any]]], *, is_rest: bool = False) -> Iterator[Outcome]:
        body = {"operations": [each for _operation, each in batch]}
        key = key_of(body, *(operation.key for operation, _body in batch))
        request = {
            "method": "POST", "path": "lots/batch", "json": body, "headers": {"Idempotency-Key": key},
            "is_repeatable": True,
        }  # fmt: skip
        try:
            results = self._ask("apply", lambda data: {int(row["index"]): row for row in data["results"]}, request)
        except (ProviderUnavailable, OutcomeUnknown) as error:
            # One of the attempts may have reached it.
            yield from (
                Outcome(key=each.key, verdict=Verdict.UNKNOWN, lot_id=each.lot_id, reason=error.detail)
                for each, _body in batch
            )
            raise
        except ProviderRejected as error:
            yield from (
                Outcome(key=each.key, verdict=Verdict.REFUSED, lot_id=each.lot_id, reason=error.detail)
                for each, _body in batch
            )
            return
        lacking = []
        for index, (operation, _body) in enumerate(batch):
            row = results.get(index) or {}
            outcome = outcome_of(operation, row)
            if error_of(row).get("code") == "insufficient_quantity" and not is_rest:
                lacking.append((operation, outcome))
            else:
                yield outcome
        for operation, outcome in lacking:
            yield from self._all_but_carts(operation, outcome)

    def _all_but_carts(self, operation: Operation, refused: Outcome) -> Iterator[Outcome]:
        """Take away what lies in no cart, where it is for carts that a lot has fewer pieces than are to go."""
        lot, before, after = self.fetch_lot(operation.lot_id), operation.before, operation.after
        kept = lot.in_carts - after.qty if lot and after else 0
        if lot is None or before is None or after is None or kept <= 0 or lot.state.qty != before.qty:
            yield refused
            return
        reason = f"{kept:,} of its pieces lie in carts at Brikick. They go once they are ordered or put back there."
        rest = replace(operation, after=after._replace(qty=lot.in_carts), version=lot.version)
        body = lots.operation_body(rest)
        if body is None:
            yield replace(refused, verdict=Verdict.REFUSED, reason=reason)
            return
        for outcome in self._batch([(rest, body)], is_rest=True):
            is_done = outcome.verdict is Verdict.DONE
            yield replace(outcome, kept=kept, reason=reason) if is_done else outcome

    # --- Orders -------------------------------------------------------------------------------------------------------
    def fetch_orders(self, cursor: str, *, since: datetime | None = None) -> Iterator[OrderPage]:
        """Answer the orders that changed at the cursor's moment or later, without those that were seen already.

        The cursor reaches back a little: what was changed before it may show later, and a list may lack a row. Pages
        come by id: it moves with the last of them, and no further than the first page reached, since what changes
        while the others are read may have been passed already.
        """
        marks = marks_in(cursor)
        until = str(marks.get("until") or "")
        seen: dict[str, Any] = dict(marks.get("seen") or {})
        begin = orders.before(until, _REACHES_BACK) or (orders.moment(since) if since else "")
        params = {"limit": _ORDERS_A_PAGE, **({"updated_since": begin} if begin else {})}
        found: dict[str, orders.Dated] = {}
        for page in self._pages("fetch_orders", orders.dated_order_of, "orders", params):
            if not found:
                until = max(until, *(each.moment for each in page))
            found |= {each.order_id: each for each in page}
            fresh = [each for each in page if seen.get(each.order_id) != each.version]
            wanted = [each.order for each in fresh if each.order is not None]
            yield OrderPage(
                tuple(each for each in wanted if since is None or each.ordered_at >= since),
                cursor,
                misread=tuple(each.order_id for each in fresh if each.order is None),
            )
        if found:
            begin = orders.before(until, _REACHES_BACK)
            versions = {each.order_id: each.version for each in found.values() if each.moment >= begin}
            after = as_cursor({"until": until, "seen": versions})
            if after != cursor:
                yield OrderPage((), after)

    def fetch_order(self, order_id: str) -> RemoteOrder | None:
        """Answer an order with its lines."""
        request = {"path": f"orders/{_safe(order_id)}", "may_be_missing": True}
        return self._ask("fetch_order", lambda data: orders.order_of(data) if data else None, request)

    def push_order_status(self, push: StatusPush) -> Pushed:
        """Set Brikick's status; a refusal is looked into before it is believed."""
        words = orders.words_for(push)
        if isinstance(words, Pushed):
            return words
        path = f"orders/{_safe(push.order_id)}"
        try:
            for word in words:
                self._change("push_order_status", f"{path}/status", {"status": word, "reason": None})
        except ProviderRejected:
            there = self._ask("push_order_status", lambda data: str(data["status"]), {"path": path})
            if not orders.is_reached(push, there):
                raise
            return Pushed.NOT_NEEDED
        return Pushed.DONE

    def push_tracking(self, tracking: Tracking) -> Pushed:
        """Write how the parcel is followed into the order."""
        self._change("push_tracking", f"orders/{_safe(tracking.order_id)}/tracking", {
            "carrier": tracking.carrier or None,
            "tracking_number": tracking.number,
            "tracking_url": tracking.url or None,
            "shipped_at": orders.moment(tracking.shipped_at) if tracking.shipped_at else None,
        })  # fmt: skip
        return Pushed.DONE

    @classmethod
    def parse_notification(cls, incoming: Incoming, *, secret: str, now: datetime) -> tuple[Hint, ...]:
        """Read a notification whose signature fits the secret, and whose time is now."""
        try:
            return (hint_of(incoming, secret=secret, now=now),)
        except MISREAD as error:
            unknown = "This is no notification of Brikick's."
            raise ProviderRejected(unknown, provider="brikick", operation="parse_notification") from error

    def register_notifications(self, url: str) -> Registration:
        """Make a webhook for the address; those that an earlier try left there are taken away, with their secrets."""
        old = self._ask("register_notifications", lambda data: hooks_of(data, url), {"path": "webhooks"})
        for number in old:
            self._change("register_notifications", f"webhooks/{_safe(number)}", None, method="DELETE")
        body = {"url": url, "events": list(_EVENTS)}
        request = {"method": "POST", "path": "webhooks", "json": body}
        return self._ask("register_notifications", registration_of, request)

    # --- The ways to ask ----------------------------------------------------------------------------------------------
    def _change(self, operation: str, path: str, body: Mapping[str, Any] | None, *, method: str = "POST") -> None:
        request = {
            "method": method, "path": path, "headers": {"Idempotency-Key": key_of(body or {}, path)},
            "is_repeatable": True, **({"json": body} if body is not None else {"may_be_missing": True}),
        }  # fmt: skip
        self._ask(operation, lambda data: data, request)

    def _pages(
        self, operation: str, read: Callable[[Any], T | None], path: str, params: Mapping[str, str]
    ) -> Iterator[tuple[T, ...]]:
        """Answer the rows of a list, page by page."""
        cursor: str | None = None
        while True:
            asked = {"path": path, "params": {**params, **({"cursor": cursor} if cursor else {})}}
            rows, following = self._ask(operation, lambda data: page_of(data, read), asked)
            if rows:
                yield rows
            if following is None:
                return
            cursor = following


def hooks_of(data: Any, url: str) -> list[str]:
    """Read the numbers of the webhooks that lead to an address."""
    return [str(int(row["id"])) for row in data["items"] if row["url"] == url]


def registration_of(data: Any) -> Registration:
    """Read a webhook that was made."""
    return Registration(str(int(data["id"])), str(data["secret"]))


def page_of(data: Any, read: Callable[[Any], T | None]) -> tuple[tuple[T, ...], str | None]:
    """Read a page of a list, and where it goes on."""
    rows = data["items"]
    if not isinstance(rows, list):
        raise ValueError("no page of a list")
    following = data["next_cursor"]
    if following is not None and not (isinstance(following, str) and following):
        raise ValueError("no cursor")
    return tuple(made for row in rows if (made := read(row)) is not None), following


def shop_of(row: Mapping[str, Any]) -> ShopFacts:
    """Read what Brikick says of the store."""
    warnings = []
    if row["access"] != "APPROVED":
        warnings.append("Brikick hasn't approved the store's access to its API.")
    if row["status"] != "ACTIVE":
        closed = {"VACATION": "The store is on vacation at Brikick.", "SUSPENDED": "Brikick has suspended the store."}
        warnings.append(closed.get(str(row["status"]), f"The store is {row['status']} at Brikick."))
    return ShopFacts(
        name=text_of(row["name"]),
        currency=str(row["currency"]).upper(),
        country=str(row.get("country") or "").upper(),
        account=str(int(row["store_id"])),
        lots_count=int(row["lots_count"]),
        calls_left=int(row["limits"]["day_remaining"]),
        warnings=tuple(warnings),
    )


def hint_of(incoming: Incoming, *, secret: str, now: datetime) -> Hint:
    """Read a signed notification; raises ValueError for one that isn't signed with the secret, or not of now."""
    sent = incoming.headers["x-brikick-timestamp"]
    signed = hmac.new(secret.encode(), sent.encode() + b"." + incoming.body, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(f"v1={signed}", incoming.headers["x-brikick-signature"]):
        raise ValueError("the signature doesn't fit")
    if abs(now.timestamp() - int(sent)) > _WINDOW_S:
        raise ValueError("too old, or of a time to come")
    event = json.loads(incoming.body)
    topic = _TOPICS[str(event["type"]).partition(".")[0]]
    resource = event["data"].get("id")
    return Hint(
        topic=topic,
        resource_id="" if resource is None else str(int(resource)),
        account=str(int(event["store_id"])),
        hint_id=str(event["id"]),
    )


def key_of(body: Mapping[str, Any], *names: str) -> str:
    """Answer an idempotency key: the same for the same deed, and for no other."""
    text = json.dumps([body, *names], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _object(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ValueError("no object")
    return data


def _safe(number: str) -> str:
    return quote(number, safe="")
