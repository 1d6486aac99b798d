"""Core is reusable: it works in a second Django project without tenants, and loads nothing of the floors above it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from tenants import schemas


@pytest.fixture
def environ(tmp_path: Any) -> Iterator[dict[str, str]]:
    """The environment of the second project, with a database of its own."""
    name = f"{connection.settings_dict['NAME']}_embed"
    with schemas.session(dbname="postgres") as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        yield {
            **os.environ,
            "DATABASE_URL": os.environ["DATABASE_URL"].replace("/brikonnect?", f"/{name}?"),
            "DJANGO_SETTINGS_MODULE": "tests.embed.settings",
            "PYTHONPATH": str(settings.BASE_DIR),
            "MEDIA": str(tmp_path),
        }
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.slow
@pytest.mark.django_db
def test_core_works_in_a_project_without_tenants(environ: dict[str, str], tmp_path: Any):
    done = subprocess.run(
        [sys.executable, "-m", "tests.embed.smoke"],
        env=environ, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-5000:]

    found = json.loads(done.stdout.splitlines()[-1])
    assert found == {
        "workspace": "Embedded Bricks", "edition": "full", "can": True, "signs in": True, "token": True,
        "undone": True, "name": "Ana", "deeds": True, "job": "COMPLETED", "heard": [7], "mails": found["mails"],
        "door": 422, "foreign": [],
    }  # fmt: skip
    assert "Welcome to Embedded Bricks" in found["mails"]
