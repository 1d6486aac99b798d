"""Invitations: one open door for one address, with no more than the inviter could give."""

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts import queries, services
from accounts.errors import InvitationClosed
from accounts.models import Invitation, Role, User
from accounts.testing import make_user
from accounts.tests.conftest import acting, another, is_signed_in, sign_in
from audit.models import ChangeSet
from common.errors import Conflict, EditionRequired, Invalid, NotFound, PermissionDenied
from events.models import Event

pytestmark = pytest.mark.django_db
EMAIL = "ana@shop.example"
PASSWORD = "quite a long password"


def invite(
    by: User, *, email: str = EMAIL, roles: tuple[str, ...] = ("picker",), now: datetime | None = None
) -> Invitation:
    with acting(by):
        return services.invite_user(email=email, roles=roles, now=now or timezone.now())


def join_path(invitation: Invitation) -> str:
    return urlsplit(services.invitation_url(invitation)).path


def join(client: Client, invitation: Invitation, **data: str) -> Any:
    return client.post(join_path(invitation), {"display_name": "Ana", "password": PASSWORD, **data})


def test_invited_picker_joins_by_the_mailed_link_and_is_signed_in(
    client: Client, mailoutbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    owner = make_user(name="Marta")
    client.force_login(owner)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(
            "/settings/invitations/new/", {"email": EMAIL.upper(), "roles": [str(Role.objects.get(name="picker").pk)]}
        )
    assert response["Location"] == "/settings/invitations/"
    (mail,) = [mail for mail in mailoutbox if EMAIL in mail.to[0]]
    link = re.search(r"http\S+/join/\S+", mail.body)
    assert link is not None
    newcomer = another(client)
    page = newcomer.get(urlsplit(link.group()).path).content.decode()
    assert "Join Test shop" in page
    assert "Marta invited you" in page
    assert EMAIL in page
    response = newcomer.post(urlsplit(link.group()).path, {"display_name": "Ana", "password": PASSWORD})
    assert response["Location"] == "/start/"
    assert is_signed_in(newcomer)
    user = User.objects.get(email=EMAIL)
    assert queries.get_user(user.pk).role_names == "Picker"
    assert sign_in(another(client), user, PASSWORD)["Location"] == "/start/"


def test_joining_is_recorded_as_the_newcomers_deed(client: Client) -> None:
    invitation = invite(make_user())
    join(client, invitation)
    user = User.objects.get(email=EMAIL)
    deed = ChangeSet.objects.get(action="accounts.accept_invitation")
    assert (deed.actor_id, deed.actor_name) == (str(user.pk), "Ana")
    assert Event.objects.get(event_type="user.joined").payload["data"]["user_id"] == str(user.pk)


def test_link_works_once(client: Client) -> None:
    invitation = invite(make_user())
    join(client, invitation)
    again = another(client)
    response = again.get(join_path(invitation))
    assert response.status_code == 410
    assert "It was used already" in response.content.decode()
    assert join(again, invitation, display_name="Eve").status_code == 410
    assert User.objects.filter(email=EMAIL).count() == 1


def test_revoked_link_says_so(client: Client) -> None:
    owner = make_user()
    invitation = invite(owner)
    with acting(owner):
        services.revoke_invitation(invitation_id=invitation.pk, now=timezone.now())
    response = client.get(join_path(invitation))
    assert response.status_code == 410
    assert "It was taken back" in response.content.decode()


def test_link_expires_after_seven_days_and_works_again_when_sent_again(client: Client) -> None:
    owner = make_user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        invitation = invite(owner)
        clock.shift(timedelta(days=7))
        response = client.get(join_path(invitation))
        assert response.status_code == 410
        assert "It has expired" in response.content.decode()
        with acting(owner):
            services.resend_invitation(invitation_id=invitation.pk, now=timezone.now())
        assert client.get(join_path(invitation)).status_code == 200
    sendings = Event.objects.filter(event_type="user.invited").order_by("sequence")
    assert [event.payload["data"]["sending"] for event in sendings] == ["1", "2"]


@pytest.mark.parametrize("token", ["x", "a:b", "01a20a82502e75fea f73", "%00", "x" * 500])
def test_garbage_link_says_so(client: Client, token: str) -> None:
    response = client.get(f"/join/{token}/")
    assert response.status_code in (400, 404, 410)


def test_tampered_link_opens_nothing() -> None:
    owner = make_user()
    mine, other = invite(owner), invite(owner, email="other@shop.example")
    token = services.invitation_token(mine).replace(mine.pk.hex, other.pk.hex)
    with pytest.raises(InvitationClosed):
        services.find_invitation(token=token, now=timezone.now())


@pytest.mark.parametrize("password", ["short", "password", "ana@shop.example"])
def test_bad_password_is_refused_and_the_link_still_works(client: Client, password: str) -> None:
    invitation = invite(make_user())
    assert join(client, invitation, password=password).status_code == 422
    assert join(client, invitation).status_code == 302


def test_accepting_twice_at_once_makes_one_user() -> None:
    invitation = invite(make_user())
    token = services.invitation_token(invitation)
    services.accept_invitation(token=token, display_name="Ana", password=PASSWORD)
    with pytest.raises(InvitationClosed):
        services.accept_invitation(token=token, display_name="Ana", password=PASSWORD)


def test_admin_can_not_invite_an_owner(client: Client) -> None:
    admin = make_user(role="admin")
    with pytest.raises(PermissionDenied):
        invite(admin, roles=("owner",))
    client.force_login(admin)
    owner_role = Role.objects.get(name="owner")
    assert str(owner_role.pk) not in client.get("/settings/invitations/new/").content.decode()
    response = client.post("/settings/invitations/new/", {"email": EMAIL, "roles": [str(owner_role.pk)]})
    assert response.status_code == 422
    assert not Invitation.objects.exists()


def test_admin_can_not_send_an_owners_invitation_again() -> None:
    owner, admin = make_user(), make_user(role="admin")
    invitation = invite(owner, roles=("owner",))
    with acting(admin), pytest.raises(PermissionDenied):
        services.resend_invitation(invitation_id=invitation.pk, now=timezone.now())


def test_nobody_sees_the_link_but_the_invited(client: Client) -> None:
    owner = make_user()
    invitation = invite(owner)
    client.force_login(owner)
    assert services.invitation_token(invitation) not in client.get("/settings/invitations/").content.decode()


def test_invitations_of_one_who_loses_the_right_are_taken_back(client: Client) -> None:
    owner, admin = make_user(), make_user(role="admin")
    invitation = invite(admin, roles=("admin",))
    with acting(owner):
        services.set_roles(user_id=admin.pk, roles=["staff"], now=timezone.now())
    assert client.get(join_path(invitation)).status_code == 410


def test_invitations_are_taken_back_when_the_inviters_role_is_narrowed(client: Client) -> None:
    owner = make_user()
    with acting(owner):
        hiring = services.create_role(name="Hiring", permissions=["users:invite", "orders:read", "orders:refund"])
        services.create_role(name="Refunds", permissions=["orders:read", "orders:refund"])
        services.create_role(name="Looks", permissions=["orders:read"])
    inviter = make_user(role="Hiring")
    more = invite(inviter, roles=("Refunds",))
    same = invite(inviter, email="other@shop.example", roles=("Looks",))
    with acting(owner):
        services.update_role(role_id=hiring.pk, permissions=["users:invite", "orders:read"], now=timezone.now())
    assert client.get(join_path(more)).status_code == 410
    assert client.get(join_path(same)).status_code == 200
    with acting(owner):
        services.update_role(role_id=hiring.pk, permissions=["orders:read"], now=timezone.now())
    assert client.get(join_path(same)).status_code == 410


def test_invitations_of_a_deactivated_user_are_taken_back(client: Client) -> None:
    owner, admin = make_user(), make_user(role="admin")
    invitation = invite(admin)
    with acting(owner):
        services.deactivate_user(user_id=admin.pk, now=timezone.now())
    assert client.get(join_path(invitation)).status_code == 410


def test_address_is_invited_once() -> None:
    owner = make_user()
    invite(owner)
    with pytest.raises(Invalid) as wrong:
        invite(owner, email=EMAIL.upper())
    assert "open invitation" in wrong.value.errors["/email"][0]
    with pytest.raises(Invalid):
        invite(owner, email=owner.email)


def test_expired_invitation_makes_room_for_a_new_one() -> None:
    owner = make_user()
    first = invite(owner, now=timezone.now() - timedelta(days=8))
    second = invite(owner)
    first.refresh_from_db()
    assert first.revoked_at is not None
    assert second.pk != first.pk


def test_closed_invitation_can_not_be_revoked_or_sent() -> None:
    owner = make_user()
    invitation = invite(owner)
    services.accept_invitation(token=services.invitation_token(invitation), display_name="Ana", password=PASSWORD)
    with acting(owner):
        for deed in (services.revoke_invitation, services.resend_invitation):
            with pytest.raises(Conflict):
                deed(invitation_id=invitation.pk, now=timezone.now())
        with pytest.raises(NotFound):
            services.revoke_invitation(invitation_id=owner.pk, now=timezone.now())


def test_open_invitation_takes_a_seat_and_frees_it_when_revoked(settings: Any) -> None:
    owner = make_user()
    settings.ENTITLEMENTS = f"{__name__}.TwoUsers"
    invitation = invite(owner)
    with pytest.raises(EditionRequired):
        invite(owner, email="ben@shop.example")
    with acting(owner):
        services.revoke_invitation(invitation_id=invitation.pk, now=timezone.now())
    invite(owner, email="ben@shop.example")


def test_accepting_needs_a_seat_too(settings: Any, client: Client) -> None:
    owner = make_user()
    invitation = invite(owner)
    make_user(role="staff")
    settings.ENTITLEMENTS = f"{__name__}.TwoUsers"
    response = join(client, invitation)
    assert response.status_code == 403
    assert not User.objects.filter(email=EMAIL).exists()
    invitation.refresh_from_db()
    assert invitation.accepted_at is None


class TwoUsers:
    """Entitlements of an edition with two seats."""

    def edition(self) -> str:
        return "lite"

    def allows(self, feature: str) -> bool:
        return feature == "users"

    def limit(self, feature: str) -> int | None:
        return 2 if feature == "users" else None


def test_who_accepts_while_signed_in_as_somebody_else_is_somebody_else(client: Client) -> None:
    owner = make_user()
    sign_in(client, owner)
    invitation = invite(owner)
    assert "You are signed in as" in client.get(join_path(invitation)).content.decode()
    join(client, invitation)
    assert EMAIL in client.get("/settings/security/").content.decode()


def test_list_shows_state_and_offers_what_can_be_done(client: Client) -> None:
    owner = make_user()
    opened = invite(owner)
    closed = invite(owner, email="ben@shop.example")
    with acting(owner):
        services.revoke_invitation(invitation_id=closed.pk, now=timezone.now())
    client.force_login(owner)
    page = client.get("/settings/invitations/").content.decode()
    assert EMAIL in page
    assert "ben@shop.example" not in page
    assert f"/settings/invitations/{opened.pk}/revoke/" in page
    page = client.get("/settings/invitations/?closed=1").content.decode()
    assert "ben@shop.example" in page
    assert f"/settings/invitations/{closed.pk}/revoke/" not in page


def test_dialog_is_a_part_of_its_page(client: Client) -> None:
    client.force_login(make_user())
    part = client.get(
        "/settings/invitations/new/", HTTP_HX_REQUEST="true", HTTP_HX_TARGET="dialog#dialog"
    ).content.decode()
    assert "<html" not in part
    assert "Send invitation" in part


# --- The founder's way in ---------------------------------------------------------------------------------------------
def test_ticket_lets_the_founder_in_once(client: Client) -> None:
    founder = make_user()
    path = urlsplit(services.welcome_url(founder)).path
    page = client.get(path)
    assert page.status_code == 200
    assert not is_signed_in(client)
    assert client.post(path)["Location"] == "/start/"
    assert is_signed_in(client)
    again = another(client)
    assert again.get(path).status_code == 410
    assert again.post(path).status_code == 410
    assert not is_signed_in(again)


def test_ticket_is_good_for_five_minutes(client: Client) -> None:
    founder = make_user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        path = urlsplit(services.welcome_url(founder)).path
        clock.shift(timedelta(seconds=299))
        assert client.get(path).status_code == 200
        clock.shift(timedelta(seconds=2))
        assert client.post(path).status_code == 410
    assert not is_signed_in(client)


def test_ticket_of_a_deactivated_user_opens_nothing(client: Client) -> None:
    owner, founder = make_user(), make_user()
    path = urlsplit(services.welcome_url(founder)).path
    with acting(owner):
        services.deactivate_user(user_id=founder.pk, now=timezone.now())
    assert client.post(path).status_code == 410
