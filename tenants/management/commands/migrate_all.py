"""Brings the database to the code: public schema, template, every tenant. Safe to run again, and at any time."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.migration import migrate_all


class Command(BaseCommand):
    """`manage.py migrate_all`."""

    requires_system_checks = []  # it must run where the code is ahead of the database
    help = "Migrates the public schema, the template for new shops, and all shops: in parallel, resumable."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--processes", type=int, default=0, help="how many at once; 0: one per processor")

    def handle(self, *_args: Any, **options: Any) -> None:
        began = time.monotonic()
        outcome = migrate_all(at_once=options["processes"], say=self.stdout.write, tell=self._tell)
        self.stdout.write(
            f"{len(outcome.migrated)} shops migrated, {outcome.skipped} up to date, {len(outcome.failures)} failed"
            f" ({time.monotonic() - began:.1f} s)."
        )
        if outcome.failures:
            names = ", ".join(failure.schema for failure in outcome.failures)
            raise CommandError(f"Not migrated: {names}. The others are done; run the command again for these.")

    def _tell(self, schema: str, error: str) -> None:
        if error:
            self.stderr.write(self.style.ERROR(f"  {schema}: {error}"))
        else:
            self.stdout.write(f"  {schema}: migrated")
