"""Makes a schema that is a copy of another, and drops one."""

from typing import Any

from django.db import connection
from django_tenants.utils import schema_context

from tenants.schemas.checking import OWN, check
from tenants.schemas.names import PUBLIC, TEMPLATE, SchemaError, quote
from tenants.schemas.sessions import TEMPLATE_KEY


def exists(schema: str) -> bool:
    """Tell whether there is a schema of that name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace(%s) IS NOT NULL", [quote(schema)])
        return bool(cursor.fetchone()[0])


def create_empty(schema: str) -> None:
    """Make a schema with nothing in it, unless it is there."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")


def drop(schema: str) -> None:
    """Drop a tenant's schema with all that is in it, if it is there. Never the public one or the template."""
    if schema in (PUBLIC, TEMPLATE):
        raise SchemaError(f"{schema} is no tenant's schema")
    with connection.cursor() as cursor:
        # A table with checks that wait for the commit can't be dropped; they are made now.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP SCHEMA IF EXISTS {quote(schema)} CASCADE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def hold_template() -> None:
    """Keep the template as it is until the present transaction ends; waits for a migration of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [TEMPLATE_KEY])


# --- The script -----------------------------------------------------------------------------------------------------
# Each statement answers statements. With the schema first in the search path the catalog's own functions write its
# names without a prefix, so that what they write runs as it stands with another schema first. Other names keep theirs.

_COPY_FUNCTIONS = """
SELECT pg_get_functiondef(p.oid) FROM pg_proc p
WHERE p.pronamespace = %(schema)s::regnamespace ORDER BY p.oid
"""
_COPY_SEQUENCES = """
SELECT format('CREATE SEQUENCE %%I AS %%s START %%s INCREMENT %%s MAXVALUE %%s MINVALUE %%s CACHE %%s %%s',
              c.relname, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache,
              CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
FROM own c JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE NOT EXISTS (
    SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i')
"""
# Written out, as LIKE would keep the template's own functions and sequences in what it brings.
_COPY_TABLES = """
SELECT format('CREATE TABLE %%I (%%s)', c.relname, string_agg(concat_ws(' ', quote_ident(a.attname),
              format_type(a.atttypid, a.atttypmod),
              CASE WHEN a.attcollation <> t.typcollation THEN 'COLLATE ' || a.attcollation::regcollation END,
              CASE WHEN a.attgenerated <> '' THEN format('GENERATED ALWAYS AS (%%s) %%s',
                   pg_get_expr(d.adbin, d.adrelid), CASE a.attgenerated WHEN 's' THEN 'STORED' ELSE 'VIRTUAL' END) END,
              CASE WHEN a.attnotnull THEN 'NOT NULL' END), ', ' ORDER BY a.attnum))
FROM own c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind = 'r'
GROUP BY c.oid, c.relname
"""
_COPY_STORAGE = """
SELECT format('ALTER TABLE %%I ALTER COLUMN %%I SET STORAGE %%s', c.relname, a.attname, CASE a.attstorage
              WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END)
FROM own c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relkind = 'r' AND a.attstorage <> t.typstorage
"""
_COPY_IDENTITIES = """
SELECT format('ALTER TABLE %%I ALTER COLUMN %%I ADD GENERATED %%s AS IDENTITY'
              ' (SEQUENCE NAME %%I START %%s INCREMENT %%s MAXVALUE %%s MINVALUE %%s CACHE %%s %%s)',
              t.relname, a.attname, CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END,
              c.relname, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, s.seqcache,
              CASE WHEN s.seqcycle THEN 'CYCLE' ELSE 'NO CYCLE' END)
FROM own c
JOIN pg_sequence s ON s.seqrelid = c.oid
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i'
JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
"""
_COPY_DEFAULTS = """
SELECT format('ALTER TABLE %%I ALTER COLUMN %%I SET DEFAULT %%s', c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid))
FROM own c
JOIN pg_attrdef d ON d.adrelid = c.oid
JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE c.relkind = 'r' AND a.attgenerated = '' AND a.attidentity = ''
"""
_COPY_OWNERSHIP = """
SELECT format('ALTER SEQUENCE %%I OWNED BY %%I.%%I', c.relname, t.relname, a.attname)
FROM own c
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE c.relkind = 'S'
"""
_COPY_ROWS = """
SELECT format('INSERT INTO %%I (%%s) OVERRIDING SYSTEM VALUE SELECT %%s FROM %%s.%%I',
              c.relname, columns, columns, %(schema)s, c.relname)
FROM own c, LATERAL (
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) AS columns FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') a
WHERE c.relkind = 'r' AND columns IS NOT NULL
"""
_COPY_POSITIONS = """
SELECT format('SELECT setval(%%L, last_value) FROM %%s.%%I WHERE is_called', quote_ident(relname), %(schema)s, relname)
FROM own WHERE relkind = 'S'
"""
_COPY_KEYS = """
SELECT format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', c.relname, k.conname, pg_get_constraintdef(k.oid, true))
FROM own c JOIN pg_constraint k ON k.conrelid = c.oid
WHERE k.contype IN ('c', 'p', 'u', 'x')
"""
_COPY_INDEXES = """
SELECT pg_get_indexdef(x.indexrelid, 0, true)
FROM own c JOIN pg_index x ON x.indrelid = c.oid
WHERE NOT EXISTS (
    SELECT 1 FROM pg_constraint k
    WHERE k.conrelid = c.oid AND k.conindid = x.indexrelid AND k.contype IN ('p', 'u', 'x'))
"""
_COPY_REFERENCES = """
SELECT format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', c.relname, k.conname, pg_get_constraintdef(k.oid, true))
FROM own c JOIN pg_constraint k ON k.conrelid = c.oid
WHERE k.contype = 'f'
"""
_COPY_VIEWS = """
SELECT format('CREATE VIEW %%I AS %%s', c.relname, pg_get_viewdef(c.oid, true)) FROM own c
WHERE c.relkind = 'v' ORDER BY c.oid
"""
_COPY_TRIGGERS = """
SELECT pg_get_triggerdef(t.oid, true)
FROM own c JOIN pg_trigger t ON t.tgrelid = c.oid
WHERE NOT t.tgisinternal
"""
_COPY_COMMENTS = """
SELECT format('COMMENT ON %%s IS %%L', CASE WHEN a.attname IS NOT NULL
              THEN format('COLUMN %%I.%%I', c.relname, a.attname)
              ELSE format('%%s %%I', CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE'
                          ELSE 'INDEX' END, c.relname) END, d.description)
FROM own c
JOIN pg_description d ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
"""
# In this order: rows before the indexes, references and triggers that they would only slow down.
_STEPS = (
    _COPY_SEQUENCES,
    _COPY_TABLES,
    _COPY_STORAGE,
    _COPY_IDENTITIES,
    _COPY_OWNERSHIP,
    _COPY_DEFAULTS,
    _COPY_ROWS,
    _COPY_POSITIONS,
    _COPY_KEYS,
    _COPY_INDEXES,
    _COPY_REFERENCES,
    _COPY_VIEWS,
    _COPY_TRIGGERS,
    _COPY_COMMENTS,
)


def _functions(cursor: Any, schema: str) -> list[str]:
    # The one definition that the catalog writes with the schema's name in front.
    cursor.execute(_COPY_FUNCTIONS, {"schema": quote(schema)})
    head = "CREATE OR REPLACE FUNCTION "
    return [definition.replace(f"{head}{schema}.", head, 1) for (definition,) in cursor.fetchall()]


def script_of(schema: str) -> str:
    """Answer the SQL that makes a copy of a schema in the empty schema that is first in the search path."""
    with schema_context(schema), connection.cursor() as cursor:
        # Functions come first, since columns may call them, and so before the tables that their bodies name.
        statements = ["SET LOCAL check_function_bodies = off", *_functions(cursor, schema)]
        for step in _STEPS:
            cursor.execute(OWN + step, {"schema": quote(schema)})
            statements += [row[0] for row in cursor.fetchall()]
    return ";\n".join(statements)


def create_copy(schema: str, *, source: str = TEMPLATE, is_checked: bool = True) -> None:
    """Make the schema a copy of `source`: structure, rows, positions of sequences. Call it in a transaction.

    Raises SchemaError if the schema is there, the source isn't, or (`is_checked`) the copy isn't what a shop needs.
    """
    if exists(schema):
        raise SchemaError(f"the schema {schema} exists")
    if not exists(source):
        raise SchemaError(f"there is no schema {source}: run migrate_all first")
    script = script_of(source)
    create_empty(schema)
    with schema_context(schema), connection.cursor() as cursor:
        cursor.execute(script)
    if is_checked:
        check(schema)
