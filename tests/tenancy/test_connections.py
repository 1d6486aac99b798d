"""A connection sees the schema that it was told to see: after errors and rollbacks, in threads, out of the pool."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory, override_settings
from django.urls import path

from accounts.models import User
from common import workspace
from common.testing.clients import ShopClient
from common.testing.people import make_user
from tenants.middleware import TenantMiddleware
from tenants.testing import create_shop, in_schema

pytestmark = pytest.mark.django_db
place: Any = connection


def _seen() -> tuple[str, str]:
    """Answer which schema the connection says it sees, and which it does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return workspace.current_key(), cursor.fetchone()[0]


@pytest.fixture
def other() -> None:
    create_shop(schema="t_other", host=f"other.{settings.BASE_DOMAIN}")


def _switch_and_fail(statement: str = "SELECT 1") -> None:
    """See the other shop inside a transaction that fails."""
    with transaction.atomic():
        place.set_schema("t_other")
        assert _seen() == ("t_other", "t_other")
        with connection.cursor() as cursor:
            cursor.execute(statement)
        raise RuntimeError


def test_follows_a_rolled_back_savepoint(other: None):
    with pytest.raises(RuntimeError):
        _switch_and_fail()
    assert _seen() == ("t_other", "t_other")
    place.set_schema("t_shop")
    assert _seen() == ("t_shop", "t_shop")


@pytest.mark.django_db(transaction=True)
def test_follows_a_rolled_back_transaction(other: None):
    with pytest.raises(RuntimeError):
        _switch_and_fail()
    assert _seen() == ("t_other", "t_other")


@pytest.mark.django_db(transaction=True)
def test_follows_an_error_of_the_database(other: None):
    with pytest.raises(DatabaseError):
        _switch_and_fail("SELECT 1 / 0")
    assert _seen() == ("t_other", "t_other")


@pytest.mark.django_db(transaction=True)
def test_begins_anew_when_the_connection_was_lost(other: None):
    place.set_schema("t_other")
    assert _seen() == ("t_other", "t_other")
    connection.close()
    assert _seen() == ("t_other", "t_other")


@pytest.mark.django_db(transaction=True)
def test_begins_in_public_in_a_thread():
    seen: list[tuple[str, str]] = []

    def look() -> None:
        seen.append(_seen())
        with workspace.enter("t_shop"):
            seen.append(_seen())
        seen.append(_seen())
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [("public", "public"), ("t_shop", "t_shop"), ("public", "public")]


@pytest.mark.django_db(transaction=True)
def test_keeps_threads_apart(other: None):
    wrong: list[tuple[str, str, str]] = []
    start = threading.Barrier(4)

    def switch(schema: str) -> None:
        start.wait()
        for _ in range(40):
            with workspace.enter(schema):
                said, seen = _seen()
                if (said, seen) != (schema, schema):
                    wrong.append((schema, said, seen))
        connection.close()

    threads = [threading.Thread(target=switch, args=[name]) for name in ("t_shop", "t_other") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --- requests -------------------------------------------------------------------------------------------------------


def _middleware(view: Any) -> TenantMiddleware:
    return TenantMiddleware(view)


def _request(host: str) -> HttpRequest:
    return RequestFactory().get("/", headers={"host": f"{host}.{settings.BASE_DOMAIN}"})


def test_leaves_the_shop_when_a_view_breaks(other: None):
    def broken(_request: HttpRequest) -> HttpResponse:
        assert _seen() == ("t_other", "t_other")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        _middleware(broken)(_request("other"))
    assert _seen() == ("public", "public")


def test_leaves_the_shop_when_the_database_breaks(other: None):
    def broken(_request: HttpRequest) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        return HttpResponse()

    with pytest.raises(DatabaseError), transaction.atomic():
        _middleware(broken)(_request("other"))
    assert _seen() == ("public", "public")


def test_begins_in_public_whatever_was_left_behind(other: None):
    place.set_schema("t_other")

    def look(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(_seen()[1])

    assert _middleware(look)(RequestFactory().get("/", headers={"host": settings.BASE_DOMAIN})).content == b"public"
    place.set_schema("t_other")
    assert _middleware(look)(_request("shop")).content == b"t_shop"


def _stream(_request: HttpRequest) -> StreamingHttpResponse:
    def names() -> Iterator[str]:
        for user in User.objects.order_by("email").iterator(chunk_size=1):
            yield f"{user.email} {_seen()[1]};"

    return StreamingHttpResponse(names())


urlpatterns = [path("stream/", _stream)]


@override_settings(ROOT_URLCONF=__name__)
def test_streams_the_rows_of_its_own_shop(other: None):
    make_user(role="owner", email="a@shop.example")
    make_user(role="picker", email="b@shop.example")
    with in_schema("t_other"):
        make_user(role="owner", email="c@other.example")

    response: Any = ShopClient(host=f"shop.{settings.BASE_DOMAIN}").get("/stream/")
    with in_schema("t_other"):
        content = b"".join(response.streaming_content)
        assert _seen() == ("t_other", "t_other")

    assert content == b"a@shop.example t_shop;b@shop.example t_shop;"


# --- the pool -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_returns_to_the_pool_as_it_came():
    environ = {
        **os.environ,
        "DATABASE_POOL_SIZE": "3",
        "DATABASE_URL": os.environ["DATABASE_URL"].replace("/brikonnect?", f"/{connection.settings_dict['NAME']}?"),
        "DJANGO_SETTINGS_MODULE": "brikonnect.settings_test",
    }
    connection.close()
    done = subprocess.run(
        [sys.executable, "-m", "tests.tenancy.visit_by_pool"],
        env=environ, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["statuses"] == [200]
    assert found["after"] == found["before"]
