"""What a picker says, as a device sends it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from common.errors import Invalid
from picker.choices import EventType, Remainder

KEY_LENGTH, NOTES_LENGTH, MOST_PIECES = 64, 300, 1_000_000
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another place of the lot that pieces are taken from instead. `stop_id`: made on the device."""

    location_id: UUID
    stop_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """What a picker says. `corrects`: the key of the pick that is of `qty` pieces from now on (ADJUSTMENT).

    `remainder`, `counted`, `elsewhere`: what else is known where pieces are MISSING.
    """

    idempotency_key: str
    order_line_id: UUID
    event_type: str
    qty: int
    picked_at: datetime
    stop_id: UUID | None = None
    corrects: str = ""
    remainder: str = ""
    counted: int | None = None
    elsewhere: Elsewhere | None = None
    notes: str = ""

    @property
    def digest(self) -> str:
        """Answer what it says, as a digest: the same key must say the same."""
        parts = [
            self.order_line_id, self.event_type, self.qty, self.stop_id, self.corrects, self.remainder, self.counted,
            self.elsewhere and (self.elsewhere.location_id, self.elsewhere.stop_id), self.notes,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def check(pick: Pick) -> None:
    """Pass, or raise Invalid with what is wrong, whatever the session."""
    errors: dict[str, list[str]] = {}
    least = 0 if pick.event_type == EventType.ADJUSTMENT else 1
    if pick.event_type not in EventType.values:
        errors["/event_type"] = ["PICKED, MISSING or ADJUSTMENT."]
    if not 0 < len(pick.idempotency_key) <= KEY_LENGTH or "\x00" in pick.idempotency_key:
        errors["/idempotency_key"] = [f"Between 1 and {KEY_LENGTH} characters, made on the device."]
    if not least <= pick.qty <= MOST_PIECES:
        errors["/qty"] = [f"Between {least} and {MOST_PIECES:,} pieces."]
    if bool(pick.corrects) != (pick.event_type == EventType.ADJUSTMENT):
        errors["/corrects"] = ["The key of the pick that an ADJUSTMENT corrects; of other picks nothing."]
    errors |= _errors_of_missing(pick)
    if len(pick.notes) > NOTES_LENGTH or "\x00" in pick.notes:
        errors["/notes"] = [f"At most {NOTES_LENGTH} characters."]
    if errors:
        raise Invalid(errors=errors)


def _errors_of_missing(pick: Pick) -> dict[str, list[str]]:
    """Answer what is wrong about what else is known where pieces are missing."""
    errors: dict[str, list[str]] = {}
    says_more = bool(pick.remainder) or pick.counted is not None or pick.elsewhere is not None
    if says_more and pick.event_type != EventType.MISSING:
        errors["/remainder"] = ["Only of pieces that are MISSING."]
    elif pick.remainder and pick.remainder not in Remainder.values:
        errors["/remainder"] = ["LATER, ZERO or COUNTED."]
    if (pick.remainder == Remainder.COUNTED) != (pick.counted is not None):
        errors["/counted"] = ["How many were COUNTED; otherwise nothing."]
    elif pick.counted is not None and not 0 <= pick.counted <= MOST_PIECES:
        errors["/counted"] = [f"Between 0 and {MOST_PIECES:,} pieces."]
    return errors
