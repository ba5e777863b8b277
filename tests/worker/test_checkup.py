"""The application's own health check, called beside the requests."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import pytest

from canter.worker.checkup import CheckPlan, Checkup, Verdict
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OFTEN = CheckPlan(interval_seconds=0.01, timeout_seconds=30)
LOG = logging.getLogger("test.checkup")


@pytest.fixture
def begin() -> Iterator[Callable[..., Checkup]]:
    begun: list[Checkup] = []

    def make(check: Callable[[], object], plan: CheckPlan = OFTEN) -> Checkup:
        checkup = Checkup(check, plan, LOG)
        begun.append(checkup)
        checkup.start()
        return checkup

    yield make
    for checkup in begun:
        checkup.stop()


def becomes(checkup: Checkup, verdict: Verdict) -> None:
    eventually(lambda: checkup.look() is verdict, f"it {verdict.name}")


def test_before_the_first_call_has_ended_nothing_is_known_and_nothing_good_is_said(begin):
    told = threading.Event()
    checkup = begin(told.wait)
    assert checkup.verdict() is Verdict.PENDING
    assert not checkup.verdict().is_good
    told.set()
    becomes(checkup, Verdict.PASSES)


@pytest.mark.parametrize("answer", [None, True, "fine", 0])
def test_whatever_it_returns_is_good_but_false(begin, answer):
    becomes(begin(lambda: answer), Verdict.PASSES)


def test_it_fails_by_an_exception_or_by_false_and_says_so_once(begin, caplog):
    state: dict[str, object] = {"calls": 0}

    def check() -> object:
        state["calls"] += 1  # type: ignore[operator]
        if "raises" in state:
            raise SystemExit("no database")
        return state.get("answer")

    caplog.set_level(logging.INFO, LOG.name)
    checkup = begin(check)
    becomes(checkup, Verdict.PASSES)
    state["answer"] = False
    becomes(checkup, Verdict.FAILS)
    called = state["calls"]
    eventually(lambda: state["calls"] > called + 3, "it is called again")  # type: ignore[operator]
    del state["answer"]
    becomes(checkup, Verdict.PASSES)
    state["raises"] = True
    becomes(checkup, Verdict.FAILS)
    assert [record.getMessage() for record in caplog.records] == [
        "the application's health check fails: it said False",
        "the application's health check passes again",
        "the application's health check fails: SystemExit: no database",
    ]


def test_one_that_hangs_says_so_and_is_not_called_again_until_it_has_ended(begin, caplog):
    told, calls = threading.Event(), []

    def check() -> None:
        calls.append(1)
        told.wait()

    caplog.set_level(logging.INFO, LOG.name)
    checkup = begin(check, CheckPlan(interval_seconds=0.01, timeout_seconds=0.05))
    becomes(checkup, Verdict.HANGS)
    assert checkup.look() is Verdict.HANGS
    assert len(calls) == 1
    checkup.stop()  # so that the machine's own pauses cannot look like another one
    told.set()
    becomes(checkup, Verdict.PASSES)
    eventually(lambda: len(caplog.records) == 2, "both are told")
    assert [record.getMessage() for record in caplog.records] == [
        "the application's health check hangs: it takes over 0.05 s",
        "the application's health check passes again",
    ]
