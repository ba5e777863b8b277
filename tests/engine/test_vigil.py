"""Watching over calls: one that lasts is told by its number, also after a long silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from canter.engine.vigil import Vigil
from tests.live.waiting import until

# Longer than the watcher stays awake without anything to watch.
LONG_SILENCE = 0.1


@pytest.fixture
def vigil() -> Iterator[Vigil]:
    """A vigil, closed after the test."""
    made = Vigil()
    yield made
    made.close()


class Watcher:
    """A thread that watches once, or until it is told of a call."""

    def __init__(self, vigil: Vigil, *, stubborn: bool = False) -> None:
        self.told = -1
        self._stubborn = stubborn
        self._thread = threading.Thread(target=self._watch, args=(vigil,))
        self._thread.start()

    def _watch(self, vigil: Vigil) -> None:
        self.told = vigil.watch()
        while self._stubborn and not self.told:
            self.told = vigil.watch()

    def wait(self) -> int:
        self._thread.join(10)
        assert not self._thread.is_alive(), "the watcher sleeps"
        return self.told


def test_a_call_that_lasts_is_told_by_its_number(vigil):
    number = vigil.begin()
    assert number
    assert Watcher(vigil).wait() == number
    assert vigil.going_on(number)
    vigil.end(number)
    assert not vigil.going_on(number)


def test_who_is_woken_is_told_of_no_call(vigil):
    watcher = Watcher(vigil)
    vigil.wake()
    assert watcher.wait() == 0


def test_a_wake_up_before_the_watch_is_not_lost(vigil):
    for _ in range(100_000):
        vigil.wake()
    assert Watcher(vigil).wait() == 0


@pytest.mark.parametrize("silence", [0.0, LONG_SILENCE])
def test_a_call_is_noticed_after_any_silence(vigil, silence):
    for _ in range(5):
        watcher = Watcher(vigil, stubborn=True)
        until(time.monotonic() + silence)
        number = vigil.begin()
        assert watcher.wait() == number
        vigil.end(number)


def test_the_end_of_an_older_call_does_not_hide_a_later_one(vigil):
    older = vigil.begin()
    later = vigil.begin()
    vigil.end(older)
    assert vigil.going_on(later)
    assert Watcher(vigil).wait() == later
    vigil.end(later)


def test_numbers_are_never_used_again(vigil):
    numbers = []
    for _ in range(1000):
        numbers.append(vigil.begin())
        vigil.end(numbers[-1])
    assert len(set(numbers)) == 1000
    assert 0 not in numbers
