"""What every task runs inside: an actor, an origin, one deed of the audit trail, and one line of the log at its end."""

import time
from typing import Any

import structlog
from celery.contrib.django.task import DjangoTask

from audit import context
from common import actor, workspace

logger = structlog.get_logger(__name__)

_CORRELATION = "origin_correlation_id"


class ContextTask(DjangoTask[..., Any]):
    """Base of all tasks. The correlation id of what caused a task travels in a header; a task acts as the system."""

    abstract = True

    def apply_async(  # type: ignore[override]  # the options are passed on as they are
        self, args: tuple[Any, ...] | None = None, kwargs: dict[str, Any] | None = None, **options: Any
    ) -> Any:
        headers = {_CORRELATION: actor.origin().correlation_id, **(options.pop("headers", None) or {})}
        return super().apply_async(args, kwargs, headers=headers, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        correlation_id = self.header(_CORRELATION) or self.request.id or ""
        origin = actor.Origin(request_id="", correlation_id=correlation_id)
        names = {"task": self.name, "workspace": workspace.current_key(), "correlation_id": correlation_id}
        began = time.monotonic()
        with (
            actor.use(actor.SYSTEM),
            actor.use_origin(origin),
            context.for_job(self.name),
            structlog.contextvars.bound_contextvars(**names),
        ):
            try:
                return self.run(*args, **kwargs)
            finally:
                logger.info("task.ended", ms=round((time.monotonic() - began) * 1000))

    def header(self, name: str) -> str:
        """Answer a header of the message under way; some brokers merge them into the request."""
        headers = self.request.headers or {}
        return headers.get(name) or self.request.get(name) or ""
