"""What runs, their plans and what a person decides can be."""

from django.db import models


class Direction(models.TextChoices):
    """Which side of a run follows the other."""

    SOURCE_TO_TARGET = "SOURCE_TO_TARGET", "The target follows"
    BIDIRECTIONAL = "BIDIRECTIONAL", "Both get what they lack"


class Trigger(models.TextChoices):
    """Why a run was made."""

    BY_HAND = "BY_HAND", "By hand"
    DRIFT = "DRIFT", "Nightly check"


class RunStatus(models.TextChoices):
    """Where a run stands."""

    PENDING = "PENDING", "Waiting"
    FETCHING = "FETCHING", "Fetching"
    COMPARING = "COMPARING", "Comparing"
    PREVIEW_READY = "PREVIEW_READY", "Ready to approve"
    APPLYING = "APPLYING", "Applying"
    COMPLETED = "COMPLETED", "Completed"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


class Action(models.TextChoices):
    """What a plan does to a lot in one store."""

    ADD = "ADD", "Add"
    UPDATE = "UPDATE", "Change"
    REMOVE = "REMOVE", "Remove"
    SKIP = "SKIP", "Skip"


class Urgency(models.IntegerChoices):
    """In which order changes go to a store: what can't be sold any more first."""

    SOLD_OUT = 0, "No pieces left"
    FEWER = 1, "Fewer pieces"
    MORE = 2, "More pieces, or a new listing"
    PRICE = 3, "Prices"
    TEXT = 4, "Other fields"


class SkipReason(models.TextChoices):
    """Why a plan leaves a lot alone."""

    UNMATCHED = "UNMATCHED", "Nobody knows what it is"
    # It turned out equal when it was to be changed.
    NO_CHANGE = "NO_CHANGE", "Equal by now"
    USER_EXCLUDED = "USER_EXCLUDED", "Left out by you"
    RETAINED = "RETAINED", "Stays by your choice"
    CONFLICT = "CONFLICT", "Both sides changed it"
    # The store's rules don't show it there.
    NOT_LISTED = "NOT_LISTED", "Not listed there by the store's rules"
    # Others of its kind are there, and a person says which is which.
    CROWD = "CROWD", "Several lots of one kind"
    # It is on the channel alone, and the run was asked to leave such lots there.
    NEW_THERE = "NEW_THERE", "Only there"
    # It was sold, or sent, while the stores were read: the next look is sure.
    BUSY = "BUSY", "On the move just now"


class ItemStatus(models.TextChoices):
    """How far one line of a plan has come."""

    PENDING = "PENDING", "To do"
    # What will be sent is kept before it goes out; until there is an answer, the lot is read before it is sent again.
    SENT = "SENT", "Sent"
    APPLIED = "APPLIED", "Done"
    FAILED = "FAILED", "Failed"
    SKIPPED = "SKIPPED", "Skipped"
