"""Tells whether a schema is what a shop needs: all of its tables in itself, and nothing that leads elsewhere."""

from django.apps import apps
from django.conf import settings
from django.db import connection, models

from tenants.schemas.names import TEMPLATE, SchemaError, quote

# The schema's own relations, found by what depends on the schema: the catalog has no index by which it would find them
# otherwise, and reading all of it would make each new shop dearer than the one before. Indexes hang on their tables.
OWN = """
WITH own AS (
    SELECT c.* FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = %(schema)s::regnamespace
      AND d.classid = 'pg_class'::regclass)
"""
_TABLES = "SELECT relname FROM own WHERE relkind IN ('r', 'p')"
# Whatever in the schema (keys, defaults, triggers, views) depends on something in another schema than the shared ones.
_STRANGERS = """
, things AS (
    SELECT 'pg_class'::regclass AS classid, oid, relname AS name FROM own
    UNION ALL
    SELECT 'pg_class'::regclass, x.indexrelid, c.relname FROM own c JOIN pg_index x ON x.indrelid = c.oid
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, k.conname FROM own c JOIN pg_constraint k ON k.conrelid = c.oid
    UNION ALL
    SELECT 'pg_attrdef'::regclass, d.oid, c.relname FROM own c JOIN pg_attrdef d ON d.adrelid = c.oid
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid, t.tgname FROM own c JOIN pg_trigger t ON t.tgrelid = c.oid
    UNION ALL
    SELECT 'pg_rewrite'::regclass, r.oid, c.relname FROM own c JOIN pg_rewrite r ON r.ev_class = c.oid
), needs AS (
    SELECT things.name, COALESCE(c.relnamespace, p.pronamespace) AS namespace
    FROM things JOIN pg_depend d ON d.classid = things.classid AND d.objid = things.oid
    LEFT JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
    LEFT JOIN pg_proc p ON d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid
)
SELECT DISTINCT needs.name, n.nspname FROM needs JOIN pg_namespace n ON n.oid = needs.namespace
WHERE n.oid <> %(schema)s::regnamespace AND n.nspname NOT IN ('public', 'pg_catalog', 'information_schema', 'pg_toast')
"""
# What isn't copied must not be in the template, rather than be missing in a shop.
_UNKNOWN = """
SELECT c.relname, 'relation of kind ' || c.relkind::text FROM pg_class c
WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind NOT IN ('r', 'i', 'S', 'v', 't')
UNION ALL
SELECT t.typname, 'type' FROM pg_type t
WHERE t.typnamespace = %(schema)s::regnamespace AND t.typtype IN ('d', 'e', 'r', 'm')
UNION ALL
SELECT c.relname, 'rule ' || r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind <> 'v'
UNION ALL
SELECT c.relname, 'row security' FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace AND c.relrowsecurity
UNION ALL
SELECT stxname, 'statistics' FROM pg_statistic_ext WHERE stxnamespace = %(schema)s::regnamespace
UNION ALL
SELECT c.relname, 'inheritance' FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
WHERE c.relnamespace = %(schema)s::regnamespace
"""


def tenant_models() -> list[type[models.Model]]:
    """Answer the models that have a table in every tenant's schema."""
    names = set(settings.TENANT_APPS)
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and apps.get_app_config(model._meta.app_label).name in names
    ]


def strangers(schema: str) -> list[str]:
    """Answer what in the schema leads into a third one, in words."""
    with connection.cursor() as cursor:
        cursor.execute(OWN + _STRANGERS, {"schema": quote(schema)})
        return [f"{name} leads to {other}" for name, other in cursor.fetchall()]


def check(schema: str) -> None:
    """Pass if each tenant model's table is in the schema itself and nothing in it leads into another tenant's.

    A missing table would be looked for in public (stack.md, trap 5). Raises SchemaError that says what is wrong.
    """
    with connection.cursor() as cursor:
        cursor.execute(OWN + _TABLES, {"schema": quote(schema)})
        present = {name for (name,) in cursor.fetchall()}
    missing = sorted({model._meta.db_table for model in tenant_models()} - present)
    if missing:
        raise SchemaError(f"{schema} lacks {', '.join(missing)}: run migrate_all")
    if found := strangers(schema):
        raise SchemaError(f"{schema}: {'; '.join(found)}")


def check_template() -> None:
    """Pass if the template is whole and has nothing that isn't copied; else raise SchemaError."""
    check(TEMPLATE)
    with connection.cursor() as cursor:
        cursor.execute(_UNKNOWN, {"schema": quote(TEMPLATE)})
        if found := [f"{name} ({what})" for name, what in cursor.fetchall()]:
            raise SchemaError(f"{TEMPLATE} has what can't be copied: {', '.join(found)}")
