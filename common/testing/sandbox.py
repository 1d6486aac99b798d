"""The sandbox as tests use it: a process of its own, steered over its control API."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

_ROOT = Path(__file__).resolve().parents[2]
_TOKEN = "test-control"
# So many calls a second that no test waits for the imitated throttle; the one about it switches a fault on.
_RATE = "1000"


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """Where it listens, and how it is steered."""

    url: str
    rebrickable_key: str = "sandbox-key"

    @classmethod
    @contextmanager
    def running(cls, *, rebrickable_rate: str = _RATE) -> Iterator["SandboxProcess"]:
        """Run one while the block runs."""
        command = [sys.executable, "-m", "sandbox", "--token", _TOKEN, "--rebrickable-rate", rebrickable_rate]
        process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603  # ours
        try:
            assert process.stdout is not None
            # "sandbox at http://127.0.0.1:40123, control token …"
            yield cls(url=process.stdout.readline().split()[2].rstrip(","))
        finally:
            process.terminate()
            process.wait(10)

    @property
    def rebrickable_url(self) -> str:
        """Answer the address of the imitated Rebrickable."""
        return f"{self.url}/rebrickable/api/v3/"

    @property
    def brickognize_url(self) -> str:
        """Answer the address of the imitated Brickognize."""
        return f"{self.url}/brickognize/"

    @property
    def sources(self) -> dict[str, dict[str, str]]:
        """Answer the setting CATALOG_SOURCES that has everything asked here."""
        return {
            "rebrickable": {"url": self.rebrickable_url, "key": self.rebrickable_key},
            "brickognize": {"url": self.brickognize_url, "key": ""},
        }

    def fault(self, kind: str, **command: Any) -> None:
        """Have something go wrong from now on (`sandbox/faults.py` lists what can)."""
        self._control("POST", "faults", {"kind": kind, **command})

    def reset(self) -> None:
        """Switch all faults off and forget what was asked."""
        self._control("POST", "reset")

    def asked(self) -> list[dict[str, Any]]:
        """Answer what the services were asked since the last reset."""
        rows: list[dict[str, Any]] = self._control("GET", "requests")
        return rows

    def _control(self, method: str, command: str, body: Any = None) -> Any:
        request = Request(  # noqa: S310  # the sandbox's own address
            f"{self.url}/__sandbox/{command}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {_TOKEN}"},
        )
        with urlopen(request, timeout=10) as answer:  # noqa: S310  # see above
            return json.load(answer)
