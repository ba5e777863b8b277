"""Which of many like lines are shown; time is whatever the caller says it is."""

from __future__ import annotations

from canter.observe.repeats import KINDS_LIMIT, RepeatLimiter


def test_the_first_lines_of_a_kind_are_shown_and_the_rest_counted():
    limiter = RepeatLimiter(lines=2, window_seconds=10)
    assert [limiter.admits("bad", now) for now in (0, 1, 2, 3)] == [True, True, False, False]
    assert limiter.due(9.9) == []
    assert limiter.due(10) == ["2 more like it in 10s: bad"]
    assert limiter.due(20) == []


def test_a_new_window_shows_lines_again():
    limiter = RepeatLimiter(lines=1, window_seconds=10)
    assert limiter.admits("bad", 0)
    assert not limiter.admits("bad", 1)
    limiter.due(11)
    assert limiter.admits("bad", 11)


def test_kinds_do_not_hide_each_other():
    limiter = RepeatLimiter(lines=1, window_seconds=10)
    assert limiter.admits("bad", 0)
    assert limiter.admits("slow", 0)


def test_a_quiet_window_has_nothing_to_say():
    limiter = RepeatLimiter(lines=1, window_seconds=10)
    limiter.admits("bad", 0)
    assert limiter.due(100) == []


def test_kinds_beyond_the_bound_share_one_window():
    limiter = RepeatLimiter(lines=1, window_seconds=10)
    shown = [limiter.admits(f"kind {n}", 0) for n in range(KINDS_LIMIT + 5)]
    assert shown == [True] * (KINDS_LIMIT + 1) + [False] * 4
    assert limiter.due(10) == ["4 more like it in 10s: other"]


def test_the_rest_is_said_at_the_end():
    limiter = RepeatLimiter(lines=1, window_seconds=10)
    limiter.admits("bad", 0)
    limiter.admits("bad", 1)
    assert limiter.rest(4) == ["1 more like it in 4s: bad"]
    assert limiter.rest(5) == []
