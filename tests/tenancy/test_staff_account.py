"""Our staff on the public host: their own account and second factor, and nothing of any shop."""

import re
import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.test import Client

from accounts import services
from accounts.models import User
from accounts.second_factor import has_second_factor
from accounts.tests.conftest import sign_in
from common.testing.people import PASSWORD, make_user
from tenants.testing import in_schema

pytestmark = pytest.mark.django_db
EMAIL = "ops@brikonnect.example"


@pytest.fixture
def staff(schema: str) -> User:
    """Answer one of our staff, in the public schema."""
    with in_schema("public"):
        return services.create_user(
            email=EMAIL, display_name="Operations", password=PASSWORD, is_verified=True, is_staff=True
        )


def post(client: Client, path: str, **data: str) -> Any:
    return client.post(f"/staff/account/{path}", data)


@pytest.mark.usefixtures("staff")
def test_staff_sign_in_on_the_public_host_and_set_a_second_factor_up(site_client: Client, staff: User) -> None:
    response = post(site_client, "login/", login=EMAIL, password=PASSWORD)
    assert response.status_code == 302
    assert response["Location"] == "/admin/"
    page = site_client.get("/staff/settings/security/")
    assert page.status_code == 200
    post(site_client, "confirm/?next=/", password=PASSWORD)
    setting_up = site_client.get("/staff/settings/security/authenticator-app/").content.decode()
    found = re.search(r'data-copy="([A-Z2-7]+)"', setting_up)
    assert found is not None
    code = format_hotp_value(hotp_value(found.group(1), int(time.time()) // 30))
    site_client.post("/staff/settings/security/authenticator-app/", {"code": code})
    with in_schema("public"):
        assert has_second_factor(staff)


@pytest.mark.usefixtures("staff")
def test_staff_are_nobody_in_a_shop(client: Client) -> None:
    response = client.post("/account/login/", {"login": EMAIL, "password": PASSWORD})
    assert response.status_code == 422


def test_people_of_a_shop_are_nobody_on_the_public_host(client: Client, site_client: Client) -> None:
    user = make_user()
    assert post(site_client, "login/", login=user.email, password=PASSWORD).status_code == 422
    sign_in(client, user)
    site_client.cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    assert site_client.get("/staff/settings/security/").status_code == 302


def test_public_host_has_no_pages_of_users(site_client: Client) -> None:
    for path in ("/staff/settings/users/", "/staff/settings/roles/", "/staff/join/x/", "/account/login/"):
        assert site_client.get(path).status_code == 404
