"""One public port in front of two processes: `/live/` goes to the event streams, everything else to the pages.

Each request gets a connection of its own to the process behind, which is asked to close it after its answer. So only
the head of a request is read here; its body and the answer pass through byte by byte, uploads and event streams alike.
"""

import argparse
import asyncio
import contextlib
import re
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LARGEST_HEAD = 32 * 1024
# Seconds.
HEAD_LIMIT = 30
LINGER_LIMIT = 2
_PIECE = 64 * 1024
_LIVE = "/live/"
_TLS = b"\x16"

_REQUEST_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.[01]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_ABSOLUTE = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
# Of this hop only, or claims about the client that only we can make.
_DROPPED = frozenset(
    (
        b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"te", b"http2-settings", b"forwarded",
        b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-server",
        b"x-forwarded-prefix", b"x-real-ip", b"x-client-ip", b"true-client-ip",
    )
)  # fmt: skip


class _BadRequestError(Exception):
    """The head of a request that is not passed on."""

    def __init__(self, status: str, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of a request, as it goes on."""

    path: str
    data: bytes
    accepts_html: bool


def rewrite(data: bytes, *, client: str) -> Head:
    """Check the head of a request and make the one that is sent on.

    Raises _BadRequestError for what two servers might read differently: that is how requests are smuggled.
    """
    first, *lines = data.removesuffix(b"\r\n\r\n").split(b"\r\n")
    request = _REQUEST_LINE.fullmatch(first)
    if request is None:
        raise _BadRequestError("400 Bad Request", "This is not an HTTP request; this port speaks plain http.")
    method, target = request.groups()
    headers = []
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None or b"\0" in line or b"\n" in line or b"\r" in line:
            raise _BadRequestError("400 Bad Request", "A header of the request is malformed.")
        headers.append((header[1].lower(), line, header[2]))
    names = [name for name, _, _ in headers]
    if names.count(b"content-length") + names.count(b"transfer-encoding") > 1 or names.count(b"host") > 1:
        raise _BadRequestError("400 Bad Request", "The request says twice how long it is or whom it is for.")
    path = _ABSOLUTE.sub(b"", target, count=1) or b"/"
    # CGI and WSGI write "-" as "_", so a name with the one passes for a name with the other.
    kept = [line for name, line, _ in headers if name.replace(b"_", b"-") not in _DROPPED]
    ours = [b"X-Forwarded-For: " + client.encode(), b"X-Forwarded-Proto: http", b"Connection: close"]
    return Head(
        path=path.decode("latin-1"),
        data=b"\r\n".join([b"%s %s HTTP/1.1" % (method, path), *kept, *ours, b"", b""]),
        accepts_html=any(name == b"accept" and b"text/html" in value for name, _, value in headers),
    )


class Forwarder:
    """Answers each connection with what one of the two processes behind says."""

    def __init__(self, *, web: Path, live: Path) -> None:
        self._web = web
        self._live = live

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, which is one request; the client may be gone at any time."""
        # Cancelled only when the process ends, and asyncio 3.11 would log that as an error.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            try:
                await self._serve(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(HEAD_LIMIT):
                first = await reader.readexactly(1)
                if first == _TLS:
                    # A browser that tries https waits for an answer in TLS; a closed connection tells it at once.
                    return
                data = first + await reader.readuntil(b"\r\n\r\n")
            head = rewrite(data, client=str(writer.get_extra_info("peername")[0]))
        except (asyncio.IncompleteReadError, TimeoutError):
            return
        except asyncio.LimitOverrunError:
            await _answer(
                reader, writer, "431 Request Header Fields Too Large", "The head of the request is too large.\n"
            )
            return
        except _BadRequestError as error:
            await _answer(reader, writer, error.status, f"{error}\n")
            return
        behind = self._live if head.path.startswith(_LIVE) else self._web
        try:
            answers, requests = await asyncio.open_unix_connection(str(behind), limit=_PIECE)
        except OSError:
            await _not_yet(reader, writer, head)
            return
        try:
            requests.write(head.data)
            if not await _exchange(reader, writer, answers, requests):
                await _not_yet(reader, writer, head)
        finally:
            requests.close()
            with contextlib.suppress(OSError):
                await requests.wait_closed()


async def _exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answers: asyncio.StreamReader,
    requests: asyncio.StreamWriter,
) -> bool:
    """Pass bytes both ways until either side is done; answer whether the client was served or is gone."""
    upload = asyncio.create_task(_pass_on(reader, requests))
    download = asyncio.create_task(_pass_on(answers, writer))
    try:
        await asyncio.wait((upload, download), return_when=asyncio.FIRST_COMPLETED)
        if not download.done() and upload.result().source_ended:
            # The client closed its side: nobody reads an event stream any more.
            return True
        passed = await download
        if passed.count:
            await _linger(reader, writer, upload)
        return passed.count > 0 or not passed.source_ended
    finally:
        for task in (upload, download):
            task.cancel()
        await asyncio.gather(upload, download, return_exceptions=True)


@dataclass(frozen=True, kw_only=True)
class _Passed:
    count: int
    # Else the other side took no more.
    source_ended: bool


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> _Passed:
    count = 0
    while True:
        try:
            piece = await source.read(_PIECE)
        except OSError:
            piece = b""
        if not piece:
            return _Passed(count=count, source_ended=True)
        try:
            target.write(piece)
            await target.drain()
        except OSError:
            return _Passed(count=count, source_ended=False)
        count += len(piece)


async def _linger(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, upload: "asyncio.Task[_Passed] | None"
) -> None:
    """Close our side first and read on for a moment.

    A server may answer before it has read the whole upload ("too large"); closing at once would reset the connection,
    and the client would never see the answer.
    """
    if upload is not None:
        upload.cancel()
        await asyncio.gather(upload, return_exceptions=True)
    with contextlib.suppress(OSError, TimeoutError):
        writer.write_eof()
        async with asyncio.timeout(LINGER_LIMIT):
            while await reader.read(_PIECE):
                pass


async def _not_yet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: Head) -> None:
    text = "Brikonnect is starting. The log in the terminal shows how far it is.\n"
    if not head.accepts_html:
        await _answer(reader, writer, "502 Bad Gateway", text)
        return
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">'
        f"<title>Brikonnect is starting</title><p>{text}</p></html>\n"
    )
    await _answer(reader, writer, "502 Bad Gateway", page, content_type="text/html")


async def _answer(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    status: str,
    text: str,
    *,
    content_type: str = "text/plain",
) -> None:
    body = text.encode()
    writer.write(
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nRetry-After: 2\r\nConnection: close\r\n\r\n".encode()
        + body
    )
    await writer.drain()
    await _linger(reader, writer, None)


async def serve(sockets: Sequence[socket.socket], forwarder: Forwarder) -> None:
    """Serve until SIGTERM or SIGINT; what is under way then is cut off."""
    servers = [await asyncio.start_server(forwarder.handle, sock=each, limit=LARGEST_HEAD) for each in sockets]
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    for server in servers:
        server.close()


def main(arguments: Sequence[str]) -> int:
    """Run the command line; the listening sockets are inherited, so that nobody else can take the port meanwhile."""
    parser = argparse.ArgumentParser(prog="python -m brikonnect.devstack.forwarder", description=__doc__)
    parser.add_argument("--fd", type=int, action="append", required=True, help="a listening socket; may be repeated")
    parser.add_argument("--web", type=Path, required=True, help="the Unix socket of the pages")
    parser.add_argument("--live", type=Path, required=True, help="the Unix socket of the event streams")
    options = parser.parse_args(arguments)
    sockets = [socket.socket(fileno=descriptor) for descriptor in options.fd]
    asyncio.run(serve(sockets, Forwarder(web=options.web, live=options.live)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
