"""Keys ordered by time, made by the application because PostgreSQL 16 has no uuidv7()."""

import hashlib
import secrets
import time
from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """Answer a fresh UUIDv7 (RFC 9562, section 5.7): later keys sort after earlier ones."""
    made: UUID = uuid_utils.compat.uuid7()
    return made


def derived_id(key: UUID, text: str) -> UUID:
    """Answer a key that is of `key`'s time, and the same for the same text (a UUIDv7 with a digest for its noise)."""
    digest = int.from_bytes(hashlib.sha256(key.bytes + text.encode()).digest()[:10])
    noise = digest & ~(0xF << 76 | 0b11 << 62)
    return UUID(int=key.int >> 80 << 80 | 0x7 << 76 | 0b10 << 62 | noise)


# RFC 9562, section 6.2, method 1: twelve bits of a counter follow the millisecond.
_PER_MS = 1 << 12


def new_ids(count: int) -> list[UUID]:
    """Answer so many fresh UUIDv7s, each later than the one before: a batch keeps its order by its keys."""
    began_ms = time.time_ns() // 1_000_000
    noise = secrets.token_bytes(8 * count)
    made = []
    for place in range(count):
        ahead_ms, counter = divmod(place, _PER_MS)
        tail = int.from_bytes(noise[8 * place : 8 * place + 8]) & (1 << 62) - 1
        made.append(UUID(int=(began_ms + ahead_ms) << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | tail))
    return made
