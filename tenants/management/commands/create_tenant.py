"""Makes a shop with its owner, as signing up does."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from accounts.models import User
from audit import context
from common.commands import problems_in_words, read_password
from tenants import routing
from tenants.choices import Currency
from tenants.services import Founder, found_tenant


class Command(BaseCommand):
    """`manage.py create_tenant SLUG NAME --owner-email … --owner-name …`."""

    help = "Makes a shop and its owner. The owner's password is asked for, or read from the input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", help="the shop's address below the base domain")
        parser.add_argument("name", help="what the shop is called")
        parser.add_argument("--owner-email", required=True)
        parser.add_argument("--owner-name", default="")
        parser.add_argument("--currency", default="EUR", choices=Currency.values)
        parser.add_argument("--time-zone", default="UTC")
        parser.add_argument("--country", default="NL", help="ISO 3166-1 alpha-2")

    def handle(self, *_args: Any, **options: Any) -> None:
        email, name = options["owner_email"], options["owner_name"]
        password = read_password(User(email=email, display_name=name))
        with problems_in_words(), context.for_command("tenants.found_tenant"):
            founded = found_tenant(
                slug=options["slug"],
                name=options["name"],
                founder=Founder(email=email, display_name=name, password=password),
                currency=options["currency"],
                time_zone=options["time_zone"],
                country=options["country"],
                now=timezone.now(),
            )
        self.stdout.write(f"{founded.tenant.name}: {routing.url_of(routing.host_of(founded.tenant.slug))}")
