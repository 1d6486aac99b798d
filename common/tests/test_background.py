"""Tasks go out after the commit, equal ones of a transaction once, and none is lost with a savepoint of another."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from celery.signals import task_prerun
from django.db import transaction

from common.background import enqueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def begun() -> Iterator[list[str]]:
    """Answer the tasks that began, by their names."""
    names: list[str] = []

    def note(task: Any, **_more: Any) -> None:
        names.append(task.name)

    task_prerun.connect(note)
    yield names
    task_prerun.disconnect(note)


def test_sends_equal_tasks_of_a_transaction_once(begun: list[str], django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(2):
            enqueue("events.dispatch")
            enqueue("events.purge")
        enqueue("events.dispatch", other=1)
        assert begun == []
    assert begun == ["events.dispatch", "events.purge", "events.dispatch"]


def test_sends_it_again_for_the_next_transaction(begun: list[str], django_capture_on_commit_callbacks: Any) -> None:
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            enqueue("events.dispatch")
    assert begun == ["events.dispatch"] * 2


@pytest.mark.parametrize("is_first", [True, False])
def test_loses_nothing_with_a_savepoint_of_another(
    begun: list[str], django_capture_on_commit_callbacks: Any, *, is_first: bool
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        if not is_first:
            enqueue("events.dispatch")
        with suppress(ZeroDivisionError), transaction.atomic():
            enqueue("events.dispatch")
            raise ZeroDivisionError
        if is_first:
            enqueue("events.dispatch")
    assert begun == ["events.dispatch"]
