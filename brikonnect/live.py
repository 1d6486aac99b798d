"""Event streams: tell an open page which of its parts have changed. No data goes this way, and no connection is held.

A page that gets no stream polls (static/js/live.js), so what goes wrong here ends the stream and costs nothing else.
"""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import structlog
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.http.request import split_domain_port, validate_host
from redis import asyncio as redis
from redis.exceptions import RedisError

from accounts.sessions import SessionStore
from common import live, workspace

logger = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PATH = "/live/"
# A comment as often as this keeps proxies from closing a quiet stream, and shows us that the page is gone.
BEAT_S = 15.0
# As often as this a stream's session is looked up again.
CHECK_S = 60.0
# What rings more often than this is told together.
GATHER_S = 0.3
STREAMS_PER_USER = 12
STREAMS = 4000
_RECONNECT_S = 2.0


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who listens, and to which shop's channel."""

    channel: str
    user_id: UUID


@dataclass(slots=True, eq=False)
class Stream:
    """One page that listens; `topics` are what it hasn't been told yet."""

    visitor: Visitor
    topics: set[str] = field(default_factory=set)
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False

    def ring(self, topic: str) -> None:
        """Have the page told of a topic."""
        self.topics.add(topic)
        self.rung.set()

    def end(self) -> None:
        """Have the stream end."""
        self.is_over = True
        self.rung.set()


class Switchboard:
    """The process's one connection to Redis, and which streams its messages are for."""

    def __init__(self) -> None:
        self._streams: dict[str, set[Stream]] = defaultdict(set)
        self._by_user: Counter[Visitor] = Counter()
        self._listening: asyncio.Task[None] | None = None
        self._is_connected = asyncio.Event()

    def streams_of(self, visitor: Visitor) -> int:
        """Answer how many pages of that user listen."""
        return self._by_user[visitor]

    @property
    def count(self) -> int:
        """Answer how many pages listen."""
        return self._by_user.total()

    async def is_ready(self) -> bool:
        """Tell whether Redis can be listened to, after giving it a moment."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_connected.wait(), 1)
        return self._is_connected.is_set()

    @contextlib.contextmanager
    def connected(self, visitor: Visitor) -> Iterator[Stream]:
        """Connect a page for as long as the block runs."""
        stream = Stream(visitor)
        self._streams[visitor.channel].add(stream)
        self._by_user[visitor] += 1
        try:
            yield stream
        finally:
            self._by_user[visitor] -= 1
            self._streams[visitor.channel].discard(stream)
            if not self._streams[visitor.channel]:
                del self._streams[visitor.channel]
            if not self._by_user[visitor]:
                del self._by_user[visitor]

    async def close(self) -> None:
        """End all streams and let Redis go."""
        self._end_all()
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening

    async def _listen(self) -> None:
        """Listen for ever, connecting again when the connection is lost."""
        while True:
            try:
                await self._listen_once()
            except (RedisError, OSError) as error:
                logger.warning("live.redis_away", error=type(error).__name__)
            self._is_connected.clear()
            # The pages poll until they get a stream again.
            self._end_all()
            await asyncio.sleep(_RECONNECT_S * random.uniform(0.5, 1.5))  # noqa: S311  # spreads reconnects

    async def _listen_once(self) -> None:
        async with (
            redis.Redis.from_url(settings.REDIS_URL, health_check_interval=30) as client,
            client.pubsub(ignore_subscribe_messages=True) as pubsub,
        ):
            await pubsub.psubscribe(live.channel("*"))
            self._is_connected.set()
            while True:
                # The time-out lets the health check have its turn on a quiet line.
                message = await pubsub.get_message(timeout=10)
                if message is not None:
                    self._pass_on(message["channel"].decode(), message["data"])

    def _pass_on(self, channel: str, data: bytes) -> None:
        message = json.loads(data)
        for stream in self._streams.get(channel, ()):
            if message["user_id"] in (None, str(stream.visitor.user_id)):
                stream.ring(message["topic"])

    def _end_all(self) -> None:
        for streams in self._streams.values():
            for stream in streams:
                stream.end()


class Live:
    """The ASGI application."""

    def __init__(self) -> None:
        self._board = Switchboard()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._board.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if scope["path"] != PATH:
            await _refuse(send, 404, "There is nothing here.")
            return
        if scope["method"] != "GET":
            await _refuse(send, 405, "Streams are read by GET.", allow="GET")
            return
        key = await asyncio.to_thread(_workspace_of, headers.get("host", ""))
        if key is None:
            await _refuse(send, 404, "There is nothing here.")
            return
        visitor = await asyncio.to_thread(_identify, key, headers.get("cookie", ""))
        if visitor is None:
            await _refuse(send, 401, "Sign in first.")
        elif self._board.streams_of(visitor) >= STREAMS_PER_USER:
            await _refuse(send, 429, "Too many pages listen.", retry_after="60")
        elif self._board.count >= STREAMS or not await self._board.is_ready():
            await _refuse(send, 503, "No streams for the moment.", retry_after="60")
        else:
            with self._board.connected(visitor) as stream:
                await self._stream(stream, lambda: _identify(key, headers.get("cookie", "")), receive, send)

    async def _stream(
        self, stream: Stream, identify: Callable[[], Visitor | None], receive: Receive, send: Send
    ) -> None:
        gone = asyncio.create_task(_until_gone(receive))
        # So that pages don't all come back in the same second when this process was away.
        retry_ms = random.randint(2000, 8000)  # noqa: S311  # spreads reconnects
        try:
            await _begin(send, 200, b"text/event-stream", x_accel_buffering="no")
            await _write(send, f"retry: {retry_ms}\n\n")
            await self._tell(stream, identify, gone, send)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except OSError:
            # The page went while we wrote.
            return
        finally:
            gone.cancel()

    async def _tell(
        self, stream: Stream, identify: Callable[[], Visitor | None], gone: "asyncio.Task[None]", send: Send
    ) -> None:
        checked_at = time.monotonic()
        while True:
            rung = asyncio.create_task(stream.rung.wait())
            await asyncio.wait((rung, gone), timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
            rung.cancel()
            if gone.done() or stream.is_over:
                return
            if time.monotonic() - checked_at >= CHECK_S:
                if await asyncio.to_thread(identify) != stream.visitor:
                    return
                checked_at = time.monotonic()
            if not stream.rung.is_set():
                await _write(send, ":\n\n")
                continue
            await asyncio.sleep(GATHER_S)
            topics = sorted(stream.topics)
            stream.topics.clear()
            stream.rung.clear()
            await _write(send, "".join(f"data: {json.dumps({'topic': topic})}\n\n" for topic in topics))


def _workspace_of(host_header: str) -> str | None:
    """Answer the key of the shop whose pages that host serves; None if it serves none."""
    host, _ = split_domain_port(host_header)
    try:
        if settings.FEATURES.multi_tenant:
            from tenants.routing import HostKind, kind_of, tenant_for_host  # noqa: PLC0415  # only with tenants

            shop = tenant_for_host(host) if host and kind_of(host) is HostKind.TENANT else None
            return shop.schema_name if shop else None
        return workspace.current_key() if validate_host(host, settings.ALLOWED_HOSTS) else None
    finally:
        connections.close_all()


def _identify(workspace_key: str, cookies: str) -> Visitor | None:
    """Answer whose session the cookie is, in that shop; None for nobody's, and for one that has ended."""
    session_key = parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME)
    if not session_key:
        return None
    try:
        with workspace.enter(workspace_key):
            # What Django's own look-up reads of a request; it also refuses a session older than the password.
            request = SimpleNamespace(session=SessionStore(session_key))
            user = get_user(cast("HttpRequest", request))
            return Visitor(live.channel(workspace_key), user.pk) if user.is_authenticated else None
    finally:
        # Streams last for hours; connections go back at once.
        connections.close_all()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _begin(send: Send, status: int, content_type: bytes, **headers: str) -> None:
    more = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    fixed = [
        (b"content-type", content_type),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *more]})


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _refuse(send: Send, status: int, text: str, **headers: str) -> None:
    await _begin(send, status, b"text/plain; charset=utf-8", **headers)
    await send({"type": "http.response.body", "body": f"{text}\n".encode(), "more_body": False})
