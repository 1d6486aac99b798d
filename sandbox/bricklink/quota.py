"""How many calls a seller has made in a day, and what happens past the limit."""

import sqlite3

from sandbox.bricklink.envelope import Refusal
from sandbox.sellers import Seller

_MINUTES = 1440


def used(connection: sqlite3.Connection, seller: Seller, now_ms: int) -> int:
    """Answer the calls of the last 24 hours, or since the seller's midnight."""
    minute = now_ms // 60_000
    if seller.settings["quota_window"] == "rolling":
        since = minute - _MINUTES
    else:
        offset = int(seller.settings["quota_zone_hours"]) * 60
        since = (minute + offset) // _MINUTES * _MINUTES - offset - 1
    row = connection.execute(
        "SELECT coalesce(sum(count), 0) FROM calls WHERE seller_id = ? AND minute > ?", (seller.id, since)
    ).fetchone()
    return int(row[0])


def take(connection: sqlite3.Connection, seller: Seller, now_ms: int) -> None:
    """Count a call; raises Refusal past the limit."""
    minute = now_ms // 60_000
    connection.execute(
        "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT (seller_id, minute) DO UPDATE SET count = count + 1",
        (seller.id, minute),
    )
    mode = seller.settings["quota_mode"]
    if mode == "soft" or used(connection, seller, now_ms) <= int(seller.settings["quota"]):
        return
    if mode == "block":
        row = connection.execute(
            "SELECT key FROM credentials WHERE seller_id = ? AND kind = 'consumer'", (seller.id,)
        ).fetchone()
        raise Refusal.oauth(f"CONSUMER_KEY_BLOCKED: blocked consumer_key {row['key']}")
    raise Refusal(429, "API_LIMIT_EXCEEDED", "API call limit exceeded")
