"""When to try again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.supervisor.backoff import (
    FORGIVEN_AFTER_SECONDS,
    LONGEST_DELAY_SECONDS,
    Backoff,
    delay_seconds,
)


def test_the_first_failure_is_answered_at_once_and_the_next_wait_longer_each():
    delays = [delay_seconds(failures, 0.5) for failures in range(1, 8)]
    assert delays == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_no_delay_is_longer_than_the_longest_and_its_jitter(failures: int, jitter: float):
    assert 0 <= delay_seconds(failures, jitter) <= LONGEST_DELAY_SECONDS * 1.5


@pytest.mark.parametrize(("jitter", "delay"), [(0.0, 2.0), (0.5, 4.0), (1.0, 6.0)])
def test_jitter_moves_a_delay_by_half(jitter: float, delay: float):
    assert delay_seconds(5, jitter) == delay


def test_failures_in_a_row_add_up_and_say_when_the_next_try_is_due():
    backoff = Backoff()
    backoff.note_failure(100.0, 0.5)
    assert backoff.retry_at == 100.0
    assert not backoff.is_looping
    backoff.note_failure(100.0, 0.5)
    assert backoff.retry_at == 100.5
    assert backoff.is_looping


def test_a_useful_life_forgets_all_failures():
    backoff = Backoff()
    for _ in range(5):
        backoff.note_failure(100.0, 0.5)
    backoff.note_useful_life()
    assert not backoff.is_looping
    backoff.note_failure(101.0, 0.5)
    assert backoff.retry_at == 101.0


def test_a_quiet_time_after_the_last_try_forgets_failures():
    backoff = Backoff()
    for _ in range(10):
        backoff.note_failure(100.0, 0.5)
    backoff.note_failure(backoff.retry_at + FORGIVEN_AFTER_SECONDS - 1, 0.5)
    assert backoff.failures == 11
    backoff.note_failure(backoff.retry_at + FORGIVEN_AFTER_SECONDS + 1, 0.5)
    assert backoff.failures == 1
