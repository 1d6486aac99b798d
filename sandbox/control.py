"""The hand that steers the sandbox, under `/__sandbox/`: faults, what was asked, back to the beginning."""

import json
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol

from sandbox.faults import MIXES, Fault, Faults, UnknownFaultError
from sandbox.http import Request, Response, as_json

PREFIX = "/__sandbox"
_REMEMBERED = 5000
_SHOWN = 2000
_NUMBERS = re.compile(r"(?<=/)\d+")
_KEYS = re.compile(r"((?:^|&)key=)[^&]*")
_SECRET = "[hidden]"  # noqa: S105  # stands where a secret stood


class Recorder:
    """The last requests, each with a number, so that a test can ask what was sent since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)
        self._number = 0
        self._counts: Counter[tuple[str, str, str, int | None]] = Counter()
        # Moves with each reset: what was under way then belongs to what was before.
        self.epoch = 0

    def add(
        self, *, epoch: int, service: str, request: Request, status: int | None, milliseconds: float, fault: str,
        note: str = "", body: bytes = b"",
    ) -> None:  # fmt: skip
        """Remember a request that came in that epoch; `status` None where no answer was sent."""
        with self._lock:
            if epoch != self.epoch:
                return
            self._number += 1
            kind = _NUMBERS.sub("{}", request.path)
            self._counts[service, request.method, kind, status] += 1
            self._rows.append(
                {
                    "number": self._number,
                    "at": round(time.time(), 3),
                    "service": service,
                    "method": request.method,
                    "path": request.path,
                    "query": {
                        name: _SECRET if name in ("key", "Authorization") else list(values)
                        for name, values in request.query.items()
                    },
                    "headers": {
                        name: _SECRET if name.lower() in ("authorization", "cookie", "x-api-key") else value
                        for name, value in request.headers.items()
                    },
                    "body_bytes": len(request.body),
                    "status": status,
                    "milliseconds": round(milliseconds, 1),
                    "fault": fault,
                    "body": _shown(request),
                    "answer": body[:_SHOWN].decode("utf-8", "replace"),
                    "note": note,
                }
            )

    def since(self, number: int) -> list[dict[str, Any]]:
        """Answer the requests after that number."""
        with self._lock:
            return [row for row in self._rows if row["number"] > number]

    def counts(self) -> list[dict[str, Any]]:
        """Answer how often each call was made since the reset, numbers in paths as `{}`."""
        with self._lock:
            return [
                {"service": service, "method": method, "path": path, "status": status, "count": count}
                for (service, method, path, status), count in sorted(self._counts.items(), key=str)
            ]

    def clear(self) -> None:
        """Forget them; the numbers go on."""
        with self._lock:
            self._rows.clear()
            self._counts.clear()
            self.epoch += 1


def _shown(request: Request) -> str:
    """Answer the beginning of what was sent, without a key that is in it."""
    return _KEYS.sub(rf"\1{_SECRET}", request.body[:_SHOWN].decode("utf-8", "replace"))


class Command(Protocol):
    """A part of the control API that somebody else answers."""

    def handle(self, request: Request) -> Response | None:
        """Carry a command out; None where it is none of his."""


class Control:
    """Answers whoever has the token. `commands`: who else knows some."""

    def __init__(
        self, *, token: str, faults: Faults, recorder: Recorder, commands: Sequence[Command] = (),
    ) -> None:  # fmt: skip
        self._token = token
        self._faults = faults
        self._recorder = recorder
        self._commands = commands

    def handle(self, request: Request) -> Response:
        """Carry a command out; `request.path` is without the prefix."""
        if request.path == "/health":
            return as_json({"ok": True})
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return as_json({"error": "the control token is missing or wrong"}, HTTPStatus.UNAUTHORIZED)
        response = self._known(request)
        for command in self._commands:
            response = response or command.handle(request)
        return response or as_json({"error": "no such command"}, HTTPStatus.NOT_FOUND)

    def _known(self, request: Request) -> Response | None:
        match request.method, request.path:
            case "POST", "/faults":
                return self._add_fault(request)
            case "GET", "/faults":
                return as_json(self._faults.listed())
            case "DELETE", "/faults":
                self._faults.clear()
                return as_json({})
            case "GET", "/requests":
                since = request.word("since", "0")
                return as_json(self._recorder.since(int(since) if since.isdigit() else 0))
            case "GET", "/counts":
                return as_json(self._recorder.counts())
            case "POST", "/reset":
                self._faults.clear()
                self._recorder.clear()
                return None if self._commands else as_json({})
        return None

    def _add_fault(self, request: Request) -> Response:
        try:
            command = json.loads(request.body)
            if not isinstance(command, dict):
                raise UnknownFaultError("expected an object")
            if (mix := command.get("mix")) is not None:
                if mix not in MIXES:
                    raise UnknownFaultError(f"unknown mix '{mix}', expected one of {', '.join(MIXES)}")
                self._faults.clear(int(command.get("seed", 0)))
                for part in MIXES[mix]:
                    self._faults.add(Fault.of({**part, "service": command.get("service", "")}))
            else:
                self._faults.add(Fault.of(command))
        except ValueError as error:
            return as_json({"error": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return as_json({}, HTTPStatus.CREATED)
