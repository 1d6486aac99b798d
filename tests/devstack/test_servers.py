"""Real PostgreSQL and Valkey servers: what they can do, and what is left of them when something was killed."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from brikonnect.devstack import programs as running
from brikonnect.devstack import servers
from brikonnect.devstack.accounts import Account
from brikonnect.devstack.binaries import Binaries
from brikonnect.devstack.bootstrap import ROOT
from brikonnect.devstack.postgres import Postgres, stop_left_over
from brikonnect.devstack.trouble import Trouble
from brikonnect.devstack.valkey import Valkey

SERVERS = [sys.executable, "-m", "brikonnect.devstack.servers", "--test", "--"]


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment of this process without servers, so that the command starts its own."""
    return {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}


@pytest.fixture
def cluster(programs: Binaries, folder: Path, account: Account | None) -> Iterator[Postgres]:
    made = Postgres(binaries=programs, data=folder / "data", sockets=folder / "pg", account=account, durable=False)
    yield made
    stop_left_over(made.data)


def left_running(cluster: Postgres) -> "subprocess.Popen[bytes]":
    """Start the server as a killed supervisor leaves it: nobody waits for it, and no signal ends it with us."""
    cluster.prepare()
    program = cluster.program()
    process = subprocess.Popen(
        list(program.argv),
        env=dict(program.env),
        cwd="/",
        user=program.account.uid if program.account else None,
        group=program.account.gid if program.account else None,
        extra_groups=[] if program.account else None,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    cluster.wait_until_ready(is_running=lambda: process.poll() is None)
    return process


def test_gives_a_command_empty_servers_and_answers_its_status(environ: dict[str, str]) -> None:
    code = (
        "import os, sys, psycopg, redis\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        "    connection.execute('CREATE TABLE t (x int)')\n"
        "    print(connection.execute('SHOW data_directory').fetchone()[0])\n"
        "redis.Redis.from_url(os.environ['REDIS_URL']).set('a', 'b')\n"
        "sys.exit(7)"
    )
    done = subprocess.run(
        [*SERVERS, sys.executable, "-c", code], env=environ, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 7, done.stderr
    assert not Path(done.stdout.strip()).parent.exists()


def test_uses_the_servers_that_the_environment_names(environ: dict[str, str]) -> None:
    named = {**environ, "DATABASE_URL": "postgresql://db.example/x", "REDIS_URL": "redis://redis.example"}
    code = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"
    done = subprocess.run(
        [*SERVERS, sys.executable, "-c", code], env=named, cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "postgresql://db.example/x redis://redis.example\n"


def test_cleans_up_when_it_is_told_to_end(environ: dict[str, str]) -> None:
    code = "import os, time; print(os.environ['REDIS_URL'].removeprefix('unix://'), flush=True); time.sleep(60)"
    with subprocess.Popen(
        [*SERVERS, sys.executable, "-c", code], env=environ, cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        socket = Path(process.stdout.readline().decode().strip())
        assert socket.is_socket()
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
    assert not socket.parent.parent.exists()


def test_servers_of_a_killed_run_end_with_it(environ: dict[str, str]) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("the kernel of this system does not watch a child's parent")
    code = "import os, time; print(os.environ['REDIS_URL'].removeprefix('unix://'), flush=True); time.sleep(5)"
    with subprocess.Popen(
        [*SERVERS, sys.executable, "-c", code], env=environ, cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().decode().strip()).parent.parent
        process.kill()
    limit = time.monotonic() + 20
    while any(_stands_in(each, folder) for each in psutil.process_iter()):
        assert time.monotonic() < limit
        time.sleep(0.05)
    # What only the next run removes is the folder; a young one is left alone, since its run may just begin.
    os.utime(folder, (0, 0))
    with servers.throw_away({**environ, "DATABASE_URL": "postgresql:///elsewhere"}):
        assert not folder.exists()


def _stands_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False


def test_postgres_has_what_the_application_relies_on(cluster: Postgres) -> None:
    left_running(cluster)
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        for extension in ("pg_trgm", "unaccent", "btree_gin", "btree_gist", "citext", "pg_stat_statements"):
            connection.execute(f"CREATE EXTENSION {extension}")

        def answer(query: str) -> object:
            row = connection.execute(query).fetchone()
            assert row is not None
            return row[0]

        assert answer("SHOW server_encoding") == "UTF8"
        assert answer("SELECT datcollate FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
        assert answer("SELECT upper('é') || similarity('Größe', 'größe')") == "É1"
        assert answer("SHOW listen_addresses") == ""
        assert int(str(answer("SHOW max_locks_per_transaction"))) >= 1024


def test_stops_a_server_that_a_killed_run_left(cluster: Postgres) -> None:
    process = left_running(cluster)
    assert stop_left_over(cluster.data)
    assert process.wait(1) == 0
    assert not stop_left_over(cluster.data)


def test_starts_again_when_only_the_head_of_the_server_was_killed(cluster: Postgres) -> None:
    cluster = dataclasses.replace(cluster, durable=True)
    process = left_running(cluster)
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (x int)")
        process.kill()
        process.wait()
    left_running(cluster)
    with psycopg.connect(cluster.url()) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_leaves_a_stranger_alone_whose_number_is_in_a_stale_pid_file(cluster: Postgres) -> None:
    cluster.prepare()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (cluster.data / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster.data}\n1\n5432\n\n\n1 1\nready\n")
        left_running(cluster)
        assert stranger.poll() is None
        stranger.kill()


def test_makes_the_cluster_anew_when_making_it_was_cut_off(cluster: Postgres) -> None:
    half = cluster.data.with_name(f"{cluster.data.name}.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    left_running(cluster)
    assert not half.exists()


def test_refuses_a_cluster_of_another_version(cluster: Postgres) -> None:
    cluster.prepare()
    (cluster.data / "PG_VERSION").write_text("13\n")
    with pytest.raises(Trouble, match="made by PostgreSQL 13"):
        cluster.prepare()


def test_refuses_a_folder_that_is_no_cluster(cluster: Postgres) -> None:
    cluster.data.mkdir()
    with pytest.raises(Trouble, match="--reset"):
        cluster.prepare()


def test_valkey_keeps_what_it_was_told_when_it_is_killed(
    programs: Binaries, folder: Path, account: Account | None
) -> None:
    server = Valkey(binaries=programs, data=folder / "data", sockets=folder / "valkey", account=account, durable=True)
    for attempt in range(2):
        server.prepare()
        program = server.program()
        process = running.start(program, stdout=subprocess.DEVNULL)
        server.wait_until_ready(is_running=lambda process=process: process.poll() is None)  # type: ignore[misc]  # a default of a lambda has no annotation
        with redis.Redis.from_url(server.url) as client:
            assert client.get("queue") == (b"kept" if attempt else None)
            client.set("queue", "kept")
        if attempt:
            running.stop(program, process)
            assert process.returncode == 0
        else:
            # Written out every second.
            time.sleep(1.2)
            process.kill()
            process.wait()


def test_reports_a_server_that_ends_while_it_starts(cluster: Postgres) -> None:
    cluster.prepare()
    with pytest.raises(Trouble, match="ended while it started"):
        cluster.wait_until_ready(is_running=lambda: False)
