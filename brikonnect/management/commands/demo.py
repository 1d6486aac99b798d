"""Makes the demo's shop, its five people and its stock. Run again, it makes what is missing."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from brikonnect import demo


class Command(BaseCommand):
    """`manage.py demo`."""

    help = "Makes the demo's shop, people and stock; refused in production."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            emails = demo.fill()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{demo.NAME}: {', '.join(emails)}; password {demo.PASSWORD}")
