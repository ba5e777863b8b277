"""Sentences about deaths and failures."""

from __future__ import annotations

from canter.supervisor.actions import Reason
from canter.supervisor.reports import (
    Death,
    describe_failure,
    describe_live,
    describe_loop,
    is_clean,
    summarise,
)
from canter.supervisor.roster import Failure, Generation, Leave
from tests.supervisor.worlds import PLAN


def test_only_what_was_asked_for_is_an_ordinary_end():
    leave = Leave(Reason.RETIRED, 0.0)
    assert is_clean(leave, Death())
    assert not is_clean(leave, Death(signal="SIGSEGV"))
    assert not is_clean(None, Death())
    assert is_clean(Leave(Reason.HURRIED, 0.0), Death(signal="SIGQUIT"))
    assert is_clean(Leave(Reason.FAILED, 0.0), Death(exit_status=3))


def test_a_failure_is_told_once_and_not_again_by_its_traceback():
    failure = Failure(
        3, "cannot import 'x': ValueError: odd", "Traceback:\n  ...\nValueError: odd\n"
    )
    assert summarise(failure) == "cannot import 'x'"
    assert describe_failure(failure) == "cannot import 'x'\nTraceback:\n  ...\nValueError: odd"


def test_a_failure_without_a_traceback_is_its_message():
    failure = Failure(4, "'x' has no 'app'")
    assert summarise(failure) == describe_failure(failure) == "'x' has no 'app'"


def test_a_loop_of_failures_is_one_line_with_the_next_try():
    generation = Generation(3, PLAN, 2)
    for _ in range(3):
        generation.backoff.note_failure(100.0, 0.5)
    text = describe_loop(generation, Failure(3, "no database", "Traceback"), 100.25)
    assert text == (
        "workers keep failing (3 times in a row): no database; the next try is in 0.8 s"
    )


def test_a_promotion_names_the_workers():
    generation = Generation(3, PLAN, 2)
    text = describe_live(generation, [11, 12], 0.456)
    assert text == "generation 3 serves: workers 11, 12 (0.46 s)"
    assert "worker 11 " in describe_live(generation, [11], 0.1)
