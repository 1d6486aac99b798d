"""The wall between shops, tried with what belongs to people: cookies, links, codes, passkeys, limits, ids."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.adapter import DEVICE_COOKIE
from accounts.errors import InvitationClosed, TicketSpent
from accounts.models import User
from accounts.tests.authenticators import Passkey
from accounts.tests.conftest import is_signed_in, sign_in
from accounts.tests.test_second_factor import add_passkey
from common.testing.clients import ShopClient
from common.testing.people import make_user
from tenants.testing import create_shop, in_schema

pytestmark = pytest.mark.django_db
OTHER = f"other.{settings.BASE_DOMAIN}"
EMAIL = "marta@shop.example"


@pytest.fixture
def twin(schema: str) -> User:
    """Answer the user of that address in another shop; the test's own shop has one too."""
    create_shop(schema="t_other", host=OTHER)
    place: Any = connection
    with in_schema("t_other"):
        user: User = make_user(email=EMAIL)
    place.set_schema(schema)
    return user


@pytest.fixture
def mine() -> User:
    """Answer the test shop's own user, made before anything leaves its schema."""
    user: User = make_user(email=EMAIL)
    return user


@pytest.fixture
def there() -> Client:
    """Answer a browser at the other shop."""
    return ShopClient(host=OTHER)


def test_session_cookie_opens_nothing(client: Client, mine: User, twin: User, there: Client) -> None:
    sign_in(client, mine)
    there.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert not is_signed_in(there)
    assert is_signed_in(client)


def test_same_address_is_two_users(client: Client, mine: User, twin: User, there: Client) -> None:
    sign_in(there, twin)
    assert is_signed_in(there)
    assert not is_signed_in(client)
    assert mine.pk != twin.pk


@pytest.mark.usefixtures("twin")
def test_reset_link_opens_nothing(mine: User, there: Client) -> None:
    path = urlsplit(services.password_reset_url(mine)).path
    assert "This link no longer works" in there.get(path).content.decode()


@pytest.mark.usefixtures("twin")
def test_invitation_and_ticket_open_nothing(mine: User) -> None:
    invitation = services.invite_user(email="ana@shop.example", roles=["picker"], now=timezone.now())
    token, ticket = services.invitation_token(invitation), services.sign_in_ticket(mine)
    with in_schema("t_other"):
        with pytest.raises(InvitationClosed):
            services.find_invitation(token=token, now=timezone.now())
        with pytest.raises(TicketSpent):
            services.spend_ticket(ticket=ticket, now=timezone.now())


def test_known_device_is_a_stranger(client: Client, mine: User, twin: User, there: Client) -> None:
    sign_in(client, mine)
    there.cookies[DEVICE_COOKIE] = client.cookies[DEVICE_COOKIE].value
    statuses = [sign_in(there, twin, "not it").status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    # The other shop's count isn't this one's.
    client.post("/account/logout/")
    assert sign_in(client, mine).status_code == 302


def test_passkey_opens_nothing(client: Client, mine: User, twin: User, there: Client) -> None:
    sign_in(client, mine)
    key: Passkey = add_passkey(client)
    options = there.get("/account/login/passkey/", HTTP_ACCEPT="application/json").json()["request_options"][
        "publicKey"
    ]
    assert options["rpId"] == OTHER
    there.post("/account/login/passkey/", {"credential": key.get(options)})
    assert not is_signed_in(there)


def test_users_and_roles_do_not_exist(client: Client, mine: User, twin: User) -> None:
    client.force_login(mine)
    assert client.get(f"/settings/users/{twin.pk}/").status_code == 404
    for deed in ("deactivate", "roles", "sign-out"):
        response = client.post(f"/settings/users/{twin.pk}/{deed}/", {"roles": []})
        assert response.status_code in (404, 422)
    with in_schema("t_other"):
        assert User.objects.get(pk=twin.pk).is_active
