"""Imports dumps of Rebrickable and BrickLink into the catalog that all shops share."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from catalog import services
from catalog.importing.reading import DumpRefused


class Command(BaseCommand):
    """`manage.py import_catalog PLACE…`: files, packed or not, are told apart by what is in them."""

    help = "Import the dumps of rebrickable.com/downloads and of BrickLink's catalog download."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "places", nargs="+", help="files, folders of files, or addresses; one that ends in a slash stands for"
            " Rebrickable's twelve tables in it",
        )  # fmt: skip
        parser.add_argument("--force", action="store_true", help="also what has shrunk, or is the same as last time")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            report = services.import_from(
                places=options["places"], now=timezone.now(), is_forced=options["force"], on_progress=self._progress
            )
        except DumpRefused as error:
            raise CommandError(str(error.detail)) from error
        if report.is_unchanged:
            self.stdout.write("The same files as last time; nothing to do.")
        for dump in report.dumps:
            problems = f", {dump.problems:,} lines left out" if dump.problems else ""
            self.stdout.write(f"{dump.file}: {dump.table}, {dump.rows:,} rows{problems}")
            for line in dump.problem_lines[:10]:
                self.stdout.write(f"  {line}")
        for table, count in report.unknown.items():
            self.stdout.write(f"{table}: {count:,} lines name what the catalog doesn't know, and were left out")
        for what, count in report.written.items():
            self.stdout.write(f"{what}: {count:,} written")

    def _progress(self, what: str, count: int) -> None:
        if self.stdout.isatty():
            self.stdout.write(f"\r{what} {count:,}" if count else what, ending="")
