"""Inline or handed over: durations in, decisions out; time is what the test says it is."""

from __future__ import annotations

import random

import pytest

from canter.engine.tempo import BLOCKED_NS, SLOW_NS, Pace, Tempo

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
QUICK_NS = 50_000
SAMPLED_EVERY = 16
START_NS = 1000 * SECOND


def tempo_of(pace: Pace) -> Tempo:
    """How calls are made now; asked anew each time, which type checkers do not expect."""
    return pace.tempo


class Calls:
    """A worker's calls, noted as its crew notes them: the slow ones, and a sample of all."""

    def __init__(self, threads: int = 4) -> None:
        self.pace = Pace(threads)
        self.now_ns = START_NS
        self.calls = 0
        self.inline = 0
        self.turns = 0

    def make(self, duration_ns: int, *, waited: bool = False) -> None:
        """One call, made as the pace says."""
        before = self.pace.tempo
        self.calls += 1
        if self.pace.may_inline(self.now_ns):
            self.inline += 1
            self.now_ns += duration_ns
            if duration_ns >= SLOW_NS or self.calls % SAMPLED_EVERY == 0:
                self.pace.note_inline(
                    duration_ns,
                    waited=waited,
                    now_ns=self.now_ns,
                    stands_for=1 if duration_ns >= SLOW_NS else SAMPLED_EVERY,
                )
        else:
            self.now_ns += duration_ns
        self.turns += (before is Tempo.EAGER) != (self.pace.tempo is Tempo.EAGER)

    def many(self, count: int, duration_ns: int, *, waited: bool = False) -> None:
        for _ in range(count):
            self.make(duration_ns, waited=waited)


def test_a_quick_application_is_called_inline():
    calls = Calls()
    calls.many(10_000, QUICK_NS)
    assert calls.inline == 10_000
    assert tempo_of(calls.pace) is Tempo.INLINE


def test_a_slow_application_is_soon_called_by_other_threads():
    calls = Calls()
    calls.many(20, 10 * MILLISECOND)
    assert tempo_of(calls.pace) is Tempo.EAGER
    assert calls.inline < 15


def test_one_very_slow_call_among_a_thousand_changes_nothing():
    calls = Calls()
    for _ in range(50):
        calls.many(999, QUICK_NS)
        calls.make(5 * SECOND, waited=True)
    assert tempo_of(calls.pace) is Tempo.INLINE
    assert calls.turns == 0


def test_quick_calls_that_a_busy_machine_makes_to_wait_change_nothing():
    """A page of 0.25 ms, of which every fortieth takes longer than a millisecond."""
    calls = Calls()
    for _ in range(2000):
        calls.many(39, 5 * QUICK_NS)
        calls.make(3 * MILLISECOND // 2)
    assert tempo_of(calls.pace) is Tempo.INLINE
    assert calls.turns == 0


def test_nor_do_they_spoil_a_trial():
    calls = Calls()
    calls.many(100, 10 * MILLISECOND)
    assert tempo_of(calls.pace) is Tempo.EAGER
    until_ns = calls.now_ns + 20 * SECOND
    while calls.now_ns < until_ns:
        calls.many(39, 5 * QUICK_NS)
        calls.make(3 * MILLISECOND // 2)
    assert tempo_of(calls.pace) is Tempo.INLINE
    assert calls.turns == 2


def test_some_sleeping_calls_among_few_quick_ones_are_called_by_other_threads():
    """Every twentieth sleeps: each holds the loop as long as ten of the others do."""
    calls = Calls()
    for _ in range(200):
        calls.many(19, 2 * QUICK_NS)
        calls.make(200 * MILLISECOND, waited=True)
    assert tempo_of(calls.pace) is Tempo.EAGER


def test_a_few_slow_calls_in_a_row_change_nothing():
    calls = Calls()
    calls.many(1000, QUICK_NS)
    calls.many(5, 100 * MILLISECOND)
    assert tempo_of(calls.pace) is Tempo.INLINE


def test_short_calls_that_wait_for_something_are_worth_another_thread():
    """A query of 0.3 ms to a database: each is quick, but the processor idles meanwhile."""
    calls = Calls(threads=4)
    calls.many(2000, 2 * BLOCKED_NS, waited=True)
    assert tempo_of(calls.pace) is Tempo.EAGER


def test_with_one_thread_waiting_frees_nobody():
    calls = Calls(threads=1)
    calls.many(2000, 2 * BLOCKED_NS, waited=True)
    assert tempo_of(calls.pace) is Tempo.INLINE


def test_short_calls_that_only_compute_stay_inline():
    calls = Calls(threads=4)
    calls.many(2000, 2 * BLOCKED_NS, waited=False)
    assert tempo_of(calls.pace) is Tempo.INLINE


def test_very_short_waits_stay_inline():
    calls = Calls(threads=4)
    calls.many(2000, BLOCKED_NS // 2, waited=True)
    assert tempo_of(calls.pace) is Tempo.INLINE


def test_a_slow_application_is_tried_again_from_time_to_time_and_seldom():
    calls = Calls()
    calls.many(3000, 100 * MILLISECOND)
    assert tempo_of(calls.pace) is not Tempo.INLINE
    assert 3 < calls.inline - 12 < 120, "five minutes: a trial each 16 s, some calls each"


def test_trials_come_less_and_less_often():
    calls = Calls()
    pauses: list[int] = []
    last_ns: int | None = None
    while len(pauses) < 12:
        before = tempo_of(calls.pace)
        calls.make(50 * MILLISECOND)
        if before is not Tempo.PROBING and tempo_of(calls.pace) is Tempo.PROBING:
            if last_ns is not None:
                pauses.append(calls.now_ns - last_ns)
            last_ns = calls.now_ns
    assert pauses == sorted(pauses) or max(pauses) < 18 * SECOND
    assert pauses[0] < 4 * SECOND
    assert 15 * SECOND < pauses[-1] < 18 * SECOND


def test_an_application_that_has_become_quick_is_called_inline_again():
    calls = Calls()
    calls.many(1000, 100 * MILLISECOND)
    assert tempo_of(calls.pace) is not Tempo.INLINE
    until_ns = calls.now_ns + 20 * SECOND
    while calls.now_ns < until_ns:
        calls.make(SLOW_NS // 2)
    assert tempo_of(calls.pace) is Tempo.INLINE


def test_a_call_left_over_from_before_does_not_spoil_a_trial():
    pace = Pace(4)
    for _ in range(40):
        pace.note_inline(10 * MILLISECOND, waited=True, now_ns=START_NS)
    assert tempo_of(pace) is Tempo.EAGER
    assert pace.may_inline(START_NS + 3 * SECOND)
    pace.note_inline(10 * MILLISECOND, waited=True, now_ns=START_NS + 3 * SECOND)
    assert tempo_of(pace) is Tempo.PROBING
    for _ in range(20):
        pace.note_inline(QUICK_NS, waited=False, now_ns=START_NS + 3 * SECOND)
    assert tempo_of(pace) is Tempo.INLINE


def test_a_trial_ends_after_a_few_slow_calls():
    pace = Pace(4)
    for _ in range(40):
        pace.note_inline(10 * MILLISECOND, waited=True, now_ns=START_NS)
    assert pace.may_inline(START_NS + 3 * SECOND)
    for _ in range(5):
        pace.note_inline(10 * MILLISECOND, waited=True, now_ns=START_NS + 3 * SECOND)
    assert tempo_of(pace) is Tempo.EAGER
    assert not pace.may_inline(START_NS + 4 * SECOND)


@pytest.mark.parametrize("slow_share", [0.001, 0.01, 0.5, 0.9, 1.0])
def test_no_mixture_flaps(slow_share):
    """Three minutes of a mixture; each turn costs little, but only while turns are seldom."""
    chance = random.Random(7)
    calls = Calls()
    while calls.now_ns < START_NS + 180 * SECOND:
        slow = chance.random() < slow_share
        calls.make((20 if slow else 1) * MILLISECOND - QUICK_NS, waited=slow)
    assert calls.turns <= 45, "at most one trial each 16 s, there and back, once settled"


def test_what_was_learned_is_forgotten_when_an_inline_spell_lasted():
    """After a long quick spell the first doubts are cheap again: trials begin at a second."""
    calls = Calls()
    calls.many(2000, 100 * MILLISECOND)
    until_ns = calls.now_ns + 60 * SECOND
    while calls.now_ns < until_ns:
        calls.make(SLOW_NS // 2)
    assert tempo_of(calls.pace) is Tempo.INLINE
    while tempo_of(calls.pace) is Tempo.INLINE:
        calls.make(100 * MILLISECOND)
    assert not calls.pace.may_inline(calls.now_ns)
    assert calls.pace.may_inline(calls.now_ns + 2 * SECOND)
