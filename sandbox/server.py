"""The HTTP server: finds who is asked, lets go wrong what shall, and writes down what came."""

import contextlib
import json
import random
import socket
import struct
import time
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.control import PREFIX, Control, Recorder
from sandbox.faults import Fault, Faults
from sandbox.http import Request, Response, Service, as_json

_LARGEST_BODY = 64 * 1024 * 1024
_HANG_S = 120.0
_MAINTENANCE = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body>We'll be back soon.</body></html>"


class Sandbox(ThreadingHTTPServer):
    """All services on one port, any number of requests at once."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], *, services: Sequence[Service], token: str, seed: int = 0,
        listener: socket.socket | None = None,
    ) -> None:  # fmt: skip
        self.services = services
        self.faults = Faults(seed)
        self.recorder = Recorder()
        self.control = Control(token=token, faults=self.faults, recorder=self.recorder)
        super().__init__(address, _Handler, bind_and_activate=listener is None)
        if listener is not None:
            self.socket.close()
            self.socket, self.server_address = listener, listener.getsockname()

    @property
    def url(self) -> str:
        """Answer where it listens."""
        host, port = self.server_address[:2]
        return f"http://{host if isinstance(host, str) else host.decode()}:{port}"

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
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LARGEST_BODY:
            self.close_connection = True
            self._write(as_json({"error": "the body is too large"}, HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        body = self.rfile.read(int(length))
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
        )
        if is_control:
            self._write(self.server.control.handle(request))
        elif found is None:
            self._write(as_json({"error": "nobody is imitated here"}, HTTPStatus.NOT_FOUND))
        else:
            self._ask(found[0], request)

    def _ask(self, service: Service, request: Request) -> None:
        began, epoch = time.monotonic(), self.server.recorder.epoch
        fault = self.server.faults.hit(service.name, request.method, request.path)
        status = None
        try:
            response = _before(fault)
            if response is None:
                response = service.handle(request)
            response = _instead(fault, response)
            status = response.status
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
            )  # fmt: skip

    def _answer(self, response: Response, fault: Fault | None) -> None:
        kind = fault.kind if fault else ""
        if kind == "timeout_after":
            raise _Hung
        if kind == "reset_after":
            raise _Reset
        if kind == "half_body":
            self._head(response, len(response.body))
            self.wfile.write(response.body[: len(response.body) // 2])
            self.close_connection = True
        elif kind == "slow_body" and fault:
            self._head(response, len(response.body))
            pieces = max(1, int(fault.options.get("pieces", 20)))
            size = max(1, -(-len(response.body) // pieces))
            for start in range(0, len(response.body), size):
                self.wfile.write(response.body[start : start + size])
                self.wfile.flush()
                time.sleep(float(fault.options.get("seconds", 0.5)))
        else:
            self._write(response)

    def _write(self, response: Response) -> None:
        self._head(response, len(response.body))
        self.wfile.write(response.body)

    def _head(self, response: Response, length: int) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(length))
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _reset(self) -> None:
        # Closing a socket that lingers for no time resets the connection.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


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
            time.sleep(random.uniform(seconds, float(options.get("to_seconds", seconds))))  # noqa: S311  # a delay
        case "timeout_before":
            raise _Hung
        case "reset_before":
            raise _Reset
        case "rate_limit":
            wait = options.get("retry_after")
            headers = {} if wait is None else {"Retry-After": str(wait)}
            return Response(HTTPStatus.TOO_MANY_REQUESTS, b'{"detail":"Too many requests."}', headers=headers)
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
            return Response(response.status, response.body[: len(response.body) // 2], response.content_type)
        case "wrong_encoding":
            body = response.body.replace(b'":"', '":"\u00e9'.encode("latin-1"), 1)
            return Response(response.status, body, response.content_type)
    return response
