"""The hand that steers the sandbox, under `/__sandbox/`: faults, what was asked, back to the beginning."""

import json
import threading
from collections import deque
from http import HTTPStatus
from typing import Any

from sandbox.faults import Fault, Faults, UnknownFaultError
from sandbox.http import Request, Response, as_json

PREFIX = "/__sandbox"
_REMEMBERED = 1000
_SECRET = "[hidden]"  # noqa: S105  # stands where a secret stood


class Recorder:
    """The last requests, each with a number, so that a test can ask what was sent since."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: deque[dict[str, Any]] = deque(maxlen=_REMEMBERED)
        self._number = 0
        # Moves with each reset: what was under way then belongs to what was before.
        self.epoch = 0

    def add(
        self, *, epoch: int, service: str, request: Request, status: int | None, milliseconds: float, fault: str
    ) -> None:
        """Remember a request that came in that epoch; `status` None where no answer was sent."""
        with self._lock:
            if epoch != self.epoch:
                return
            self._number += 1
            self._rows.append(
                {
                    "number": self._number,
                    "service": service,
                    "method": request.method,
                    "path": request.path,
                    "query": {
                        name: _SECRET if name == "key" else list(values) for name, values in request.query.items()
                    },
                    "headers": {
                        name: _SECRET if name.lower() in ("authorization", "cookie") else value
                        for name, value in request.headers.items()
                    },
                    "body_bytes": len(request.body),
                    "status": status,
                    "milliseconds": round(milliseconds, 1),
                    "fault": fault,
                }
            )

    def since(self, number: int) -> list[dict[str, Any]]:
        """Answer the requests after that number."""
        with self._lock:
            return [row for row in self._rows if row["number"] > number]

    def clear(self) -> None:
        """Forget them; the numbers go on."""
        with self._lock:
            self._rows.clear()
            self.epoch += 1


class Control:
    """Answers whoever has the token."""

    def __init__(self, *, token: str, faults: Faults, recorder: Recorder) -> None:
        self._token = token
        self._faults = faults
        self._recorder = recorder

    def handle(self, request: Request) -> Response:
        """Carry a command out; `request.path` is without the prefix."""
        if request.path == "/health":
            return as_json({"ok": True})
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return as_json({"error": "the control token is missing or wrong"}, HTTPStatus.UNAUTHORIZED)
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
            case "POST", "/reset":
                self._faults.clear()
                self._recorder.clear()
                return as_json({})
        return as_json({"error": "no such command"}, HTTPStatus.NOT_FOUND)

    def _add_fault(self, request: Request) -> Response:
        try:
            command = json.loads(request.body)
            if not isinstance(command, dict):
                raise UnknownFaultError("expected an object")
            self._faults.add(Fault.of(command))
        except ValueError as error:
            return as_json({"error": str(error)}, HTTPStatus.UNPROCESSABLE_ENTITY)
        return as_json({}, HTTPStatus.CREATED)
