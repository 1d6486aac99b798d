"""Tokens: what a forged, old, spent or stolen one gets, and what ends them (reliability.md, checks 9, 12 to 14, C7)."""

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event
from time import sleep
from typing import Any
from uuid import UUID

import jwt
import pytest
import time_machine
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from accounts import services, tokens
from accounts.models import RefreshToken, User
from common import workspace
from common.actor import SYSTEM, use
from common.errors import NotAuthenticated
from tests.api.conftest import CENTRAL, PASSWORD, Program, change, make_user

pytestmark = pytest.mark.django_db

CREDENTIALS = {"email": "owner@shop.example", "password": PASSWORD}


def sign_in(visitor: Program, **more: Any) -> dict[str, Any]:
    response = visitor.send("POST", "/auth/token", {**CREDENTIALS, **more})
    assert response.status_code == 200, response.content
    pair: dict[str, Any] = response.json()
    return pair


def status_with(token: str) -> int:
    return int(Program(token=token).send("GET", "/auth/me").status_code)


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def signed(claims: dict[str, Any], *, algorithm: str = "HS256", key: bytes | None = None) -> str:
    return jwt.encode(claims, key or tokens._key(settings.SECRET_KEY), algorithm=algorithm)


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    parts = [{"alg": algorithm, "typ": "JWT"}, claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def test_signs_in_for_a_quarter_of_an_hour(owner: User, visitor: Program) -> None:
    pair = sign_in(visitor)
    assert pair["expires_in"] == 900
    me = Program(token=pair["access_token"]).send("GET", "/auth/me").json()
    assert me["user"]["id"] == str(owner.pk)
    assert "billing:manage" in me["permissions"]
    assert me["tenant"]["slug"] == workspace.current().slug


def test_signs_in_on_the_central_host_by_the_shops_name(owner: User) -> None:
    pair = sign_in(Program(host=CENTRAL), tenant=workspace.current().slug)
    central = Program(host=CENTRAL, token=pair["access_token"])
    assert central.send("GET", "/auth/me").json()["tenant"]["slug"] == workspace.current().slug
    renewed = Program(host=CENTRAL).send("POST", "/auth/token/refresh", {"refresh_token": pair["refresh_token"]})
    assert renewed.status_code == 200
    spent = {"refresh_token": renewed.json()["refresh_token"]}
    assert Program(host=CENTRAL).send("POST", "/auth/token/revoke", spent).status_code == 204
    assert central.send("GET", "/auth/me").status_code == 401


@pytest.mark.parametrize(
    ("more", "status"), [({}, 422), ({"tenant": "nobody"}, 401), ({"tenant": "../shop"}, 401), ({"tenant": 7}, 422)]
)
def test_refuses_on_the_central_host_without_a_shop(owner: User, more: dict[str, Any], status: int) -> None:
    response = Program(host=CENTRAL).send("POST", "/auth/token", {**CREDENTIALS, **more})
    assert response.status_code == status, response.content


def test_refuses_another_shops_name_on_a_shops_own_host(owner: User, visitor: Program) -> None:
    assert visitor.send("POST", "/auth/token", {**CREDENTIALS, "tenant": "other"}).status_code == 401


@pytest.mark.parametrize("email", ["owner@shop.example", "nobody@shop.example"])
def test_answers_alike_for_an_unknown_address_and_a_wrong_password(owner: User, visitor: Program, email: str) -> None:
    response = visitor.send("POST", "/auth/token", {"email": email, "password": "wrong"})
    assert response.status_code == 401
    problem = response.json()
    assert problem["detail"] == "The e-mail address or the password is wrong."
    assert problem["type"].endswith("/not-authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_limits_how_often_a_password_is_tried(owner: User, visitor: Program) -> None:
    statuses = [
        visitor.send("POST", "/auth/token", {**CREDENTIALS, "password": f"wrong {number}"}) for number in range(6)
    ]
    assert [each.status_code for each in statuses] == [401] * 5 + [429]
    assert int(statuses[-1]["Retry-After"]) > 0


# --- Forged, wrong and old ones ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_refuses_a_token_without_signature(owner: User, visitor: Program, algorithm: str) -> None:
    claims = claims_of(sign_in(visitor)["access_token"])
    assert status_with(unsigned(claims, algorithm)) == 401


def test_refuses_another_algorithm_or_key(owner: User, visitor: Program) -> None:
    claims = claims_of(sign_in(visitor)["access_token"])
    assert status_with(signed(claims)) == 200, "the forgeries below differ in one thing only"
    assert status_with(signed(claims, algorithm="HS512")) == 401
    assert status_with(signed(claims, key=settings.SECRET_KEY.encode())) == 401
    assert status_with(signed(claims, key=b"k" * 64)) == 401


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": "t_other"},
        {"tenant": None},
        {"tenant": ["t_shop"]},
        {"aud": "another"},
        {"iss": "another"},
        {"typ": "refresh"},
        {"sub": "not a uuid"},
        {"sub": 7},
        {"fam": "not a uuid"},
        {"iat": "yesterday"},
        {"exp": 1},
        {"exp": "soon"},
        {"exp": 10**400},
        {"nbf": 9999999999},
    ],
    ids=str,
)
def test_refuses_wrong_claims(owner: User, visitor: Program, change: dict[str, Any]) -> None:
    claims = {**claims_of(sign_in(visitor)["access_token"]), **change}
    assert status_with(signed(claims)) == 401


@pytest.mark.parametrize("name", tokens._CLAIMS)
def test_refuses_missing_claims(owner: User, visitor: Program, name: str) -> None:
    claims = claims_of(sign_in(visitor)["access_token"])
    del claims[name]
    assert status_with(signed(claims)) == 401


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "x" * 4000, "e30.e30.e30", "é", "bearer", "a b", "\x7f", "null"], ids=repr
)
def test_refuses_garbage(db: None, token: str) -> None:  # the shop must be there
    response = Program().send("GET", "/auth/me", Authorization=f"Bearer {token}")
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("header", ["Basic b3duZXI6eA==", "Api-Key bk_x", "Bearer", "Token x", "Bearer a, Bearer b"])
def test_refuses_other_kinds_of_credentials(db: None, header: str) -> None:  # the shop must be there
    assert Program().send("GET", "/auth/me", Authorization=header).status_code == 401
    # Also where nobody is asked who he is: whoever says so wants to be known.
    assert Program().send("GET", "/definitions/countries", Authorization=header).status_code == 401


def test_ends_by_itself(owner: User, visitor: Program) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        pair = sign_in(visitor)
        clock.shift(timedelta(seconds=899))
        assert status_with(pair["access_token"]) == 200
        clock.shift(timedelta(seconds=2))
        response = Program(token=pair["access_token"]).send("GET", "/auth/me")
        assert (response.status_code, response.json()["detail"]) == (401, "The token has expired.")


def test_takes_an_access_token_for_no_refresh_token(owner: User, visitor: Program) -> None:
    pair = sign_in(visitor)
    assert visitor.send("POST", "/auth/token/refresh", {"refresh_token": pair["access_token"]}).status_code == 401
    assert status_with(pair["refresh_token"]) == 401


# --- Rotation ---------------------------------------------------------------------------------------------------------
def refresh(visitor: Program, token: str) -> Any:
    return visitor.send("POST", "/auth/token/refresh", {"refresh_token": token})


def test_buys_the_next_pair_once(owner: User, visitor: Program) -> None:
    first = sign_in(visitor)
    second = refresh(visitor, first["refresh_token"]).json()
    assert status_with(second["access_token"]) == 200
    third = refresh(visitor, second["refresh_token"])
    assert third.status_code == 200
    # Somebody shows a spent one: thief or owner, nobody can tell, so all of the family is over.
    assert refresh(visitor, first["refresh_token"]).status_code == 401
    assert refresh(visitor, third.json()["refresh_token"]).status_code == 401
    assert status_with(second["access_token"]) == 401
    assert status_with(third.json()["access_token"]) == 401
    assert not RefreshToken.objects.filter(revoked_at__isnull=True).exists()


def test_leaves_other_families_alone_when_one_is_stolen(owner: User, visitor: Program) -> None:
    stolen, other = sign_in(visitor), sign_in(visitor)
    refresh(visitor, stolen["refresh_token"])
    assert refresh(visitor, stolen["refresh_token"]).status_code == 401
    assert refresh(visitor, other["refresh_token"]).status_code == 200


def test_refuses_a_refresh_token_of_another_shop(owner: User, visitor: Program) -> None:
    claims = {**claims_of(sign_in(visitor)["refresh_token"]), "tenant": "t_other"}
    assert refresh(visitor, signed(claims)).status_code == 401
    assert not RefreshToken.objects.filter(spent_at__isnull=False).exists()


def test_ends_a_family_after_seven_days_unused(owner: User, visitor: Program) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        pair = sign_in(visitor)
        clock.shift(timedelta(days=7, seconds=1))
        assert refresh(visitor, pair["refresh_token"]).status_code == 401


def test_ends_a_family_after_ninety_days_however_much_it_is_used(owner: User, visitor: Program) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        response: Any = visitor.send("POST", "/auth/token", CREDENTIALS)
        for _ in range(14):
            clock.shift(timedelta(days=6, hours=10))
            response = refresh(visitor, response.json()["refresh_token"])
            assert response.status_code == 200
        # 89 days and 20 hours have gone by: the last token is good for the four hours that are left.
        last = response.json()["refresh_token"]
        assert claims_of(last)["exp"] - int(timezone.now().timestamp()) <= 4 * 3600
        clock.shift(timedelta(hours=4, seconds=1))
        assert refresh(visitor, last).status_code == 401


@pytest.mark.django_db(transaction=True)
def test_gives_at_most_one_pair_when_a_token_is_used_twice_at_once(visitor: Program) -> None:
    make_user("owner")
    token = sign_in(visitor)["refresh_token"]

    def use_it(_number: int) -> Any:
        try:
            return refresh(Program(), token)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(use_it, range(8)))
    given = [answer.json() for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert len(given) <= 1
    assert not RefreshToken.objects.filter(revoked_at__isnull=True).exists(), "the family must end"
    for pair in given:
        assert status_with(pair["access_token"]) == 401
        assert refresh(visitor, pair["refresh_token"]).status_code == 401


def _sign_out_everywhere(user: User, _family: UUID) -> None:
    services.end_other_sessions(user_id=user.pk, now=timezone.now())


def _sign_out_device(_user: User, family: UUID) -> None:
    services.end_session(public_id=family, now=timezone.now())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", [_sign_out_everywhere, _sign_out_device])
def test_ends_although_it_is_being_spent_meanwhile(visitor: Program, end: Callable[[User, UUID], None]) -> None:
    user, shop = make_user("owner"), workspace.current_key()
    token = sign_in(visitor)["refresh_token"]
    claims = tokens.read(token, kind="refresh")
    is_ending = Event()

    def ended() -> None:
        try:
            with workspace.enter(shop):
                is_ending.set()
                end(user, claims.family_id)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            pair = tokens.rotate(refresh_token=token, now=timezone.now())
            ending = pool.submit(ended)
            is_ending.wait(timeout=10)
            sleep(0.3)  # it has come as far as it gets before this is committed
        ending.result(timeout=10)
    assert status_with(pair.access_token) == 401
    assert refresh(visitor, pair.refresh_token).status_code == 401


# --- What ends them at once -------------------------------------------------------------------------------------------
def test_ends_with_a_sign_out(owner: User, visitor: Program) -> None:
    pair = sign_in(visitor)
    assert Program(token=pair["access_token"]).send("POST", "/auth/logout").status_code == 204
    assert status_with(pair["access_token"]) == 401
    assert refresh(visitor, pair["refresh_token"]).status_code == 401


def test_ends_when_it_is_revoked(owner: User, visitor: Program) -> None:
    pair = sign_in(visitor)
    assert visitor.send("POST", "/auth/token/revoke", {"refresh_token": pair["refresh_token"]}).status_code == 204
    assert status_with(pair["access_token"]) == 401
    # Again, and for what was never one: there is nothing to tell.
    for token in (pair["refresh_token"], "garbage", pair["access_token"]):
        assert visitor.send("POST", "/auth/token/revoke", {"refresh_token": token}).status_code == 204


def test_ends_when_the_user_is_let_go(owner: User, visitor: Program) -> None:
    staff = make_user("staff")
    pair = sign_in(visitor, email=staff.email)
    with use(SYSTEM):
        services.deactivate_user(user_id=staff.pk, now=timezone.now())
    assert status_with(pair["access_token"]) == 401
    assert refresh(visitor, pair["refresh_token"]).status_code == 401


def test_ends_when_the_roles_change(owner: User, visitor: Program) -> None:
    staff = make_user("staff")
    pair = sign_in(visitor, email=staff.email)
    with use(SYSTEM):
        services.set_roles(user_id=staff.pk, roles=["picker"], now=timezone.now())
    assert status_with(pair["access_token"]) == 401
    assert refresh(visitor, pair["refresh_token"]).status_code == 401


def test_ends_when_the_password_changes(owner: User, visitor: Program) -> None:
    pair = sign_in(visitor)
    with use(SYSTEM):
        services.change_password(user=owner, password="another long password", now=timezone.now())
    assert status_with(pair["access_token"]) == 401
    assert refresh(visitor, pair["refresh_token"]).status_code == 401
    fresh = sign_in(visitor, password="another long password")
    assert status_with(fresh["access_token"]) == 200


def test_ends_when_it_was_issued_before_the_credentials_changed(owner: User, visitor: Program) -> None:
    pair = sign_in(visitor)
    # Whatever ended the credentials, and even if it forgot the tokens themselves.
    change(owner.email, credentials_changed_at=timezone.now())
    assert status_with(pair["access_token"]) == 401
    assert refresh(visitor, pair["refresh_token"]).status_code == 401
    assert not RefreshToken.objects.filter(revoked_at__isnull=True).exists()


def test_lists_and_ends_devices(owner: User, visitor: Program) -> None:
    here, there = sign_in(visitor), sign_in(visitor)
    program = Program(token=here["access_token"])
    listed = program.send("GET", "/auth/sessions").json()["results"]
    assert [row["is_present"] for row in listed] == [True, False]
    assert program.send("DELETE", f"/auth/sessions/{listed[1]['id']}").status_code == 204
    assert status_with(there["access_token"]) == 401
    assert status_with(here["access_token"]) == 200


def test_gives_no_tokens_for_a_password_that_was_changed_meanwhile(owner: User) -> None:
    proved = User.objects.get(pk=owner.pk)
    present = User.objects.get(pk=owner.pk)
    present.set_password("another long enough password")
    present.save()
    with pytest.raises(NotAuthenticated):
        tokens.issue_pair(user=proved, device_name="Tests", now=timezone.now())


def test_gives_no_tokens_to_who_was_switched_off_meanwhile(owner: User) -> None:
    staff = make_user("staff")
    change(staff.email, is_active=False)
    with pytest.raises(NotAuthenticated):
        tokens.issue_pair(user=staff, device_name="Tests", now=timezone.now())
