"""Hands work to the workers once the transaction that causes it is committed, and outlives a broker that is away."""

from dataclasses import dataclass, field
from typing import Any

import structlog
from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import OperationalError

from common import workspace

logger = structlog.get_logger(__name__)


def enqueue(task: str, *, queue: str = "", **kwargs: Any) -> None:
    """After the commit, send the task of that name to its queue, or to `queue`; equal ones of a transaction once.

    A broker that is away raises nothing: whoever calls this keeps the work in a table too, where a sweeper finds it
    (reliability.md, rule 2). `kwargs` are the task's arguments, plain JSON; the workspace travels by itself.
    """
    sending = _Sending(workspace.current_key(), task, queue, kwargs)
    equal = next((hook[1] for hook in reversed(connection.run_on_commit) if hook[1] == sending), None)
    if isinstance(equal, _Sending):
        # Both stay: the savepoint of either may be rolled back. Whichever comes first sends.
        sending.sent = equal.sent
    transaction.on_commit(sending)


@dataclass(slots=True)
class _Sending:
    """A task to be sent. `sent`: whether it was, shared with those that are equal; what was sent equals no other."""

    workspace_key: str
    name: str
    queue: str
    kwargs: dict[str, Any]
    sent: list[bool] = field(default_factory=list)

    def __call__(self) -> None:
        if self.sent:
            return
        self.sent.append(True)
        # The block that knew the workspace may have ended before the outermost transaction did.
        with workspace.enter(self.workspace_key):
            try:
                options: dict[str, Any] = {"queue": self.queue} if self.queue else {}
                current_app.tasks[self.name].apply_async(kwargs=self.kwargs, **options)
            except OperationalError as error:
                logger.warning("task.unsent", task=self.name, error=type(error).__name__)
