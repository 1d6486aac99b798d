"""What reaches the processes behind the one public port, and what comes back."""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from brikonnect.devstack import folders
from brikonnect.devstack.bootstrap import ROOT
from brikonnect.devstack.forwarder import LARGEST_HEAD, Forwarder

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
LARGE = 20 * 1024 * 1024


@pytest.fixture
def sockets() -> Iterator[Path]:
    path = folders.temporary("pytest", account=None)
    yield path
    folders.remove(path)


@contextlib.asynccontextmanager
async def running(sockets: Path, *, web: Handler | None = None, live: Handler | None = None) -> AsyncIterator[int]:
    """Run the forwarder with these processes behind it; yield its port."""
    async with contextlib.AsyncExitStack() as stack:
        for name, handler in (("web", web), ("live", live)):
            if handler is not None:
                await stack.enter_async_context(await asyncio.start_unix_server(handler, str(sockets / name)))
        forwarder = Forwarder(web=sockets / "web", live=sockets / "live")
        server = await stack.enter_async_context(
            await asyncio.start_server(forwarder.handle, "127.0.0.1", 0, limit=LARGEST_HEAD)
        )
        yield server.sockets[0].getsockname()[1]


def saying(text: bytes) -> Handler:
    """A process that answers with its name and the head of the request that it got."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + text + b"\r\n" + head)
        await writer.drain()
        writer.close()

    return handle


async def ask(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    answer = await reader.read()
    writer.close()
    return answer


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: demo.localhost:8000", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", b"pages"),
        ("/live/jobs", b"streams"),
        ("/live/", b"streams"),
        ("/live", b"pages"),
        ("/lively/", b"pages"),
        ("/x?next=/live/", b"pages"),
        ("http://demo.localhost:8000/live/jobs", b"streams"),
        ("http://demo.localhost:8000", b"pages"),
    ],
)
def test_routes_by_path(sockets: Path, path: str, expected: bytes) -> None:
    async def run() -> bytes:
        async with running(sockets, web=saying(b"pages"), live=saying(b"streams")) as port:
            return await ask(port, get(path))

    assert asyncio.run(run()).removeprefix(OK).startswith(expected)


def test_replaces_what_the_client_says_about_itself(sockets: Path) -> None:
    claims = [
        "X-Forwarded-For: 6.6.6.6",
        "x_forwarded_for: 6.6.6.6",
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: evil.example",
        "Forwarded: for=6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        "Connection: x-forwarded-for, keep-alive",
        "Accept-Language: nl",
    ]

    async def run() -> bytes:
        async with running(sockets, web=saying(b"")) as port:
            return await ask(port, get("/", *claims))

    head = asyncio.run(run()).decode()
    assert "6.6.6.6" not in head
    assert "evil.example" not in head
    assert "x-forwarded-for, keep-alive" not in head
    for line in (
        "Host: demo.localhost:8000",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Proto: http",
        "Accept-Language: nl",
    ):
        assert head.count(f"{line}\r\n") == 1


@pytest.mark.parametrize(
    "request_head",
    [
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1 extra\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n folded: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\nY: b\r\n\r\n",
    ],
)
def test_refuses_a_head_that_two_servers_could_read_differently(sockets: Path, request_head: bytes) -> None:
    async def run() -> bytes:
        async with running(sockets, web=saying(b"")) as port:
            return await ask(port, request_head)

    assert asyncio.run(run()).startswith(b"HTTP/1.1 400 ")


def test_refuses_a_head_that_is_too_large(sockets: Path) -> None:
    async def run() -> bytes:
        async with running(sockets, web=saying(b"")) as port:
            return await ask(port, get("/", "X: " + "a" * (LARGEST_HEAD + 1)))

    assert asyncio.run(run()).startswith(b"HTTP/1.1 431 ")


def test_closes_at_once_when_a_browser_tries_https(sockets: Path) -> None:
    async def run() -> bytes:
        async with running(sockets, web=saying(b"")) as port, asyncio.timeout(5):
            return await ask(port, b"\x16\x03\x01\x02\x00\x01")

    assert asyncio.run(run()) == b""


def test_says_that_it_is_starting_while_nothing_listens(sockets: Path) -> None:
    async def run() -> tuple[bytes, bytes]:
        async with running(sockets) as port:
            return await ask(port, get("/", "Accept: text/html,*/*")), await ask(port, get("/live/jobs"))

    page, text = asyncio.run(run())
    assert page.startswith(b"HTTP/1.1 502 ")
    assert b'<meta http-equiv="refresh"' in page
    assert text.startswith(b"HTTP/1.1 502 ")
    assert b"<" not in text


def test_says_that_it_is_starting_when_the_process_dies_before_it_answers(sockets: Path) -> None:
    async def dying(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def run() -> bytes:
        async with running(sockets, web=dying) as port:
            return await ask(port, get("/"))

    assert asyncio.run(run()).startswith(b"HTTP/1.1 502 ")


def test_passes_events_on_as_they_happen(sockets: Path) -> None:
    """The second event is sent only after the client saw the first."""
    seen = asyncio.Event()

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"data: 1\n\n")
        await seen.wait()
        writer.write(b"data: 2\n\n")
        writer.close()

    async def run() -> bytes:
        async with running(sockets, live=stream) as port, asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(get("/live/jobs"))
            await reader.readuntil(b"data: 1\n\n")
            seen.set()
            rest = await reader.read()
            writer.close()
            return rest

    assert asyncio.run(run()) == b"data: 2\n\n"


def test_ends_the_stream_when_the_client_leaves(sockets: Path) -> None:
    left = asyncio.Event()

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        assert await reader.read() == b""
        left.set()
        writer.close()

    async def run() -> None:
        async with running(sockets, live=stream) as port, asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(get("/live/jobs"))
            await reader.readuntil(OK)
            writer.close()
            await left.wait()

    asyncio.run(run())


def test_streams_a_large_upload(sockets: Path) -> None:
    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        length = len(await reader.readexactly(LARGE))
        writer.write(OK + str(length).encode())
        writer.close()

    async def run() -> bytes:
        async with running(sockets, web=count) as port:
            head = f"POST /import HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE}\r\n\r\n".encode()
            return await ask(port, head + b"x" * LARGE)

    assert asyncio.run(run()) == OK + str(LARGE).encode()


def test_delivers_an_answer_that_comes_before_the_upload_ends(sockets: Path) -> None:
    refusal = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\ntoo large"

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(refusal)
        await writer.drain()
        writer.close()

    async def run() -> bytes:
        async with running(sockets, web=refuse) as port, asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(
                f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LARGE}\r\n\r\n".encode() + b"x" * (LARGE // 2)
            )
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(run()) == refusal


def test_ends_quietly_when_told_to_with_a_stream_open(sockets: Path) -> None:
    async def stream(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await asyncio.sleep(60)

    async def run() -> tuple[int | None, bytes]:
        listener = socket.create_server(("127.0.0.1", 0))
        options = [f"--fd={listener.fileno()}", "--web", str(sockets / "web"), "--live", str(sockets / "live")]
        async with await asyncio.start_unix_server(stream, str(sockets / "live")), asyncio.timeout(20):
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "brikonnect.devstack.forwarder", *options),
                cwd=ROOT,
                pass_fds=[listener.fileno()],
                stderr=asyncio.subprocess.PIPE,
            )
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            listener.close()
            writer.write(get("/live/jobs"))
            await reader.readuntil(OK)
            process.terminate()
            _, said = await process.communicate()
            writer.close()
        return process.returncode, said

    assert asyncio.run(run()) == (0, b"")
