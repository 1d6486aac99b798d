"""Signing in by address and password: what is answered, how often one may try, and that strangers lock nobody out."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.test import Client
from django.utils import timezone

from accounts import services
from accounts.adapter import DEVICE_COOKIE
from accounts.models import Session, User
from accounts.sessions import digest
from accounts.testing import PASSWORD, make_user
from accounts.tests.conftest import acting, at, is_signed_in, sign_in
from common import actor, limits
from common.errors import NotAuthenticated, RateLimited

pytestmark = pytest.mark.django_db


class CountingHasher(MD5PasswordHasher):
    """Counts how often a password is hashed."""

    algorithm = "counting"
    count = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.count += 1
        return str(super().encode(password, salt))


def test_sign_in_leads_where_one_wanted_to_go(client: Client) -> None:
    user = make_user()
    response = client.post(
        "/account/login/?next=/settings/users/",
        {"login": user.email.upper(), "password": PASSWORD, "next": "/settings/users/"},
    )
    assert response.status_code == 302
    assert response["Location"] == "/settings/users/"
    assert is_signed_in(client)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        f"http://other.{settings.BASE_DOMAIN}/",
        "javascript:alert(1)",
        "/\\evil.example",
    ],
)
def test_sign_in_leads_to_no_other_host(client: Client, target: str) -> None:
    user = make_user()
    response = client.post("/account/login/", {"login": user.email, "password": PASSWORD, "next": target})
    assert response["Location"] == "/start/"


def test_page_names_the_shop(client: Client) -> None:
    page = client.get("/account/login/").content.decode()
    assert "Sign in to Test shop" in page


def test_visitor_is_led_to_the_door_and_back(client: Client) -> None:
    response = client.get("/settings/users/?role=picker")
    assert response.status_code == 302
    path, _, query = response["Location"].partition("?")
    assert path == "/account/login/"
    assert parse_qs(query) == {"next": ["/settings/users/?role=picker"]}


def test_part_asked_for_without_a_session_answers_401(client: Client) -> None:
    response = client.get("/settings/users/", HTTP_HX_REQUEST="true")
    assert response.status_code == 401


def _shown(response: Any) -> str:
    text: str = response.content.decode()
    start = text.index("<main")
    return text[start : text.index("</main>")]


def test_unknown_address_and_wrong_password_answer_alike(client: Client) -> None:
    user = make_user()
    wrong = client.post("/account/login/", {"login": user.email, "password": "not it"})
    unknown = client.post("/account/login/", {"login": "nobody@shop.example", "password": "not it"})
    assert wrong.status_code == unknown.status_code == 422

    def neutral(response: Any, email: str) -> str:
        tokens = [part.split('"')[0] for part in _shown(response).split('name="csrfmiddlewaretoken" value="')[1:]]
        text = _shown(response).replace(email, "")
        for token in tokens:
            text = text.replace(token, "")
        return text

    assert neutral(wrong, user.email) == neutral(unknown, "nobody@shop.example")
    assert "The e-mail address or the password is wrong." in _shown(wrong)


def test_unknown_address_costs_a_hash_too(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["accounts.tests.test_sign_in.CountingHasher"]
    user = make_user()
    CountingHasher.count = 0
    for email in (user.email, "nobody@shop.example"):
        with pytest.raises(NotAuthenticated):
            services.identify(email=email, password="not it")
    assert CountingHasher.count == 2


def test_deactivated_user_is_told_so_only_with_the_password(client: Client) -> None:
    owner, user = make_user(), make_user(role="staff")
    with acting(owner):
        services.deactivate_user(user_id=user.pk, now=timezone.now())
    wrong = client.post("/account/login/", {"login": user.email, "password": "not it"})
    assert wrong.status_code == 422
    right = sign_in(client, user)
    assert right["Location"] == "/account/inactive/"
    assert not is_signed_in(client)


def test_password_of_200_letters_is_not_cut(client: Client) -> None:
    long = "é€" + "x" * 198
    user = make_user(password=long)
    assert sign_in(client, user, long[:-1]).status_code == 422
    assert sign_in(client, user, long).status_code == 302


def test_spaces_in_a_password_count(client: Client) -> None:
    user = make_user(password="  spaced out  ")
    assert sign_in(client, user, "spaced out").status_code == 422
    assert sign_in(client, user, "  spaced out  ").status_code == 302


def test_hash_is_made_anew_with_argon2id_at_sign_in(client: Client, settings: Any) -> None:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.Argon2PasswordHasher",
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
    user = make_user()
    user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    user.save(update_fields=["password"])
    assert sign_in(client, user).status_code == 302
    user.refresh_from_db()
    assert user.password.startswith("argon2$argon2id$")
    assert is_signed_in(client)


def test_nul_in_what_is_typed_is_a_wrong_value(client: Client) -> None:
    user = make_user()
    for data in ({"login": f"{user.email}\x00", "password": PASSWORD}, {"login": user.email, "password": "a\x00b"}):
        assert client.post("/account/login/", data).status_code in (400, 422)


def knock_from(address: str, user: User, *, times: int) -> None:
    """Try as the user from an address so often, as wrong passwords do."""
    with actor.use_origin(actor.Origin(ip_address=address)):
        for _ in range(times):
            with suppress(RateLimited):
                services.knock(email=user.email)


# --- Limits ---------------------------------------------------------------------------------------------------------
def test_sixth_try_within_five_minutes_is_refused_even_with_the_password(client: Client) -> None:
    user, thief = make_user(), at(client, "198.51.100.7")
    for _ in range(5):
        assert sign_in(thief, user, "not it").status_code == 422
    response = sign_in(thief, user)
    assert response.status_code == 429
    assert int(response["Retry-After"]) <= 300
    assert "Too many tries" in _shown(response)
    assert not is_signed_in(thief)


def test_unknown_address_is_limited_alike(client: Client) -> None:
    stranger = at(client, "198.51.100.8")
    statuses = [
        stranger.post("/account/login/", {"login": "nobody@shop.example", "password": "x"}).status_code
        for _ in range(6)
    ]
    assert statuses == [422] * 5 + [429]


def test_stranger_locks_nobody_out(client: Client) -> None:
    user, owner = make_user(), at(client, "203.0.113.5")
    knock_from("198.51.100.9", user, times=200)
    assert sign_in(owner, user).status_code == 302


def test_known_device_gets_in_while_many_strangers_try(client: Client) -> None:
    user, owner = make_user(), at(client, "203.0.113.6")
    sign_in(owner, user)
    owner.post("/account/logout/")
    assert owner.cookies[DEVICE_COOKIE].value
    for number in range(21):
        knock_from(f"198.51.100.{number}", user, times=5)
    # Whoever comes from anywhere else is stopped now, with the password too.
    assert sign_in(at(client, "192.0.2.77"), user).status_code == 429
    assert sign_in(owner, user).status_code == 302


def test_program_gets_in_where_it_did_before_while_many_strangers_try(client: Client) -> None:
    user, program = make_user(), at(client, "203.0.113.8")
    body = {"email": user.email, "password": PASSWORD}

    def token_from(browser: Any) -> int:
        return int(browser.post("/api/v1/auth/token", body, content_type="application/json").status_code)

    assert token_from(program) == 200
    for number in range(21):
        knock_from(f"198.51.100.{number}", user, times=5)
    assert token_from(at(client, "192.0.2.78")) == 429
    assert token_from(program) == 200
    # There, too, only so many wrong passwords are taken.
    knock_from("203.0.113.8", user, times=5)
    assert token_from(program) == 429


def test_device_known_to_one_account_is_a_stranger_to_another(client: Client) -> None:
    mine, other, device = make_user(role="staff"), make_user(role="staff"), at(client, "203.0.113.7")
    sign_in(device, mine)
    device.post("/account/logout/")
    statuses = [sign_in(device, other, "not it").status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]


def test_forged_device_cookie_is_worth_nothing(client: Client) -> None:
    user, thief = make_user(), at(client, "198.51.100.10")
    account = hashlib.sha256(user.email.encode()).hexdigest()
    statuses = []
    for number in range(6):
        thief.cookies[DEVICE_COOKIE] = f"{account}:{number}:forged"
        statuses.append(sign_in(thief, user, "not it").status_code)
    assert statuses == [422] * 5 + [429]


def test_one_address_may_not_try_many_accounts(client: Client) -> None:
    stranger = at(client, "198.51.100.11")
    statuses = [
        stranger.post("/account/login/", {"login": f"user{n}@shop.example", "password": "x"}).status_code
        for n in range(31)
    ]
    assert statuses == [422] * 30 + [429]


def test_addresses_of_one_ipv6_network_count_as_one(client: Client) -> None:
    user = make_user()
    statuses = [sign_in(at(client, f"2001:db8:1:2::{n}"), user, "not it").status_code for n in range(1, 7)]
    assert statuses == [422] * 5 + [429]


def test_right_password_begins_the_count_anew(client: Client) -> None:
    user, browser = make_user(), at(client, "203.0.113.8")
    for _ in range(4):
        sign_in(browser, user, "not it")
    sign_in(browser, user)
    browser.post("/account/logout/")
    statuses = [sign_in(browser, user, "not it").status_code for _ in range(5)]
    assert statuses == [422] * 5


@pytest.fixture
def redis_away(settings: Any) -> Iterator[None]:
    """Take Redis away: nobody listens where it was."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": settings.REDIS_URL}}
    yield
    limits._Pause.until = 0.0


@pytest.mark.usefixtures("redis_away")
def test_sign_in_and_its_limits_work_without_redis(client: Client) -> None:
    user, thief = make_user(), at(client, "198.51.100.13")
    statuses = [sign_in(thief, user, "not it").status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    assert sign_in(at(client, "203.0.113.9"), user).status_code == 302


def test_program_is_limited_like_a_page() -> None:
    user = make_user()
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            services.identify(email=user.email, password="not it")
    with pytest.raises(RateLimited):
        services.identify(email=user.email, password=PASSWORD)


# --- E-mail verification ----------------------------------------------------------------------------------------------
def test_unconfirmed_address_is_asked_for_a_code(
    client: Client, django_capture_on_commit_callbacks: Any, mailoutbox: Any
) -> None:
    user = make_user(is_verified=False)
    with django_capture_on_commit_callbacks(execute=True):
        response = sign_in(client, user)
    assert response["Location"] == "/account/email/confirm/"
    assert not is_signed_in(client)
    state = Session.objects.get(session_key=digest(client.cookies[settings.SESSION_COOKIE_NAME].value))
    assert state.user_id is None
    code = client.session["account_email_verification_code"]["code"]
    assert code in mailoutbox[0].body
    assert client.post("/account/email/confirm/", {"code": "wrong", "action": "verify"}).status_code == 422
    assert client.post("/account/email/confirm/", {"code": code, "action": "verify"}).status_code == 302
    assert is_signed_in(client)


def test_third_wrong_code_ends_the_try(client: Client) -> None:
    user = make_user(is_verified=False)
    sign_in(client, user)
    code = client.session["account_email_verification_code"]["code"]
    for _ in range(3):
        client.post("/account/email/confirm/", {"code": "wrong", "action": "verify"})
    client.post("/account/email/confirm/", {"code": code, "action": "verify"})
    assert not is_signed_in(client)


def test_there_is_no_sign_up_to_a_shop(client: Client) -> None:
    for path in (
        "/account/signup/",
        "/account/3rdparty/",
        "/account/social/signup/",
        "/account/2fa/",
        "/account/login/code/",
    ):
        assert client.get(path).status_code == 404
