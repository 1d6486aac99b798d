"""Takes a schema apart, so that tests can tell whether two are equal."""

from django.db import connection
from django_tenants.utils import schema_context

# Each statement answers (name, definition). With the schema first in the search path the catalog's own functions write
# its names without a prefix, so that the definitions of two equal schemas are equal.
_COLUMNS = """
SELECT c.relname || '.' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                 NULLIF(a.attidentity, ''), NULLIF(a.attgenerated, ''), NULLIF(a.attcompression, ''), a.attstorage,
                 pg_get_expr(d.adbin, d.adrelid))
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = %(schema)s::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
SELECT c.relname || '.' || k.conname, pg_get_constraintdef(k.oid, true)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace = %(schema)s::regnamespace AND k.contype IN ('c', 'p', 'u', 'x', 'f')
"""
_INDEXES = """
SELECT i.relname, pg_get_indexdef(x.indexrelid, 0, true)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
WHERE i.relnamespace = %(schema)s::regnamespace AND i.relkind = 'i'
"""
_TRIGGERS = """
SELECT c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid, true) || ' ' || t.tgenabled::text
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
WHERE c.relnamespace = %(schema)s::regnamespace AND NOT t.tgisinternal
"""
_SEQUENCES = """
SELECT c.relname, concat_ws(' ', format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
       s.seqcache, s.seqcycle, (SELECT d.refobjid::regclass || '.' || a.attname FROM pg_depend d
                    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
FROM pg_class c JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE c.relnamespace = %(schema)s::regnamespace
"""
_FUNCTIONS = """
SELECT p.oid::regprocedure::text, concat_ws(' ', p.prosrc, p.prokind, p.provolatile, p.prosecdef, p.proisstrict,
       pg_get_function_result(p.oid), p.proconfig::text)
FROM pg_proc p WHERE p.pronamespace = %(schema)s::regnamespace
"""
_VIEWS = """
SELECT c.relname, pg_get_viewdef(c.oid, true) FROM pg_class c
WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'v'
"""
_COMMENTS = """
SELECT concat_ws('.', c.relname, a.attname), d.description
FROM pg_description d
JOIN pg_class c ON d.classoid = 'pg_class'::regclass AND d.objoid = c.oid
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
WHERE c.relnamespace = %(schema)s::regnamespace
"""
_PARTS = {
    "column": _COLUMNS,
    "constraint": _CONSTRAINTS,
    "index": _INDEXES,
    "trigger": _TRIGGERS,
    "sequence": _SEQUENCES,
    "function": _FUNCTIONS,
    "view": _VIEWS,
    "comment": _COMMENTS,
}


def describe(schema: str) -> set[tuple[str, str, str]]:
    """Answer all that a schema consists of, as (kind, name, definition)."""
    found: set[tuple[str, str, str]] = set()
    with schema_context(schema), connection.cursor() as cursor:
        for kind, statement in _PARTS.items():
            cursor.execute(statement, {"schema": schema})
            found |= {(kind, name, definition) for name, definition in cursor.fetchall()}
    return found
