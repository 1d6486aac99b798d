"""The first command as a person uses it: started, disturbed, killed, started again, stopped."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from brikonnect.devstack import up
from brikonnect.devstack.bootstrap import ROOT
from brikonnect.devstack.trouble import Trouble

# One application at a time: the browser's is the other.
pytestmark = pytest.mark.xdist_group("browser")

# Seconds; a first start on a machine that does three other things.
START_LIMIT = 150
UP = [sys.executable, str(ROOT / "bin" / "up")]


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        found: int = probe.getsockname()[1]
        return found


@pytest.fixture
def environ() -> dict[str, str]:
    """The environment of a person who set nothing."""
    foreign = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    return {name: value for name, value in os.environ.items() if name not in foreign}


@contextlib.contextmanager
def running(options: Sequence[str], environ: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run bin/up in the background until it says that it runs; stop it, should the test not have done so."""
    with log.open("wb") as output:
        process = subprocess.Popen([*UP, *options], env=environ, stdout=output, stderr=subprocess.STDOUT)
    try:
        limit = time.monotonic() + START_LIMIT
        while "Brikonnect runs" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < limit, log.read_text()
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def run(options: Sequence[str], environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run bin/up where it is to end by itself."""
    return subprocess.run([*UP, *options], env=environ, capture_output=True, text=True, check=False, timeout=60)


def status_of(port: int, path: str, host: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers={"Host": f"{host}:{port}"})
    with contextlib.closing(connection):
        return connection.getresponse().status


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_runs_survives_being_killed_and_keeps_its_data(folder: Path, port: int, environ: dict[str, str]) -> None:
    options = ["--port", str(port), "--data", str(folder / "var")]
    with running(options, environ, folder / "first.log") as first:
        assert status_of(port, "/", "localhost") == 200
        assert status_of(port, "/api/v1/ready", "demo.localhost") == 200
        assert status_of(port, "/", "demo.localhost") == 302
        assert status_of(port, "/", "nobody.localhost") == 404

        same_data = run(["--port", str(port + 1), "--data", str(folder / "var")], environ)
        assert same_data.returncode == 1
        assert f"is running already with the data folder {folder / 'var'}" in same_data.stderr
        same_port = run(["--port", str(port), "--data", str(folder / "other")], environ)
        assert same_port.returncode == 1
        assert f"Port {port} is taken by another Brikonnect" in same_port.stderr
        assert "--port" in same_port.stderr

        # Whom the application asks is imitated, unless the environment names the real ones.
        [sandbox] = re.findall(r"Imitated here, at (http://127\.0\.0\.1:\d+)", (folder / "first.log").read_text())
        with urllib.request.urlopen(f"{sandbox}/brickognize/health/", timeout=10) as answer:  # noqa: S310  # the log's address
            assert json.load(answer) == {"server": True, "model": True}

        secrets = (folder / "var" / "secrets.json").read_text()
        first.kill()
        first.wait()
    elsewhere = "http://127.0.0.1:9/"
    names = (
        "BRICKOGNIZE_URL", "BRICKLINK_URL", "BRICKOWL_URL", "EXCHANGE_RATES_URL", "CATALOG_DUMPS", "CATALOG_IMAGES_URL",
        "BRIKICK_URL",
    )  # fmt: skip
    real = {"REBRICKABLE_API_KEY": "mine", **dict.fromkeys(names, elsewhere)}
    with running(options, {**environ, **real}, folder / "second.log") as second:
        # The demo's shop is there, and was not made again.
        assert status_of(port, "/", "demo.localhost") == 302
        assert "Making the database" not in (folder / "second.log").read_text()
        assert "Imitated" not in (folder / "second.log").read_text()
        assert (folder / "var" / "secrets.json").read_text() == secrets
        second.send_signal(signal.SIGINT)
        second.send_signal(signal.SIGINT)
        assert second.wait(60) == 0
    assert "Stopped." in (folder / "second.log").read_text()
    with pytest.raises(ConnectionRefusedError):
        status_of(port, "/", "localhost")


def test_takes_the_port_for_both_kinds_of_addresses(port: int) -> None:
    listeners = up.listen(port)
    try:
        for listener in listeners:
            with socket.create_connection(listener.getsockname()[:2]):
                pass
        with pytest.raises(Trouble, match=rf"(?s)Port {port} is taken.*--port {port + 1}$"):
            up.listen(port)
    finally:
        for listener in listeners:
            listener.close()
    # Free again at once.
    for listener in up.listen(port):
        listener.close()


@pytest.mark.parametrize("word", ["0", "65536", "²"])
def test_refuses_what_is_no_port(word: str, environ: dict[str, str]) -> None:
    done = run([f"--port={word}"], environ)
    assert done.returncode == 2
    assert "is not a port" in done.stderr


def test_says_that_a_named_database_does_not_answer(folder: Path, port: int, environ: dict[str, str]) -> None:
    named = {**environ, "DATABASE_URL": f"postgresql:///x?host={folder}", "REDIS_URL": f"unix://{folder}/none.sock"}
    done = run(["--port", str(port), "--data", str(folder / "var")], named)
    assert done.returncode == 1
    assert "DATABASE_URL is set, and its server does not answer" in done.stderr


def test_does_not_reset_a_database_that_is_not_its_own(folder: Path, environ: dict[str, str]) -> None:
    done = run(["--reset", "--data", str(folder / "var")], {**environ, "DATABASE_URL": "postgresql:///precious"})
    assert done.returncode == 1
    assert "--reset" in done.stderr
    assert not (folder / "var").exists()
