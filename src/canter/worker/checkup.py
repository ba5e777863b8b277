"""The application's own check of its health, called now and then in a thread of its own.

Nobody waits for it: a health check is answered with what the last call has come to, or that the
present one takes too long. A call cannot be ended; while one hangs there is no other.
"""

from __future__ import annotations

import enum
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


class Verdict(enum.IntEnum):
    """What is known of the application's health; the numbers stand on the scoreboard."""

    NOT_ASKED = 0
    PENDING = 1
    PASSES = 2
    FAILS = 3
    HANGS = 4

    @property
    def is_good(self) -> bool:
        """Whether requests should be sent here."""
        return self in {Verdict.NOT_ASKED, Verdict.PASSES}


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """How often to ask, and how long an answer may take; seconds."""

    interval_seconds: float
    timeout_seconds: float


class Checkup:
    """Calls `check`, which fails by raising something or giving False."""

    def __init__(self, check: Callable[[], object], plan: CheckPlan, log: logging.Logger) -> None:
        self._check = check
        self._plan = plan
        self._log = log
        self._last = Verdict.PENDING
        self._began: float | None = None
        self._told_of_hanging = False
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin; the first call is made at once."""
        threading.Thread(target=self._run, name="canter check", daemon=True).start()

    def stop(self) -> None:
        """Begin no other call."""
        self._ended.set()

    def verdict(self) -> Verdict:
        """What is known now. Never waits."""
        began = self._began
        if began is not None and time.monotonic() - began > self._plan.timeout_seconds:
            return Verdict.HANGS
        return self._last

    def look(self) -> Verdict:
        """The same, and one line in the log when a call begins to take too long."""
        verdict = self.verdict()
        if verdict is Verdict.HANGS and not self._told_of_hanging:
            self._told_of_hanging = True
            limit = self._plan.timeout_seconds
            self._log.error("the application's health check hangs: it takes over %g s", limit)
        return verdict

    def _run(self) -> None:
        while not self._ended.is_set():
            self._began = time.monotonic()
            problem = self._ask()
            self._note(problem)
            self._began = None
            self._ended.wait(self._plan.interval_seconds)

    def _ask(self) -> str | None:
        try:
            return "it said False" if self._check() is False else None
        except BaseException as error:  # noqa: BLE001 - whatever it raises, that is its answer
            return f"{type(error).__name__}: {error}"

    def _note(self, problem: str | None) -> None:
        hung, self._told_of_hanging = self._told_of_hanging, False
        if problem is not None:
            if self._last is not Verdict.FAILS or hung:
                self._log.error("the application's health check fails: %s", problem)
            self._last = Verdict.FAILS
        else:
            if self._last is Verdict.FAILS or hung:
                self._log.info("the application's health check passes again")
            self._last = Verdict.PASSES
