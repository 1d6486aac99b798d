"""The second factor: codes that work once, passkeys, recovery codes, being asked again before something sensitive."""

import json
import re
import time
from itertools import count
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts import queries, services
from accounts.errors import SecondFactorRequired
from accounts.models import RecoveryCode, Session, User
from accounts.second_factor import has_second_factor
from accounts.testing import PASSWORD, make_user
from accounts.tests.authenticators import Passkey, options_on
from accounts.tests.conftest import acting, another, at, is_signed_in, sign_in
from common.errors import NotFound, RateLimited

pytestmark = pytest.mark.django_db
PERIOD = 30


def code_for(secret: str, *, step: int = 0) -> str:
    """Answer what an app shows now, or so many steps later."""
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD + step)))


def secret_of(user: User) -> str:
    return str(decrypt(Authenticator.objects.get(user=user, type="totp").data["secret"]))


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def protected(clock: Any) -> User:
    """Answer a user with the app on; the code of this moment isn't spent yet."""
    user = make_user()
    services.activate_totp(user=user, secret="JBSWY3DPEHPK3PXP", counter=int(time.time()) // PERIOD - 1)
    return user


def confirm_password(client: Client) -> None:
    client.post("/account/confirm/?next=/", {"password": PASSWORD})


# --- The app ----------------------------------------------------------------------------------------------------------
def test_app_is_turned_on_with_a_code_and_then_asked_for(client: Client, clock: Any) -> None:
    user = make_user()
    sign_in(client, user)
    assert client.get("/settings/security/authenticator-app/")["Location"].startswith("/account/confirm/")
    confirm_password(client)
    page = client.get("/settings/security/authenticator-app/").content.decode()
    found = re.search(r'data-copy="([A-Z2-7]+)"', page)
    assert found is not None
    secret = found.group(1)
    assert client.post("/settings/security/authenticator-app/", {"code": "000000"}).status_code == 422
    done = client.post("/settings/security/authenticator-app/", {"code": code_for(secret)})
    assert done["Location"] == "/settings/security/recovery-codes/"
    assert has_second_factor(user)
    user.refresh_from_db()
    assert user.second_factors == ["Authenticator app"]

    browser = another(client)
    assert sign_in(browser, user)["Location"] == "/account/login/second-factor/"
    assert not is_signed_in(browser)
    # The code that turned it on is spent.
    assert browser.post("/account/login/second-factor/", {"code": code_for(secret)}).status_code == 422
    clock.shift(PERIOD)
    assert browser.post("/account/login/second-factor/", {"code": code_for(secret)}).status_code == 302
    assert is_signed_in(browser)


def test_secret_is_stored_encrypted(protected: User) -> None:
    stored = Authenticator.objects.get(user=protected)
    assert secret_of(protected) == "JBSWY3DPEHPK3PXP"
    assert "JBSWY3DPEHPK3PXP" not in str(stored.data)


def test_code_works_once(client: Client, protected: User) -> None:
    first, second = another(client), another(client)
    code = code_for(secret_of(protected))
    for browser in (first, second):
        sign_in(browser, protected)
    assert first.post("/account/login/second-factor/", {"code": code}).status_code == 302
    assert second.post("/account/login/second-factor/", {"code": code}).status_code == 422
    assert not is_signed_in(second)


def test_code_of_an_earlier_step_is_over(protected: User, clock: Any) -> None:
    old = code_for(secret_of(protected))
    clock.shift(2 * PERIOD)
    assert services.spend_code(user=protected, code=old) is None


@pytest.mark.parametrize("code", ["", "abc", "12345", "0000000", "١٢٣٤٥٦", "' OR 1=1"])
def test_garbage_code_is_wrong(protected: User, code: str) -> None:
    assert services.spend_code(user=protected, code=code) is None


def test_spaces_in_a_code_do_not_matter(protected: User) -> None:
    code = code_for(secret_of(protected))
    assert services.spend_code(user=protected, code=f" {code[:3]} {code[3:]} ") is not None


def test_sixth_wrong_code_is_refused(client: Client, protected: User) -> None:
    sign_in(client, protected)
    statuses = [client.post("/account/login/second-factor/", {"code": "000000"}).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    assert client.post("/account/login/second-factor/", {"code": code_for(secret_of(protected))}).status_code == 429


def test_second_step_without_the_first_leads_to_the_door(client: Client) -> None:
    assert client.get("/account/login/second-factor/")["Location"] == "/account/login/"
    assert client.post("/account/login/second-factor/", {"code": "123456"})["Location"] == "/account/login/"


def test_half_signed_in_may_open_nothing(client: Client, protected: User) -> None:
    sign_in(client, protected)
    assert client.get("/settings/profile/").status_code == 302
    assert not Session.objects.filter(user=protected).exists()


def test_program_needs_the_code_too(protected: User) -> None:
    now = timezone.now()
    with pytest.raises(SecondFactorRequired):
        services.prove_identity(email=protected.email, password=PASSWORD, now=now)
    with pytest.raises(SecondFactorRequired):
        services.prove_identity(email=protected.email, password=PASSWORD, otp="000000", now=now)
    code = code_for(secret_of(protected))
    assert services.prove_identity(email=protected.email, password=PASSWORD, otp=code, now=now) == protected
    with pytest.raises(SecondFactorRequired):
        services.prove_identity(email=protected.email, password=PASSWORD, otp=code, now=now)


def test_program_may_not_try_codes_without_end(protected: User) -> None:
    now = timezone.now()
    for _ in range(5):
        with pytest.raises(SecondFactorRequired):
            services.prove_identity(email=protected.email, password=PASSWORD, otp="000000", now=now)
    with pytest.raises(RateLimited):
        services.prove_identity(email=protected.email, password=PASSWORD, otp="000000", now=now)


def test_password_reset_does_not_pass_by_the_second_factor(client: Client, protected: User) -> None:
    services.change_password(user=protected, password="a rather new password", now=timezone.now())
    assert sign_in(client, protected, "a rather new password")["Location"] == "/account/login/second-factor/"


def test_app_is_turned_off_after_confirming(client: Client, protected: User) -> None:
    services.create_recovery_codes(user=protected)
    client.force_login(protected)
    assert client.post("/settings/security/authenticator-app/off/")["Location"].startswith("/account/confirm/")
    assert has_second_factor(protected)
    client.post("/account/confirm/?next=/settings/security/", {"password": PASSWORD})
    client.post("/settings/security/authenticator-app/off/")
    assert not has_second_factor(protected)
    # Codes that would stand for nothing go too.
    assert not RecoveryCode.objects.filter(user=protected).exists()


def test_turning_off_is_asked_on_a_page_where_no_dialog_opens(client: Client, protected: User) -> None:
    client.force_login(protected)
    confirm_password(client)
    page = client.get("/settings/security/authenticator-app/off/").content.decode()
    assert "Turn the authenticator app off?" in page
    assert has_second_factor(protected)
    services.deactivate_totp(user=protected)
    assert client.get("/settings/security/authenticator-app/off/")["Location"] == "/settings/security/"


# --- Recovery codes ---------------------------------------------------------------------------------------------------
def test_recovery_codes_are_shown_once_and_stored_hashed(client: Client, protected: User) -> None:
    client.force_login(protected)
    confirm_password(client)
    assert "codes long" not in client.get("/settings/security/recovery-codes/").content.decode()
    page = client.post("/settings/security/recovery-codes/").content.decode()
    codes = re.findall(r"<li>((?:[a-z2-9]{6}-){3}[a-z2-9]{6})</li>", page)
    assert len(set(codes)) == 10
    again = client.get("/settings/security/recovery-codes/").content.decode()
    assert not any(code in again for code in codes)
    stored = str(list(RecoveryCode.objects.filter(user=protected).values_list("code_hash", flat=True)))
    assert not any(code in stored or code.replace("-", "") in stored for code in codes)


def test_recovery_code_lets_one_in_once(client: Client, protected: User) -> None:
    codes = services.create_recovery_codes(user=protected)
    sign_in(client, protected)
    assert client.post("/account/login/second-factor/", {"code": codes[0].upper().replace("-", " ")}).status_code == 302
    assert is_signed_in(client)
    other = another(client)
    sign_in(other, protected)
    assert other.post("/account/login/second-factor/", {"code": codes[0]}).status_code == 422
    assert queries.second_factors(user_id=protected.pk).recovery_codes_left == 9


def test_new_recovery_codes_replace_the_old_ones(protected: User) -> None:
    old = services.create_recovery_codes(user=protected)
    services.create_recovery_codes(user=protected)
    assert services.spend_code(user=protected, code=old[0]) is None


def test_recovery_codes_of_one_user_are_no_good_for_another(protected: User) -> None:
    other = make_user()
    services.activate_totp(user=other, secret="JBSWY3DPEHPK3PXQ", counter=0)
    codes = services.create_recovery_codes(user=other)
    assert services.spend_code(user=protected, code=codes[0]) is None


def test_without_a_second_factor_there_are_no_recovery_codes(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    confirm_password(client)
    assert client.post("/settings/security/recovery-codes/")["Location"] == "/settings/security/"
    assert not RecoveryCode.objects.exists()


# --- Passkeys ---------------------------------------------------------------------------------------------------------
ORIGIN = "http://localhost"
ADDRESSES = count()


def add_passkey(client: Client, name: str = "Phone") -> Passkey:
    confirm_password(client)
    page = client.get("/settings/security/passkeys/add/").content.decode()
    key = Passkey(ORIGIN)
    credential = key.create(options_on(page))
    response = client.post(
        "/settings/security/passkeys/add/", {"name": name, "credential": credential, "passwordless": "on"}
    )
    assert response.status_code == 302, response.content.decode()
    return key


def test_passkey_signs_in_alone(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    key = add_passkey(client)
    user.refresh_from_db()
    assert user.second_factors == ["Passkey Phone"]
    browser = another(client)
    options = browser.get("/account/login/passkey/", HTTP_ACCEPT="application/json").json()["request_options"][
        "publicKey"
    ]
    response = browser.post("/account/login/passkey/", {"credential": key.get(options)})
    assert response["Location"] == "/start/"
    assert is_signed_in(browser)


def test_passkey_is_a_second_step(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    key = add_passkey(client)
    browser = another(client)
    assert sign_in(browser, user)["Location"] == "/account/login/second-factor/"
    page = browser.get("/account/login/second-factor/").content.decode()
    response = browser.post("/account/login/second-factor/", {"credential": key.get(options_on(page))})
    assert response.status_code == 302
    assert is_signed_in(browser)


def test_answer_to_an_old_challenge_is_refused(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    key = add_passkey(client)
    browser = another(client)
    options = browser.get("/account/login/passkey/", HTTP_ACCEPT="application/json").json()["request_options"][
        "publicKey"
    ]
    answer = key.get(options)
    browser.get("/account/login/passkey/", HTTP_ACCEPT="application/json")
    browser.post("/account/login/passkey/", {"credential": answer})
    assert not is_signed_in(browser)


def test_passkey_of_another_is_refused(client: Client) -> None:
    mine, other = make_user(), make_user()
    sign_in(client, mine)
    add_passkey(client)
    thief = another(client)
    sign_in(thief, other)
    key = add_passkey(thief)
    browser = another(client)
    sign_in(browser, mine)
    page = browser.get("/account/login/second-factor/").content.decode()
    assert browser.post("/account/login/second-factor/", {"credential": key.get(options_on(page))}).status_code == 422
    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "credential", ["", "{}", "[]", "null", "not json", '{"response": {"userHandle": 1}}', '{"id": "x"}']
)
def test_garbage_credential_is_refused(client: Client, credential: str) -> None:
    client.get("/account/login/passkey/", HTTP_ACCEPT="application/json")
    response = client.post("/account/login/passkey/", {"credential": credential})
    assert response.status_code in (302, 422)
    assert not is_signed_in(client)


@given(place=st.integers(0, 400), byte=st.sampled_from(["", "A", "_", '"', "{", "0", "\\x00"]), data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_mutilated_credential_is_refused_and_never_an_error(
    client: Client, place: int, byte: str, data: st.DataObject
) -> None:
    """Cut, change and drop parts of what a browser would send."""
    # From an address of its own each time, so that it is read at all.
    browser = at(client, f"10.0.{next(ADDRESSES) // 250}.{next(ADDRESSES) % 250}")
    options = browser.get("/account/login/passkey/", HTTP_ACCEPT="application/json").json()["request_options"][
        "publicKey"
    ]
    key = Passkey(ORIGIN)
    key.rp_id, key.user_handle = options["rpId"], "MQ"
    answer = key.get(options)
    if data.draw(st.booleans()):
        parsed = json.loads(answer)
        victim = data.draw(st.sampled_from(sorted(parsed)))
        part = parsed["response"] if data.draw(st.booleans()) else parsed
        name = data.draw(st.sampled_from(sorted(part)))
        part[name] = data.draw(st.sampled_from([None, 1, "", [], {}, "AAAA", "not base64 ü"]))
        parsed.pop(victim if part is not parsed else name, None)
        answer = json.dumps(parsed)
    else:
        answer = answer[:place] + byte + answer[place + 1 :]
    response = browser.post("/account/login/passkey/", {"credential": answer})
    assert response.status_code in (302, 400, 422)
    assert not is_signed_in(browser)


def test_passkey_of_a_deactivated_user_opens_nothing(client: Client) -> None:
    owner, user = make_user(), make_user(role="staff")
    sign_in(client, user)
    key = add_passkey(client)
    with acting(owner):
        services.deactivate_user(user_id=user.pk, now=timezone.now())
    browser = another(client)
    options = browser.get("/account/login/passkey/", HTTP_ACCEPT="application/json").json()["request_options"][
        "publicKey"
    ]
    assert browser.post("/account/login/passkey/", {"credential": key.get(options)})["Location"] == "/account/inactive/"
    assert not is_signed_in(browser)


def test_garbage_registration_is_refused(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    confirm_password(client)
    client.get("/settings/security/passkeys/add/")
    for credential in (
        "",
        "{}",
        "[]",
        "null",
        "not json",
        '{"id": "x"}',
        '{"response": {"attestationObject": "AAAA"}}',
    ):
        response = client.post("/settings/security/passkeys/add/", {"name": "x", "credential": credential})
        assert response.status_code == 422
    assert not has_second_factor(user)


def test_passkey_is_renamed_and_removed(client: Client) -> None:
    user = make_user()
    sign_in(client, user)
    add_passkey(client)
    (key,) = queries.second_factors(user_id=user.pk).passkeys
    client.post(f"/settings/security/passkeys/{key.id}/rename/", {"name": "Old phone"})
    assert "Old phone" in client.get("/settings/security/").content.decode()
    client.post(f"/settings/security/passkeys/{key.id}/remove/")
    assert not has_second_factor(user)


def test_passkey_of_a_colleague_does_not_exist(client: Client) -> None:
    owner, other = make_user(), make_user(role="staff")
    sign_in(client, other)
    add_passkey(client)
    (key,) = queries.second_factors(user_id=other.pk).passkeys
    with pytest.raises(NotFound):
        services.remove_passkey(user=owner, passkey_id=key.id)


# --- Being asked again ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path",
    [
        "/settings/security/authenticator-app/",
        "/settings/security/passkeys/add/",
    ],
)
def test_second_factor_is_changed_only_after_confirming(client: Client, path: str, clock: Any) -> None:
    user = make_user()
    sign_in(client, user)
    assert client.get(path)["Location"].startswith("/account/confirm/")
    confirm_password(client)
    assert client.get(path).status_code == 200
    clock.shift(301)
    assert client.get(path)["Location"].startswith("/account/confirm/")


def test_own_second_factor_is_no_colleagues(client: Client, protected: User) -> None:
    client.force_login(protected)
    response = client.post(f"/settings/users/{protected.pk}/second-factor/remove/")
    assert response["Location"].startswith("/account/confirm/")
    assert has_second_factor(protected)


def test_address_is_changed_after_confirming_and_by_a_code(
    client: Client, mailoutbox: Any, django_capture_on_commit_callbacks: Any
) -> None:
    user = make_user()
    old = user.email
    sign_in(client, user)
    new = "new.address@shop.example"
    asked = client.post("/account/email/", {"email": new, "action_add": "1"})
    assert asked["Location"].startswith("/account/confirm/")
    with django_capture_on_commit_callbacks(execute=True):
        confirmed = client.post("/account/confirm/?next=/account/email/", {"password": PASSWORD})
    assert confirmed["Location"] == "/account/email/confirm/"
    assert User.objects.get(pk=user.pk).email == old
    (mail,) = [mail for mail in mailoutbox if new in mail.to[0]]
    code = client.session["account_email_verification_code"]["code"]
    assert code in mail.body
    with django_capture_on_commit_callbacks(execute=True):
        client.post("/account/email/confirm/", {"code": code, "action": "verify"})
    assert User.objects.get(pk=user.pk).email == new
    assert any(old in mail.to[0] and "address was changed" in mail.subject for mail in mailoutbox)
    browser = another(client)
    user.refresh_from_db()
    assert sign_in(browser, user).status_code == 302
    user.email = old
    assert sign_in(browser, user).status_code in (302, 422)


def test_address_of_a_colleague_can_not_be_taken(client: Client) -> None:
    user, other = make_user(), make_user(role="staff")
    sign_in(client, user)
    confirm_password(client)
    response = client.post("/account/email/", {"email": other.email, "action_add": "1"})
    assert response.status_code == 422
    assert "here already" in response.content.decode()


def test_confirming_with_a_wrong_password_is_limited(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    statuses = [client.post("/account/confirm/?next=/", {"password": "not it"}).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]


def test_who_has_the_app_may_confirm_by_code(client: Client, protected: User) -> None:
    client.force_login(protected)
    page = client.get("/account/confirm/?next=/settings/security/recovery-codes/").content.decode()
    assert "/account/confirm/code/" in page
    response = client.post(
        "/account/confirm/code/?next=/settings/security/recovery-codes/", {"code": code_for(secret_of(protected))}
    )
    assert response["Location"] == "/settings/security/recovery-codes/"
    assert client.get("/settings/security/recovery-codes/").status_code == 200


def test_admin_takes_a_lost_second_factor_away(client: Client, protected: User) -> None:
    make_user()
    staff, admin = make_user(role="staff"), make_user(role="admin")
    services.activate_totp(user=staff, secret="JBSWY3DPEHPK3PXP", counter=0)
    client.force_login(admin)
    assert client.get(f"/settings/users/{staff.pk}/second-factor/remove/").status_code == 200
    assert has_second_factor(staff)
    asked = client.post(f"/settings/users/{staff.pk}/second-factor/remove/")
    assert asked["Location"].startswith("/account/confirm/")
    assert has_second_factor(staff)
    # What was asked is done once it is clear who asked.
    client.post(asked["Location"], {"password": PASSWORD})
    assert not has_second_factor(staff)
    with acting(admin), pytest.raises(Exception, match="may do more than you"):
        services.reset_second_factor(user_id=protected.pk, now=timezone.now())
