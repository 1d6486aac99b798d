"""Makes the first owner of an installation with one shop. Where there are several, create_tenant does it for each."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import services
from accounts.models import User
from accounts.roles import OWNER
from audit import context
from common import workspace
from common.commands import problems_in_words, read_password


class Command(BaseCommand):
    """`manage.py create_owner EMAIL NAME`."""

    help = "Makes an owner of the only shop. The password is asked for, or read from the input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not workspace.current().slug:
            raise CommandError("There are several shops here; create_tenant makes one together with its owner.")
        email, name = options["email"], options["name"]
        password = read_password(User(email=email, display_name=name))
        with problems_in_words(), context.for_command("accounts.create_user"):
            user = services.create_user(
                email=email, display_name=name, roles=[OWNER], password=password, is_verified=True
            )
        self.stdout.write(f"{user.email} is an owner.")
