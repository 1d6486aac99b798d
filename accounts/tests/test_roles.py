"""A shop's own roles: made from what one has, never a way up."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts import queries, services
from accounts.errors import RoleInUse, SystemRole
from accounts.models import Role
from accounts.roles import permissions_of
from accounts.testing import make_user
from accounts.tests.conftest import acting
from common.errors import Invalid, NotFound, PermissionDenied

pytestmark = pytest.mark.django_db


def test_role_is_made_changed_and_deleted() -> None:
    owner = make_user()
    with acting(owner):
        role = services.create_role(name="  Packer ", permissions=["shipping:read", "orders:read", "orders:read"])
        assert (role.name, role.permissions) == ("Packer", ["orders:read", "shipping:read"])
        services.update_role(role_id=role.pk, name="Shipper", permissions=["shipping:write"], now=timezone.now())
        assert queries.get_role(role.pk).permissions == {"shipping:write"}
        services.delete_role(role_id=role.pk)
    with pytest.raises(NotFound):
        queries.get_role(role.pk)


def test_admin_can_not_make_a_role_for_money() -> None:
    admin = make_user(role="admin")
    with acting(admin), pytest.raises(PermissionDenied) as refused:
        services.create_role(name="Treasurer", permissions=["billing:manage"])
    assert refused.value.extra["permission"] == "billing:manage"


def test_admin_can_not_put_money_into_his_own_role() -> None:
    owner, admin = make_user(), make_user(role="admin")
    with acting(owner):
        role = services.create_role(name="Helper", permissions=["orders:read"])
        services.add_role(user_id=admin.pk, role_id=role.pk, now=timezone.now())
    with acting(admin), pytest.raises(PermissionDenied):
        services.update_role(role_id=role.pk, permissions=["orders:read", "billing:manage"], now=timezone.now())
    assert "billing:manage" not in permissions_of(admin)


def test_role_with_more_than_oneself_is_out_of_reach() -> None:
    owner, admin = make_user(), make_user(role="admin")
    with acting(owner):
        role = services.create_role(name="Treasurer", permissions=["billing:manage", "orders:read"])
    with acting(admin):
        with pytest.raises(PermissionDenied):
            services.update_role(role_id=role.pk, permissions=["orders:read"], now=timezone.now())
        with pytest.raises(PermissionDenied):
            services.delete_role(role_id=role.pk)
        with pytest.raises(PermissionDenied):
            services.add_role(user_id=admin.pk, role_id=role.pk, now=timezone.now())


@pytest.mark.parametrize("name", ["owner", "readonly"])
def test_system_roles_stay_as_they_are(name: str) -> None:
    role = Role.objects.get(name=name)
    with acting(make_user()):
        with pytest.raises(SystemRole):
            services.update_role(role_id=role.pk, permissions=[], now=timezone.now())
        with pytest.raises(SystemRole):
            services.delete_role(role_id=role.pk)


def test_used_role_is_not_deleted_and_says_by_how_many() -> None:
    owner = make_user()
    with acting(owner):
        role = services.create_role(name="Packer", permissions=["orders:read"])
        make_user(role="Packer")
        services.invite_user(email="ana@shop.example", roles=[role.pk], now=timezone.now())
        with pytest.raises(RoleInUse) as refused:
            services.delete_role(role_id=role.pk)
    assert (refused.value.extra["users"], refused.value.extra["invitations"]) == (1, 1)


def test_role_of_a_closed_invitation_is_deleted() -> None:
    owner = make_user()
    with acting(owner):
        role = services.create_role(name="Packer", permissions=["orders:read"])
        invitation = services.invite_user(email="ana@shop.example", roles=[role.pk], now=timezone.now())
        services.revoke_invitation(invitation_id=invitation.pk, now=timezone.now())
        services.delete_role(role_id=role.pk)


@pytest.mark.parametrize("name", ["", "   ", "PACKER", "Owner", "read only", "x" * 61])
def test_name_is_needed_and_taken_once_whatever_its_letters(name: str) -> None:
    with acting(make_user()):
        services.create_role(name="Packer", permissions=[])
        with pytest.raises(Invalid) as wrong:
            services.create_role(name=name, permissions=[])
    assert "/name" in wrong.value.errors


def test_role_called_by_the_id_of_another_is_not_given_along_with_it() -> None:
    owner, user = make_user(), make_user(role="picker")
    looks = Role.objects.get(name="readonly")
    with acting(owner):
        services.create_role(name=str(looks.pk), permissions=["orders:refund"])
        services.set_roles(user_id=user.pk, roles=[looks.pk], now=timezone.now())
    assert [role.name for role in user.roles.all()] == ["readonly"]


def test_unknown_permission_is_refused_by_service_and_database() -> None:
    with acting(make_user()), pytest.raises(Invalid):
        services.create_role(name="Emperor", permissions=["world:rule"])
    with pytest.raises(IntegrityError), transaction.atomic():
        Role.objects.create(name="Emperor", permissions=["world:rule"])


def test_matrix_shows_every_role_and_locks_system_roles(client: Client) -> None:
    owner = make_user()
    with acting(owner):
        role = services.create_role(name="Packer", permissions=["orders:read"])
    client.force_login(owner)
    page = client.get("/settings/roles/").content.decode()
    assert page.count("System role, locked") == 5
    assert f'/settings/roles/{role.pk}/"' in page
    assert "Edition, invoices, payment" in page


def test_copy_leaves_out_what_one_lacks(client: Client) -> None:
    make_user()
    client.force_login(make_user(role="admin"))
    page = client.get(f"/settings/roles/new/?copy={Role.objects.get(name='owner').pk}").content.decode()

    def tick(permission: str) -> str:
        start = page.index(f'value="{permission}"')
        return page[start : page.index(">", start)]

    assert "checked" in tick("orders:read")
    assert "disabled" in tick("billing:manage")
    assert "checked" not in tick("billing:manage")


def test_forged_tick_is_refused(client: Client) -> None:
    make_user()
    client.force_login(make_user(role="admin"))
    response = client.post("/settings/roles/new/", {"name": "Treasurer", "permissions": ["billing:manage"]})
    assert response.status_code == 403
    assert not Role.objects.filter(name="Treasurer").exists()


def test_double_press_makes_one_role(client: Client) -> None:
    client.force_login(make_user())
    data: dict[str, Any] = {"name": "Packer", "permissions": ["orders:read"]}
    assert client.post("/settings/roles/new/", data).status_code == 302
    again = client.post("/settings/roles/new/", data)
    assert again.status_code == 422
    assert "There is a role of that name." in again.content.decode()
    assert Role.objects.filter(name="Packer").count() == 1


def test_roles_page_is_for_those_who_manage_roles(client: Client) -> None:
    client.force_login(make_user(role="staff"))
    assert client.get("/settings/roles/").status_code == 403
    assert client.post("/settings/roles/new/", {"name": "x"}).status_code == 403
