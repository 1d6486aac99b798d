"""Small things that are read and written whole: messages, feedback, notifications, coupons, notes."""

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from sandbox.sellers import Seller


@dataclass(frozen=True, slots=True)
class Paper:
    """One of them. `ref`: what it is about, such as an order's number."""

    id: int
    seller_id: int
    kind: str
    ref: str
    at: int
    is_read: bool
    doc: dict[str, Any]

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Paper":
        """Read a row."""
        return cls(
            row["id"], row["seller_id"], row["kind"], row["ref"], row["at"], bool(row["is_read"]),
            json.loads(row["doc"]),
        )  # fmt: skip


def write(
    writer: sqlite3.Connection, seller: Seller, kind: str, doc: dict[str, Any], *, at: int, ref: str | int = ""
) -> Paper:
    """Add one."""
    number = writer.execute(
        "INSERT INTO papers (seller_id, kind, ref, at, doc) VALUES (?, ?, ?, ?, ?)",
        (seller.id, kind, str(ref), at, json.dumps(doc)),
    ).lastrowid
    return Paper(int(number or 0), seller.id, kind, str(ref), at, is_read=False, doc=doc)


def listed(
    connection: sqlite3.Connection, seller: Seller, kind: str, *, ref: str | int | None = None, unread: bool = False
) -> list[Paper]:
    """Answer those of a kind, oldest first."""
    query = "SELECT * FROM papers WHERE seller_id = ? AND kind = ?"
    values: list[int | str] = [seller.id, kind]
    if ref is not None:
        query += " AND ref = ?"
        values.append(str(ref))
    if unread:
        query += " AND is_read = 0"
    return [Paper.of(row) for row in connection.execute(f"{query} ORDER BY id", values)]


def get(connection: sqlite3.Connection, seller: Seller, kind: str, number: int) -> Paper | None:
    """Answer one by its number."""
    row = connection.execute(
        "SELECT * FROM papers WHERE id = ? AND seller_id = ? AND kind = ?", (number, seller.id, kind)
    ).fetchone()
    return None if row is None else Paper.of(row)


def rewrite(writer: sqlite3.Connection, paper: Paper, doc: dict[str, Any]) -> None:
    """Write one anew."""
    writer.execute("UPDATE papers SET doc = ? WHERE id = ?", (json.dumps(doc), paper.id))


def mark_read(writer: sqlite3.Connection, papers: list[Paper]) -> None:
    """Mark them read."""
    writer.executemany("UPDATE papers SET is_read = 1 WHERE id = ?", [(paper.id,) for paper in papers])


def discard(writer: sqlite3.Connection, paper: Paper) -> None:
    """Throw one away."""
    writer.execute("DELETE FROM papers WHERE id = ?", (paper.id,))
