"""Hands work to the workers once the transaction that causes it is committed, and outlives a broker that is away."""

from functools import partial
from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from common import workspace

logger = structlog.get_logger(__name__)


def enqueue(task: str, *, queue: str = "", **kwargs: Any) -> None:
    """After the commit, send the task of that name to its queue, or to `queue`.

    A broker that is away raises nothing: whoever calls this keeps the work in a table too, where a sweeper finds it
    (reliability.md, rule 2). `kwargs` are the task's arguments, plain JSON; the workspace travels by itself.
    """
    transaction.on_commit(partial(_send, workspace.current_key(), task, queue, kwargs))


def _send(workspace_key: str, name: str, queue: str, kwargs: dict[str, Any]) -> None:
    # The block that knew the workspace may have ended before the outermost transaction did.
    with workspace.enter(workspace_key):
        try:
            options: dict[str, Any] = {"queue": queue} if queue else {}
            current_app.tasks[name].apply_async(kwargs=kwargs, **options)
        except OperationalError as error:
            logger.warning("task.unsent", task=name, error=type(error).__name__)
