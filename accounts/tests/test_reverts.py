"""Undo and revert of what was done to people, by the same rules as doing it."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from accounts import queries, services
from accounts.models import Role, User
from accounts.testing import make_user
from accounts.tests.conftest import acting
from audit import services as trail
from audit.context import change_set
from common.errors import Conflict, ProblemError

pytestmark = pytest.mark.django_db


def done_by(user: User, deed: Any) -> UUID:
    """Do it as a request of the user's would; answer the change set."""
    with acting(user), change_set("request", is_named=False) as under_way:
        deed()
        assert under_way.change_set_id is not None
        return under_way.change_set_id


def revert(user: User, change_set_id: UUID) -> Any:
    with acting(user):
        return trail.revert(change_set_id=change_set_id)


def test_undo_gives_the_roles_back_and_undoing_that_takes_them_again() -> None:
    owner, staff = make_user(), make_user(role="staff")
    deed = done_by(owner, lambda: services.set_roles(user_id=staff.pk, roles=["picker"], now=timezone.now()))
    undone = revert(owner, deed)
    assert queries.get_user(staff.pk).role_names == "Staff"
    revert(owner, undone.change_set_id)
    assert queries.get_user(staff.pk).role_names == "Picker"


def test_undo_lets_a_deactivated_user_in_again() -> None:
    owner, staff = make_user(), make_user(role="staff")
    deed = done_by(owner, lambda: services.deactivate_user(user_id=staff.pk, now=timezone.now()))
    revert(owner, deed)
    assert queries.get_user(staff.pk).is_active


def test_undo_puts_a_profile_back() -> None:
    picker = make_user(role="picker", name="Ben")
    deed = done_by(
        picker,
        lambda: services.update_profile(
            user_id=picker.pk, display_name="Benjamin", theme="dark", preferences={"shortcuts": "off"}
        ),
    )
    revert(picker, deed)
    picker.refresh_from_db()
    assert (picker.display_name, picker.theme, picker.preferences) == ("Ben", "light", {})


def test_undo_makes_a_deleted_role_again_with_its_id() -> None:
    owner = make_user()
    with acting(owner):
        role = services.create_role(name="Packer", permissions=["orders:read"])
    deed = done_by(owner, lambda: services.delete_role(role_id=role.pk))
    revert(owner, deed)
    assert queries.get_role(role.pk).label == "Packer"


def test_undo_of_a_new_role_deletes_it_unless_somebody_has_it() -> None:
    owner = make_user()
    deed = done_by(owner, lambda: services.create_role(name="Packer", permissions=["orders:read"]))
    make_user(role="Packer")
    with pytest.raises((ProblemError, Conflict)):
        revert(owner, deed)
    assert Role.objects.filter(name="Packer").exists()


def test_undo_changes_a_roles_permissions_back() -> None:
    owner = make_user()
    with acting(owner):
        role = services.create_role(name="Packer", permissions=["orders:read"])
    deed = done_by(
        owner, lambda: services.update_role(role_id=role.pk, permissions=["orders:write"], now=timezone.now())
    )
    revert(owner, deed)
    assert queries.get_role(role.pk).permissions == {"orders:read"}


def test_undo_opens_a_revoked_invitation_again() -> None:
    owner = make_user()
    with acting(owner):
        invitation = services.invite_user(email="ana@shop.example", roles=["picker"], now=timezone.now())
    deed = done_by(owner, lambda: services.revoke_invitation(invitation_id=invitation.pk, now=timezone.now()))
    revert(owner, deed)
    token = services.invitation_token(invitation)
    assert services.find_invitation(token=token, now=timezone.now()).pk == invitation.pk


def test_sent_invitation_can_not_be_undone_and_says_what_to_do() -> None:
    owner = make_user()
    deed = done_by(owner, lambda: services.invite_user(email="ana@shop.example", roles=["picker"], now=timezone.now()))
    with acting(owner), pytest.raises(ProblemError) as refused:
        trail.revert(change_set_id=deed)
    assert "left the house" in str(refused.value.detail) + str(refused.value.extra)


def test_admin_can_not_revert_his_way_to_ownership() -> None:
    """An owner made the admin an owner and took it back; the admin reverts the latter."""
    owner, admin = make_user(), make_user(role="admin")
    with acting(owner):
        services.set_roles(user_id=admin.pk, roles=["admin", "owner"], now=timezone.now())
    taken = done_by(owner, lambda: services.set_roles(user_id=admin.pk, roles=["admin"], now=timezone.now()))
    with acting(admin), pytest.raises(ProblemError):
        trail.revert(change_set_id=taken)
    assert queries.get_user(admin.pk).role_names == "Admin"


def test_admin_can_not_revert_what_an_owner_did_to_himself() -> None:
    owner, admin = make_user(name="Marta"), make_user(role="admin")
    deed = done_by(owner, lambda: services.update_profile(user_id=owner.pk, display_name="Marta S."))
    with acting(admin), pytest.raises(ProblemError):
        trail.revert(change_set_id=deed)
    assert queries.get_user(owner.pk).display_name == "Marta S."


def test_toast_undo_works_over_http(client: Client) -> None:
    owner, staff = make_user(), make_user(role="staff")
    client.force_login(owner)
    page = client.post(f"/settings/users/{staff.pk}/deactivate/", follow=True).content.decode()
    start = page.index('data-undo="') + len('data-undo="')
    url = page[start : page.index('"', start)]
    response = client.post(url, HTTP_HX_REQUEST="true")
    assert response.status_code == 200
    assert queries.get_user(staff.pk).is_active
