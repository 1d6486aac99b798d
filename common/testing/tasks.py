"""What tests do to Celery: eager elsewhere, the real broker here."""

from collections.abc import Iterator
from contextlib import contextmanager

from celery import current_app


@contextmanager
def real_broker() -> Iterator[None]:
    """Send tasks to the broker inside the block, instead of running them in the process that sends them."""
    current_app.conf.task_always_eager = False
    try:
        yield
    finally:
        current_app.conf.task_always_eager = True
