"""How a process beside the present one begins: it imports this before Django's models are there."""

import django
from django.conf import settings


def start(database: str) -> None:
    """Set Django up, with the database that the parent works on."""
    settings.DATABASES["default"]["NAME"] = database
    django.setup()
