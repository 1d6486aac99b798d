"""Sessions: stored hashed, begun anew at sign-in, ended by time, by hand and by what changes a user's rights."""

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import queries, services
from accounts.models import RefreshToken, Role, Session
from accounts.sessions import digest
from accounts.testing import make_user
from accounts.tests.conftest import acting, another, is_signed_in, sign_in
from common.errors import NotFound, PermissionDenied
from common.ids import new_id
from common.testing.query_counts import counted

pytestmark = pytest.mark.django_db
COOKIE = settings.SESSION_COOKIE_NAME


def test_table_holds_no_key_that_opens_a_session(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    key = client.cookies[COOKIE].value
    row = Session.objects.get(user=user)
    assert row.session_key == digest(key)
    thief = another(client)
    thief.cookies[COOKIE] = row.session_key
    assert not is_signed_in(thief)
    assert key not in row.session_data


def test_signing_in_begins_a_new_session(client: Client) -> None:
    user = make_user()
    client.get("/account/password/reset/")
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies[COOKIE] = session.session_key or ""
    planted = client.cookies[COOKIE].value
    sign_in(client, user)
    assert client.cookies[COOKIE].value != planted
    assert not Session.objects.filter(session_key=digest(planted)).exists()


def test_session_ends_after_14_days_without_use(client: Client) -> None:
    user = make_user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, user)
        clock.shift(timedelta(days=13, hours=23))
        assert is_signed_in(client)
        clock.shift(timedelta(days=13, hours=23))
        assert is_signed_in(client)
        clock.shift(timedelta(days=14, seconds=1))
        assert not is_signed_in(client)


def test_session_ends_after_90_days_however_much_it_is_used(client: Client) -> None:
    user = make_user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, user)
        for _ in range(8):
            clock.shift(timedelta(days=11))
            assert is_signed_in(client)
        clock.shift(timedelta(days=2, seconds=1))
        assert not is_signed_in(client)


def test_cookie_outlives_the_idle_end_so_that_use_prolongs_it(client: Client) -> None:
    sign_in(client, make_user())
    cookie = client.cookies[COOKIE]
    assert cookie["max-age"] == pytest.approx(90 * 24 * 3600, abs=5)
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert not cookie["domain"]


def test_last_use_is_noted_at_most_once_a_minute(client: Client) -> None:
    user = make_user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, user)
        first = Session.objects.get(user=user).last_seen_at
        clock.shift(timedelta(seconds=59))
        client.get("/settings/sessions/")
        assert Session.objects.get(user=user).last_seen_at == first
        clock.shift(timedelta(seconds=2))
        client.get("/settings/sessions/")
        assert Session.objects.get(user=user).last_seen_at == first + timedelta(seconds=61)


def test_one_sees_and_ends_ones_own_sessions(client: Client) -> None:
    user = make_user(role="picker")
    here, there = client, another(client)
    sign_in(here, user, HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    sign_in(
        there,
        user,
        HTTP_USER_AGENT="Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 Version/18.0 Safari/604.1",
    )
    page = here.get("/settings/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "Safari on iPhone" in page
    row = next(row for row in queries.sessions_of(user_id=user.pk, now=timezone.now()) if "iPhone" in row.label)
    response = here.post(f"/settings/sessions/{row.id}/end/")
    assert response.status_code == 302
    assert not is_signed_in(there)
    assert is_signed_in(here)


def test_one_signs_out_everywhere_else(client: Client) -> None:
    user = make_user(role="readonly")
    others = [another(client), another(client)]
    for each in (client, *others):
        sign_in(each, user)
    RefreshToken.objects.create(
        user=user,
        jti=new_id(),
        family_id=new_id(),
        device_name="Extension",
        expires_at=timezone.now() + timedelta(days=1),
        family_expires_at=timezone.now() + timedelta(days=90),
    )
    client.post("/settings/sessions/end-others/")
    assert is_signed_in(client)
    assert not any(is_signed_in(each) for each in others)
    assert not user.refresh_tokens.filter(revoked_at__isnull=True).exists()


def test_picker_can_not_end_a_colleagues_session(client: Client) -> None:
    owner, picker = make_user(), make_user(role="picker")
    sign_in(client, owner)
    session = Session.objects.get(user=owner)
    with acting(picker), pytest.raises(NotFound):
        services.end_session(public_id=session.public_id, now=timezone.now())
    assert is_signed_in(client)


def test_admin_ends_a_colleagues_session_but_not_an_owners(client: Client) -> None:
    owner, admin, staff = make_user(), make_user(role="admin"), make_user(role="staff")
    sign_in(client, staff)
    with acting(admin):
        services.end_session(public_id=Session.objects.get(user=staff).public_id, now=timezone.now())
    assert not is_signed_in(client)
    sign_in(client, owner)
    with acting(admin), pytest.raises(PermissionDenied):
        services.end_session(public_id=Session.objects.get(user=owner).public_id, now=timezone.now())
    assert is_signed_in(client)


def test_role_change_ends_sessions_and_tokens_at_once(client: Client) -> None:
    owner, staff = make_user(), make_user(role="staff")
    sign_in(client, staff)
    with acting(owner):
        services.set_roles(user_id=staff.pk, roles=["picker"], now=timezone.now())
    assert not is_signed_in(client)
    staff.refresh_from_db()
    assert staff.credentials_changed_at is not None


def test_deactivation_ends_sessions_at_once(client: Client) -> None:
    owner, staff = make_user(), make_user(role="staff")
    sign_in(client, staff)
    with acting(owner):
        services.deactivate_user(user_id=staff.pk, now=timezone.now())
    assert not is_signed_in(client)
    sign_in(client, staff)
    assert not is_signed_in(client)


def test_change_of_a_roles_permissions_ends_its_holders_sessions(client: Client) -> None:
    owner = make_user()
    with acting(owner):
        role = services.create_role(name="Packer", permissions=["orders:read", "shipping:read"])
        packer = make_user(role="Packer")
        sign_in(client, packer)
        services.update_role(role_id=role.pk, permissions=["orders:read"], now=timezone.now())
    assert not is_signed_in(client)


def test_signing_out_ends_the_session_on_our_side(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    key = client.cookies[COOKIE].value
    client.post("/account/logout/")
    again = another(client)
    again.cookies[COOKIE] = key
    assert not is_signed_in(again)
    assert not Session.objects.filter(user=user).exists()


def test_expired_sessions_are_cleared(client: Client) -> None:
    user = make_user()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        sign_in(client, user)
        clock.shift(timedelta(days=15))
        services.clear_expired(now=timezone.now())
    assert not Session.objects.filter(user=user).exists()


def test_visitor_without_cookie_costs_no_query(client: Client) -> None:
    client.get("/account/password/reset/")
    with counted() as statements:
        client.get("/account/password/reset/")
    assert [each for each in statements if "tenants_domain" not in each] == []


def test_who_acts_costs_one_query_besides_the_session(client: Client) -> None:
    user = make_user(role="picker")
    user.user_roles.create(role=Role.objects.get(name="readonly"))
    client.force_login(user)
    client.get("/theme/")
    with counted() as statements:
        # Refused by method, so nothing is asked but who it is.
        client.get("/theme/")
    assert len([each for each in statements if "tenants_domain" not in each]) == 2, statements
