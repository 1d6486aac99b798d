"""The permissions and system roles are those of the specification's tables (product.md)."""

import pytest

from accounts import roles
from accounts.models import Role
from accounts.roles import permissions_of
from accounts.testing import make_user

TABLE = {
    # resource: owner, admin, staff, picker, readonly
    "inventory": ("all", "all", "all", "read", "read"),
    "orders": ("all", "all", "all", "read status_update", "read"),
    "picker": ("all", "all", "all", "all", "read"),
    "stores": ("all", "all", "read", "", "read"),
    "sync": ("all", "all", "read preview", "", ""),
    "shipping": ("all", "all", "all", "", "read"),
    "users": ("all", "all", "", "", ""),
    "roles": ("all", "all", "", "", ""),
    "audit": ("all", "all", "read", "", ""),
    "settings": ("all", "all", "read", "", ""),
    "billing": ("all", "", "", "", ""),
    "api_keys": ("all", "all", "", "", ""),
    "webhooks": ("all", "all", "", "", ""),
}
ROLES = ("owner", "admin", "staff", "picker", "readonly")


@pytest.mark.parametrize("role", ROLES)
def test_system_role_has_what_the_table_says(role: str) -> None:
    column = ROLES.index(role)
    expected = set()
    for resource, cells in TABLE.items():
        actions = roles.CATALOGUE[resource] if cells[column] == "all" else cells[column].split()
        expected |= {f"{resource}:{action}" for action in actions}
    assert roles.SYSTEM_ROLES[role] == expected


def test_every_permission_has_words() -> None:
    assert set(roles.ACTION_LABELS) == set(roles.PERMISSIONS)
    assert set(roles.RESOURCE_LABELS) == set(roles.CATALOGUE)
    assert len(roles.PERMISSIONS) == 33


@pytest.mark.django_db
def test_every_shop_begins_with_the_system_roles() -> None:
    stored = {role.name: frozenset(role.permissions) for role in Role.objects.filter(is_system=True)}
    assert stored == roles.SYSTEM_ROLES


@pytest.mark.django_db
def test_permissions_of_several_roles_add_up() -> None:
    user = make_user(role="picker")
    user.user_roles.create(role=Role.objects.get(name="readonly"))
    assert permissions_of(user) == roles.SYSTEM_ROLES["picker"] | roles.SYSTEM_ROLES["readonly"]


@pytest.mark.django_db
def test_deactivated_user_may_nothing() -> None:
    user = make_user(role="admin")
    user.is_active = False
    assert permissions_of(user) == frozenset()
