"""A seller can always leave: all of a shop's data as a ZIP of JSON lines, of one moment, written as it is read."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from psycopg import sql

from audit import context
from common import workspace
from common.fields import EncryptedJSONField
from jobs import services as jobs
from jobs.models import JobRun
from tenants import queries, schemas

FORMAT = 1
JOB = "tenant_export"
# Rows between two signs of life.
_BEAT = 2000

# What stays behind, and why. Everything else in the shop's schema goes out.
WITHHELD_TABLES: dict[str, str] = {
    "account.emailconfirmation": "opens doors",
    "accounts.recoverycode": "opens doors",
    "accounts.refreshtoken": "opens doors",
    "accounts.session": "opens doors",
    "mfa.authenticator": "opens doors",
    "common.idempotencyrecord": "answers that we remember for a day",
    "common.limitwindow": "counters that live for minutes",
    "events.event": "messages between our own programs; what they tell of is in the other tables",
    "events.telling": "messages between our own programs; what they tell of is in the other tables",
}
WITHHELD_COLUMNS: dict[str, frozenset[str]] = {
    "accounts.user": frozenset({"password"}),
    # A mail may hold a link or a code that still works.
    "notifications.queuedemail": frozenset({"subject", "body_html", "body_text"}),
    # Whoever knows the address may ring at it.
    "sync.notifyaddress": frozenset({"token"}),
}
_WITHHELD_TYPES = (EncryptedJSONField, models.BinaryField, models.FileField)

_README = """This is everything that {name} had at Brikonnect on {at:%-d %B %Y, %H:%M} UTC.

manifest.json      what is here: each table with its columns and its number of rows, and what was left out and why
shop.json          the shop's settings and addresses
data/*.jsonl       one table each; one row a line, as JSON (https://jsonlines.org). Times are UTC, amounts are text

Keys of people, roles and the like are UUIDs; a column that ends in _id has the key of a row of another table.
Tables that begin with "historical" say what each row was before, and change sets say who changed it and when.
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it goes out."""

    label: str
    name: str
    key: str
    columns: tuple[str, ...]
    withheld: tuple[str, ...]

    @property
    def file(self) -> str:
        """Answer its place in the archive."""
        return f"data/{self.label}.jsonl"


def tables() -> list[Table]:
    """Answer the tables of a shop that go out, by label."""
    found = []
    for model in schemas.tenant_models():
        label = model._meta.label_lower
        if label not in WITHHELD_TABLES:
            fields = model._meta.concrete_fields
            by_name = WITHHELD_COLUMNS.get(label, frozenset())
            kept_back = {
                str(field.column) for field in fields if isinstance(field, _WITHHELD_TYPES) or field.column in by_name
            }
            assert model._meta.pk is not None  # noqa: S101  # every table has a key
            found.append(
                Table(
                    label=label,
                    name=model._meta.db_table,
                    key=str(model._meta.pk.column),
                    columns=tuple(str(field.column) for field in fields if field.column not in kept_back),
                    withheld=tuple(sorted(kept_back)),
                )
            )
    return sorted(found, key=lambda table: table.label)


@transaction.atomic
def start_export(*, key: str = "") -> JobRun:
    """Have all of the shop at hand written to a file on the job's page. The same `key` is the same export."""
    context.describe("tenants.start_export")
    return jobs.start(JOB, key=key, label=f"Export of {workspace.current().name}")


def write_export(*, stream: IO[bytes], now: datetime, progress: Callable[[int, int], None]) -> int:
    """Write the archive of the shop at hand; answer its number of rows. Memory doesn't grow with them.

    `progress` hears of rows done and of all there are, about every two thousand. Not atomic: it only reads, on a
    connection of its own, so that the caller can save how far it is.
    """
    shop = workspace.current()
    done = 0
    with schemas.snapshot(shop.key) as reader, ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        chosen = tables()
        counts = {table.label: _count(reader, table) for table in chosen}
        total = sum(counts.values())
        archive.writestr("README.txt", _README.format(name=shop.name, at=now))
        archive.writestr("shop.json", _json(_shop()))
        for table in chosen:
            with archive.open(table.file, "w", force_zip64=True) as out:
                for line in _lines(reader, table):
                    out.write(line)
                    done += 1
                    if done % _BEAT == 0:
                        progress(done, total)
        archive.writestr("manifest.json", _json(_manifest(chosen, counts, now)))
    progress(done, total)
    return done


def _count(reader: Any, table: Table) -> int:
    row = reader.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table.name))).fetchone()
    return int(row[0])


def _lines(reader: Any, table: Table) -> Iterator[bytes]:
    query = sql.SQL("COPY (SELECT to_jsonb(t) FROM (SELECT {} FROM {} ORDER BY {}) t) TO STDOUT").format(
        sql.SQL(", ").join(map(sql.Identifier, table.columns)), sql.Identifier(table.name), sql.Identifier(table.key)
    )
    with reader.cursor() as cursor, cursor.copy(query) as copy:
        for (line,) in copy.rows():
            yield f"{line}\n".encode()


def _shop() -> dict[str, Any]:
    found = queries.shop_settings()
    return {
        "name": found.name,
        "slug": found.slug,
        "hosts": queries.hosts(),
        "currency": found.currency,
        "timezone": found.timezone,
        "country": found.country,
        "edition": found.edition,
        "created_at": found.created_at,
        "settings": found.settings.model_dump(),
    }


def _manifest(chosen: list[Table], counts: dict[str, int], now: datetime) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "exported_at": now,
        "tables": [
            {
                "file": table.file,
                "model": table.label,
                "rows": counts[table.label],
                "columns": table.columns,
                "withheld_columns": table.withheld,
            }
            for table in chosen
        ],
        "withheld_tables": {
            label: reason for label, reason in WITHHELD_TABLES.items() if apps.is_installed(_app_of(label))
        },
    }


def _app_of(label: str) -> str:
    return str(apps.get_app_config(label.partition(".")[0]).name)


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
