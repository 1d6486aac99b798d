"""The document, the routes and the committed file say the same, and everybody is admitted as they say."""

import json
import re
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from django.test import override_settings
from django.utils import timezone
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from accounts.roles import SYSTEM_ROLES
from brikonnect import api_docs
from brikonnect.api_docs import as_yaml, document
from brikonnect.features import Features
from common.access import Access
from common.api.operations import operation_of
from common.api.views import ApiView
from common.entitlements import AllowAll
from common.errors import EditionRequired
from common.testing.urls import routes
from tenants.models import Tenant
from tenants.services import suspend
from tests.api.conftest import CENTRAL, HOST, Program, make_user, token_of

ROOT = Path(__file__).resolve().parents[2]
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
# extension.md; further ones join with the apps that they belong to.
FOR_EVERYBODY = (
    r"\w+ /auth/.*",
    r"GET /jobs/\{job_id\}",
    r"\w+ /notifications.*",
    r"GET /definitions/.*",
    r"\w+ /picker/.*",
    r"GET /health",
    r"GET /ready",
)

# Being an owner is no permission that a role could have (product.md): who isn't one is refused by the service.
OWNERS_ONLY = {("DELETE", "/api/v1/tenant/deletion")}


def operations() -> list[tuple[str, str, type[ApiView]]]:
    """Answer method, path and view of all that the API has."""
    found = []
    for route in routes("brikonnect.urls.api"):
        view = getattr(route.view, "cls", None)
        if view is not None and route.path.startswith("/api/v1/"):
            found += [(method, route.path, view) for method in METHODS if hasattr(view, method.lower())]
    return found


def documented() -> list[tuple[str, str, dict[str, Any]]]:
    """Answer method, path and description of all that the document has."""
    return [
        (method.upper(), path.removeprefix("/api/v1"), described)
        for path, item in document()["paths"].items()
        for method, described in item.items()
        if method.upper() in METHODS
    ]


# --- The document -----------------------------------------------------------------------------------------------------
def test_commits_the_document_that_the_code_makes() -> None:
    committed = (ROOT / "docs/api/openapi.yaml").read_bytes()
    assert committed == as_yaml(), "run: python manage.py spectacular --file docs/api/openapi.yaml"


def test_makes_a_valid_document_without_a_warning() -> None:
    api_docs.document.cache_clear()
    GENERATOR_STATS.reset()
    validate_schema(document())
    assert document()["openapi"].startswith("3.1")
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_documents_what_is_routed_and_nothing_else() -> None:
    ours = {
        (method, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)(?:sample|1)(?=/|$)", "{}", path))
        for method, path, _ in operations()
    }
    theirs = {(method, "/api/v1" + re.sub(r"\{\w+\}", "{}", path)) for method, path, _ in documented()}
    assert ours == theirs


@pytest.mark.parametrize(
    ("method", "path", "described"), documented(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_documents_every_operation_in_full(method: str, path: str, described: dict[str, Any]) -> None:
    assert described["summary"]
    assert described["operationId"]
    statuses = set(described["responses"])
    wanted = {"400", "404", "406", "422", "429", "500", "503"}
    if described["security"] != [{}]:
        wanted |= {"401", "403"}
    if method in ("POST", "PATCH", "PUT"):
        wanted |= {"413", "415"}
    if method == "POST" and described["security"] != [{}]:
        wanted |= {"409"}
        assert "Idempotency-Key" in {each["name"] for each in described["parameters"]}
    assert statuses >= wanted
    for status, response in described["responses"].items():
        resolved = response
        if "$ref" in response:
            resolved = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
        if status >= "400":
            assert list(resolved["content"]) == ["application/problem+json"], (path, status)


def test_names_each_operation_once() -> None:
    names = [described["operationId"] for _, _, described in documented()]
    assert sorted(names) == sorted(set(names))


# --- Access -----------------------------------------------------------------------------------------------------------
def test_declares_access_and_contract_of_every_method() -> None:
    assert operations()
    for method, path, view in operations():
        assert isinstance(view.declared_access[method], Access), path
        assert operation_of(view, method) is not None, path


@pytest.mark.django_db
@pytest.mark.parametrize("role", [*SYSTEM_ROLES, None])
def test_admits_whom_the_document_says(role: str | None, settings: Any) -> None:
    settings.API_RATE = "100000/min"
    if role not in ("owner", None):
        make_user("owner")
    user = make_user(role, email="walker@shop.example") if role else None
    wrong = []
    for method, path, view in operations():
        access = view.declared_access[method]
        # A new token each time, since some routes end what they are called with.
        program = Program(token=token_of(user) if user else "")
        status = program.send(method, path.removeprefix("/api/v1")).status_code
        if (method, path) in OWNERS_ONLY and role not in ("owner", None):
            continue
        missing = role is not None and not SYSTEM_ROLES[role].issuperset(access.permissions)
        wanted = 401 if access.signed_in and role is None else 403 if missing else None
        met = status == wanted if wanted else status not in (401, 403) or not access.signed_in
        if not met or (status >= 500 and not path.endswith("/ready")):
            wrong.append(f"{method} {path}: {status} for {role}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_says_which_changes_wait_in_a_suspended_shop(program: Program) -> None:
    suspend(tenant_id=Tenant.objects.get(slug="shop").pk, reason="Invoice 7 is open.", now=timezone.now())
    for method, path, described in documented():
        answer = program.send(method, re.sub(r"\{\w+\}", str(UUID(int=7)), path), {})
        assert answer.status_code != 402 or "402" in described["responses"], (method, path)
        assert answer.status_code != 402 or method != "GET"


@pytest.mark.django_db
def test_names_the_missing_permission() -> None:
    make_user("owner")
    response = Program(token=token_of(make_user("picker"))).send("GET", "/users")
    problem = response.json()
    assert (response.status_code, problem["type"].rpartition("/")[2]) == (403, "permission-denied")
    assert problem["permission"] == "users:read"


# --- What is public API -----------------------------------------------------------------------------------------------
def test_leaves_out_of_the_public_api_what_the_extension_needs() -> None:
    for method, path, described in documented():
        is_for_everybody = any(re.fullmatch(pattern, f"{method} {path}") for pattern in FOR_EVERYBODY)
        assert described["x-public-api"] is not is_for_everybody, f"{method} {path}"


class OnlyLite(AllowAll):
    """The edition Lite, as far as the API sees it."""

    def edition(self) -> str:
        return "lite"

    def allows(self, feature: str) -> bool:
        return feature != "public_api"


@pytest.mark.django_db
@override_settings(ENTITLEMENTS=f"{__name__}.OnlyLite")
def test_answers_on_lite_only_what_is_not_public_api(program: Program) -> None:
    assert program.send("GET", "/auth/me").json()["edition"] == "lite"
    assert program.send("GET", "/definitions/countries").status_code == 200
    refused = program.send("GET", "/users")
    assert refused.status_code == 403
    assert refused.json()["type"].endswith(f"/{EditionRequired.type}")
    assert refused.json()["feature"] == "public_api"


def test_offers_without_the_public_api_only_the_rest() -> None:
    from brikonnect.urls import api  # noqa: PLC0415  # reads the flags when it is imported

    with override_settings(FEATURES=Features(public_api=False)):
        views = {str(route.pattern): cast("Any", route.callback) for route in api._routes()}
    offered = {
        (path, name) for path, view in views.items() for name in view.view_initkwargs.get("http_method_names", ["*"])
    }
    paths = {path for path, _ in offered}
    assert {"auth/me", "definitions/countries", "health"} <= paths
    assert not any(path.startswith(("users", "roles", "audit", "settings", "tenant")) for path in paths)
    assert ("jobs/<uuid:job_id>", "*") in offered
    assert "jobs" not in paths


# --- Where it is served -----------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("host", [HOST, CENTRAL, HOST.partition(".")[2]])
def test_serves_the_document_and_its_page_on_every_host(host: str) -> None:
    visitor = Program(host=host)
    served = visitor.get("/api/v1/schema/")
    assert (served.status_code, served["Content-Type"]) == (200, "application/yaml")
    assert served.content == as_yaml()
    as_json = visitor.get("/api/v1/schema/", headers={"Accept": "application/json"})
    assert json.loads(as_json.content)["openapi"] == "3.1.0"
    again = visitor.get("/api/v1/schema/", headers={"If-None-Match": served["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    for address, said in (("", "/api/v1/auth/token"), ("auth/", "name-Pair")):
        page = visitor.get(f"/api/v1/docs/{address}")
        assert page.status_code == 200
        text = page.content.decode()
        assert said in text
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=", text), "the CSP forbids what is inline"
    assert visitor.get("/api/v1/docs/nothing/").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("host", [HOST, CENTRAL, HOST.partition(".")[2]])
@pytest.mark.parametrize("path", ["/health", "/ready", "/api/v1/health", "/api/v1/ready"])
def test_tells_on_every_host_how_it_is(host: str, path: str) -> None:
    response = Program(host=host).get(path)
    assert (response.status_code, response.json()["status"]) == (200, "ok")


@pytest.mark.django_db
def test_serves_definitions_once(program: Program) -> None:
    first = program.send("GET", "/definitions/order-statuses")
    assert "max-age" in first["Cache-Control"]
    again = program.send("GET", "/definitions/order-statuses", If_None_Match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert program.send("GET", "/definitions/order-statuses", If_None_Match='"other"').status_code == 200
    statuses = {row["code"]: row for row in first.json()["results"]}
    assert statuses["SHIPPED"]["transitions"] == {
        "user": ["DELIVERED", "COMPLETED", "REFUNDED"],
        "system": ["DELIVERED", "COMPLETED"],
        "channel": ["DELIVERED", "COMPLETED", "REFUNDED"],
        "revert": ["READY"],
    }
    countries = {row["code"]: row for row in program.send("GET", "/definitions/countries").json()["results"]}
    assert countries["XK"]["name"] == "Kosovo"
    assert sum(row["is_eu"] for row in countries.values()) == 27
