"""Writes everything that is encrypted anew under the first of ENCRYPTION_KEYS, in every schema, without a stop."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from brikonnect.celery import shops
from common import crypto, rotation, workspace


class Command(BaseCommand):
    """`manage.py rotate_keys`."""

    help = "Encrypts credentials, sessions and second factors anew under the first key; ends with 1 if a value is lost."

    def handle(self, *_args: Any, **_options: Any) -> None:
        schemas = ["public", *shops()] if settings.FEATURES.multi_tenant else [workspace.current_key()]
        lost = 0
        for schema in schemas:
            with workspace.enter(schema):
                result = rotation.rotate()
            self.stdout.write(f"{schema}: {result.count:,} values are under the key {crypto.key_id()} now")
            for table, count in (result.lost or {}).items():
                lost += count
                self.stdout.write(f"  {table}: {count:,} values are under no key of ENCRYPTION_KEYS")
        if lost:
            raise CommandError(f"{lost:,} values can't be read. Put the key back that they were written with.")
        self.stdout.write("The other keys can be taken out of ENCRYPTION_KEYS.")
