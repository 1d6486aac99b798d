"""Visits shops over a pool of connections and says what these see when they are back; a process with its own pool."""

import contextlib
import json
import threading
import time
from typing import Any

import django
import psycopg

django.setup()

from django.conf import settings  # noqa: E402  # Django is set up only now
from django.db import DatabaseError, connection, transaction  # noqa: E402  # see above
from django.test import Client  # noqa: E402  # see above

from tenants.testing import create_shop  # noqa: E402  # see above

place: Any = connection
HOST = f"pool.{settings.BASE_DOMAIN}"


def _paths() -> set[str]:
    """Answer the search paths of the connections that lie in the pool."""
    pool = place.pool
    pool.wait()
    held = [pool.getconn() for _ in range(pool.get_stats()["pool_size"])]
    paths = {raw.execute("SHOW search_path").fetchone()[0] for raw in held}
    for raw in held:
        pool.putconn(raw)
    return paths


def _visit(statuses: list[int]) -> None:
    browser = Client(headers={"host": HOST}, raise_request_exception=False)
    statuses += [browser.get("/ready").status_code for _ in range(5)]
    connection.close()


def visit() -> dict[str, object]:
    """Answer the pages' statuses, those after all connections died included, and the search paths before and after."""
    create_shop(schema="t_pool", host=HOST)
    connection.close()
    before = _paths()
    statuses: list[int] = []
    threads = [threading.Thread(target=_visit, args=[statuses]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for statement in ("SELECT 1 / 0", "SELECT 1"):
        place.set_schema("t_pool")
        with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()
    place.set_schema("t_pool")
    transaction.set_autocommit(False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.close()
    after = _paths()
    # As a restarted server does.
    for raw in list(place.pool._pool):
        with psycopg.connect(raw.info.dsn, password=raw.info.password, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [raw.info.backend_pid])
    time.sleep(0.3)
    _visit(statuses)
    place.close_pool()
    return {"statuses": sorted(set(statuses)), "before": sorted(before), "after": sorted(after)}


if __name__ == "__main__":
    print(json.dumps(visit()))  # noqa: T201  # the answer
