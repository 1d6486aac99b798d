"""What tests stand on: a database made once for a run and copied for each worker, with one shop in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone
from django_tenants.utils import schema_context
from psycopg import sql

from tenants import schemas
from tenants.migration import migrate_all
from tenants.models import Domain, Tenant

_PATTERN_KEY = 0x6272_696B_00FF


def create_shop(*, schema: str, host: str, slug: str = "", name: str = "Test shop", **values: Any) -> Tenant:
    """Make a shop with its schema and host, without users. What a real founding does besides: tenants.services."""
    with transaction.atomic():
        schemas.create_copy(schema)
        with schema_context(schema):
            tenant = Tenant.objects.create(
                schema_name=schema, slug=slug or host.partition(".")[0], name=name, ready_at=timezone.now(), **values
            )
            Domain.objects.create(tenant=tenant, domain=host, is_primary=True)
    return tenant


class Databases:
    """The databases of a test run: the pattern, which one process makes, and a copy of it for each worker.

    A copy costs 0.04 s, so a test that commits gets a new one instead of having tables emptied, and finds everything as
    every other test does.
    """

    def __init__(self, *, run: str, worker: str) -> None:
        self._original = str(settings.DATABASES["default"]["NAME"])
        self._pattern = f"test_{self._original}_pattern"
        self.name = f"test_{self._original}{f'_{worker}' if worker else ''}"
        self._run = run

    @staticmethod
    def _server() -> "psycopg.Connection[Any]":
        return schemas.session(dbname="postgres")

    def _execute(self, server: "psycopg.Connection[Any]", *statements: sql.SQL) -> None:
        names = {
            "name": sql.Identifier(self.name),
            "pattern": sql.Identifier(self._pattern),
            "run": sql.Literal(self._run),
        }
        for statement in statements:
            server.execute(statement.format(**names))

    def _use(self, name: str) -> None:
        connection.close()
        settings.DATABASES["default"]["NAME"] = name
        connection.settings_dict["NAME"] = name

    def make_pattern(self, fill: Callable[[], object]) -> None:
        """Make the pattern once for the run, whichever worker comes first; `fill` puts in what every test finds."""
        with self._server() as server:
            server.execute("SELECT pg_advisory_lock(%s)", [_PATTERN_KEY])
            made_by = server.execute(
                "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [self._pattern]
            ).fetchone()
            if made_by == (self._run,):
                return
            self._execute(
                server,
                sql.SQL("DROP DATABASE IF EXISTS {pattern} WITH (FORCE)"),
                sql.SQL("CREATE DATABASE {pattern} TEMPLATE template0 ENCODING 'UTF8'"),
            )
            self._use(self._pattern)
            migrate_all(say=lambda _text: None, tell=lambda _schema, _error: None)
            fill()
            # Statistics travel with the copies.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            self._use(self._original)
            self._execute(server, sql.SQL("COMMENT ON DATABASE {pattern} IS {run}"))

    def make(self) -> None:
        """Make this worker's database as the pattern is, in place of the one there was."""
        self._use(self._original)
        with self._server() as server:
            self._execute(
                server,
                sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
                sql.SQL("CREATE DATABASE {name} TEMPLATE {pattern} STRATEGY FILE_COPY"),
            )
        self._use(self.name)

    def drop(self) -> None:
        """Take this worker's database away."""
        connections.close_all()
        self._use(self._original)
        with suppress(psycopg.OperationalError), self._server() as server:
            self._execute(server, sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


def empty_redis() -> None:
    """Take away what earlier tests left in this worker's Redis: limits, hosts, tasks."""
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.flushdb()


@contextmanager
def in_schema(schema: str) -> Iterator[None]:
    """See the schema inside the block, and after it what was seen before."""
    with schema_context(schema):
        yield
