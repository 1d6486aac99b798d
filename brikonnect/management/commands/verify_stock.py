"""Proves the books: every lot's quantities are the sums of its movements, and no more lies at places than there is."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from brikonnect.celery import shops
from common import workspace
from inventory import services

_SHOWN = 100


class Command(BaseCommand):
    """`manage.py verify_stock [SCHEMA …]`."""

    help = (
        "Checks every lot against its movements and places, in all shops or in those named; ends with 1 if one differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("schema", nargs="*", help="schemas of shops; all without")

    def handle(self, *_args: Any, **options: Any) -> None:
        known = list(shops()) if settings.FEATURES.multi_tenant else [workspace.current_key()]
        unknown = sorted(set(options["schema"]) - set(known))
        if unknown:
            raise CommandError(f"There is no shop in {', '.join(unknown)}.")
        wrong = 0
        for schema in options["schema"] or known:
            with workspace.enter(schema):
                differences = services.verify_stock()
            wrong += len(differences)
            self.stdout.write(
                f"{schema}: {f'{len(differences):,} lots differ' if differences else 'the books are right'}"
            )
            for difference in differences[:_SHOWN]:
                self.stdout.write(f"  lot {difference.lot_id} {difference.what}")
        if wrong:
            raise CommandError(f"{wrong:,} lots differ from their books.")
