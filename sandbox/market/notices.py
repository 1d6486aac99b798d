"""What a marketplace tells a seller by itself: at once, late, twice or never."""

import hmac
import http.client
import ipaddress
import json
import sqlite3
import threading
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from sandbox.dice import Dice
from sandbox.sellers import Seller, World

_TIMES_MS = {"now": (0,), "late": (30_000,), "twice": (0, 1_000), "never": ()}
# A webhook that wasn't taken is sent again after so many seconds.
RETRIES_S = (10, 60, 600, 3_600, 21_600, 86_400)
_TIMEOUT_S = 10
_TAKEN = range(200, 300)
_SECRET = "_secret"  # noqa: S105  # the name of the field


def push(
    world: World, writer: sqlite3.Connection, seller: Seller, *, method: str, url: str, body: str = "",
    headers: Mapping[str, str] | None = None, secret: str = "",
) -> None:  # fmt: skip
    """Have something sent to a seller's own address; raises ValueError where that is not on this machine or network."""
    check_address(url)
    mode, now_ms = str(seller.settings.get("push", "now")), world.clock.now_ms()
    if mode == "mixed":
        count = writer.execute("SELECT count(*) FROM deliveries WHERE seller_id = ?", (seller.id,)).fetchone()[0]
        mode = Dice("push", seller.id, count).one(tuple(_TIMES_MS))
    kept = {**(headers or {}), **({_SECRET: secret} if secret else {})}
    for delay in _TIMES_MS[mode]:
        writer.execute(
            "INSERT INTO deliveries (seller_id, method, url, headers, body, due_at) VALUES (?, ?, ?, ?, ?, ?)",
            (seller.id, method, url, json.dumps(kept), body, now_ms + delay),
        )


def check_address(url: str) -> None:
    """Refuse what leads out of this machine or network: the sandbox never asks the world."""
    parts = urlsplit(url)
    name = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not name:
        raise ValueError(f"not an address: {url}")
    if name == "localhost" or name.endswith((".localhost", ".local", ".internal")) or "." not in name.strip("[]"):
        return
    try:
        is_near = ipaddress.ip_address(name).is_private
    except ValueError:
        is_near = False
    if not is_near:
        raise ValueError(f"the sandbox sends nothing to {name}, only to this machine or its own network")


class Courier:
    """Sends what is due, from a thread of its own."""

    def __init__(self, world: World, *, poll_s: float = 0.1) -> None:
        self._world = world
        self._poll_s = poll_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, after what is being sent."""
        self._stopped.set()
        self._thread.join(_TIMEOUT_S)

    def _run(self) -> None:
        while not self._stopped.wait(self._poll_s):
            with self._world.state.reading() as reader:
                due = reader.execute(
                    "SELECT * FROM deliveries WHERE status = 'due' AND due_at <= ? ORDER BY due_at, id LIMIT 50",
                    (self._world.clock.now_ms(),),
                ).fetchall()
            for row in due:
                self._send(row)

    def _send(self, row: sqlite3.Row) -> None:
        headers: dict[str, str] = json.loads(row["headers"])
        secret = headers.pop(_SECRET, "")
        if secret:
            stamp = str(self._world.clock.now_ms() // 1000)
            signed = hmac.new(secret.encode(), f"{stamp}.{row['body']}".encode(), sha256).hexdigest()
            headers |= {"X-Brikick-Timestamp": stamp, "X-Brikick-Signature": f"v1={signed}"}
        is_taken = _sent(row["method"], row["url"], row["body"], headers)
        attempt, status, due_at = row["attempt"] + 1, "taken" if is_taken else "lost", row["due_at"]
        if not is_taken and secret and attempt <= len(RETRIES_S):
            status, due_at = "due", self._world.clock.now_ms() + RETRIES_S[attempt - 1] * 1000
        with self._world.state.changing() as writer:
            writer.execute(
                "UPDATE deliveries SET attempt = ?, status = ?, due_at = ? WHERE id = ?",
                (attempt, status, due_at, row["id"]),
            )


def _sent(method: str, url: str, body: str, headers: Mapping[str, str]) -> bool:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=_TIMEOUT_S)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body=body.encode() if body else None, headers=dict(headers))
        return connection.getresponse().status in _TAKEN
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def described(row: sqlite3.Row) -> dict[str, Any]:
    """Answer a delivery as the control API shows it."""
    return {name: row[name] for name in ("id", "seller_id", "method", "url", "body", "attempt", "status")}
