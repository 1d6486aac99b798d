"""Writes a file of made-up stock, for trying imports out and for measuring them."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from inventory import formats, generator


class Command(BaseCommand):
    """`manage.py make_stock_file --lots 100000 --format bsx --seed 1 PATH`."""

    help = "Writes a file of made-up stock as real stores have it; the same file again for the same seed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--lots", type=int, default=1000, help="how many (1000)")
        parser.add_argument("--format", default="bsx", choices=[found.spec.code for found in formats.all_formats()])
        parser.add_argument("--seed", type=int, default=1, help="which stock (1)")
        parser.add_argument("--currency", default="EUR")
        parser.add_argument(
            "--drift", type=float, default=0.0, metavar="SHARE", help="change that share of the lots, such as 0.1"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["lots"] < 0 or not 0 <= options["drift"] <= 1:
            raise CommandError("There can't be fewer lots than none, or a share that isn't between 0 and 1.")
        made = generator.lots(options["lots"], seed=options["seed"], currency=options["currency"])
        if options["drift"]:
            made = generator.drifted(made, share=options["drift"], seed=options["seed"] + 1)
        with options["path"].open("wb") as file:
            for piece in formats.get(options["format"]).write(made, currency=options["currency"]):
                file.write(piece)
        self.stdout.write(f"{options['path']} has {options['lots']:,} lots.")
