"""Brings the public schema, the template and every tenant's schema to the migrations of the code: in parallel, past
failures, and skipping at the cost of one query per hundred schemas what needs nothing."""

import os
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from io import StringIO
from multiprocessing import get_context

from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django_tenants.utils import schema_context

from tenants import processes, schemas
from tenants.models import Tenant

# One migrate_all at a time; a second waits.
RUN_KEY = 0x6272_696B_0002
_CHUNK = 100
# Below so many schemas a second process costs more than it saves.
_WORTH_A_PROCESS = 4

Applied = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Failure:
    """A schema that could not be migrated, and why."""

    schema: str
    error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did with the tenants' schemas."""

    migrated: tuple[str, ...]
    skipped: int
    failures: tuple[Failure, ...]


def _needed() -> Applied:
    """Answer what a schema that is up to date has recorded: every migration of the code, none that was replaced."""
    loader = MigrationLoader(None)
    return frozenset(key for key in loader.graph.nodes if key in loader.disk_migrations)


def _applied(names: list[str]) -> dict[str, Applied]:
    """Answer what each schema has recorded. One query per hundred schemas."""
    found: dict[str, Applied] = {name: frozenset() for name in names}
    table = MigrationRecorder.Migration._meta.db_table
    with connection.cursor() as cursor:
        for start in range(0, len(names), _CHUNK):
            cursor.execute(
                "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE c.relname = %s AND n.nspname = ANY(%s)",
                [table, names[start : start + _CHUNK]],
            )
            present = [name for (name,) in cursor.fetchall()]
            if not present:
                continue
            quote = connection.ops.quote_name
            parts = [
                f"SELECT '{place}', array_agg(app), array_agg(name) FROM {quote(name)}.{quote(table)}"  # noqa: S608  # quoted names from the catalog
                for place, name in enumerate(present)
            ]
            cursor.execute(" UNION ALL ".join(parts))
            for place, labels, migrations in cursor.fetchall():
                found[present[int(place)]] = frozenset(zip(labels or [], migrations or [], strict=True))
    return found


def outdated(names: list[str]) -> list[str]:
    """Answer which of the schemas lack a migration of the code, in the order given."""
    needed = _needed()
    applied = _applied(names)
    return [name for name in names if not needed <= applied[name]]


def migrate_schema(schema: str, *, verbosity: int = 0) -> str:
    """Run the migrations that the schema lacks; answer what they printed."""
    said = StringIO()
    if schema != schemas.PUBLIC:
        # Alone in the search path, so that the public schema's record isn't taken for the tenant's.
        connection.set_schema(schema, include_public=False)  # type: ignore[attr-defined]  # django_tenants' connection
        MigrationRecorder(connection).ensure_schema()
    with schema_context(schema):
        _migrate_command(said, verbosity)
    return said.getvalue()


def _migrate_command(said: StringIO, verbosity: int) -> None:
    # Django's own: the one that django_tenants puts in its place loops over all tenants by itself.
    from django.core.management.commands.migrate import Command  # noqa: PLC0415  # a command is imported where it is run

    call_command(Command(stdout=said, stderr=said), interactive=False, verbosity=verbosity, skip_checks=True)


def _try(schema: str) -> tuple[str, str]:
    """Migrate one schema; answer it with what went wrong, or nothing."""
    try:
        migrate_schema(schema)
        schemas.check(schema)
    except Exception as error:  # a worker's outermost loop: one shop's trouble must not stop the others
        connection.close()
        return schema, "".join(traceback.format_exception_only(error)).strip()
    finally:
        connection.set_schema_to_public()  # type: ignore[attr-defined]  # django_tenants' connection
    return schema, ""


def migrate_tenants(names: list[str], *, at_once: int, tell: Callable[[str, str], None]) -> Outcome:
    """Migrate the schemas that need it, several at once; `tell` hears of each with its error or nothing."""
    waiting = outdated(names)
    done: list[str] = []
    failures: list[Failure] = []

    def note(schema: str, error: str) -> None:
        tell(schema, error)
        if error:
            failures.append(Failure(schema, error))
        else:
            done.append(schema)

    workers = min(at_once, len(waiting) // _WORTH_A_PROCESS)
    if workers < 2:  # noqa: PLR2004  # one process is this one
        for schema in waiting:
            note(*_try(schema))
    else:
        database = connection.settings_dict["NAME"]
        connection.close()
        with ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=processes.start, initargs=(database,)
        ) as pool:
            for future in as_completed([pool.submit(_try, schema) for schema in waiting]):
                note(*future.result())
    return Outcome(migrated=tuple(done), skipped=len(names) - len(waiting), failures=tuple(failures))


def migrate_all(
    *, at_once: int = 0, say: Callable[[str], None], tell: Callable[[str, str], None], only_shared: bool = False
) -> Outcome:
    """Migrate public, then the template, then the tenants. Not atomic: each migration is, and a second run goes on.

    `at_once`: so many processes; 0 is one per processor. Only the first two keep new shops waiting, which are copies.
    """
    with schemas.alone(RUN_KEY, waiting=lambda: say("Another migrate_all is at work; waiting for it …")):
        with schemas.alone(schemas.TEMPLATE_KEY, waiting=lambda: say("A shop is being made; waiting for it …")):
            schemas.create_empty(schemas.TEMPLATE)
            for schema in (schemas.PUBLIC, schemas.TEMPLATE):
                if outdated([schema]):
                    migrate_schema(schema)
                    tell(schema, "")
            connection.set_schema_to_public()  # type: ignore[attr-defined]  # django_tenants' connection
            schemas.check_template()
        if only_shared:
            return Outcome((), 0, ())
        names = list(Tenant.objects.order_by("schema_name").values_list("schema_name", flat=True))
        return migrate_tenants(names, at_once=at_once or os.cpu_count() or 1, tell=tell)
