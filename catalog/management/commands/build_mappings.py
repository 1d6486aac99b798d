"""Works the dictionary between the platforms' numbers out anew."""

from typing import Any

from django.core.management import BaseCommand

from catalog import services


class Command(BaseCommand):
    """`manage.py build_mappings`: from what is in the catalog already."""

    help = "Work out anew which numbers of the platforms mean the same item."

    def handle(self, *_args: Any, **_options: Any) -> None:
        for what, count in services.build_mappings().items():
            self.stdout.write(f"{what}: {count:,} written")
