"""Stock going in and out, each in a process of its own so that its memory can be told; and what the database can do.

`python -m bench.stock import SCHEMA FILE` and `export SCHEMA FORMAT` print seconds, CPU and peak memory as JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psutil

from bench import rig

# What the limits work on, beside the shop's own tables.
_ROWS, _STAGED = "bench_rows", "bench_staged"


# --- The product, from the outside ----------------------------------------------------------------------------------
def run(what: str, schema: str, argument: str) -> rig.Figures:
    """Do it in a process of its own; answer seconds, CPU with PostgreSQL's, peak memory and rows."""
    postgres = rig.postgres()
    before = rig.cpu_seconds(postgres)
    command = [sys.executable, "-m", "bench.stock", what, schema, argument]
    out = subprocess.run(command, check=True, capture_output=True, text=True)  # our own command
    seen: rig.Figures = json.loads(out.stdout.splitlines()[-1])
    seen["cpu_s"] += rig.cpu_seconds(postgres) - before
    return seen


def _finish(job_ids: Iterator[Any]) -> None:
    from jobs import runner  # noqa: PLC0415  # Django is set up only now

    for job_id in job_ids:
        runner.run_job(job_id=job_id, with_heartbeat=False)


def _import(path: str) -> int:
    """Import a file as a worker does, from the upload to the last commit; answer how many rows it had."""
    from django.utils import timezone  # noqa: PLC0415  # Django is set up only now

    from inventory.services import importing  # noqa: PLC0415
    from jobs.models import JobRun  # noqa: PLC0415

    with Path(path).open("rb") as file:
        run = importing.start_import(
            file=file, file_name=Path(path).name, options=importing.Options(apply_at_once=True), now=timezone.now()
        )
    for _ in range(2):
        _finish(iter(JobRun.objects.filter(status="PENDING").order_by("id").values_list("id", flat=True)))
    run.refresh_from_db()
    if run.status != "COMPLETED":
        raise SystemExit(f"{path}: {run.status} {run.error_message}")
    return int(run.counts["rows"])


def _export(code: str) -> int:
    """Read an export to its end; answer how many bytes it had."""
    from django.utils import timezone  # noqa: PLC0415  # Django is set up only now

    from inventory import downloads, formats  # noqa: PLC0415
    from inventory.queries.filters import Filters  # noqa: PLC0415

    answer = downloads.as_file(Filters(), file_format=formats.get(code), now=timezone.now())
    return sum(map(len, cast("Iterable[bytes]", answer.streaming_content)))


def _peak() -> int:
    """Answer the most memory that this process had. What the system counts for it begins with its parent's."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _child(what: str, schema: str, argument: str) -> None:
    rig.set_up()
    from common import workspace  # noqa: PLC0415  # Django is set up only now

    own = psutil.Process()
    with workspace.enter(schema):
        base, began, before = own.memory_info().rss, time.perf_counter(), time.process_time()
        count = _import(argument) if what == "import" else _export(argument)
        seconds, cpu = time.perf_counter() - began, time.process_time() - before
    mb = 1024 * 1024
    figures = {"seconds": seconds, "cpu_s": cpu, "peak_mb": _peak() / mb, "base_mb": base / mb, "count": count}
    print(json.dumps(figures))


# --- The limits -----------------------------------------------------------------------------------------------------
def _timed(work: Callable[[], None]) -> rig.Figures:
    postgres = rig.postgres()
    before, own, began = rig.cpu_seconds(postgres), time.process_time(), time.perf_counter()
    work()
    seconds, used = time.perf_counter() - began, time.process_time() - own
    return {"seconds": seconds, "cpu_s": used + rig.cpu_seconds(postgres) - before}


@contextmanager
def _cursor(schema: str) -> Iterator[Any]:
    import psycopg  # noqa: PLC0415  # only the benches' own connection
    from django.db import connection  # noqa: PLC0415  # Django is set up only now

    settings = connection.get_connection_params()
    wanted = {name: settings[name] for name in ("dbname", "user", "password", "host", "port") if settings.get(name)}
    with psycopg.connect(**wanted, autocommit=True) as own, own.cursor() as cursor:
        cursor.execute(f'SET search_path TO "{schema}", public')
        yield cursor


def _table() -> str:
    from inventory.models import InventoryItem  # noqa: PLC0415  # Django is set up only now

    return InventoryItem._meta.db_table


def rows_of(schema: str) -> list[bytes]:
    """Answer the lots of a shop as COPY gives them."""
    with _cursor(schema) as cursor, cursor.copy(f"COPY {_table()} TO STDOUT") as copy:
        return [bytes(piece) for piece in copy]


def _put(cursor: Any, table: str, rows: list[bytes]) -> None:
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write(row)


def copy_in(schema: str, rows: list[bytes]) -> rig.Figures:
    """COPY of the rows into an empty table with all the indexes and constraints of the lots'."""
    with _cursor(schema) as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {_ROWS}; CREATE TABLE {_ROWS} (LIKE {_table()} INCLUDING ALL)")
        return _timed(lambda: _put(cursor, _ROWS, rows))


def upsert(schema: str, rows: list[bytes], *, sparing: bool = False) -> rig.Figures:
    """COPY of the rows to a staging table and one upsert into those that `copy_in` left.

    `sparing`: that leaves rows alone that are equal already.
    """
    with _cursor(schema) as cursor:
        cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0", [_ROWS])
        names = [name for (name,) in cursor.fetchall() if name != "id"]
        own, new = (", ".join(f"{prefix}.{name}" for name in names) for prefix in ("t", "excluded"))
        sets = ", ".join(f"{name} = excluded.{name}" for name in names)
        condition = f" WHERE ({own}) IS DISTINCT FROM ({new})" if sparing else ""

        statement = f"INSERT INTO {_ROWS} AS t SELECT * FROM {_STAGED} ON CONFLICT (id) DO UPDATE SET {sets}{condition}"  # noqa: S608  # names come from the table

        def work() -> None:
            with cursor.connection.transaction():
                cursor.execute(f"CREATE TEMPORARY TABLE {_STAGED} (LIKE {_ROWS}) ON COMMIT DROP")
                _put(cursor, _STAGED, rows)
                cursor.execute(statement)

        return _timed(work)


def copy_out(schema: str) -> rig.Figures:
    """COPY of the lots out of the database."""
    with _cursor(schema) as cursor:

        def work() -> None:
            with cursor.copy(f"COPY {_table()} TO STDOUT") as copy:
                for _ in copy:
                    pass

        return _timed(work)


if __name__ == "__main__":
    _child(*sys.argv[1:])
