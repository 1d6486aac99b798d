"""What every test stands on: a real database with one shop, in whose schema the tests run."""

import os
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.db import connection
from django.test import TransactionTestCase, override_settings
from pytest_django.plugin import DjangoDbBlocker

SCHEMA = "t_shop"
HOST = f"shop.{settings.BASE_DOMAIN}"
# Characters of a value that still stands in a test's name.
LONG_VALUE = 80
# How long it takes to think of an example depends on who else uses the machine.
hypothesis.settings.register_profile("gate", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None)
hypothesis.settings.load_profile("gate")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `bin/test tests/test_query_counts.py --update-counts` write the counts anew."""
    parser.addoption("--update-counts", action="store_true", help="write the committed query counts anew")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a long value by its argument: a packed file holds the time, and each worker must name a test the same."""
    return argname if isinstance(val, bytes | str) and len(val) > LONG_VALUE else None


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,  # a fixture that is only to run before
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Give this worker a copy of the run's database, made before any test's transaction (stack.md, trap 29)."""
    from tenants.testing import Databases, create_shop  # noqa: PLC0415  # models are there only now

    worker = getattr(request.config, "workerinput", {})
    databases = Databases(run=worker.get("testrunuid", str(os.getpid())), worker=worker.get("workerid", ""))
    with django_db_blocker.unblock():
        databases.make_pattern(lambda: create_shop(schema=SCHEMA, host=HOST) and None)
        databases.make()
    # A test that commits gets a fresh copy after it. Emptying the tables, as Django does, would take the shop away too.
    patch = pytest.MonkeyPatch()
    patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _self: databases.make())
    yield
    patch.undo()
    with django_db_blocker.unblock():
        databases.drop()


@pytest.fixture(autouse=True)
def _in_the_shop(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run a test that uses the database in the shop's schema, with an empty Redis, and leave it in the public one."""
    wanted = {"db", "transactional_db", "live_server"} & set(request.fixturenames)
    if not wanted and not request.node.get_closest_marker("django_db"):
        yield
        return
    from common.testing.template_guard import templates_do_not_query  # noqa: PLC0415  # Django is set up only now
    from tenants.testing import empty_redis, in_schema  # noqa: PLC0415  # models are there only now

    request.getfixturevalue("transactional_db" if wanted & {"transactional_db", "live_server"} else "db")
    empty_redis()
    with in_schema(SCHEMA), templates_do_not_query():
        yield


@pytest.fixture
def client() -> Any:
    """Answer a browser at the shop's host."""
    from common.testing.clients import ShopClient  # noqa: PLC0415  # Django is set up only now

    return ShopClient(host=HOST)


@pytest.fixture
def site_client() -> Any:
    """Answer a browser at the public site."""
    from common.testing.clients import ShopClient  # noqa: PLC0415  # Django is set up only now

    return ShopClient(host=settings.BASE_DOMAIN)


@pytest.fixture
def api_client() -> Any:
    """Answer a program at the central API host, where the credential names the shop."""
    from common.testing.clients import ShopClient  # noqa: PLC0415  # Django is set up only now

    return ShopClient(host=f"api.{settings.BASE_DOMAIN}")


@pytest.fixture
def no_worker() -> Iterator[None]:
    """Send tasks to the broker instead of running them here; nobody takes them that the test doesn't start."""
    from common.testing.tasks import real_broker  # noqa: PLC0415  # Django is set up only now

    with real_broker():
        yield


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have pauses between attempts, which other tests measure, take no time."""
    monkeypatch.setattr("common.wire.retry.random.uniform", lambda low, _high: low)


@pytest.fixture(scope="session")
def _sandbox_process() -> Iterator[Any]:
    from common.testing.sandbox import SandboxProcess  # noqa: PLC0415  # Django is set up only now

    with SandboxProcess.running() as process:
        yield process


@pytest.fixture
def sandbox(_sandbox_process: Any) -> Iterator[Any]:
    """Answer the imitated services, asked over real HTTP by a process of their own, with no faults on."""
    _sandbox_process.reset()
    yield _sandbox_process
    _sandbox_process.reset()


@pytest.fixture
def picture_hosts(sandbox: Any, tmp_path: Any) -> Iterator[Any]:
    """Have the sandbox stand in for the hosts of pictures, and files kept in a folder of the test's own."""
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}}
    with override_settings(CATALOG_IMAGES_URL=sandbox.pictures_url, STORAGES={**settings.STORAGES, "default": files}):
        yield sandbox


@pytest.fixture
def schema() -> str:
    """Answer the schema in which the tests run."""
    return str(getattr(connection, "schema_name", "public"))
