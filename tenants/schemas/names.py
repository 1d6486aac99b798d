"""The schemas that aren't a shop's, and what can be wrong with one that is."""

from django.db import connection

# Kept up to date by migrate_all; holds the tables of every tenant app and the rows that each shop begins with.
TEMPLATE = "tenant_template"
PUBLIC = "public"


class SchemaError(Exception):
    """The schema isn't what it should be. Nothing of it stays."""


def quote(name: str) -> str:
    """Answer a schema's name as SQL has it."""
    return str(connection.ops.quote_name(name))
