"""Keys ordered by time, made by the application because PostgreSQL 16 has no uuidv7()."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """Answer a fresh UUIDv7 (RFC 9562, section 5.7): later keys sort after earlier ones."""
    made: UUID = uuid_utils.compat.uuid7()
    return made
