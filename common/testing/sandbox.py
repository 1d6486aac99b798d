"""The sandbox as tests use it: a process of its own, steered over its control API."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
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
    # The demo's accounts: `sandbox/sellers.py`.
    bricklink_credentials: Mapping[str, str] = field(
        default_factory=lambda: {
            "consumer_key": "CKDEMO00000000000000000000000001",
            "consumer_secret": "CSDEMO00000000000000000000000002",
            "token": "TKDEMO00000000000000000000000003",
            "token_secret": "TSDEMO00000000000000000000000004",
        }
    )
    brickowl_key: str = "d3m0" * 16
    brikick_key: str = "brk_test_" + "d3m0" * 6

    @classmethod
    @contextmanager
    def running(cls, *, rebrickable_rate: str = _RATE, state: str = "") -> Iterator["SandboxProcess"]:
        """Run one while the block runs; `state`: the file in which it keeps what it remembers."""
        command = [sys.executable, "-m", "sandbox", "--token", _TOKEN, "--rebrickable-rate", rebrickable_rate]
        command += ["--state", state] if state else []
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
    def pictures_url(self) -> str:
        """Answer the address under which the imitated hosts of pictures are."""
        return f"{self.url}/pictures"

    @property
    def bricklink_url(self) -> str:
        """Answer the address of the imitated BrickLink."""
        return f"{self.url}/bricklink/api/store/v1/"

    @property
    def brickowl_url(self) -> str:
        """Answer the address of the imitated Brick Owl."""
        return f"{self.url}/brickowl/v1/"

    @property
    def brikick_url(self) -> str:
        """Answer the address of the imitated Brikick."""
        return f"{self.url}/brikick/api/v1/store/"

    @property
    def exchange_rates_url(self) -> str:
        """Answer the folder of the imitated European Central Bank's file."""
        return f"{self.url}/ecb/stats/eurofxref/"

    @property
    def dumps_url(self) -> str:
        """Answer the folder of the imitated downloads of Rebrickable."""
        return f"{self.url}/dumps/media/downloads/"

    @property
    def sources(self) -> dict[str, dict[str, str]]:
        """Answer the setting CATALOG_SOURCES that has everything asked here."""
        return {
            "rebrickable": {"url": self.rebrickable_url, "key": self.rebrickable_key},
            "brickognize": {"url": self.brickognize_url},
            "bricklink": {"url": self.bricklink_url, **self.bricklink_credentials},
            "brickowl": {"url": self.brickowl_url, "key": self.brickowl_key},
            "exchange_rates": {"url": self.exchange_rates_url},
        }

    def fault(self, kind: str, **command: Any) -> None:
        """Have something go wrong from now on (`sandbox/faults.py` lists what can)."""
        self.control("POST", "faults", {"kind": kind, **command})

    def reset(self) -> None:
        """Go back to the beginning: no faults, nothing asked, the demo's sellers alone."""
        self.control("POST", "reset")

    def asked(self) -> list[dict[str, Any]]:
        """Answer what the services were asked since the last reset."""
        rows: list[dict[str, Any]] = self.control("GET", "requests")
        return rows

    def control(self, method: str, command: str, body: Any = None) -> Any:
        """Carry a command of the control API out (`sandbox/control.py`, `sandbox/steering.py`)."""
        request = Request(  # noqa: S310  # the sandbox's own address
            f"{self.url}/__sandbox/{command}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {_TOKEN}"},
        )
        with urlopen(request, timeout=10) as answer:  # noqa: S310  # see above
            return json.load(answer)
