"""Makes one of our own staff, who may use the admin on the public host once a second factor is set up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import services
from accounts.models import User
from audit import context
from common.commands import problems_in_words, read_password
from tenants import routing


class Command(BaseCommand):
    """`manage.py create_staff EMAIL NAME`."""

    help = "Makes a staff user of the public host. The password is asked for, or read from the input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name")

    def handle(self, *_args: Any, **options: Any) -> None:
        email, name = options["email"], options["name"]
        password = read_password(User(email=email, display_name=name))
        with problems_in_words(), context.for_command("accounts.create_user"):
            user = services.create_user(
                email=email, display_name=name, roles=[], password=password, is_verified=True, is_staff=True
            )
        self.stdout.write(
            f"{user.email} is staff: sign in at {routing.site_url('/admin/')} and set up a second factor there."
        )
