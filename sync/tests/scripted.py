"""A server that answers with what the channels' documentation shows, over real HTTP, and fails on command."""

import json
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

WIRE = Path(__file__).parent / "wire"


def literal(code: str, name: str) -> Any:
    """Answer an example of a channel's documentation, without BrickLink's envelope."""
    data = json.loads((WIRE / code / name).read_text())
    return data["data"] if code == "bricklink" else data


def refused(code: int, message: str, description: str) -> dict[str, Any]:
    """Answer how BrickLink says how it went, in an answer that HTTP calls well."""
    return {"meta": {"description": description, "message": message, "code": code}}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Answer the body as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        """Answer the body as the fields of a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong: `status` with a body, or what its name says."""

    kind: str
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    # Only for requests of this method.
    method: str = ""


class Scripted:
    """Whom the adapters ask in tests. `answers`: what is answered instead of the documentation, in order, by route."""

    def __init__(self, code: str) -> None:
        self.folder = WIRE / code
        self.routes: dict[str, str] = json.loads((self.folder / "routes.json").read_text())
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.answers: dict[str, list[Any]] = {}
        self.url = ""

    def fail(self, *faults: Fault, times: int = 100) -> None:
        """Have the next requests go wrong, one fault after the other."""
        self.faults = [*faults] * times

    def answer(self, route: str, *bodies: Any) -> None:
        """Answer a route with these bodies, one after the other; the last one from then on."""
        self.answers[route] = list(bodies)

    def body_for(self, asked: Asked) -> tuple[int, bytes]:
        """Answer status and body for a request."""
        route = f"{asked.method} {asked.path}"
        if bodies := self.answers.get(route):
            body = bodies.pop(0) if len(bodies) > 1 else bodies[0]
            return (
                (body[0], json.dumps(body[1]).encode()) if isinstance(body, tuple) else (200, json.dumps(body).encode())
            )
        special = next((f"{route}?{name}" for name in asked.query if f"{route}?{name}" in self.routes), route)
        if special not in self.routes:
            return 404, b'{"error":{"status":"unknown endpoint"}}'
        return 200, (self.folder / self.routes[special]).read_bytes()

    @classmethod
    @contextmanager
    def running(cls, code: str) -> Iterator["Scripted"]:
        """Serve while the block runs."""
        script = cls(code)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        script.url = f"http://127.0.0.1:{server.server_port}/api/v1"
        try:
            yield script
        finally:
            server.shutdown()
            server.server_close()


def _handler(script: Scripted) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:  # the base class's name for it
            pass

        def _serve(self) -> None:
            split = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                method=self.command,
                path=split.path.removeprefix("/api/v1/"),
                query=dict(parse_qsl(split.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            script.asked.append(asked)
            status, body = script.body_for(asked)
            headers: dict[str, str] = {}
            fault = None
            if script.faults and script.faults[0].method in ("", asked.method):
                fault = script.faults.pop(0)
            if fault is not None:
                made = _made_wrong(self, fault, body)
                if made is None:
                    return
                status, body, headers = made
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) * (2 if fault and fault.kind == "half_body" else 1)))
            self.end_headers()
            self.wfile.write(body)
            if fault and fault.kind == "half_body":
                self.close_connection = True

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815  # the base class's names for them

    return Handler


def _made_wrong(handler: Any, fault: Fault, body: bytes) -> tuple[int, bytes, dict[str, str]] | None:
    match fault.kind:
        case "status":
            return fault.status, json.dumps(fault.body).encode(), fault.headers
        case "html":
            return fault.status, b"<html><body>Back soon</body></html>", fault.headers
        case "half_json":
            return 200, body[: len(body) // 2], {}
        case "half_body":
            return 200, body[: max(1, len(body) // 2)], {}
        case "empty":
            return 200, b"", {}
        case "wrong_encoding":
            return 200, b'{"name":"\xe9"}', {}
        case "hang":
            time.sleep(1.5)
    # A hang ends like this too: reset, without a word.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True
    return None
