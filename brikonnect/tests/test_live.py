"""A page's stream: for whom, about what, until when. Real Redis, real sessions, called as a server calls it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
import redis
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django_tenants.utils import schema_context

from accounts.models import Session, User
from accounts.sessions import SessionStore
from brikonnect import live as streams
from brikonnect.live import Live
from common import live
from tenants.testing import create_shop

# One test cuts every subscription of the server that all workers share: whoever listens runs beside nobody who cuts.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("subscriptions")]

SHOP, OTHER = "t_shop", "t_other"
HOST = f"shop.{settings.BASE_DOMAIN}"
OTHER_HOST = f"other.{settings.BASE_DOMAIN}"
SECONDS = 10


def signed_in(schema: str = SHOP) -> tuple[User, str]:
    """Make a user with a session; answer him and his cookie."""
    with schema_context(schema):
        user = User.objects.create(email=f"{uuid4()}@example.com", display_name="Ana")
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        return user, f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


class Page:
    """A page that listens: what it got so far, and a way to leave."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.text = ""
        self.has_ended = False
        self._changed = asyncio.Event()
        self._left = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.text += message["body"].decode()
            self.has_ended = not message["more_body"]
        self._changed.set()

    def leave(self) -> None:
        self._left.set()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    @property
    def topics(self) -> list[str]:
        return [json.loads(line[6:])["topic"] for line in self.text.splitlines() if line.startswith("data: ")]


@asynccontextmanager
async def opened(app: Live, *, host: str = HOST, cookie: str = "", **scope: Any) -> AsyncIterator[Page]:
    page = Page()
    headers = [(b"host", host.encode()), (b"cookie", cookie.encode())]
    whole = {"type": "http", "path": "/live/", "method": "GET", "headers": headers, **scope}
    task = asyncio.create_task(app(whole, page.receive, page.send))
    try:
        await page.until(lambda: page.text or page.has_ended)
        yield page
    finally:
        page.leave()
        await asyncio.wait_for(task, SECONDS)


def listening(test: Callable[[Live], Coroutine[Any, Any, None]]) -> None:
    """Run the test in a loop of its own with an application that is shut down after it."""

    async def run() -> None:
        app = Live()
        try:
            await test(app)
        finally:
            await app._board.close()

    asyncio.run(run())


def ring(topic: str, *, schema: str = SHOP, user: User | None = None) -> Awaitable[None]:
    def notify() -> None:
        with schema_context(schema):
            live.notify(topic, user_id=user.pk if user else None)

    return asyncio.to_thread(notify)


def test_tells_what_changed_to_whom_it_concerns() -> None:
    (ana, ana_cookie), (_ben, ben_cookie) = signed_in(), signed_in()

    async def test(app: Live) -> None:
        async with opened(app, cookie=ana_cookie) as of_ana, opened(app, cookie=ben_cookie) as of_ben:
            assert of_ana.status == 200
            assert of_ana.headers["content-type"] == "text/event-stream"
            await ring("jobs", user=ana)
            await of_ana.until(lambda: of_ana.topics == ["jobs"])
            await ring("bell")
            await of_ana.until(lambda: of_ana.topics == ["jobs", "bell"])
            await of_ben.until(lambda: of_ben.topics == ["bell"])

    listening(test)


def test_tells_a_flood_once() -> None:
    ana, cookie = signed_in()

    async def test(app: Live) -> None:
        async with opened(app, cookie=cookie) as page:
            for _ in range(20):
                await ring("jobs", user=ana)
            await ring("bell", user=ana)
            await page.until(lambda: "bell" in page.topics)
            assert page.topics.count("jobs") <= 3

    listening(test)


def test_hears_nothing_of_another_shop() -> None:
    create_shop(schema=OTHER, host=OTHER_HOST)
    (ana, cookie), (other, other_cookie) = signed_in(), signed_in(OTHER)

    async def test(app: Live) -> None:
        async with (
            opened(app, cookie=cookie) as mine,
            opened(app, host=OTHER_HOST, cookie=other_cookie) as theirs,
        ):
            await ring("bell", schema=OTHER)
            await theirs.until(lambda: theirs.topics)
            await ring("jobs", user=ana)
            await mine.until(lambda: mine.topics)
            assert (mine.topics, theirs.topics) == (["jobs"], ["bell"])
        # A session of one shop is nobody's in another.
        async with opened(app, host=OTHER_HOST, cookie=cookie) as page:
            assert page.status == 401
        async with opened(app, host=HOST, cookie=other_cookie) as page:
            assert page.status == 401

    listening(test)
    assert other.pk != ana.pk


@pytest.mark.parametrize(
    ("host", "path", "method", "status"),
    [
        (HOST, "/live/", "GET", 401),
        (HOST, "/live/", "POST", 405),
        (HOST, "/live/x", "GET", 404),
        (HOST, "/", "GET", 404),
        (f"nowhere.{settings.BASE_DOMAIN}", "/live/", "GET", 404),
        (settings.BASE_DOMAIN, "/live/", "GET", 404),
        (f"api.{settings.BASE_DOMAIN}", "/live/", "GET", 404),
        ("[garbage", "/live/", "GET", 404),
        ("", "/live/", "GET", 404),
    ],
)
def test_answers_others_plainly(host: str, path: str, method: str, status: int) -> None:
    async def test(app: Live) -> None:
        async with opened(app, host=host, cookie="session=nonsense", path=path, method=method) as page:
            assert page.status == status
            assert page.has_ended
            assert page.headers["content-type"].startswith("text/plain")

    listening(test)


def test_ends_with_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    _, cookie = signed_in()
    monkeypatch.setattr(streams, "BEAT_S", 0.05)
    monkeypatch.setattr(streams, "CHECK_S", 0.1)

    async def test(app: Live) -> None:
        async with opened(app, cookie=cookie) as page:
            await page.until(lambda: ":\n\n" in page.text)
            await asyncio.to_thread(lambda: _in_shop(Session.objects.all().delete))
            await page.until(lambda: page.has_ended)

    listening(test)


def test_lets_a_page_go(monkeypatch: pytest.MonkeyPatch) -> None:
    _, cookie = signed_in()

    async def test(app: Live) -> None:
        async with opened(app, cookie=cookie):
            assert app._board.count == 1
        assert app._board.count == 0

    listening(test)


def test_refuses_the_thirteenth_page_of_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    (_, cookie), (_, another) = signed_in(), signed_in()
    monkeypatch.setattr(streams, "STREAMS_PER_USER", 1)

    async def test(app: Live) -> None:
        async with opened(app, cookie=cookie) as first, opened(app, cookie=another) as other:
            assert (first.status, other.status) == (200, 200)
            async with opened(app, cookie=cookie) as second:
                assert second.status == 429
                assert second.headers["retry-after"]

    listening(test)


def test_ends_streams_when_redis_goes_and_takes_them_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ana, cookie = signed_in()
    monkeypatch.setattr(streams, "_RECONNECT_S", 0.1)

    def cut() -> None:
        with redis.Redis.from_url(settings.REDIS_URL) as client:
            client.client_kill_filter(_type="pubsub")

    async def test(app: Live) -> None:
        async with opened(app, cookie=cookie) as page:
            await asyncio.to_thread(cut)
            await page.until(lambda: page.has_ended)
        async with opened(app, cookie=cookie) as page:
            assert page.status == 200
            await ring("jobs", user=ana)
            await page.until(lambda: page.topics == ["jobs"])

    listening(test)


def test_has_no_streams_while_redis_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    _, cookie = signed_in()
    monkeypatch.setattr(settings, "REDIS_URL", "unix:///nowhere/redis.sock")

    async def test(app: Live) -> None:
        async with opened(app, cookie=cookie) as page:
            assert page.status == 503

    listening(test)


def _in_shop(work: Callable[[], object]) -> None:
    from django.db import connections  # noqa: PLC0415  # this thread's

    with schema_context(SHOP):
        work()
    connections.close_all()
