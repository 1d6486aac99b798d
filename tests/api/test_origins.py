"""Other origins: a list, and never with cookies (reliability.md, 36)."""

from typing import Any

import pytest

from tests.api.conftest import HOST, Program

pytestmark = pytest.mark.django_db

EXTENSION = "chrome-extension://abcdefghijklmnopabcdefghijklmnop"


@pytest.fixture(autouse=True)
def _listed(settings: Any) -> None:
    settings.CORS_ORIGINS = (EXTENSION, "https://tools.example")


def preflight(origin: str) -> Any:
    return Program().send("OPTIONS", "/users", Origin=origin, Access_Control_Request_Method="POST")


def test_answers_a_listed_origin(program: Program) -> None:
    asked = preflight(EXTENSION)
    assert asked.status_code == 204
    assert asked["Access-Control-Allow-Origin"] == EXTENSION
    assert "Authorization" in asked["Access-Control-Allow-Headers"]
    assert "Idempotency-Key" in asked["Access-Control-Allow-Headers"]
    response = program.send("GET", "/auth/me", Origin=EXTENSION)
    assert response["Access-Control-Allow-Origin"] == EXTENSION
    assert "Retry-After" in response["Access-Control-Expose-Headers"]
    assert "Origin" in response["Vary"]


def test_answers_our_own_hosts(program: Program, settings: Any) -> None:
    settings.CORS_ORIGINS = ()
    settings.PUBLIC_SCHEME, settings.PUBLIC_PORT = "https", 443
    for origin in (f"https://{HOST}", f"https://{settings.BASE_DOMAIN}"):
        assert program.send("GET", "/auth/me", Origin=origin)["Access-Control-Allow-Origin"] == origin
    for origin in (
        f"http://{HOST}",
        f"https://{HOST}:8443",
        f"https://{HOST}.evil.example",
        f"https://evil{settings.BASE_DOMAIN}",
        f"https://evil.example/.{settings.BASE_DOMAIN}",
        f"https://x@evil.example#.{settings.BASE_DOMAIN}",
        "https://[::1",
        "https://:x",
    ):
        response = program.send("GET", "/auth/me", Origin=origin)
        assert response.status_code == 200
        assert "Access-Control-Allow-Origin" not in response, origin


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "*",
        "",
        f"{EXTENSION}.evil.example",
        "https://tools.example:444",
        "https://TOOLS.example",
    ],
)
def test_tells_others_nothing(program: Program, origin: str) -> None:
    for response in (preflight(origin), program.send("GET", "/auth/me", Origin=origin)):
        assert not any(name.lower().startswith("access-control") for name in response.headers)


def test_never_lets_cookies_come_along(program: Program) -> None:
    for response in (preflight(EXTENSION), program.send("GET", "/auth/me", Origin=EXTENSION)):
        assert "Access-Control-Allow-Credentials" not in response
        assert response["Access-Control-Allow-Origin"] != "*"


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/auth/me", "/api/v1/users?a=%00"])
def test_lets_a_listed_origin_read_refusals(path: str) -> None:
    response = Program().get(path, headers={"Origin": EXTENSION})
    assert response.status_code in (400, 401, 404)
    assert response["Access-Control-Allow-Origin"] == EXTENSION


def test_says_nothing_of_it_on_pages() -> None:
    response = Program(host=HOST).get("/robots.txt", headers={"Origin": EXTENSION})
    assert "Access-Control-Allow-Origin" not in response
