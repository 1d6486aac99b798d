"""Lets a request in by its key, counts it, does a repeated one once, and gives it to who answers it."""

import gzip
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256

from sandbox.brikick import lots, orders, store
from sandbox.brikick.call import Answer, BrikickError, Call, Route
from sandbox.clock import DAY_MS
from sandbox.http import Request, Response, dumped
from sandbox.sellers import Seller, World, afflict, credential, find

SERVICE = "brikick"
_API = "/api/v1/store"
_EXPORT = re.compile(r"/exports/(\d{1,15})-([0-9a-f]{16})\.jsonl\.gz")
_MINUTE_MS = 60_000
_KEPT_MS = 48 * 3_600_000
_LONGEST_KEY = 64
_LEAST_TO_PACK = 500
_TOO_MANY, _SERVER_ERROR, _NO_CONTENT = 429, 500, 204


class Brikick:
    """Any number of stores, each with a key."""

    name = SERVICE
    prefix = "/brikick"
    hosts: Sequence[str] = ("api.brikick.com",)

    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers = itertools.count(1)
        self._routes = [
            (route, re.compile(route.pattern)) for route in (*lots.ROUTES, *store.ROUTES, *orders.ROUTES)
        ]  # fmt: skip

    def handle(self, request: Request) -> Response:
        """Answer as the API does: key, access, limits, scope, repetition, then the resource."""
        if found := _EXPORT.fullmatch(request.path):
            pieces = store.exported(self._world, int(found[1]), found[2])
            if pieces is not None:
                return Response(200, content_type="application/gzip", chunks=pieces)
        limits: dict[str, str] = {}
        try:
            seller = self._seller(request)
            now_ms = self._world.clock.now_ms()
            self._count(seller, now_ms, limits)
            route, parts = self._route(request)
            if route.scope and route.scope not in seller.settings["scopes"]:
                raise BrikickError(403, "scope_missing", f"The key lacks {route.scope}", {"scope": route.scope})
            response = self._once(Call(self._world, seller, request, now_ms, parts), route)
        except BrikickError as error:
            response = _failed(error)
        number = request.headers.get("X-Request-Id") or f"req_{next(self._numbers):08d}"
        return _packed(request, response, {"X-Request-Id": number, **limits})

    def seller_of(self, request: Request) -> str:
        """Answer whose key a request has."""
        with self._world.state.reading() as reader:
            row = credential(reader, SERVICE, "key", request.headers.get("X-Api-Key", ""))
            return find(reader, row["seller_id"]).name if row is not None else ""

    def afflict(self, request: Request, kind: str) -> None:
        """Let something befall the seller who asks that stays."""
        afflict(self._world, SERVICE, self.seller_of(request), kind)

    def _seller(self, request: Request) -> Seller:
        with self._world.state.reading() as reader:
            row = credential(reader, SERVICE, "key", request.headers.get("X-Api-Key", ""))
            if row is None or row["is_revoked"]:
                raise BrikickError(401, "invalid_token", "Invalid API key")
            seller = find(reader, row["seller_id"])
        if seller.settings["access"] != "APPROVED":
            details = {"access": seller.settings["access"]}
            raise BrikickError(403, "store_api_not_authorized", "Store API access not authorized", details)
        return seller

    def _count(self, seller: Seller, now_ms: int, limits: dict[str, str]) -> None:
        minute = now_ms // _MINUTE_MS
        per_minute, per_day = int(seller.settings["per_minute"]), int(seller.settings["per_day"])
        with self._world.state.changing() as writer:
            row = writer.execute(
                "SELECT count FROM calls WHERE seller_id = ? AND minute = ?", (seller.id, minute)
            ).fetchone()
            used, today = int(row[0]) if row else 0, store.calls_today(writer, seller, now_ms)
            is_over, is_day_over = used >= per_minute, today >= per_day
            if not is_over and not is_day_over:
                writer.execute(
                    "INSERT INTO calls VALUES (?, ?, 1) "
                    "ON CONFLICT (seller_id, minute) DO UPDATE SET count = count + 1",
                    (seller.id, minute),
                )
                used, today = used + 1, today + 1
        reset_s = (minute + 1) * 60
        limits |= {
            "X-RateLimit-Limit": str(per_minute), "X-RateLimit-Remaining": str(max(0, per_minute - used)),
            "X-RateLimit-Reset": str(reset_s), "X-RateLimit-Day-Remaining": str(max(0, per_day - today)),
        }  # fmt: skip
        if is_over or is_day_over:
            until_s = (now_ms // DAY_MS + 1) * 86_400 if is_day_over else reset_s
            wait = str(max(1, until_s - now_ms // 1000))
            raise BrikickError(_TOO_MANY, "rate_limited", "Too many requests", headers={"Retry-After": wait})

    def _route(self, request: Request) -> tuple[Route, dict[str, str]]:
        path = request.path.removeprefix(_API)
        for route, pattern in self._routes:
            found = pattern.fullmatch(path)
            if found and route.method == request.method and path != request.path:
                return route, found.groupdict()
        raise BrikickError(404, "not_found", f"There is no {request.method} {request.path}")

    def _once(self, call: Call, route: Route) -> Response:
        """Answer a request; one with a key that was answered before gets the first answer."""
        key = call.request.headers.get("Idempotency-Key", "")
        if not key or call.request.method == "GET":
            return _answered(route.handler(call))
        if len(key) > _LONGEST_KEY:
            raise BrikickError.invalid("Idempotency-Key", f"has at most {_LONGEST_KEY} characters")
        if (first := self._begin(call, key)) is not None:
            return first
        try:
            response = _answered(route.handler(call))
        except BrikickError as error:
            response = _failed(error)
        except BaseException:
            self._forget(call.seller, key)
            raise
        if response.status >= _SERVER_ERROR:
            self._forget(call.seller, key)
        else:
            with self._world.state.changing() as writer:
                writer.execute(
                    "UPDATE answers SET status = ?, body = ?, headers = ? WHERE seller_id = ? AND key = ?",
                    (response.status, response.body, json.dumps(dict(response.headers)), call.seller.id, key),
                )
        return response

    def _begin(self, call: Call, key: str) -> Response | None:
        """Take a key; answer what was answered before, None where nothing was."""
        asked = f"{call.request.method} {call.request.path}\n".encode() + call.request.body
        digest = sha256(asked).hexdigest()
        with self._world.state.changing() as writer:
            writer.execute("DELETE FROM answers WHERE at < ?", (call.now_ms - _KEPT_MS,))
            row = writer.execute(
                "SELECT * FROM answers WHERE seller_id = ? AND key = ?", (call.seller.id, key)
            ).fetchone()
            if row is None:
                writer.execute(
                    "INSERT INTO answers VALUES (?, ?, ?, ?, NULL, NULL, NULL)",
                    (call.seller.id, key, digest, call.now_ms),
                )
                return None
        if row["digest"] != digest:
            raise BrikickError(409, "idempotency_conflict", "The key was used for another request")
        if row["status"] is None:
            raise BrikickError(409, "idempotency_in_progress", "The first request is still running")
        headers = {**json.loads(row["headers"]), "Idempotency-Replayed": "true"}
        return Response(row["status"], row["body"], headers=headers)

    def _forget(self, seller: Seller, key: str) -> None:
        with self._world.state.changing() as writer:
            writer.execute("DELETE FROM answers WHERE seller_id = ? AND key = ?", (seller.id, key))


def _answered(answer: Answer) -> Response:
    headers = {"ETag": f'"{answer.version}"'} if answer.version is not None else {}
    body = b"" if answer.status == _NO_CONTENT else dumped(answer.data)
    return Response(answer.status, body, headers=headers)


def _failed(error: BrikickError) -> Response:
    return Response(error.status, dumped(error.body), headers=error.headers)


def _packed(request: Request, response: Response, headers: Mapping[str, str]) -> Response:
    """Answer with further headers; packed where the caller takes it."""
    body, merged = response.body, {**response.headers, **headers}
    if "gzip" in request.headers.get("Accept-Encoding", "") and len(body) > _LEAST_TO_PACK:
        body, merged = gzip.compress(body, 1), {**merged, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(response.status, body, response.content_type, headers=merged)
