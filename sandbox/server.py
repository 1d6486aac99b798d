"""The HTTP server: finds who is asked, lets go wrong what shall, and writes down what came."""

import contextlib
import json
import re
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.clock import Clock
from sandbox.control import PREFIX, Command, Control, Recorder
from sandbox.faults import IN_SERVICE, LASTING, Fault, Faults
from sandbox.http import Marketplace, Request, Response, Service, as_json

_LARGEST_BODY = 64 * 1024 * 1024
_HANG_S = 120.0
_MAINTENANCE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We'll be back soon.</body></html>"


class Sandbox(ThreadingHTTPServer):
    """All services on one port, any number of requests at once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], *, services: Sequence[Service], token: str, seed: int = 0,
        listener: socket.socket | None = None, commands: Sequence[Command] = (), clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self.services = services
        self.clock = clock or Clock()
        self.faults = Faults(seed)
        self.recorder = Recorder()
        self.control = Control(token=token, faults=self.faults, recorder=self.recorder, commands=commands)
        super().__init__(address, _Handler, bind_and_activate=listener is None)
        if listener is not None:
            self.socket.close()
            self.socket, self.server_address = listener, listener.getsockname()

    @property
    def url(self) -> str:
        """Answer where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

    def struck(self, service: Service, request: Request) -> Fault | None:
        """Answer what goes wrong with a request, if anything."""
        seller = ""
        if self.faults.ask_for_seller and isinstance(service, Marketplace):
            seller = service.seller_of(request)
        return self.faults.hit(service.name, request.method, request.path, seller=seller, now_ms=self.clock.now_ms())

    def find(self, host: str, path: str) -> tuple[Service, str, str] | None:
        """Answer who is asked, the prefix in front of it, and the path behind that."""
        for service in self.services:
            if path.startswith(f"{service.prefix}/"):
                return service, service.prefix, path.removeprefix(service.prefix)
            if host.partition(":")[0].lower() in service.hosts:
                return service, "", path
        return None


class _Handler(BaseHTTPRequestHandler):
    server: Sandbox
    protocol_version = "HTTP/1.1"
    server_version = "sandbox"
    sys_version = ""
    timeout = 60
    # An answer is one packet where it fits: head and body apart would wait for each other's acknowledgement.
    wbufsize = 65536
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        """Serve one; a client that went away is no news."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            super().handle_one_request()
            return
        self.close_connection = True

    def do_GET(self) -> None:  # the name that the library calls
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  # see above

    def log_message(self, format: str, *args: object) -> None:  # the library's signature
        """Keep quiet: the control API tells what was asked."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        host = self.headers.get("Host", "")
        body = self._sent()
        if body is None:
            self.close_connection = True
            self._write(as_json({"error": "the body is too large"}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        found = self.server.find(host, path)
        is_control = path.startswith(f"{PREFIX}/")
        prefix = PREFIX if is_control else found[1] if found else ""
        request = Request(
            method=self.command,
            path=path.removeprefix(prefix),
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.title(): value for name, value in self.headers.items()},
            body=body,
            root=f"http://{host}{prefix}",
            target=self.path,
            client=self.client_address[0],
        )
        if is_control:
            self._write(self.server.control.handle(request))
        elif found is None:
            self._write(as_json({"error": "nobody is imitated here"}, HTTPStatus.NOT_FOUND))
        else:
            self._ask(found[0], request)

    def _sent(self) -> bytes | None:
        """Answer the body, of one length or in chunks; None where it is too large, or its length can't be read."""
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            length = self.headers.get("Content-Length", "0")
            is_fit = length.isascii() and length.isdigit() and int(length) <= _LARGEST_BODY
            return self.rfile.read(int(length)) if is_fit else None
        pieces: list[bytes] = []
        total = 0
        while True:
            line = self.rfile.readline(100).partition(b";")[0].strip()
            size = int(line, 16) if re.fullmatch(rb"[0-9a-fA-F]{1,8}", line) else -1
            total += size
            if size < 0 or total > _LARGEST_BODY:
                return None
            if not size:
                while self.rfile.readline(10_000).strip():
                    pass
                return b"".join(pieces)
            pieces.append(self.rfile.read(size))
            self.rfile.readline(10)

    def _ask(self, service: Service, request: Request) -> None:
        began, epoch = time.monotonic(), self.server.recorder.epoch
        fault = self.server.struck(service, request)
        status, note, body = None, "", b""
        try:
            response = _before(fault)
            if response is None:
                response = _handled(service, request, fault)
            response = _instead(fault, response)
            status, note, body = response.status, response.note, response.body
            if fault is not None and fault.kind in ("timeout_after", "reset_after"):
                status = None
            self._answer(response, fault)
        except _Hung:
            time.sleep(float(fault.options.get("seconds", _HANG_S)) if fault else 0)
            self.close_connection = True
        except _Reset:
            self._reset()
        finally:
            self.server.recorder.add(
                epoch=epoch, service=service.name, request=request, status=status,
                milliseconds=(time.monotonic() - began) * 1000, fault=fault.kind if fault else "",
                note=note, body=body,
            )  # fmt: skip

    def _answer(self, response: Response, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        if kind == "timeout_after":
            raise _Hung
        if kind == "reset_after":
            raise _Reset
        if kind == "half_body":
            whole = _whole(response)
            self._head(response, len(whole))
            self._body(response, [whole[: len(whole) // 2]], is_last=False)
            self.close_connection = True
        elif kind == "slow_body" and fault:
            whole = _whole(response)
            self._head(response, len(whole))
            pieces = max(1, int(fault.options.get("pieces", 20)))
            size = max(1, -(-len(whole) // pieces))
            for start in range(0, len(whole), size):
                self._body(response, [whole[start : start + size]], is_last=start + size >= len(whole))
                self.wfile.flush()
                time.sleep(float(fault.options.get("seconds", 0.5)))
        else:
            self._write(response)

    def _write(self, response: Response) -> None:
        if response.chunks is None:
            self._head(response, len(response.body))
            self._body(response, [response.body])
            return
        self._head(response, None)
        try:
            self._body(response, response.chunks)
        finally:
            close = getattr(response.chunks, "close", None)
            if close is not None:
                close()

    def _head(self, response: Response, length: int | None) -> None:
        self.send_response_only(response.status)
        self.send_header("Server", response.headers.get("Server", "sandbox"))
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Type", response.content_type)
        if length is None or response.is_chunked:
            if self.request_version == "HTTP/1.0":
                self.close_connection = True
            else:
                self.send_header("Transfer-Encoding", "chunked")
        elif response.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(length))
        for name, value in response.headers.items():
            if name != "Server":
                self.send_header(name, value)
        for cookie in response.cookies:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()

    def _body(self, response: Response, pieces: Iterable[bytes], *, is_last: bool = True) -> None:
        is_framed = (response.is_chunked or response.chunks is not None) and self.request_version != "HTTP/1.0"
        for piece in pieces:
            if is_framed and piece:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            else:
                self.wfile.write(piece)
        if is_framed and is_last:
            self.wfile.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        # Closing a socket that lingers for no time resets the connection.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _handled(service: Service, request: Request, fault: Fault | None) -> Response:
    """Have a service answer, with what goes wrong inside of it."""
    if fault is None or not isinstance(service, Marketplace):
        return service.handle(request)
    if fault.kind in LASTING:
        service.afflict(request, fault.kind)
    if fault.kind in IN_SERVICE:
        request = replace(request, fault=fault)
    if fault.kind == "duplicate_effect":
        first = service.handle(request)
        _whole(first)
        return service.handle(replace(request, is_repeat=True))
    return service.handle(request)


def _whole(response: Response) -> bytes:
    return response.body if response.chunks is None else b"".join(response.chunks)


class _Hung(Exception):  # noqa: N818  # says what the connection does
    """The answer never comes."""


class _Reset(Exception):  # noqa: N818  # see above
    """The connection is reset."""


def _before(fault: Fault | None) -> Response | None:
    """Do what goes wrong before anything is done; answer what is answered in its place, if it is."""
    if fault is None:
        return None
    options = fault.options
    match fault.kind:
        case "latency":
            seconds = float(options.get("seconds", 1))
            time.sleep(seconds)
        case "timeout_before":
            raise _Hung
        case "reset_before":
            raise _Reset
        case "rate_limit":
            wait = options.get("retry_after")
            headers = {} if wait is None else {"Retry-After": str(wait)}
            return Response(HTTPStatus.TOO_MANY_REQUESTS, b'{"detail":"Too many requests."}', headers=headers)
        case "status" if "meta_code" in options:
            meta = {"description": options.get("description", "Injected."), "message": options.get("message", "ERROR"),
                    "code": options["meta_code"]}  # fmt: skip
            return as_json({"meta": meta})
        case "status":
            body = json.dumps(options.get("body", {"detail": "Injected."})).encode()
            return Response(int(options.get("status", HTTPStatus.INTERNAL_SERVER_ERROR)), body)
        case "html":
            return Response(int(options.get("status", HTTPStatus.OK)), _MAINTENANCE, "text/html")
        case "empty":
            return Response(HTTPStatus.OK)
    return None


def _instead(fault: Fault | None, response: Response) -> Response:
    """Answer what is sent in place of the right answer."""
    match fault.kind if fault else "":
        case "half_json":
            whole = _whole(response)
            return replace(response, body=whole[: len(whole) // 2], chunks=None)
        case "wrong_encoding":
            whole = _whole(response)
            # Where a value begins, in JSON or in XML.
            mark = next((each for each in (b'":"', b'["', b"='") if each in whole), b"<")
            body = whole.replace(mark, mark + "\u00e9".encode("latin-1"), 1)
            return replace(response, body=body, chunks=None)
    return response
