"""Visits an installation with one shop and prints what it found; a process of its own, since settings are read once."""

import io
import json
import sys
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402  # Django is set up only now
from django.core.management import call_command  # noqa: E402  # see above
from django.db import connection  # noqa: E402  # see above
from django.test import Client  # noqa: E402  # see above

from audit.models import ChangeSet  # noqa: E402  # see above
from common import workspace  # noqa: E402  # see above

PAGES = (
    "/", "/settings/users/", "/settings/roles/", "/settings/security/", "/audit/", "/jobs/", "/notifications/",
    "/settings/general/", "/admin/", "/sign-up/",
)  # fmt: skip
TENANCY = ("django_tenants", "tenant_schemas_celery", "tenants.")


def _database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'")
        schemas = sorted(name for (name,) in cursor.fetchall())
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^tenants_'")
        tables = cursor.fetchone()[0]
    return {"schemas": schemas, "tables": tables}


def install(password: str) -> str:
    """Check, migrate (twice), make an owner and the demo's people; answer what the commands said."""
    said = io.StringIO()
    call_command("check", stdout=said)
    call_command("migrate_all", stdout=said, verbosity=0)
    call_command("migrate_all", stdout=said, verbosity=0)
    sys.stdin = io.StringIO(f"{password}\n")
    call_command("create_owner", "ana@example.com", "Ana Silva", stdout=said)
    call_command("demo", stdout=said)
    return said.getvalue()


def visit(password: str) -> dict[str, Any]:
    """Answer the statuses of pages and endpoints, and what there is of tenancy."""
    browser = Client(headers={"host": settings.BASE_DOMAIN}, raise_request_exception=False)
    elsewhere = Client(headers={"host": f"nobody.{settings.BASE_DOMAIN}"}, raise_request_exception=False)
    door = browser.get("/account/login/")
    found: dict[str, Any] = {"stranger": browser.get("/").status_code, "door": door.status_code}
    found["named"] = "Sign in to One Shop" in door.content.decode()
    form = {"login": "ana@example.com", "password": password}
    found["sign in"] = browser.post("/account/login/", form).status_code
    found |= {page: browser.get(page).status_code for page in PAGES}
    guest = {"email": "guest@example.com", "roles": ["picker"]}
    found["elsewhere"] = elsewhere.get("/account/login/").status_code
    body = {"email": "ana@example.com", "password": password}
    pair = browser.post("/api/v1/auth/token", body, content_type="application/json").json()
    bearer = {"authorization": f"Bearer {pair['access_token']}"}
    program = Client(headers={"host": settings.BASE_DOMAIN, **bearer}, raise_request_exception=False)
    found["invite"] = program.post("/api/v1/users/invitations", guest, content_type="application/json").status_code
    found["multi_tenant"] = program.get("/api/v1/auth/me").json()["features"]["multi_tenant"]
    found |= {path: program.get(path).status_code for path in ("/api/v1/ready", "/api/v1/health", "/api/v1/settings")}
    found["key"] = workspace.current().key
    found["tenancy"] = sorted(name for name in sys.modules if name.startswith(TENANCY))
    found["deeds"] = sorted(set(ChangeSet.objects.values_list("action", flat=True)))
    return found | _database()


if __name__ == "__main__":
    commands = install(sys.argv[1])
    print(json.dumps({**visit(sys.argv[1]), "said": commands}))  # noqa: T201  # the answer
