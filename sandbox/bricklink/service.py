"""Lets a request in, counts it, and gives it to who answers it."""

import re
import sqlite3
from collections.abc import Sequence

from sandbox.bricklink import catalog, inventories, orders, price_guide, quota, small
from sandbox.bricklink.call import Call, Handler
from sandbox.bricklink.envelope import Refusal, enveloped, refused
from sandbox.bricklink.oauth import SERVICE, Guard, read
from sandbox.http import Request, Response
from sandbox.sellers import Seller, World, afflict, credential

_API = "/api/store/v1"
_ROUTES: Sequence[tuple[str, str, Handler]] = (
    *catalog.ROUTES, *price_guide.ROUTES, *inventories.ROUTES, *orders.ROUTES, *small.ROUTES,
)  # fmt: skip


class BrickLink:
    """Any number of sellers, each with own credentials and quota."""

    name = SERVICE
    prefix = "/bricklink"
    hosts: Sequence[str] = ("api.bricklink.com",)

    def __init__(self, world: World, *, origins: Sequence[str] = ()) -> None:
        self._world = world
        self.guard = Guard(prefix=self.prefix, origins=origins)
        self._routes: dict[str, list[tuple[re.Pattern[str], Handler]]] = {}
        for method, pattern, handler in _ROUTES:
            self._routes.setdefault(method, []).append((re.compile(f"{pattern}/?"), handler))

    def handle(self, request: Request) -> Response:
        """Answer as the API does: the signature, the quota, then the resource."""
        try:
            now_ms = self._world.clock.now_ms()
            if skew := request.fault_of("clock_skew"):
                now_ms += int(float(skew.options.get("seconds", 3_600)) * 1000)
            with self._world.state.reading() as reader:
                seller = self.guard.checked(request, reader, now_ms)
            with self._world.state.changing() as writer:
                refusal = _counted(writer, seller, now_ms)
            if refusal is not None:
                raise refusal
            handler, found = self._route(request)
            call = Call(self._world, seller, request, now_ms, found)
            return enveloped(handler(call), self._world.switches)
        except Refusal as refusal:
            return refused(refusal, self._world.switches)

    def seller_of(self, request: Request) -> str:
        """Answer whose token a request names."""
        try:
            given = read(request)
        except Refusal:
            return ""
        with self._world.state.reading() as reader:
            row = credential(reader, SERVICE, "consumer", given.get("oauth_consumer_key", ""))
            if row is None:
                return ""
            name = reader.execute("SELECT name FROM sellers WHERE id = ?", (row["seller_id"],)).fetchone()
            return str(name[0]) if name else ""

    def afflict(self, request: Request, kind: str) -> None:
        """Let something befall the seller who asks that stays."""
        afflict(self._world, SERVICE, self.seller_of(request), kind)

    def _route(self, request: Request) -> tuple[Handler, dict[str, str]]:
        path = request.path.removeprefix(_API)
        if path == request.path:
            raise Refusal(400, "INVALID_URI", request.path)
        is_known = False
        for method, routes in self._routes.items():
            for pattern, handler in routes:
                if found := pattern.fullmatch(path):
                    if method == request.method:
                        return handler, found.groupdict()
                    is_known = True
        if is_known:
            raise Refusal(405, "METHOD_NOT_ALLOWED", request.method)
        raise Refusal(400, "INVALID_URI", request.path)


def _counted(writer: sqlite3.Connection, seller: Seller, now_ms: int) -> Refusal | None:
    """Count a call, also one that is refused for the count: the transaction must not go back on it."""
    try:
        quota.take(writer, seller, now_ms)
    except Refusal as refusal:
        return refusal
    return None
