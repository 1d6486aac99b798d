"""Every saved, created, deleted row leaves its history, as it is in the database, and nothing that is secret."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit import context
from audit.models import ChangeSet
from audit.recording import history_of, tracked_fields, tracked_models
from audit.tests.conftest import Role, User, UserRole, abandoned, trail
from audit.tracking import UnseenWriteError

pytestmark = pytest.mark.django_db


def _user(**values: Any) -> Any:
    return User.objects.create(**{"email": "ana@shop.example", "display_name": "Ana", **values})


def test_keeps_each_state_of_a_row() -> None:
    role = Role.objects.create(name="Packer")
    role.name = "Checker"
    role.save()
    role_id = role.pk
    role.delete()
    rows = trail(Role, role_id)
    assert [(row.history_type, row.name) for row in rows] == [("+", "Packer"), ("~", "Checker"), ("-", "Checker")]
    assert all(timezone.now() - row.history_date < timedelta(seconds=10) for row in rows)


def test_leaves_nothing_when_a_save_changes_nothing() -> None:
    role = Role.objects.create(name="Packer")
    with context.change_set("tests.save"):
        Role.objects.get(pk=role.pk).save()
    assert len(trail(Role, role.pk)) == 1
    assert not ChangeSet.objects.filter(action="tests.save").exists()


def test_leaves_nothing_when_only_what_is_not_kept_changes() -> None:
    user = _user()
    user.set_password("something else entirely")
    user.last_login = timezone.now()
    user.save()
    assert len(trail(User, user.pk)) == 1


def test_keeps_what_was_saved_and_not_what_the_instance_holds_besides() -> None:
    role = Role.objects.create(name="Packer", permissions=["orders:read"])
    role.permissions = ["orders:write"]
    role.name = "Checker"
    role.save(update_fields=["name"])
    last = trail(Role, role.pk)[-1]
    assert (last.name, last.permissions) == ("Checker", ["orders:read"])


def test_does_not_bring_back_what_somebody_else_changed_meanwhile() -> None:
    role = Role.objects.create(name="Packer", permissions=["orders:read"])
    stale = Role.objects.get(pk=role.pk)
    role.permissions = ["orders:write"]
    role.save()
    stale.name = "Checker"
    stale.save(update_fields=["name"])
    assert [row.permissions for row in trail(Role, role.pk)] == [["orders:read"], ["orders:write"], ["orders:write"]]


def test_keeps_what_a_cascade_takes_along() -> None:
    user, role = _user(), Role.objects.create(name="Packer")
    given = UserRole.objects.create(user=user, role=role)
    given_id, user_id = given.pk, user.pk
    with context.change_set("tests.delete"):
        user.delete()
    last = [trail(UserRole, given_id)[-1], trail(User, user_id)[-1]]
    assert [row.history_type for row in last] == ["-", "-"]
    assert {row.change_set.action for row in last} == {"tests.delete"}


def test_keeps_what_a_queryset_deletes() -> None:
    role = Role.objects.create(name="Packer")
    Role.objects.filter(pk=role.pk).delete()
    assert [row.history_type for row in trail(Role, role.pk)] == ["+", "-"]


def test_starts_again_for_a_row_that_comes_back_as_it_was() -> None:
    role = Role.objects.create(name="Packer")
    values = {name: getattr(role, name) for name in ("id", "name", "permissions")}
    Role.objects.get(pk=role.pk).delete()
    Role.objects.create(**values)
    assert [row.history_type for row in trail(Role, role.pk)] == ["+", "-", "+"]


def test_takes_one_statement_for_a_change_and_its_history() -> None:
    role = Role.objects.create(name="Packer")
    role.name = "Checker"
    with CaptureQueriesContext(connection) as statements:
        role.save()
    assert [statement["sql"].split()[0] for statement in statements] == ["UPDATE", "WITH"]


def test_loses_the_history_with_the_change_that_is_rolled_back() -> None:
    role = Role.objects.create(name="Packer")
    with abandoned():
        role.name = "Checker"
        role.save()
    assert [row.name for row in trail(Role, role.pk)] == ["Packer"]


def test_keeps_no_secret() -> None:
    secret = ("password", "secret", "token", "_hash", "code", "session_key", "credential", "encrypted")
    harmless = {"Location.code", "Tenant.country", "User.credentials_changed_at"}
    found = {
        f"{model._meta.object_name}.{field.name}"
        for model in tracked_models()
        for field in tracked_fields(model)
        if any(word in field.name for word in secret) or type(field).__name__.startswith("Encrypted")
    }
    assert not found - harmless
    kept = {field.name for field in history_of(User)._meta.concrete_fields}
    assert "password" not in kept
    assert "email" in kept


@pytest.mark.parametrize("model", tracked_models(), ids=lambda model: model.__name__)
def test_tracks_no_column_that_changes_unseen(model: Any) -> None:
    """Django sets such keys to null without a signal, and keeps many-to-many rows in a table of its own."""
    unseen = [
        field.name
        for field in model._meta.concrete_fields
        if field.is_relation and field.remote_field.on_delete.__name__ in {"SET_NULL", "SET_DEFAULT", "set_on_delete"}
    ]
    untracked_sides = [
        field.name for field in model._meta.many_to_many if field.remote_field.through not in tracked_models()
    ]
    assert not unseen
    assert not untracked_sides


def test_refuses_to_write_rows_unseen() -> None:
    user, role = _user(), Role.objects.create(name="Packer")
    given = UserRole.objects.create(user=user, role=role)
    writes: list[Callable[[], Any]] = [
        lambda: Role.objects.update(name="x"),
        lambda: Role.objects.filter(pk=role.pk).update(name="x"),
        lambda: Role.objects.bulk_create([Role(name="x")]),
        lambda: Role.objects.bulk_update([role], ["name"]),
        lambda: User.objects.filter(pk=user.pk).update(display_name="x"),
        lambda: user.user_roles.update(created_at=given.created_at),
        lambda: user.user_roles.all().bulk_create([]),
    ]
    for write in writes:
        with pytest.raises(UnseenWriteError):
            write()
    assert Role.objects.get(pk=role.pk).name == "Packer"
