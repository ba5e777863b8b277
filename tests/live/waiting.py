"""Waiting for a condition with a deadline: the only way in which a live test passes time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

PAUSE_SECONDS = 0.01
"""Between two looks; it bounds the cost of waiting, nothing depends on it."""


def until(moment: float) -> None:
    """Let time pass up to `moment` (monotonic), where time itself is what a test is about."""
    eventually(lambda: time.monotonic() >= moment, "time passes", moment - time.monotonic() + 5)


def eventually(condition: Callable[[], Result], what: str, within_seconds: float = 15.0) -> Result:
    """The first true value of `condition()`; AssertionError saying `what` did not come in time."""
    deadline = time.monotonic() + within_seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_seconds} s: {what}; last seen: {result!r}")
        time.sleep(PAUSE_SECONDS)
