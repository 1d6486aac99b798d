"""The enumerations of people and what they prefer."""

from django.db import models


class Theme(models.TextChoices):
    """How the pages look; `system` follows the device."""

    LIGHT = "light", "Light"
    DARK = "dark", "Dark"
    SYSTEM = "system", "System"


class InvitationState(models.TextChoices):
    """Where an invitation stands; worked out from its moments, not stored."""

    OPEN = "OPEN", "Open"
    ACCEPTED = "ACCEPTED", "Accepted"
    REVOKED = "REVOKED", "Revoked"
    EXPIRED = "EXPIRED", "Expired"


# What a user can prefer, and the values that each preference takes; the first is what holds until it is set.
PREFERENCES: dict[str, tuple[str | bool, ...]] = {
    "shortcuts": ("on", "off"),
    "sidebar": ("open", "collapsed"),
    "first_steps_dismissed": (False, True),
}
