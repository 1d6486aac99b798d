"""Idempotency keys: a POST that is sent again is answered again, and done once (reliability.md, C5)."""

import hashlib
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request

from accounts.models import Invitation, Role, User
from audit.models import ChangeSet
from common.access import SIGNED_IN
from common.api import idempotency
from common.api.operations import operation
from common.api.views import ApiView
from common.errors import Conflict
from common.models import IdempotencyRecord
from tests.api.conftest import Program, make_user, token_of

pytestmark = pytest.mark.django_db

ROLE = {"name": "Packer", "permissions": ["orders:read"]}


def post(program: Program, key: str, body: Any = ROLE, path: str = "/roles") -> Any:
    return program.send("POST", path, body, Idempotency_Key=key)


def test_answers_again_and_does_it_once(program: Program) -> None:
    first, second = post(program, "k1"), post(program, "k1")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert first["Location"] == second["Location"]
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert second["X-Request-ID"] != first["X-Request-ID"]
    assert Role.objects.filter(is_system=False).count() == 1
    assert ChangeSet.objects.filter(action="accounts.create_role").count() == 1


def test_keeps_no_digest_from_which_a_password_could_be_guessed(program: Program) -> None:
    body = {"email": "ana@shop.example", "roles": ["picker"], "password": "a password by an admin"}
    assert post(program, "k1", body, "/users").status_code == 201
    assert post(program, "k1", body, "/users").status_code == 201
    parts = b"POST\0/api/v1/users\0application/json\0" + json.dumps(body).encode()
    assert IdempotencyRecord.objects.get().body_hash != hashlib.sha256(parts).hexdigest()


def test_refuses_another_request_under_the_same_key(program: Program) -> None:
    assert post(program, "k1").status_code == 201
    other = post(program, "k1", {**ROLE, "name": "Other"})
    assert (other.status_code, other.json()["type"].rpartition("/")[2]) == (422, "idempotency-key-reused")
    elsewhere = post(program, "k1", ROLE, "/users/invitations")
    assert elsewhere.status_code == 422
    assert Role.objects.filter(is_system=False).count() == 1


def test_keeps_the_keys_of_two_people_apart(program: Program) -> None:
    colleague = Program(token=token_of(make_user("admin")))
    assert post(program, "k1").status_code == 201
    assert post(colleague, "k1", {**ROLE, "name": "Other"}).status_code == 201
    assert Role.objects.filter(is_system=False).count() == 2


def test_remembers_refusals_too(program: Program) -> None:
    Role.objects.create(name="Packer", permissions=[])
    first = post(program, "k1")
    assert first.status_code == 422
    Role.objects.filter(name="Packer").delete()
    second = post(program, "k1")
    assert (second.status_code, second.json()["errors"]) == (422, first.json()["errors"])
    assert second["Content-Type"] == "application/problem+json"
    assert not Role.objects.filter(is_system=False).exists()


def test_replays_only_to_whom_may_still_do_it(owner: User) -> None:
    admin = make_user("admin")
    program = Program(token=token_of(admin))
    assert post(program, "k1").status_code == 201
    admin.user_roles.get().delete()
    assert post(program, "k1").status_code == 403


@pytest.mark.parametrize("key", ["a b", "ä", "x" * 256, " "])
def test_refuses_keys_that_are_none(program: Program, key: str) -> None:
    assert post(program, key).status_code == 400
    assert not Role.objects.filter(is_system=False).exists()


def test_forgets_a_key_after_a_day(program: Program) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert post(program, "k1").status_code == 201
        clock.shift(timedelta(hours=24, seconds=1))
        fresh = Program(token=token_of(User.objects.get()))
        assert post(fresh, "k1", {**ROLE, "name": "Other"}).status_code == 201
        clock.shift(timedelta(hours=25))
        assert idempotency.purge_expired(now=timezone.now()) == 1
        assert not IdempotencyRecord.objects.exists()


def test_keeps_the_answer_encrypted(program: Program) -> None:
    post(program, "k1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT response_body FROM common_idempotencyrecord")
        (stored,) = cursor.fetchone()
    assert "Packer" not in stored


# --- Twins and deaths -------------------------------------------------------------------------------------------------
def running(owner: User, **fields: Any) -> IdempotencyRecord:
    """Leave what a worker leaves that began the request and hasn't ended it."""
    request_hash = _hash_of(owner)
    now = timezone.now()
    values = {"body_hash": request_hash, "started_at": now, "expires_at": now + timedelta(hours=24), **fields}
    return IdempotencyRecord.objects.create(identity=f"USER:{owner.pk}", key="k1", **values)


def _hash_of(owner: User) -> str:
    probe = Program(token=token_of(owner))
    post(probe, "probe")
    record = IdempotencyRecord.objects.get(key="probe")
    Role.objects.filter(name="Packer").delete()
    record.delete()
    return record.body_hash


def test_asks_a_twin_to_wait(program: Program, owner: User) -> None:
    running(owner)
    response = post(program, "k1")
    assert (response.status_code, response["Retry-After"]) == (409, "1")
    assert not Role.objects.filter(is_system=False).exists()


def test_takes_over_from_a_worker_that_died(program: Program, owner: User) -> None:
    running(owner, started_at=timezone.now() - timedelta(seconds=61))
    assert post(program, "k1").status_code == 201
    assert post(program, "k1")["Idempotency-Replayed"] == "true"


class SlowView(ApiView):
    """Makes a role, and is so slow that its key is taken over meanwhile."""

    access = {"POST": SIGNED_IN}
    public_api = ()

    @operation("Make a role slowly")
    def post(self, _request: Request) -> HttpResponse:
        Role.objects.create(name="Packer", permissions=[])
        IdempotencyRecord.objects.filter(key="k1").update(started_at=timezone.now() + timedelta(seconds=90))
        return self.answer()


class SlowRefusalView(ApiView):
    """Refuses, and as slowly."""

    access = {"POST": SIGNED_IN}
    public_api = ()
    # As where a service counts the refusal itself.
    atomic_with_key = False

    @operation("Refuse slowly")
    def post(self, _request: Request) -> HttpResponse:
        IdempotencyRecord.objects.filter(key="k1").update(started_at=timezone.now() + timedelta(seconds=90))
        raise Conflict("Not like this.")


urlpatterns = [
    path("api/v1/slow", SlowView.as_view()),
    path("api/v1/slow-refusal", SlowRefusalView.as_view()),
]


@pytest.mark.parametrize("path", ["/slow", "/slow-refusal"])
def test_undoes_what_it_did_when_somebody_took_over(program: Program, settings: Any, path: str) -> None:
    settings.ROOT_URLCONF = __name__
    response = post(program, "k1", None, path)
    assert (response.status_code, response["Retry-After"]) == (409, "1")
    assert not Role.objects.filter(is_system=False).exists(), "only one of the two may leave its effect"


@pytest.mark.django_db(transaction=True)
def test_does_fifty_equal_posts_at_once_one_time() -> None:
    owner = make_user("owner")
    token = token_of(owner)
    barrier = threading.Barrier(50, timeout=30)

    def send(_number: int) -> Any:
        try:
            barrier.wait()
            response = post(
                Program(token=token), "k1", {"email": "ana@shop.example", "roles": ["picker"]}, "/users/invitations"
            )
            return response.status_code, response.get("Location", "")
        finally:
            connection.close()

    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(send, range(50)))
    assert Invitation.objects.count() == 1
    made = Invitation.objects.get()
    statuses = {status for status, _ in answers}
    assert statuses <= {201, 409}
    assert {location for status, location in answers if status == 201} == {f"/api/v1/users/invitations/{made.pk}"}
