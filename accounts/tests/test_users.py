"""Users and their roles: nobody gives or takes more than he has, and a shop keeps an owner, come what may."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import queries, roles, services
from accounts.errors import LastOwner
from accounts.models import Role, User, UserRole
from accounts.testing import make_user
from accounts.tests.conftest import acting, another, is_signed_in, sign_in
from audit.context import change_set
from audit.models import ChangeSet
from common import actor, workspace
from common.access import ANONYMOUS
from common.errors import Conflict, EditionRequired, Invalid, NotFound, PermissionDenied, ProblemError
from events.models import Event

pytestmark = pytest.mark.django_db


class TwoUsers:
    """Entitlements of an edition with two seats."""

    def edition(self) -> str:
        return "lite"

    def allows(self, feature: str) -> bool:
        return feature == "users"

    def limit(self, feature: str) -> int | None:
        return 2 if feature == "users" else None


class OneUser(TwoUsers):
    """Entitlements of an edition with one seat."""

    def limit(self, feature: str) -> int | None:
        return 1 if feature == "users" else None


def with_permissions(*permissions: str) -> User:
    """Answer a user whose only role has just these permissions."""
    name = f"Only {len(permissions)} {permissions[0]}"
    services.create_role(name=name, permissions=permissions)
    return make_user(role=name)


# --- Giving and taking ------------------------------------------------------------------------------------------------
def test_admin_can_not_make_an_owner() -> None:
    make_user()
    admin, staff = make_user(role="admin"), make_user(role="staff")
    with acting(admin), pytest.raises(PermissionDenied) as refused:
        services.set_roles(user_id=staff.pk, roles=["owner"], now=timezone.now())
    assert refused.value.extra["permission"] == "billing:manage"
    assert queries.get_user(staff.pk).role_names == "Staff"


def test_admin_can_not_make_himself_an_owner() -> None:
    make_user()
    admin = make_user(role="admin")
    with acting(admin), pytest.raises(PermissionDenied):
        services.set_roles(user_id=admin.pk, roles=["admin", "owner"], now=timezone.now())


def test_admin_can_not_touch_an_owner() -> None:
    owner, admin = make_user(), make_user(role="admin")
    make_user()
    now = timezone.now()
    deeds: list[Callable[[], Any]] = [
        lambda: services.set_roles(user_id=owner.pk, roles=["readonly"], now=now),
        lambda: services.deactivate_user(user_id=owner.pk, now=now),
        lambda: services.update_profile(user_id=owner.pk, display_name="Nobody"),
        lambda: services.reset_second_factor(user_id=owner.pk, now=now),
        lambda: services.end_other_sessions(user_id=owner.pk, now=now),
        lambda: services.remove_role(link_id=owner.user_roles.get().pk, now=now),
    ]
    with acting(admin):
        for deed in deeds:
            with pytest.raises(PermissionDenied):
                deed()
    assert queries.get_user(owner.pk).role_names == "Owner"
    assert queries.get_user(owner.pk).is_active


def test_one_can_not_give_a_role_with_a_permission_that_one_lacks() -> None:
    helper = with_permissions("users:write", "users:read", "orders:read")
    picker = make_user(role="picker")
    with acting(helper), pytest.raises(PermissionDenied):
        services.set_roles(user_id=picker.pk, roles=["readonly"], now=timezone.now())


def test_one_can_not_enter_a_user_with_more_than_oneself() -> None:
    admin = make_user(role="admin")
    with acting(admin), pytest.raises(PermissionDenied):
        services.create_user(email="new@shop.example", roles=["owner"])
    assert not User.objects.filter(email="new@shop.example").exists()


def test_visitor_can_do_nothing() -> None:
    user = make_user(role="picker")
    with actor.use(ANONYMOUS):
        with pytest.raises(PermissionDenied):
            services.set_roles(user_id=user.pk, roles=["readonly"], now=timezone.now())
        with pytest.raises(PermissionDenied):
            services.create_user(email="new@shop.example", roles=["readonly"])


def test_owner_changes_roles_and_it_is_told_and_recorded() -> None:
    owner, staff = make_user(), make_user(role="staff")
    with acting(owner), change_set("request", is_named=False):
        services.set_roles(user_id=staff.pk, roles=["picker", "readonly"], now=timezone.now())
    assert queries.get_user(staff.pk).role_names == "Picker, Read only"
    event = Event.objects.get(event_type="user.roles_changed")
    assert event.payload["data"] == {"user_id": str(staff.pk), "roles": ["picker", "readonly"]}
    deed = ChangeSet.objects.filter(action="accounts.set_roles").get()
    assert deed.actor_id == str(owner.pk)


def test_same_roles_again_change_nothing(client: Client) -> None:
    owner, staff = make_user(), make_user(role="staff")
    sign_in(client, staff)
    with acting(owner):
        services.set_roles(user_id=staff.pk, roles=["staff"], now=timezone.now())
    assert is_signed_in(client)
    assert not Event.objects.filter(event_type="user.roles_changed").exists()


def test_user_needs_a_role_that_exists() -> None:
    owner, staff = make_user(), make_user(role="staff")
    with acting(owner):
        with pytest.raises(Invalid):
            services.set_roles(user_id=staff.pk, roles=[], now=timezone.now())
        with pytest.raises(NotFound):
            services.set_roles(user_id=staff.pk, roles=["emperor"], now=timezone.now())


# --- The last owner ---------------------------------------------------------------------------------------------------
def test_last_owner_can_not_step_down() -> None:
    owner = make_user()
    with acting(owner), pytest.raises(LastOwner):
        services.set_roles(user_id=owner.pk, roles=["admin"], now=timezone.now())


def test_deactivated_owner_does_not_count() -> None:
    owner, former = make_user(), make_user()
    with acting(owner):
        services.deactivate_user(user_id=former.pk, now=timezone.now())
        with pytest.raises(LastOwner):
            services.set_roles(user_id=owner.pk, roles=["admin"], now=timezone.now())


def test_nobody_deactivates_himself() -> None:
    make_user()
    owner = make_user()
    with acting(owner), pytest.raises(Conflict):
        services.deactivate_user(user_id=owner.pk, now=timezone.now())


def test_system_can_not_take_the_last_owner_either() -> None:
    owner = make_user()
    with pytest.raises(LastOwner):
        services.deactivate_user(user_id=owner.pk, now=timezone.now())


def test_database_itself_keeps_an_owner() -> None:
    owner = make_user()

    def past_the_services(statement: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, [owner.pk])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    for statement in (
        "DELETE FROM accounts_userrole WHERE user_id = %s",
        "UPDATE accounts_user SET is_active = false WHERE id = %s",
    ):
        with pytest.raises(IntegrityError, match="needs an owner"):
            past_the_services(statement)


def _at_once(*deeds: Callable[[], Any]) -> list[str]:
    """Do the deeds in threads that start together; answer what became of each."""
    start, shop = Barrier(len(deeds)), workspace.current_key()

    def run(deed: Callable[[], Any]) -> str:
        try:
            with workspace.enter(shop):
                start.wait(timeout=10)
                deed()
        except (ProblemError, IntegrityError) as error:
            return type(error).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(deeds)) as pool:
        return sorted(pool.map(run, deeds))


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_leave_one() -> None:
    first, second = make_user(), make_user()
    with acting(first) as one, acting(second) as other:
        pass

    def demote(by: actor.Actor, whom: User) -> None:
        with actor.use(by):
            services.set_roles(user_id=whom.pk, roles=["admin"], now=timezone.now())

    outcome = _at_once(lambda: demote(one, second), lambda: demote(other, first))
    # Both began as owners; the second one isn't any more when it is his turn.
    assert outcome == ["PermissionDenied", "done"]
    assert queries.active_owners().count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_step_down_at_once_leave_one() -> None:
    owners = [make_user(), make_user()]

    def step_down(owner: User) -> None:
        with acting(owner):
            services.set_roles(user_id=owner.pk, roles=["admin"], now=timezone.now())

    assert _at_once(lambda: step_down(owners[0]), lambda: step_down(owners[1])) == ["LastOwner", "done"]
    assert queries.active_owners().count() == 1


def test_who_lost_his_rights_meanwhile_acts_no_more() -> None:
    owner, admin, staff = make_user(), make_user(role="admin"), make_user(role="staff")
    with acting(admin) as before:
        pass
    with acting(owner):
        services.set_roles(user_id=admin.pk, roles=["staff"], now=timezone.now())
    with actor.use(before), pytest.raises(PermissionDenied):
        services.set_roles(user_id=staff.pk, roles=["admin"], now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_two_transactions_past_the_services_leave_an_owner_too() -> None:
    first, second = make_user(), make_user()
    begun = Barrier(2)

    def remove(whom: User) -> None:
        with transaction.atomic():
            UserRole.objects.filter(user=whom).delete()
            begun.wait(timeout=10)

    outcome = _at_once(lambda: remove(first), lambda: remove(second))
    assert outcome == ["IntegrityError", "done"]
    assert queries.active_owners().count() == 1


# --- Seats ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def _one_seat(settings: Any) -> None:
    settings.ENTITLEMENTS = f"{__name__}.OneUser"


@pytest.mark.usefixtures("_one_seat")
def test_edition_with_one_user_takes_no_second() -> None:
    owner = make_user()
    with acting(owner):
        for deed in (
            lambda: services.create_user(email="b@shop.example", roles=["picker"]),
            lambda: services.invite_user(email="b@shop.example", roles=["picker"], now=timezone.now()),
        ):
            with pytest.raises(EditionRequired) as refused:
                deed()
            assert refused.value.extra["feature"] == "users"


def test_reactivating_needs_a_seat(settings: Any) -> None:
    owner, staff = make_user(), make_user(role="staff")
    with acting(owner):
        services.deactivate_user(user_id=staff.pk, now=timezone.now())
        settings.ENTITLEMENTS = f"{__name__}.OneUser"
        with pytest.raises(EditionRequired):
            services.reactivate_user(user_id=staff.pk)


@pytest.mark.usefixtures("_one_seat")
def test_page_of_a_full_edition_shows_the_hint_instead_of_the_button(client: Client) -> None:
    owner = make_user()
    client.force_login(owner)
    page = client.get("/settings/users/").content.decode()
    assert "Your edition includes one user" in page
    assert "Invite user" not in page
    response = client.post(
        "/settings/invitations/new/", {"email": "b@shop.example", "roles": [str(Role.objects.get(name="picker").pk)]}
    )
    assert response.status_code == 403


@pytest.mark.django_db(transaction=True)
def test_last_seat_is_given_once_however_many_ask(settings: Any) -> None:
    owner = make_user()
    settings.ENTITLEMENTS = f"{__name__}.TwoUsers"

    def invite(number: int) -> Callable[[], Any]:
        def deed() -> None:
            with acting(owner):
                services.invite_user(email=f"p{number}@shop.example", roles=["picker"], now=timezone.now())

        return deed

    assert _at_once(*(invite(number) for number in range(4))) == ["EditionRequired"] * 3 + ["done"]


@pytest.mark.django_db(transaction=True)
def test_invitation_accepted_twice_at_once_makes_one_user() -> None:
    owner = make_user()
    with acting(owner):
        invitation = services.invite_user(email="ana@shop.example", roles=["picker"], now=timezone.now())
    token = services.invitation_token(invitation)

    def accept() -> None:
        services.accept_invitation(token=token, display_name="Ana", password="quite a long password")

    assert _at_once(accept, accept) == ["InvitationClosed", "done"]
    assert User.objects.filter(email="ana@shop.example").count() == 1


@pytest.mark.django_db(transaction=True)
def test_code_shown_twice_at_once_is_taken_once() -> None:
    user = make_user()
    services.activate_totp(user=user, secret="JBSWY3DPEHPK3PXP", counter=0)
    (code, *_) = services.create_recovery_codes(user=user)
    taken: list[object] = []

    def spend() -> None:
        taken.append(services.spend_code(user=user, code=code))

    assert _at_once(spend, spend) == ["done", "done"]
    assert sum(each is not None for each in taken) == 1


# --- Addresses and names ----------------------------------------------------------------------------------------------
def test_address_is_taken_whatever_its_letters() -> None:
    make_user(email="Ana@Shop.example")
    with pytest.raises(Invalid) as wrong:
        services.create_user(email="ANA@shop.EXAMPLE", roles=["picker"])
    assert "/email" in wrong.value.errors
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(email="Mixed@shop.example", display_name="x")


def test_name_defaults_to_the_address() -> None:
    assert services.create_user(email="ben@shop.example", roles=["picker"]).display_name == "ben"


@pytest.mark.parametrize("email", ["", "nobody", "a@b", "x" * 250 + "@shop.example", "two words@shop.example"])
def test_garbage_address_is_refused(email: str) -> None:
    with pytest.raises(Invalid):
        services.create_user(email=email, roles=["picker"])


def test_preferences_are_merged_and_checked() -> None:
    user = make_user()
    with acting(user):
        services.update_preferences(user_id=user.pk, changes={"shortcuts": "off"})
        services.update_preferences(user_id=user.pk, changes={"first_steps_dismissed": True})
        with pytest.raises(Invalid):
            services.update_preferences(user_id=user.pk, changes={"shortcuts": "sometimes"})
        with pytest.raises(Invalid):
            services.update_preferences(user_id=user.pk, changes={"is_staff": True})
    user.refresh_from_db()
    assert user.preferences == {"shortcuts": "off", "first_steps_dismissed": True}


# --- Pages ------------------------------------------------------------------------------------------------------------
def test_picker_sees_no_colleagues(client: Client) -> None:
    owner, picker = make_user(), make_user(role="picker")
    client.force_login(picker)
    for path in ("/settings/users/", f"/settings/users/{owner.pk}/", "/settings/invitations/", "/settings/roles/"):
        assert client.get(path).status_code == 403
    page = client.get("/settings/profile/").content.decode()
    assert "/settings/users/" not in page
    assert "/settings/roles/" not in page


def test_list_shows_role_second_factor_and_state(client: Client) -> None:
    owner = make_user(name="Marta Silva")
    staff = make_user(role="staff", name="Ben Ode")
    with acting(owner):
        services.deactivate_user(user_id=staff.pk, now=timezone.now())
    client.force_login(owner)
    page = client.get("/settings/users/").content.decode()
    assert "Marta Silva" in page
    assert "Deactivated" in page
    assert "Staff" in page


def test_list_is_narrowed_by_its_url(client: Client) -> None:
    owner = make_user(name="Marta Silva")
    make_user(role="picker", name="Ben Ode")
    client.force_login(owner)

    def names(query: str) -> list[bool]:
        page = client.get(
            f"/settings/users/?{query}", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="div#rows"
        ).content.decode()
        assert "<html" not in page
        return [name in page for name in ("Marta Silva", "Ben Ode")]

    assert names("q=marta") == [True, False]
    assert names("role=picker") == [False, True]
    assert names("state=inactive") == [False, False]
    assert names("q=ode&role=picker&state=active") == [False, True]


def test_unknown_filter_value_is_shown_and_not_ignored(client: Client) -> None:
    client.force_login(make_user())
    page = client.get("/settings/users/?role=emperor").content.decode()
    assert "emperor" in page
    assert "unknown value" in page


def test_long_list_has_pages(client: Client) -> None:
    owner = make_user(name="Aaa First")
    for number in range(51):
        make_user(role="picker", name=f"Picker {number:02d}")
    client.force_login(owner)
    first = client.get("/settings/users/").content.decode()
    assert "of 52" in first
    assert "Picker 50" not in first
    assert "Picker 50" in client.get("/settings/users/?from=50").content.decode()


def test_roles_are_changed_on_the_page_with_undo(client: Client) -> None:
    owner, staff = make_user(), make_user(role="staff")
    client.force_login(owner)
    picker = Role.objects.get(name="picker")
    response = client.post(f"/settings/users/{staff.pk}/roles/", {"roles": [str(picker.pk)]}, follow=True)
    page = response.content.decode()
    assert "Roles changed." in page
    deed = ChangeSet.objects.filter(action="accounts.set_roles").get()
    assert f"/audit/{deed.pk}/undo/" in page
    assert queries.get_user(staff.pk).role_names == "Picker"


def test_page_offers_only_roles_that_can_be_given(client: Client) -> None:
    make_user()
    admin, staff = make_user(role="admin"), make_user(role="staff")
    client.force_login(admin)
    page = client.get(f"/settings/users/{staff.pk}/").content.decode()
    assert str(Role.objects.get(name="picker").pk) in page
    assert str(Role.objects.get(name="owner").pk) not in page


def test_page_of_one_who_may_more_has_no_buttons(client: Client) -> None:
    owner, admin = make_user(), make_user(role="admin")
    client.force_login(admin)
    page = client.get(f"/settings/users/{owner.pk}/").content.decode()
    assert "may do more than you" in page
    assert f"/settings/users/{owner.pk}/deactivate/" not in page
    assert client.post(f"/settings/users/{owner.pk}/deactivate/").status_code == 403


def test_nothing_changes_by_get(client: Client) -> None:
    owner, staff = make_user(), make_user(role="staff")
    client.force_login(owner)
    for path in ("deactivate", "reactivate", "roles", "sign-out"):
        assert client.get(f"/settings/users/{staff.pk}/{path}/").status_code == 405
    assert queries.get_user(staff.pk).is_active


def test_change_by_cookie_needs_the_csrf_token(client: Client) -> None:
    owner, staff = make_user(), make_user(role="staff")
    strict = another(client, enforce_csrf_checks=True)
    strict.force_login(owner)
    assert strict.post(f"/settings/users/{staff.pk}/deactivate/").status_code == 403
    assert queries.get_user(staff.pk).is_active


def test_theme_is_remembered(client: Client) -> None:
    user = make_user(role="picker")
    client.force_login(user)
    assert client.post("/theme/", {"theme": "dark"}, HTTP_HX_REQUEST="true").status_code == 204
    user.refresh_from_db()
    assert user.theme == "dark"
    assert client.post("/theme/", {"theme": "neon"}, HTTP_HX_REQUEST="true").status_code == 422


def test_every_system_role_is_known_to_the_database_guard() -> None:
    assert Role.objects.filter(name=roles.OWNER, is_system=True).count() == 1
