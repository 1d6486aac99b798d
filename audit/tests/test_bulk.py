"""Many rows at once leave the same history as one by one, in one statement."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, connection, models
from django.db.models import F, ProtectedError, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext

from audit import bulk, context
from audit.models import ChangeSet
from audit.tests.conftest import Role, User, UserRole, abandoned, only_change_set, trail

pytestmark = pytest.mark.django_db


def _roles(count: int) -> list[Any]:
    return [Role(name=f"Role {number:03}", permissions=["orders:read"]) for number in range(count)]


def test_creates_rows_with_their_history() -> None:
    roles = _roles(5)
    with context.change_set("tests.create"):
        assert bulk.bulk_create(Role, roles) == 5
    stored = Role.objects.get(pk=roles[3].pk)
    assert (stored.name, stored.permissions, stored.created_at) == ("Role 003", ["orders:read"], roles[3].created_at)
    assert not roles[3]._state.adding
    rows = [row for role in roles for row in trail(Role, role.pk)]
    assert [(row.history_type, row.name) for row in rows] == [("+", role.name) for role in roles]
    assert {row.change_set_id for row in rows} == {only_change_set("tests.create").pk}


def test_creates_in_batches_and_answers_the_sum() -> None:
    assert bulk.bulk_create(Role, iter(_roles(7)), batch_size=3) == 7
    assert Role.history.model.objects.filter(name__startswith="Role 0").count() == 7


def test_takes_as_many_statements_for_many_rows_as_for_few() -> None:
    bulk.bulk_create(Role, [Role(name="First")])
    with CaptureQueriesContext(connection) as few:
        bulk.bulk_create(Role, _roles(bulk.FEW))
    assert len(few) == 1
    Role.objects.filter(name__startswith="Role 0").delete()
    with CaptureQueriesContext(connection) as some:
        bulk.bulk_create(Role, _roles(bulk.FEW + 1))
    Role.objects.filter(name__startswith="Role ").delete()
    with CaptureQueriesContext(connection) as many:
        bulk.bulk_create(Role, _roles(10 * bulk.FEW))
    assert len(many) == len(some)


@pytest.mark.parametrize("count", [1, bulk.FEW + 1])
def test_refuses_what_is_too_long(count: int) -> None:
    roles = _roles(count)
    roles[0].name = "x" * (Role._meta.get_field("name").max_length + 1)
    with pytest.raises(DataError), abandoned():
        bulk.bulk_create(Role, roles)
    roles[0].name = "Role 000"
    bulk.bulk_create(Role, roles)
    roles[0].name = "x" * (Role._meta.get_field("name").max_length + 1)
    with pytest.raises(DataError), abandoned():
        bulk.bulk_update(Role, roles, fields=["name"])


@pytest.mark.parametrize("count", [3, bulk.FEW + 1])
def test_updates_each_row_to_its_own_values(count: int) -> None:
    roles = _roles(count)
    bulk.bulk_create(Role, roles)
    for number, role in enumerate(roles):
        role.name, role.permissions = f"New {number:03}", ["orders:write"] * (number % 2)
    assert bulk.bulk_update(Role, roles, fields=["name", "permissions"]) == count
    stored = Role.objects.in_bulk([role.pk for role in roles])
    assert [(stored[role.pk].name, stored[role.pk].permissions) for role in roles] == [
        (role.name, role.permissions) for role in roles
    ]


def test_keeps_awkward_values_as_they_are() -> None:
    name = "Tab\tquote' \\ back\\slash \n {br,ace} \\N"
    user = User(email="ana@shop.example", display_name=name, preferences={"a": ["ü", None, 1.5, {"b": "\\"}]})
    bulk.bulk_create(User, [user])
    stored = User.objects.get(pk=user.pk)
    assert (stored.display_name, stored.preferences) == (name, user.preferences)
    assert trail(User, user.pk)[0].display_name == name


_AMOUNTS = models.DecimalField(max_digits=12, decimal_places=4)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (models.CharField(), ["a", None, "\\N", 7]),
        (models.IntegerField(), [1, None]),
        (models.IntegerField(), [1, "2", True]),
        (models.BooleanField(), [True, None, "f"]),
        (_AMOUNTS, [Decimal("0.0001"), None, Decimal("1E+3")]),
        (_AMOUNTS, [Decimal(1), 0.5, "2.25"]),
        (models.JSONField(), [None, {}, [], "text", Value(None, models.JSONField())]),
        (ArrayField(models.IntegerField()), [None, [], [1, "2"]]),
    ],
)
def test_stores_what_the_field_would(field: Any, values: list[Any]) -> None:
    field.set_attributes_from_name("value")
    objs: Any = [SimpleNamespace(value=value) for value in values]
    assert list(map(str, bulk._stored(objs, field, add=True))) == [
        str(field.get_db_prep_save(value, connection)) for value in values
    ]


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity")])
def test_refuses_amounts_that_are_no_numbers(value: Decimal) -> None:
    _AMOUNTS.set_attributes_from_name("value")
    objs: Any = [SimpleNamespace(value=value)]
    with pytest.raises(ValidationError):
        bulk._stored(objs, _AMOUNTS, add=True)


def test_creates_nothing_where_one_row_is_refused() -> None:
    Role.objects.create(name="Role 001")
    with pytest.raises(IntegrityError), abandoned():
        bulk.bulk_create(Role, _roles(3))
    assert Role.objects.filter(name__startswith="Role 0").count() == 1


def test_updates_only_the_rows_that_differ() -> None:
    roles = _roles(4)
    bulk.bulk_create(Role, roles)
    for role in roles[:2]:
        role.permissions = ["orders:write"]
    before = Role.objects.get(pk=roles[3].pk).updated_at
    with context.change_set("tests.update"):
        assert bulk.bulk_update(Role, roles, fields=["permissions"]) == 2
    assert Role.objects.filter(permissions=["orders:write"], name__startswith="Role 0").count() == 2
    assert [row.history_type for row in trail(Role, roles[0].pk)] == ["+", "~"]
    assert [row.history_type for row in trail(Role, roles[3].pk)] == ["+"]
    assert Role.objects.get(pk=roles[0].pk).updated_at > before == Role.objects.get(pk=roles[3].pk).updated_at


def test_leaves_no_change_set_where_no_row_differs() -> None:
    roles = _roles(2)
    bulk.bulk_create(Role, roles)
    with context.change_set("tests.update"):
        assert bulk.bulk_update(Role, roles, fields=["name", "permissions"]) == 0
    assert not ChangeSet.objects.filter(action="tests.update").exists()


def test_updates_what_is_not_kept_without_history() -> None:
    user = User.objects.create(email="ana@shop.example", display_name="Ana")
    user.password = "!"
    assert bulk.bulk_update(User, [user], fields=["password"]) == 1
    assert User.objects.get(pk=user.pk).password == "!"
    assert len(trail(User, user.pk)) == 1


@pytest.mark.parametrize("fields", [["id"], ["user_roles"]])
def test_refuses_to_update_what_is_no_column_of_its_own(fields: list[str]) -> None:
    with pytest.raises(ValueError, match="only columns"):
        bulk.bulk_update(Role, _roles(1), fields=fields)


def test_updates_by_expression_and_leaves_equal_rows_alone() -> None:
    roles = _roles(3)
    bulk.bulk_create(Role, roles)
    queryset = Role.objects.filter(name__startswith="Role 0").order_by("name")
    assert bulk.update(queryset, name=Concat(F("name"), Value("!"))) == 3
    assert [row.name for row in trail(Role, roles[0].pk)] == ["Role 000", "Role 000!"]
    assert bulk.update(queryset, permissions=["orders:read"]) == 0


def test_updates_a_slice_and_a_join() -> None:
    user = User.objects.create(email="ana@shop.example", display_name="Ana")
    roles = _roles(3)
    bulk.bulk_create(Role, roles)
    UserRole.objects.create(user=user, role=roles[2])
    assert bulk.update(Role.objects.filter(user_roles__user=user), permissions=[]) == 1
    assert trail(Role, roles[2].pk)[-1].permissions == []


def test_deletes_rows_with_their_history() -> None:
    roles = _roles(3)
    bulk.bulk_create(Role, roles)
    with context.change_set("tests.delete"):
        assert bulk.bulk_delete(Role.objects.filter(pk__in=[role.pk for role in roles])) == 3
    assert not Role.objects.filter(name__startswith="Role 0").exists()
    assert all(trail(Role, role.pk)[-1].history_type == "-" for role in roles)


def test_deletes_along_what_hangs_on_the_rows() -> None:
    users = [User(email=f"u{number}@shop.example", display_name="U") for number in range(2)]
    bulk.bulk_create(User, users)
    role = Role.objects.create(name="Packer")
    given = [UserRole(user=user, role=role) for user in users]
    bulk.bulk_create(UserRole, given)
    assert bulk.bulk_delete(get_user_model()._base_manager.filter(pk__in=[user.pk for user in users])) == 2
    assert all(trail(UserRole, one.pk)[-1].history_type == "-" for one in given)
    assert not UserRole.objects.filter(role=role).exists()


def test_deletes_nothing_where_something_depends_on_a_row() -> None:
    user, role = User.objects.create(email="ana@shop.example", display_name="Ana"), Role.objects.create(name="Packer")
    UserRole.objects.create(user=user, role=role)
    with pytest.raises(ProtectedError):
        bulk.bulk_delete(Role.objects.filter(pk=role.pk))
    assert Role.objects.filter(pk=role.pk).exists()


def test_does_nothing_for_nothing() -> None:
    assert bulk.bulk_create(Role, []) == 0
    assert bulk.bulk_update(Role, [], fields=["name"]) == 0
    assert bulk.bulk_delete(Role.objects.none()) == 0
    assert bulk.update(Role.objects.none(), name="x") == 0
