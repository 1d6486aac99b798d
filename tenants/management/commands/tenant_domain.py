"""Has a host of a shop's own lead to it, or no longer."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from audit import context
from common.commands import problems_in_words
from tenants import queries, services


class Command(BaseCommand):
    """`manage.py tenant_domain add SLUG HOST` and `manage.py tenant_domain remove HOST`."""

    help = "Adds or removes a shop's own host. Such a host must also be in ALLOWED_HOSTS."

    def add_arguments(self, parser: CommandParser) -> None:
        deeds = parser.add_subparsers(dest="deed", required=True)
        add = deeds.add_parser("add")
        add.add_argument("slug")
        add.add_argument("host")
        remove = deeds.add_parser("remove")
        remove.add_argument("host")

    def handle(self, *_args: Any, **options: Any) -> None:
        host = options["host"].strip().lower()
        with problems_in_words(), context.for_command(f"tenants.{options['deed']}_domain"):
            if options["deed"] == "add":
                tenant = queries.tenant_with_slug(options["slug"])
                services.add_domain(tenant_id=tenant.id, host=host, now=timezone.now())
                self.stdout.write(f"{host} leads to {tenant.name}.")
                return
            domain = queries.domain_of(host)
            if domain is None:
                raise CommandError(f"{host} leads to no shop.")
            services.remove_domain(domain_id=domain.pk)
            self.stdout.write(f"{host} leads nowhere any more.")
