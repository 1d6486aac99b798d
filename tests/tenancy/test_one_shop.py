"""With multi_tenant=false the installation is one shop in plain Django: nothing of tenancy is there, all else works."""

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

from common.testing.people import PASSWORD
from tenants import schemas

NAME = "one_shop"


@pytest.fixture
def environ() -> Iterator[dict[str, str]]:
    """The environment of an installation with one shop and a database of its own."""
    name = f"{connection.settings_dict['NAME']}_{NAME}"
    with schemas.session(dbname="postgres") as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        yield {
            **os.environ,
            "DATABASE_URL": os.environ["DATABASE_URL"].replace("/brikonnect?", f"/{name}?"),
            "BRIKONNECT_FEATURES": "multi_tenant=false",
            "WORKSPACE_NAME": "One Shop",
            "DJANGO_SETTINGS_MODULE": "brikonnect.settings_test",
        }
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.mark.slow
@pytest.mark.django_db
def test_runs_for_one_seller(environ: dict[str, str]):
    done = subprocess.run(
        [sys.executable, "-m", "tests.tenancy.visit_one_shop", PASSWORD],
        env=environ, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    deeds, said = found.pop("deeds"), found.pop("said")
    assert found == {
        "stranger": 302, "door": 200, "named": True, "sign in": 302, "/": 200, "/settings/users/": 200,
        "/settings/roles/": 200, "/settings/security/": 200, "/audit/": 200, "/jobs/": 200, "/notifications/": 200,
        "/settings/general/": 404, "/admin/": 404, "/sign-up/": 404, "elsewhere": 200, "invite": 201,
        "multi_tenant": False, "/api/v1/ready": 200, "/api/v1/health": 200, "/api/v1/settings": 404, "key": "public",
        "tenancy": [], "schemas": ["public"], "tables": 0,
    }  # fmt: skip
    assert {"accounts.create_user", "accounts.invite_user"} <= set(deeds)
    assert "ana@example.com is an owner" in said
    assert "owner@demo.example" in said
