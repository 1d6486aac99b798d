"""Bad input: a clear problem each, never a 500, and nothing half done (reliability.md, check 39)."""

import json
from http import HTTPStatus
from time import process_time
from typing import Any

import pytest
from django.conf import settings

from accounts.models import Invitation
from tests.api.conftest import HOST, Program

pytestmark = pytest.mark.django_db

INVITATION = {"email": "ana@shop.example", "roles": ["picker"]}


def check_problem(response: Any, status: int) -> dict[str, Any]:
    """Pass if the response is that problem in full, and says nothing of our insides."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "instance", "request_id"} <= set(problem)
    assert problem["status"] == status
    assert problem["request_id"] == response["X-Request-ID"]
    text = response.content.decode().lower()
    assert not any(word in text for word in ("traceback", "django", "psycopg", ".py", "select ", "exception"))
    return problem


# --- Bodies -----------------------------------------------------------------------------------------------------------
UNREADABLE = {
    "no JSON": b"{",
    "a word": b"hello",
    "two values": b"{} {}",
    "trailing comma": b'{"email": "a@b.nl",}',
    "single quotes": b"{'email': 'a@b.nl'}",
    "invalid UTF-8": b'{"email": "\xff\xfe@shop.example"}',
    "overlong UTF-8": b'{"email": "\xc0\xaf"}',
    "UTF-16": json.dumps(INVITATION).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf{}",
    "NUL byte": b'{"email": "a\x00b"}',
    "escaped NUL": b'{"email": "a\\u0000b@shop.example", "roles": ["picker"]}',
    "NUL in a key": b'{"a\\u0000b": 1}',
    "half a surrogate": b'{"email": "\\ud800@shop.example", "roles": ["picker"]}',
    "doubled key": b'{"email": "a@b.nl", "email": "c@d.nl", "roles": ["picker"]}',
    "doubled key inside": b'{"email": "a@b.nl", "roles": [{"a": 1, "a": 2}]}',
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": -Infinity}',
    "1e400": b'{"email": 1e400}',
    "a huge integer": b'{"email": 1' + b"0" * 5000 + b"}",
    "beyond 64 bits": b'{"email": 9223372036854775808}',
    "too deep": b'{"email": ' + b"[" * 40 + b"]" * 40 + b"}",
    "far too deep": b"[" * 200_000 + b"]" * 200_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=list(UNREADABLE))
def test_refuses_a_body_that_is_no_plain_json(program: Program, body: bytes) -> None:
    check_problem(program.send("POST", "/users/invitations", body), 400)
    assert not Invitation.objects.exists()


NOT_VALID: dict[str, tuple[Any, list[str]]] = {
    "nothing": ({}, ["/email", "/roles"]),
    "a list": ([], [""]),
    "a string": ("email", [""]),
    "a number": (7, [""]),
    "null": (None, [""]),
    "another type": ({"email": 7, "roles": "picker"}, ["/email", "/roles"]),
    "null inside": ({"email": None, "roles": [None]}, ["/email", "/roles/0"]),
    "an unknown field": ({**INVITATION, "is_staff": True}, ["/is_staff"]),
    "a name like a pointer": ({**INVITATION, "a/b~c": 1}, ["/a~1b~0c"]),
    "no address": ({**INVITATION, "email": "nobody"}, ["/email"]),
    "too long": ({**INVITATION, "email": "a" * 300 + "@shop.example"}, ["/email"]),
    "too long for the spaces around it": ({**INVITATION, "roles": [" " * 60 + "picker"]}, ["/roles/0"]),
    "too many": ({**INVITATION, "roles": ["picker"] * 51}, ["/roles"]),
    "none": ({**INVITATION, "roles": []}, ["/roles"]),
    "an object in a list": ({**INVITATION, "roles": [{"name": "picker"}]}, ["/roles/0"]),
}


@pytest.mark.parametrize(("body", "pointers"), NOT_VALID.values(), ids=list(NOT_VALID))
def test_says_which_values_are_not_valid(program: Program, body: Any, pointers: list[str]) -> None:
    problem = check_problem(program.send("POST", "/users/invitations", json.dumps(body).encode()), 422)
    assert sorted(problem["errors"]) == sorted(pointers)
    assert all(isinstance(message, str) and message for messages in problem["errors"].values() for message in messages)
    assert not Invitation.objects.exists()


MANY = 100_000
ALL_WRONG = {
    "one key of many twice": (b"{" + b",".join(b'"%x":0' % (min(n, MANY - 2)) for n in range(MANY)) + b"}", 400),
    "many unknown fields": (b"{" + b",".join(b'"%x":0' % n for n in range(MANY)) + b"}", 422),
    "many wrong values": (json.dumps({**INVITATION, "roles": [1] * MANY}).encode(), 422),
}


@pytest.mark.parametrize(("body", "status"), ALL_WRONG.values(), ids=list(ALL_WRONG))
def test_what_is_wrong_in_many_places_costs_no_more_than_a_body(program: Program, body: bytes, status: int) -> None:
    began = process_time()
    problem = check_problem(program.send("POST", "/users/invitations", body), status)
    # Half a second on a quiet machine; minutes where each of them is compared with each.
    assert process_time() - began < 5
    assert len(problem.get("errors", {})) <= 50


def test_refuses_a_huge_body_by_its_length_and_by_its_bytes(program: Program) -> None:
    body = b'{"email": "' + b"a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    problem = check_problem(program.send("POST", "/users/invitations", body), 413)
    assert problem["limit_bytes"] == settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    # A length that promises less than what comes: only what was promised is read, and that is no JSON.
    short = program.generic(
        "POST",
        "/api/v1/users/invitations",
        body,
        "application/json",
        CONTENT_LENGTH="20",
        headers={"Authorization": f"Bearer {program.token}"},
    )
    check_problem(short, 400)


@pytest.mark.parametrize("length", ["-1", "many", "1e3", "9" * 30, "0x10"])
def test_refuses_a_length_that_is_no_number(program: Program, length: str) -> None:
    response = program.generic("POST", "/api/v1/users/invitations", b"{}", "application/json", CONTENT_LENGTH=length)
    check_problem(response, 400)


def test_asks_for_the_length_of_a_body_in_pieces(program: Program) -> None:
    piecemeal: Any = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    response = program.generic("POST", "/api/v1/users/invitations", b"{}", "application/json", **piecemeal)
    check_problem(response, 411)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=nonsense",
        "application/vnd.api+json",
        "json",
        "/",
        "*/*",
        "é",
    ],
)
def test_refuses_other_content_types(program: Program, content_type: str) -> None:
    response = program.send("POST", "/users/invitations", json.dumps(INVITATION).encode(), Content_Type=content_type)
    check_problem(response, 415)
    assert not Invitation.objects.exists()


def test_refuses_a_packed_body(program: Program) -> None:
    check_problem(program.send("POST", "/users/invitations", INVITATION, Content_Encoding="gzip"), 415)


def test_refuses_a_body_where_none_is_taken(program: Program) -> None:
    check_problem(program.send("POST", "/auth/logout", {"now": True}), 422)
    assert program.send("GET", "/auth/me").status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png"])
def test_answers_only_json(program: Program, accept: str) -> None:
    check_problem(program.send("GET", "/auth/me", Accept=accept), 406)


# --- Addresses --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/users/",
        "/users/%ff%fe",
        "/%c0%af",
        "/users/7",
        "/users/not-a-uuid",
        "/auth",
        "/..",
        "/%2e%2e",
        "/",
    ],
)
def test_knows_no_other_addresses(program: Program, path: str) -> None:
    check_problem(program.send("GET", path), 404)


@pytest.mark.parametrize("where", ["/users?search=%00", "/users?a%00b=1", "/users?search=%ff", "/%00"])
def test_refuses_nul_and_invalid_utf8_in_addresses(program: Program, where: str) -> None:
    check_problem(program.send("GET", where), 400)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=ten",
        "limit=1e2",
        "limit=%D9%A1",
        "limit=",
        "limit=99999999999999999999",
        "limit=1&limit=2",
        "count=1",
        "count=yes",
        "ordering=password",
        "ordering=display_name,email",
        "ordering=--email",
        "ordering=",
        "fields=password",
        "fields=",
        "fields=id,,email",
        "fields=id,id",
        "is_active=maybe",
        "search=" + "a" * 201,
        "unknown=1",
        "Limit=1",
        "limit[]=1",
    ],
)
def test_says_which_parameters_are_not_valid(program: Program, query: str) -> None:
    problem = check_problem(program.send("GET", f"/users?{query}"), 422)
    assert problem["errors"]


def test_refuses_an_endless_address(program: Program) -> None:
    check_problem(program.send("GET", "/users?search=" + "a" * 9000), 400)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_says_which_methods_an_address_takes(program: Program, method: str) -> None:
    response = program.send(method, "/users")
    check_problem(response, 405)
    assert response["Allow"] == "GET, POST, HEAD"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "X" * 100])
def test_refuses_methods_that_nobody_sends(program: Program, method: str) -> None:
    check_problem(program.send(method, "/users"), 405)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "..", "a b", "shop..localhost", "[::1", "shop.testserver.localhost:x", "x" * 300, "\xff"],
)
def test_refuses_garbage_hosts(host: str) -> None:
    response = Program(host=host).send("GET", "/auth/me")
    assert response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
    check_problem(response, response.status_code)


@pytest.mark.parametrize(
    "name", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "X-Real-IP", "Cookie", "Referer", "Origin"]
)
def test_survives_garbage_headers(program: Program, name: str) -> None:
    for value in ("\xff\xfe", "'; DROP TABLE users;--", "a" * 4000, ",,,", "=;=;", "::::"):
        response = program.send("GET", "/auth/me", **{name: value})
        assert response.status_code == 200, (value, response.content)


@pytest.mark.parametrize("given", ["x", "a" * 65, "a b c d e f g", "<script>", "ä" * 10])
def test_makes_a_request_id_where_the_given_one_is_not_usable(program: Program, given: str) -> None:
    assert program.send("GET", "/auth/me", X_Request_ID=given)["X-Request-ID"] != given


def test_takes_over_a_request_id(program: Program) -> None:
    assert program.send("GET", "/auth/me", X_Request_ID="trace-4711-a")["X-Request-ID"] == "trace-4711-a"
    assert program.send("GET", "/nothing", X_Request_ID="trace-4711-b").json()["request_id"] == "trace-4711-b"


# --- Pages have the same hygiene --------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["/account/login/?next=%00", "/?a=%ff", "/%00/"])
def test_answers_a_page_for_an_address_that_cannot_be_read(address: str) -> None:
    response = Program(host=HOST).get(address)
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"login=a%00b&password=x", "application/x-www-form-urlencoded"),
        (b"login=%ff%fe&password=x", "application/x-www-form-urlencoded"),
        (b"login=\xff", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="login"\r\n\r\na\0b\r\n--x--\r\n',
            "multipart/form-data; boundary=x",
        ),
        (b"--x\r\n", "multipart/form-data"),
    ],
    ids=["NUL", "invalid UTF-8", "raw byte", "NUL in multipart", "no boundary"],
)
def test_answers_a_page_for_a_form_that_cannot_be_read(body: bytes, content_type: str) -> None:
    response = Program(host=HOST).generic("POST", "/account/login/", body, content_type)
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


def test_answers_a_page_for_a_form_that_is_too_large() -> None:
    body = b"login=" + b"a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    response = Program(host=HOST).generic("POST", "/account/login/", body, "application/x-www-form-urlencoded")
    assert response.status_code == 413
