"""The Celery app: tasks that know their tenant, four queues, beat entries that fan out, an end within 25 seconds."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog
from celery import Celery, signals
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError
from kombu import Queue
from redis.connection import parse_url

from common import periodic, shutdown, workspace
from common.periodic import Periodic

logger = structlog.get_logger(__name__)

QUEUES = ("orders", "sync", "default", "bulk")
FAN_OUT = "brikonnect.fan_out"
# What still runs so long after SIGTERM is ended; the sweepers find it. Together with the rest: 25 seconds.
_PATIENCE_S = 20

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brikonnect.settings")
if settings.FEATURES.multi_tenant:
    from tenant_schemas_celery.app import CeleryApp as App
else:
    from celery import Celery as App

app: Celery = App("brikonnect", task_cls="brikonnect.base_task:BaseTask")


def broker_url(redis_url: str) -> str:
    """Answer the broker's address as Celery writes it: another scheme for sockets, the database not as a parameter."""
    parts: dict[str, Any] = parse_url(redis_url)  # type: ignore[no-untyped-call]  # redis-py's own reading of it
    database = parts.get("db", 0)
    if "path" in parts:
        return f"redis+socket://{parts['path']}?virtual_host={database}"
    return urlsplit(redis_url)._replace(path=f"/{database}", query="").geturl()


# Each task says by itself how it ended (jobs.base); Celery's own lines would say it twice.
for _name in ("celery.app.trace", "celery.worker.strategy"):
    logging.getLogger(_name).setLevel(logging.WARNING)
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(broker_url=broker_url(settings.REDIS_URL))
app.conf.task_queues = [Queue(name, routing_key=name) for name in QUEUES]
_ABOUT_ORDERS = (
    "sync.poll_orders", "sync.pull_orders", "sync.look_at_notices", "sync.tell_orders", "sync.sweep_telling",
)  # fmt: skip
app.conf.task_routes = {
    "orders.*": {"queue": "orders"},
    "sync.*": {"queue": "sync"},
    # A sale that isn't known yet is sold twice.
    **{name: {"queue": "orders"} for name in _ABOUT_ORDERS},
    # Hosts of pictures may be slow, and mails and events don't wait for them.
    "catalog.fetch_images": {"queue": "bulk"},
}


def assemble() -> None:
    """Load every app's tasks, and make beat entries of what they want done again and again. When Django has started."""
    app.autodiscover_tasks([config.name for config in apps.get_app_configs()], force=True)
    app.conf.beat_schedule = {entry.task: _beat_entry(entry) for entry in periodic.registered()}


@app.task(name=FAN_OUT)
def fan_out(task: str, **_future: Any) -> None:
    """Send a task to the workspace of no shop and to every tenant's, where it has something to do."""
    entry = periodic.find(task)
    if entry is None:
        return
    for schema in _workspaces():
        with workspace.enter(schema):
            try:
                if entry.only_if is None or entry.only_if():
                    app.tasks[task].apply_async(**_expiry(entry))
            except DatabaseError as error:
                # One shop's schema may be going away; the others have their turn.
                logger.warning("beat.skipped", task=task, schema=schema, error=type(error).__name__)


def _workspaces() -> Iterator[str]:
    """Answer the public schema and those of the shops."""
    from django_tenants.utils import get_public_schema_name  # noqa: PLC0415  # only with tenants

    yield get_public_schema_name()
    yield from shops()


def shops() -> Iterator[str]:
    """Answer the schemas of the tenants that are complete."""
    from django_tenants.utils import get_tenant_model  # noqa: PLC0415  # only with tenants

    tenants = get_tenant_model().objects.filter(ready_at__isnull=False).order_by("schema_name")
    yield from tenants.values_list("schema_name", flat=True)


def _beat_entry(entry: Periodic) -> dict[str, Any]:
    fans_out = settings.FEATURES.multi_tenant and not entry.once
    return {
        "task": FAN_OUT if fans_out else entry.task,
        "kwargs": {"task": entry.task} if fans_out else {},
        "schedule": entry.schedule,
        "options": _expiry(entry),
    }


def _expiry(entry: Periodic) -> dict[str, Any]:
    """Answer the option that lets a task lapse when its next turn has come: what waits unread must not pile up."""
    if isinstance(entry.schedule, timedelta):
        return {"expires": entry.schedule.total_seconds()}
    return {"expires": timedelta(days=1).total_seconds()}


@signals.worker_shutting_down.connect
def _on_shutting_down(**_kwargs: Any) -> None:
    """Let jobs stop at their next checkpoint, and end what has not stopped in time."""
    shutdown.request()
    timer = threading.Timer(_PATIENCE_S, os.kill, args=(os.getpid(), signal.SIGQUIT))
    timer.daemon = True
    timer.start()
