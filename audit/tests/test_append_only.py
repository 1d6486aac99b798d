"""The database refuses to change or take away the past, in every schema; only retention may, in its transaction."""

from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit import retention
from audit.models import ChangeSet
from audit.recording import every_tracked_model, history_of
from audit.tests.conftest import Role, abandoned, trail

pytestmark = pytest.mark.django_db

# Tables that say themselves what happened, and are as append-only as the trail.
LEDGERS = {"inventory_stockmovement", "picker_pickevent"}
TABLES = sorted({ChangeSet._meta.db_table, *(history_of(model)._meta.db_table for model in every_tracked_model())})


def _guarded(schema: str) -> set[str]:
    """Answer the tables of a schema that have the guard, switched on, before all three ways of taking away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE n.nspname = %s AND p.proname = 'audit_append_only' AND t.tgenabled = 'O'"
            # 2 is BEFORE, 8 DELETE, 16 UPDATE, 32 TRUNCATE; 1 would be FOR EACH ROW.
            " AND t.tgtype = 2 + 8 + 16 + 32",
            [schema],
        )
        return {name for (name,) in cursor.fetchall()}


def _tables(schema: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        return {name for (name,) in cursor.fetchall()}


def test_guards_every_history_table_in_every_schema() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'audit_changeset'")
        schemas = {name for (name,) in cursor.fetchall()}
    assert "public" in schemas
    if settings.FEATURES.multi_tenant:
        assert len(schemas) > 2, "neither the template nor a shop made of it was looked at"
    for schema in schemas:
        wanted = {*TABLES, *LEDGERS} & _tables(schema)
        assert len(wanted) > 5
        assert _guarded(schema) == wanted, schema


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("deed", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_refuses_to_touch_the_past(table: str, deed: str) -> None:
    column = "reason = 'nothing happened'" if table == ChangeSet._meta.db_table else "history_type = '+'"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(deed.format(connection.ops.quote_name(table), column))


def test_refuses_through_the_models_too() -> None:
    role = Role.objects.create(name="Packer")
    (row,) = trail(Role, role.pk)
    row.name = "Somebody else"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        row.delete()
    assert trail(Role, role.pk)[0].name == "Packer"


def test_lets_retention_through_and_nobody_after_it() -> None:
    role = Role.objects.create(name="Packer")
    Role.objects.create(name="Counter")
    with retention.allowed():
        Role.history.model.objects.filter(id=role.pk).delete()
    assert not trail(Role, role.pk)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Role.history.model.objects.all().delete()


def test_closes_the_door_also_when_retention_fails() -> None:
    Role.objects.create(name="Packer")
    with abandoned(), retention.allowed():
        pass
    with pytest.raises(ZeroDivisionError), retention.allowed():
        Role.objects.create(name="x" * (1 // 0))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Role.history.model.objects.all().delete()


def _insert_orphan(role: Any) -> None:
    columns = "id, name, permissions, is_system, created_at"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO accounts_historicalrole ({columns}, history_date, history_type, change_set_id)"  # noqa: S608  # as written above
            f" SELECT {columns}, now(), '~', gen_random_uuid() FROM accounts_role WHERE id = %s",
            [role.pk],
        )
        # What is otherwise asked at the commit.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_refuses_a_history_row_without_a_change_set() -> None:
    role = Role.objects.create(name="Packer")
    with pytest.raises(IntegrityError, match="audit_changeset"):
        _insert_orphan(role)
