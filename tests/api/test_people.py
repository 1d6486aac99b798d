"""People over HTTP: oneself, users, invitations, roles, and who may not touch whom."""

from typing import Any

import pytest
from django.core import mail

from accounts.models import Invitation, Role, User
from tests.api.conftest import PASSWORD, Program, make_user, token_of

pytestmark = pytest.mark.django_db


def test_changes_oneself(program: Program, owner: User) -> None:
    body = {"display_name": "  Olga  ", "theme": "dark", "preferences": {"sidebar": "collapsed"}}
    me = program.send("PATCH", "/auth/me", body).json()
    assert (me["user"]["display_name"], me["user"]["theme"]) == ("Olga", "dark")
    program.send("PATCH", "/auth/me", {"preferences": {"first_steps_dismissed": True}})
    assert program.send("GET", "/auth/me").json()["user"]["preferences"] == {
        "sidebar": "collapsed",
        "first_steps_dismissed": True,
    }
    owner.refresh_from_db()
    assert owner.display_name == "Olga"


@pytest.mark.parametrize(
    "body",
    [
        {"theme": "purple"},
        {"display_name": " "},
        {"display_name": "x" * 121},
        {"preferences": {"sidebar": "gone"}},
        {"preferences": {"first_steps_dismissed": "yes"}},
        {"preferences": {"unknown": True}},
        {"email": "other@shop.example"},
        {"is_staff": True},
        {"roles": ["owner"]},
        {"password": "something new and long"},
    ],
    ids=str,
)
def test_refuses_what_one_cannot_change_of_oneself(program: Program, body: dict[str, Any]) -> None:
    before = program.send("GET", "/auth/me").json()
    assert program.send("PATCH", "/auth/me", body).status_code == 422
    assert program.send("GET", "/auth/me").json() == before


def test_adds_shows_changes_and_lets_go_a_user(program: Program, visitor: Program) -> None:
    body = {"email": "Ana@Shop.example", "display_name": "Ana", "roles": ["picker"], "password": PASSWORD}
    made = program.send("POST", "/users", body)
    assert made.status_code == 201
    ana = made.json()
    assert (ana["email"], [role["name"] for role in ana["roles"]]) == ("ana@shop.example", ["picker"])
    path = made["Location"].removeprefix("/api/v1")
    assert program.send("GET", path).json() == ana
    assert program.send("PATCH", path, {"display_name": "Ana P."}).json()["display_name"] == "Ana P."
    changed = program.send("POST", f"{path}/roles", {"roles": ["staff", "picker"]}).json()
    assert {role["name"] for role in changed["roles"]} == {"staff", "picker"}
    assert program.send("DELETE", path).status_code == 204
    gone = program.send("GET", path).json()
    assert (gone["is_active"], gone["display_name"]) == (False, "Ana P."), "the history keeps the name"
    sign_in = {"email": "ana@shop.example", "password": PASSWORD}
    assert visitor.send("POST", "/auth/token", sign_in).status_code == 401
    assert program.send("PATCH", path, {"is_active": True}).json()["is_active"] is True
    assert visitor.send("POST", "/auth/token", sign_in).status_code == 200


@pytest.mark.parametrize("password", ["short", "password", "12345678"])
def test_refuses_a_bad_password(program: Program, password: str) -> None:
    body = {"email": "ana@shop.example", "roles": ["picker"], "password": password}
    problem = program.send("POST", "/users", body).json()
    assert list(problem["errors"]) == ["/password"]
    assert not User.objects.filter(email="ana@shop.example").exists()


def test_refuses_an_address_that_is_taken(program: Program, owner: User) -> None:
    response = program.send("POST", "/users", {"email": owner.email.upper(), "roles": ["picker"]})
    assert (response.status_code, list(response.json()["errors"])) == (422, ["/email"])


def test_keeps_the_last_owner(program: Program, owner: User) -> None:
    assert program.send("DELETE", f"/users/{owner.pk}").status_code == 409
    assert program.send("POST", f"/users/{owner.pk}/roles", {"roles": ["admin"]}).status_code == 409
    assert program.send("GET", "/auth/me").status_code == 200


def test_lets_nobody_give_or_take_more_than_they_have(owner: User) -> None:
    admin, picker = Program(token=token_of(make_user("admin"))), make_user("picker")
    assert admin.send("POST", "/users", {"email": "x@shop.example", "roles": ["owner"]}).status_code == 403
    assert admin.send("POST", f"/users/{picker.pk}/roles", {"roles": ["owner"]}).status_code == 403
    assert admin.send("DELETE", f"/users/{owner.pk}").status_code == 403
    assert admin.send("PATCH", f"/users/{owner.pk}", {"display_name": "Nobody"}).status_code == 403
    refused = admin.send("POST", "/roles", {"name": "Treasurer", "permissions": ["billing:manage"]})
    assert (refused.status_code, refused.json()["permission"]) == (403, "billing:manage")
    assert admin.send("POST", "/users/invitations", {"email": "x@shop.example", "roles": ["owner"]}).status_code == 403
    assert not User.objects.filter(email="x@shop.example").exists()


@pytest.mark.parametrize(
    "path", ["/users/{}", "/users/{}/roles", "/users/invitations/{}", "/roles/{}", "/auth/sessions/{}"]
)
def test_knows_nothing_of_ids_that_are_not_there(program: Program, path: str) -> None:
    unknown = path.format("01a20abd-0000-7000-8000-000000000000")
    for method in ("GET", "PATCH", "DELETE", "POST"):
        body = {"roles": ["picker"]} if method == "POST" else None
        assert program.send(method, unknown, body).status_code in (404, 405)


def test_invites_and_takes_an_invitation_back(program: Program, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        made = program.send("POST", "/users/invitations", {"email": "Ben@shop.example", "roles": ["picker"]})
    assert (made.status_code, made.json()["state"]) == (201, "OPEN")
    again = program.send("POST", "/users/invitations", {"email": "ben@shop.example", "roles": ["picker"]})
    assert again.status_code == 422
    path = made["Location"].removeprefix("/api/v1")
    assert [row["email"] for row in program.send("GET", "/users/invitations").json()["results"]] == ["ben@shop.example"]
    assert program.send("DELETE", path).status_code == 204
    assert program.send("DELETE", path).status_code == 409
    assert program.send("GET", "/users/invitations").json()["results"] == []
    closed = program.send("GET", "/users/invitations?with_closed=true").json()["results"]
    assert [row["state"] for row in closed] == ["REVOKED"]
    assert Invitation.objects.get().revoked_at is not None
    assert not any("ben@shop.example" in str(sent.body) for sent in mail.outbox)


def test_makes_changes_and_deletes_a_role(program: Program) -> None:
    made = program.send("POST", "/roles", {"name": "Packer", "permissions": ["shipping:read", "orders:read"]})
    assert made.status_code == 201
    role = made.json()
    assert (role["permissions"], role["is_system"]) == (["orders:read", "shipping:read"], False)
    path = f"/roles/{role['id']}"
    assert program.send("PATCH", path, {"permissions": ["orders:read"]}).json()["permissions"] == ["orders:read"]
    user = program.send("POST", "/users", {"email": "ana@shop.example", "roles": [role["id"]]}).json()
    assert program.send("DELETE", path).status_code == 409
    program.send("POST", f"/users/{user['id']}/roles", {"roles": ["picker"]})
    assert program.send("DELETE", path).status_code == 204
    assert not Role.objects.filter(is_system=False).exists()


def test_leaves_system_roles_alone(program: Program) -> None:
    roles = program.send("GET", "/roles").json()["results"]
    assert [role["name"] for role in roles] == ["owner", "admin", "staff", "picker", "readonly"]
    for method, body in (("PATCH", {"name": "Boss"}), ("DELETE", None)):
        assert program.send(method, f"/roles/{roles[0]['id']}", body).status_code == 409


@pytest.mark.parametrize("permissions", [["orders:everything"], ["*"], ["billing"], [7], "orders:read"])
def test_refuses_permissions_that_are_none(program: Program, permissions: Any) -> None:
    assert program.send("POST", "/roles", {"name": "Odd", "permissions": permissions}).status_code == 422
