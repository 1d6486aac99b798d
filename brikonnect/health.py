"""Whether the process is up, and whether it can work: what load balancers and `bin/up` ask on every kind of host."""

from functools import cache
from typing import Any

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpResponse
from django.urls import path
from psycopg_pool import PoolTimeout
from rest_framework.request import Request

from common.access import OPEN, open_to_all
from common.api import serializers
from common.api.operations import operation
from common.api.views import ApiView
from common.errors import Unavailable

_RETRY_AFTER_S = 5
_OK, _AWAY, _PENDING, _UNKNOWN = "ok", "away", "pending", "unknown"


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).disk_migrations)


def _applied_migrations() -> set[tuple[str, str]]:
    return set(MigrationRecorder.Migration.objects.values_list("app", "name"))


def _database() -> dict[str, str]:
    """Ask the database, and whether the schema at hand (the shop's on its host, else ours) has all migrations."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        missing = _known_migrations() - _applied_migrations()
    except (DatabaseError, PoolTimeout):
        return {"database": _AWAY, "migrations": _UNKNOWN}
    return {"database": _OK, "migrations": _PENDING if missing else _OK}


def _broker() -> dict[str, str]:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1) as client:
            client.ping()
    except redis.RedisError:
        return {"broker": _AWAY}
    return {"broker": _OK}


def check() -> dict[str, str]:
    """Answer how the database, its migrations and the broker are: `ok`, `away`, `pending` or `unknown`."""
    return _database() | _broker()


class HealthOut(serializers.Serializer):
    status = serializers.ChoiceField(choices=[_OK])


class ReadyOut(HealthOut):
    database = serializers.ChoiceField(choices=[_OK])
    migrations = serializers.ChoiceField(choices=[_OK])
    broker = serializers.ChoiceField(choices=[_OK])


class _OpenView(ApiView):
    """Health of the process."""

    access = {"GET": OPEN}
    public_api = ()
    authentication_classes = ()
    # Must answer while Redis and the database, in which limits are counted, are away.
    throttle_classes = ()


class HealthView(_OpenView):
    @operation("Tell that the process is up", answers=HealthOut)
    def get(self, _request: Request) -> HttpResponse:
        return self.answer({"status": _OK})


class ReadyView(_OpenView):
    @operation(
        "Tell whether database, migrations and broker are fine",
        answers=ReadyOut,
        description="503 otherwise; the problem's `checks` say what is missing.",
    )
    def get(self, _request: Request) -> HttpResponse:
        checks: dict[str, Any] = check()
        if set(checks.values()) != {_OK}:
            raise Unavailable("Not everything that we need is there.", checks=checks, retry_after=_RETRY_AFTER_S)
        return self.answer({"status": _OK, **checks})


# Where load balancers look for them.
urlpatterns = [
    path("health", open_to_all(HealthView.as_view()), name="health"),
    path("ready", open_to_all(ReadyView.as_view()), name="ready"),
]
api_urlpatterns = [
    path("health", HealthView.as_view(), name="health"),
    path("ready", ReadyView.as_view(), name="ready"),
]
