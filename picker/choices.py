"""Stored values of picking, with labels for people."""

from django.db import models


class SessionStatus(models.TextChoices):
    """How far a pick session is."""

    DRAFT = "DRAFT", "Draft"
    ACTIVE = "ACTIVE", "Active"
    COMPLETED = "COMPLETED", "Completed"
    CANCELLED = "CANCELLED", "Cancelled"


# Its orders are in it, and in no other.
OPEN = (SessionStatus.DRAFT, SessionStatus.ACTIVE)


class EventType(models.TextChoices):
    """What a picker said."""

    PICKED = "PICKED", "Picked"
    MISSING = "MISSING", "Missing"
    # Says of an earlier event how many pieces it is really of; 0 undoes it.
    ADJUSTMENT = "ADJUSTMENT", "Corrected"


class Remainder(models.TextChoices):
    """What becomes of the pieces that the books still have at a place where some were missing."""

    # They are left in the books; the place waits to be counted.
    LATER = "LATER", "Count later"
    # There are none.
    ZERO = "ZERO", "Nothing is left there"
    # So many were counted.
    COUNTED = "COUNTED", "Counted"


class WhereFrom(models.TextChoices):
    """From which of its places a lot is taken."""

    ON_THE_WAY = "ON_THE_WAY", "The one that lies on the way"
    EMPTIES = "EMPTIES", "The one that it empties"


class Layout(models.TextChoices):
    """What is known of where places are."""

    NONE = "NONE", "No map: in the order of the locations"
    AISLES = "AISLES", "Parallel aisles"
    FREE = "FREE", "Free: places have coordinates"


class Leaving(models.TextChoices):
    """Why an order is no longer in its session."""

    COMPLETED = "COMPLETED", "Picked"
    UNTOUCHED = "UNTOUCHED", "Not picked"
    CANCELLED = "CANCELLED", "Session cancelled"
    REMOVED = "REMOVED", "Taken out"
    GONE = "GONE", "Moved on meanwhile"
