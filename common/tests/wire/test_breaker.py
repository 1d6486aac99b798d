"""A provider that fails again and again is left alone, longer each time, until one trial finds it back."""

import time

from django.test import override_settings

from common.wire import Breaker


def _breaker() -> Breaker:
    return Breaker(key="test", threshold=2, pause_s=0.2, longest_s=0.5, trial_s=0.3)


def test_opens_after_failures_in_a_row_only() -> None:
    breaker = _breaker()
    for _ in range(3):
        breaker.note_failure()
        breaker.note_success()
    assert breaker.admit() == 0
    breaker.note_failure()
    breaker.note_failure()
    assert 0 < breaker.admit() <= 0.2


def test_lets_one_at_a_time_try_whether_it_is_back() -> None:
    breaker = _breaker()
    breaker.note_failure()
    breaker.note_failure()
    time.sleep(0.25)
    assert breaker.admit() == 0
    assert 0 < breaker.admit() <= 0.3
    breaker.note_success()
    assert breaker.admit() == 0


def test_waits_longer_after_each_trial_that_failed() -> None:
    breaker = _breaker()
    for _ in range(3):
        breaker.note_failure()
    assert 0.2 < breaker.admit() <= 0.4
    breaker.note_failure()
    assert 0.4 < breaker.admit() <= 0.5


def test_gives_up_a_trial_whose_process_died() -> None:
    breaker = _breaker()
    breaker.note_failure()
    breaker.note_failure()
    time.sleep(0.25)
    assert breaker.admit() == 0
    time.sleep(0.35)
    assert breaker.admit() == 0


def test_is_closed_while_redis_is_away() -> None:
    with override_settings(REDIS_URL="redis://127.0.0.1:1"):
        breaker = _breaker()
        breaker.note_failure()
        breaker.note_success()
        assert breaker.admit() == 0
