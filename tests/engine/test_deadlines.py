"""Deadlines against a simple model; time is whatever the caller says it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from canter.engine.deadlines import Deadlines, Wait

SECOND = 1_000_000_000
DURATIONS = {
    Wait.KEEP_ALIVE: 75.0,
    Wait.HEADER: 10.0,
    Wait.BODY: 0.5,
    Wait.SEND: 0.0,
    Wait.LINGER: 2.0,
}
GRAIN_NS = SECOND


@dataclass(eq=False)
class Waiting:
    """Somebody who can wait."""

    name: int = 0
    waits: int = -1
    waits_since_ns: int = 0
    earlier: Any = field(default=None, repr=False)
    later: Any = field(default=None, repr=False)


def make(**seconds: float) -> Deadlines:
    return Deadlines(DURATIONS | {Wait[name]: value for name, value in seconds.items()})


def test_who_waits_too_long_is_told_once():
    deadlines, who = make(), Waiting()
    deadlines.begin(who, Wait.BODY, 0)
    assert deadlines.expired(SECOND // 2 - 1) == []
    assert deadlines.expired(SECOND // 2) == [(who, Wait.BODY)]
    assert who.waits == -1
    assert deadlines.expired(9 * SECOND) == []


def test_progress_begins_the_wait_anew():
    deadlines, who = make(), Waiting()
    deadlines.begin(who, Wait.HEADER, 0)
    deadlines.restart(who, 9 * SECOND)
    assert deadlines.expired(18 * SECOND) == []
    assert deadlines.expired(19 * SECOND) == [(who, Wait.HEADER)]


def test_another_kind_of_wait_ends_the_one_before():
    deadlines, who = make(), Waiting()
    deadlines.begin(who, Wait.BODY, 0)
    deadlines.begin(who, Wait.LINGER, 0)
    assert deadlines.expired(SECOND) == []
    assert deadlines.expired(2 * SECOND) == [(who, Wait.LINGER)]


def test_who_stopped_waiting_is_not_told():
    deadlines, who = make(), Waiting()
    deadlines.begin(who, Wait.BODY, 0)
    deadlines.end(who)
    deadlines.end(who)
    deadlines.restart(who, 5)
    assert deadlines.expired(SECOND) == []


def test_a_duration_of_nought_is_without_end():
    deadlines, who = make(), Waiting()
    deadlines.begin(who, Wait.SEND, 0)
    assert deadlines.expired(10**6 * SECOND) == []
    assert deadlines.next_seconds(0, 3.0) == 3.0


def test_the_next_look_is_when_the_first_runs_out():
    deadlines, one, two = make(), Waiting(), Waiting()
    deadlines.begin(one, Wait.HEADER, 0)
    deadlines.begin(two, Wait.LINGER, SECOND)
    assert deadlines.next_seconds(SECOND, 60.0) == pytest.approx(2.0)
    deadlines.end(two)
    assert deadlines.next_seconds(SECOND, 60.0) == pytest.approx(9.0)
    assert deadlines.next_seconds(SECOND, 4.0) == pytest.approx(4.0)
    assert deadlines.next_seconds(99 * SECOND, 4.0) == 0.0


def test_shortening_counts_for_those_who_wait_already():
    deadlines, who = make(), Waiting()
    deadlines.begin(who, Wait.KEEP_ALIVE, 0)
    deadlines.shorten(Wait.KEEP_ALIVE, 1.0)
    assert deadlines.expired(SECOND) == [(who, Wait.KEEP_ALIVE)]


def test_shortening_never_makes_longer_but_bounds_what_had_no_end():
    deadlines, who = make(), Waiting()
    deadlines.shorten(Wait.BODY, 60.0)
    deadlines.begin(who, Wait.BODY, 0)
    assert deadlines.expired(SECOND) == [(who, Wait.BODY)]
    deadlines.shorten(Wait.SEND, 3.0)
    deadlines.begin(who, Wait.SEND, 0)
    assert deadlines.expired(3 * SECOND) == [(who, Wait.SEND)]


@given(st.lists(st.integers(0, 3 * SECOND), min_size=1, max_size=40))
def test_a_kept_connection_in_use_runs_out_at_most_a_grain_early_and_never_late(pauses):
    """One that answers request after request is not moved in its queue each time."""
    deadlines, who = make(), Waiting()
    now = 0
    for pause in pauses:
        now += pause
        deadlines.begin(who, Wait.KEEP_ALIVE, now)
    assert deadlines.expired(now + 75 * SECOND - GRAIN_NS) == []
    assert deadlines.expired(now + 75 * SECOND) == [(who, Wait.KEEP_ALIVE)]


class Model(RuleBasedStateMachine):
    """The same by looking at everybody."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.durations = dict(DURATIONS)
        self.deadlines = make()
        self.everybody: list[Waiting] = []
        # Who waits for what, and the moments between which the wait began.
        self.expected: dict[Waiting, tuple[Wait, int, int]] = {}

    @initialize(count=st.integers(1, 6))
    def people(self, count: int) -> None:
        self.everybody = [Waiting(name) for name in range(count)]

    def some(self, number: int) -> Waiting:
        return self.everybody[number % len(self.everybody)]

    @rule(passed=st.integers(0, 20 * SECOND))
    def time_passes(self, passed: int) -> None:
        self.now += passed

    @rule(number=st.integers(0, 5), kind=st.sampled_from(Wait))
    def begin(self, number: int, kind: Wait) -> None:
        who = self.some(number)
        before = self.expected.get(who)
        earliest = before[1] if before and before[0] is kind else self.now
        self.deadlines.begin(who, kind, self.now)
        self.expected[who] = (kind, max(earliest, self.now - GRAIN_NS), self.now)

    @rule(number=st.integers(0, 5))
    def restart(self, number: int) -> None:
        who = self.some(number)
        self.deadlines.restart(who, self.now)
        if who in self.expected:
            self.expected[who] = (self.expected[who][0], self.now, self.now)

    @rule(number=st.integers(0, 5))
    def end(self, number: int) -> None:
        self.deadlines.end(self.some(number))
        self.expected.pop(self.some(number), None)

    @rule(kind=st.sampled_from(Wait), seconds=st.floats(0.1, 100))
    def shorten(self, kind: Wait, seconds: float) -> None:
        self.deadlines.shorten(kind, seconds)
        if self.durations[kind] <= 0 or seconds < self.durations[kind]:
            self.durations[kind] = seconds

    @rule()
    def expire(self) -> None:
        told = self.deadlines.expired(self.now)
        assert len({id(who) for who, _ in told}) == len(told)
        for who, kind in told:
            expected, earliest, _ = self.expected.pop(who)
            assert expected is kind
            assert earliest + int(self.durations[kind] * 1e9) <= self.now
        for kind, _, latest in self.expected.values():
            duration = int(self.durations[kind] * 1e9)
            assert duration <= 0 or latest + duration > self.now

    @invariant()
    def who_waits_knows_it(self) -> None:
        for who in self.everybody:
            expected = self.expected.get(who)
            assert who.waits == (expected[0] if expected else -1)

    @invariant()
    def nothing_runs_out_before_the_next_look(self) -> None:
        seconds = self.deadlines.next_seconds(self.now, 1000.0)
        assert 0 <= seconds <= 1000
        for kind, _, latest in self.expected.values():
            if self.durations[kind] > 0:
                assert (
                    seconds <= max(latest / 1e9 + self.durations[kind] - self.now / 1e9, 0) + 1e-6
                )


TestDeadlinesAgainstTheModel = Model.TestCase
