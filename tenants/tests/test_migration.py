"""One command brings public, template and every shop to the code; what fails stops nobody else and can be redone."""

import threading
import time
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from tenants import migration, schemas
from tenants.testing import create_shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _three_shops() -> None:
    for name in ("one", "two", "three"):
        create_shop(schema=f"t_{name}", host=f"{name}.{settings.BASE_DOMAIN}")
    connection.set_schema_to_public()  # type: ignore[attr-defined]  # django_tenants' connection


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _undo_last_migration(schema: str) -> None:
    """Leave the schema as it was before the last migration of accounts."""
    _execute(f"DROP TRIGGER keep_an_owner ON {schema}.accounts_userrole")
    _execute(f"DROP TRIGGER keep_an_owner ON {schema}.accounts_user")
    connection.set_schema(schema)  # type: ignore[attr-defined]  # django_tenants' connection
    _execute("DELETE FROM accounts_role")
    _execute("DELETE FROM django_migrations WHERE app = 'accounts' AND name LIKE '0002%'")
    connection.set_schema_to_public()  # type: ignore[attr-defined]  # django_tenants' connection


def _run(**options: int) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    try:
        call_command("migrate_all", stdout=out, stderr=err, **options)
    except CommandError as error:
        err.write(str(error))
    return out.getvalue(), err.getvalue()


def test_does_nothing_where_there_is_nothing_to_do():
    out, err = _run()

    assert out.startswith("0 shops migrated, 4 up to date, 0 failed")
    assert err == ""


def test_migrates_who_needs_it():
    _undo_last_migration("t_two")
    assert migration.outdated(["t_one", "t_two"]) == ["t_two"]

    out, _ = _run()

    assert "t_two: migrated" in out
    assert "1 shops migrated, 3 up to date" in out
    assert migration.outdated(["t_one", "t_two"]) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM t_two.accounts_role")
        assert cursor.fetchone() == (5,)


def test_goes_on_past_a_shop_that_fails_and_takes_it_up_again():
    for name in ("t_one", "t_two", "t_three"):
        _undo_last_migration(name)
    _execute("ALTER TABLE t_two.accounts_role RENAME TO hidden")

    out, err = _run()
    assert "2 shops migrated, 1 up to date, 1 failed" in out
    assert "t_two:" in err
    assert "Not migrated: t_two" in err

    _execute("ALTER TABLE t_two.hidden RENAME TO accounts_role")
    out, err = _run()
    assert "1 shops migrated, 3 up to date, 0 failed" in out
    assert err == ""


def test_makes_a_template_that_was_never_there():
    _execute(f"DROP SCHEMA {schemas.TEMPLATE} CASCADE")

    out, _ = _run()

    assert f"{schemas.TEMPLATE}: migrated" in out
    schemas.check_template()


def test_does_not_take_the_public_record_for_a_shops():
    _execute("DROP TABLE t_one.django_migrations")

    assert migration.outdated(["t_one"]) == ["t_one"]


def test_waits_for_another_run():
    said: list[str] = []
    done = threading.Event()

    def run() -> None:
        try:
            migration.migrate_all(say=said.append, tell=lambda _schema, _error: None)
            done.set()
        finally:
            connection.close()

    with schemas.alone(migration.RUN_KEY):
        thread = threading.Thread(target=run)
        thread.start()
        for _ in range(100):
            if said:
                break
            time.sleep(0.05)
        assert not done.is_set()
    thread.join(20)
    assert done.is_set()
    assert "Another migrate_all is at work" in said[0]


def test_spreads_many_shops_over_processes():
    names = [f"t_many_{number}" for number in range(8)]
    for name in names:
        create_shop(schema=name, host=f"{name.replace('_', '-')}.{settings.BASE_DOMAIN}")
        _undo_last_migration(name)
    _execute("ALTER TABLE t_many_3.accounts_role RENAME TO hidden")
    told: dict[str, str] = {}

    outcome = migration.migrate_tenants(names, at_once=2, tell=told.__setitem__)

    assert set(outcome.migrated) == set(names) - {"t_many_3"}
    assert [failure.schema for failure in outcome.failures] == ["t_many_3"]
    assert "Error" in told["t_many_3"]
    assert migration.outdated(names) == ["t_many_3"]


def test_asks_once_for_a_hundred_shops(django_assert_num_queries):
    migration.outdated(["t_one"])
    with django_assert_num_queries(2):
        migration.outdated(["t_one", "t_two", "t_three", "t_nobody"])
