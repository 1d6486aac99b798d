"""All workers together ask no more often than is allowed, and the less urgent stop first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
import time_machine
from django.test import override_settings

from common.errors import BudgetExhausted
from common.redis_client import client
from common.wire import Budget, CallClass


class Book:
    """A ledger in memory."""

    def __init__(self, used: int = 0) -> None:
        self.used = used

    def used_on(self, day: date) -> int:
        return self.used

    def note(self, day: date, *, used: int, limit: int) -> None:
        self.used = max(self.used, used)


def _budget(**values: object) -> Budget:
    return Budget(**{"key": "test", "label": "Rebrickable", "per_second": 1000, "burst": 1000, **values})  # type: ignore[arg-type]  # the defaults are right, the test's values too


def _takes(budget: Budget, call_class: CallClass, count: int, *, patience_s: float = 0) -> int:
    taken = 0
    for _ in range(count):
        try:
            budget.take(call_class, patience_s=patience_s)
        except BudgetExhausted:
            break
        taken += 1
    return taken


def test_gives_a_burst_and_then_one_at_a_time() -> None:
    budget = _budget(per_second=1, burst=3)
    waits = [budget.take(CallClass.USUAL, patience_s=10).wait_s for _ in range(5)]
    assert waits[:3] == [0, 0, 0]
    assert waits[3] == pytest.approx(1, abs=0.2)
    assert waits[4] == pytest.approx(2, abs=0.2)


def test_says_how_long_it_would_take() -> None:
    budget = _budget(per_second=0.1, burst=1)
    budget.take(CallClass.USUAL, patience_s=0)
    with pytest.raises(BudgetExhausted, match="come too fast") as refused:
        budget.take(CallClass.USUAL, patience_s=3)
    assert refused.value.extra["retry_after"] == 10
    assert refused.value.status_code == 429


def test_leaves_the_burst_to_those_who_are_waited_for() -> None:
    budget = _budget(per_second=0.1, burst=3)
    assert _takes(budget, CallClass.SPARE, 3) == 1
    assert _takes(budget, CallClass.URGENT, 3) == 2


def test_stops_the_lower_classes_first_as_the_day_runs_out() -> None:
    budget = _budget(per_day=100)
    classes = (CallClass.SPARE, CallClass.USUAL, CallClass.URGENT)
    taken = [_takes(budget, each, 200, patience_s=1) for each in classes]
    assert taken == [70, 20, 10]


@time_machine.travel("2026-11-25T23:59:00Z", tick=False)
def test_says_that_the_day_is_over_and_begins_the_next_anew() -> None:
    budget = _budget(per_day=1)
    budget.take(CallClass.URGENT, patience_s=0)
    with pytest.raises(BudgetExhausted, match="today are used up") as refused:
        budget.take(CallClass.URGENT, patience_s=0)
    assert refused.value.extra["retry_after"] == 60
    with time_machine.travel("2026-11-26T00:00:01Z", tick=False):
        assert budget.take(CallClass.URGENT, patience_s=0).left == 0


def test_counts_on_from_the_ledger_where_redis_was_emptied() -> None:
    book = Book(used=7)
    budget = _budget(per_day=10, ledger=book)
    assert budget.take(CallClass.URGENT, patience_s=0).left == 2
    client().flushdb()
    assert budget.take(CallClass.URGENT, patience_s=0).left == 1
    assert book.used == 9


def test_gives_no_more_than_there_is_to_many_at_once() -> None:
    budget = _budget(per_day=50)
    with ThreadPoolExecutor(8) as pool:
        taken = pool.map(lambda _: _takes(budget, CallClass.URGENT, 20), range(8))
    assert sum(taken) == 50


def test_refuses_politely_while_redis_is_away() -> None:
    with override_settings(REDIS_URL="redis://127.0.0.1:1"), pytest.raises(BudgetExhausted, match="counted") as refused:
        _budget().take(CallClass.URGENT, patience_s=0)
    assert refused.value.extra["retry_after"] == 5
