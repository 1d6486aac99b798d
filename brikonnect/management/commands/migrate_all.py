"""Brings the database of an installation with one shop to the code; where there are several, tenants' command does."""

from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """`manage.py migrate_all`."""

    help = "Migrates the database."

    def handle(self, *_args: Any, **options: Any) -> None:
        call_command(
            "migrate", interactive=False, verbosity=options["verbosity"], stdout=self.stdout, stderr=self.stderr
        )
