"""Cookie sessions over the API: signing in and out, CSRF, the second factor, and what two identities at once get."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings

from accounts import services
from accounts.models import Session, User
from tests.api.conftest import CENTRAL, PASSWORD, Program, make_user, token_of

pytestmark = pytest.mark.django_db

CREDENTIALS = {"email": "owner@shop.example", "password": PASSWORD}
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def browser() -> Program:
    """Answer a client that must send CSRF tokens, as browsers must."""
    made = Program()
    made.handler.enforce_csrf_checks = True
    return made


def sign_in(visitor: Program, **more: str) -> Any:
    return visitor.send("POST", "/auth/login", {**CREDENTIALS, **more})


def test_signs_in_with_a_cookie(owner: User) -> None:
    visitor = browser()
    response = sign_in(visitor)
    assert response.status_code == 200
    assert response.json()["user"]["id"] == str(owner.pk)
    cookie = response.cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["domain"]) == (True, "Lax", "")
    assert visitor.send("GET", "/auth/me").json()["user"]["email"] == owner.email
    listed = visitor.send("GET", "/auth/sessions").json()["results"]
    assert [(row["kind"], row["is_present"]) for row in listed] == [("browser", True)]


def test_gets_a_new_session_with_each_sign_in(owner: User) -> None:
    visitor = browser()
    first = sign_in(visitor).cookies[settings.SESSION_COOKIE_NAME].value
    second = sign_in(visitor).cookies[settings.SESSION_COOKIE_NAME].value
    assert first != second
    assert Session.objects.filter(user__isnull=False).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"email": "nobody@shop.example"}, {"password": "wrong"}, {"email": "OWNER@SHOP.EXAMPLE", "password": "no"}],
)
def test_refuses_whoever_is_not_known(owner: User, wrong: dict[str, str]) -> None:
    response = sign_in(browser(), **wrong)
    assert response.status_code == 401
    assert response.json()["detail"] == "The e-mail address or the password is wrong."
    assert settings.SESSION_COOKIE_NAME not in response.cookies


def test_refuses_users_who_were_let_go(owner: User) -> None:
    staff = make_user("staff", is_active=False)
    assert sign_in(browser(), email=staff.email).status_code == 401


def test_gives_no_cookie_on_the_central_host(owner: User) -> None:
    response = Program(host=CENTRAL).send("POST", "/auth/login", CREDENTIALS)
    assert response.status_code == 404
    assert not response.cookies


def test_changes_nothing_by_cookie_without_the_csrf_token(owner: User) -> None:
    visitor = browser()
    token = sign_in(visitor).json()["csrf_token"]
    refused = visitor.send("PATCH", "/auth/me", {"display_name": "Eve"})
    assert (refused.status_code, refused.json()["reason"]) == (403, "csrf")
    assert visitor.send("PATCH", "/auth/me", {"display_name": "Eve"}, X_CSRF_Token="x" * 64).status_code == 403
    owner.refresh_from_db()
    assert owner.display_name == "Owner"
    allowed = visitor.send("PATCH", "/auth/me", {"display_name": "Olga"}, X_CSRF_Token=token)
    assert (allowed.status_code, allowed.json()["user"]["display_name"]) == (200, "Olga")


def test_signs_out(owner: User) -> None:
    visitor = browser()
    token = sign_in(visitor).json()["csrf_token"]
    assert visitor.send("POST", "/auth/logout").status_code == 403
    assert visitor.send("POST", "/auth/logout", X_CSRF_Token=token).status_code == 204
    assert visitor.send("GET", "/auth/me").status_code == 401
    assert not Session.objects.filter(user__isnull=False).exists()


def test_refuses_two_identities_at_once(owner: User) -> None:
    visitor = browser()
    sign_in(visitor)
    staff = token_of(make_user("staff"))
    response = visitor.send("GET", "/auth/me", Authorization=f"Bearer {staff}")
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    # The same person twice is one identity, and needs no CSRF token: no other site can send the token.
    both = visitor.send("PATCH", "/auth/me", {"display_name": "Olga"}, Authorization=f"Bearer {token_of(owner)}")
    assert both.status_code == 200


def test_refuses_a_bad_token_beside_a_good_cookie(owner: User) -> None:
    visitor = browser()
    sign_in(visitor)
    assert visitor.send("GET", "/auth/me", Authorization="Bearer x.y.z").status_code == 401


@pytest.mark.parametrize("value", ["", "x", "x" * 32, "x" * 5000, "\xff", "../../x", "%00"])
def test_takes_a_garbage_cookie_for_none(db: None, value: str) -> None:
    visitor = Program()
    visitor.cookies[settings.SESSION_COOKIE_NAME] = value
    assert visitor.send("GET", "/auth/me").status_code == 401


# --- Second factor ----------------------------------------------------------------------------------------------------
def code_now() -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return str(format_hotp_value(hotp_value(SECRET, counter)))


@pytest.fixture
def careful_owner(owner: User) -> User:
    """Answer the owner, who has an authenticator app."""
    TOTP.activate(owner, SECRET)
    return owner


@pytest.mark.parametrize("path", ["/auth/login", "/auth/token"])
def test_asks_for_the_code_only_after_the_right_password(careful_owner: User, path: str) -> None:
    visitor = browser()
    wrong = visitor.send("POST", path, {**CREDENTIALS, "password": "wrong", "otp": code_now()})
    assert wrong.json()["type"].endswith("/not-authenticated")
    for body in (CREDENTIALS, {**CREDENTIALS, "otp": "000000"}, {**CREDENTIALS, "otp": "not a code"}):
        asked = visitor.send("POST", path, body)
        assert asked.status_code == 401
        assert asked.json()["type"].endswith("/second-factor-required")
        assert not asked.cookies.get(settings.SESSION_COOKIE_NAME)
    code = code_now()
    assert visitor.send("POST", path, {**CREDENTIALS, "otp": code}).status_code == 200
    # Each code once.
    assert browser().send("POST", path, {**CREDENTIALS, "otp": code}).status_code == 401


def test_takes_a_recovery_code_once(careful_owner: User, visitor: Program) -> None:
    code = services.create_recovery_codes(user=careful_owner)[0]
    assert visitor.send("POST", "/auth/token", {**CREDENTIALS, "otp": code}).status_code == 200
    assert visitor.send("POST", "/auth/token", {**CREDENTIALS, "otp": code}).status_code == 401


def test_limits_how_often_a_code_is_tried(careful_owner: User, visitor: Program) -> None:
    assert Authenticator.objects.exists()
    statuses = [
        visitor.send("POST", "/auth/token", {**CREDENTIALS, "otp": f"00000{number}"}).status_code for number in range(6)
    ]
    assert statuses == [401] * 5 + [429]


def test_tells_no_secret(careful_owner: User, program: Program) -> None:
    careful_owner.refresh_from_db()
    hidden = (careful_owner.password, SECRET)
    for path in ("/auth/me", "/auth/sessions", "/users", f"/users/{careful_owner.pk}", "/roles"):
        text = program.send("GET", path).content.decode()
        assert not any(secret in text for secret in hidden)
        assert not re.search(r"md5\$|argon2", text)
