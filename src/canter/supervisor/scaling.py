"""How many workers there should be, where a range is given (`--workers 2-8`).

More when requests have to wait, or nearly every thread is busy, for a while; fewer when one worker
less would still be at leisure, for a longer while. Between the two lies a wide gap, and after each
change the time counts anew: so it does not flap.

Pure: what the scoreboard counts and the time come from the caller. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GROW_AFTER_SECONDS = 1.0
SHRINK_AFTER_SECONDS = 15.0
SAMPLE_SECONDS = 0.4
BUSY_SHARE = 0.9
"""Of all threads: from here on the next request may have to wait."""
IDLE_SHARE = 0.5
"""Of the threads that would be left: below it one worker less is enough."""


@dataclass(frozen=True, slots=True)
class Span:
    """The bounds, both included."""

    fewest: int
    most: int


@dataclass(frozen=True, slots=True)
class Load:
    """One serving worker: the time its threads have spent in calls, and the requests that wait."""

    busy_seconds: float
    queued: int


class Scaler:
    """The judge of one generation."""

    def __init__(self, span: Span, threads: int) -> None:
        self._span = span
        self._threads = threads
        self._seen: dict[int, float] = {}
        self._seen_at: float | None = None
        self._pressed_since: float | None = None
        self._idle_since: float | None = None

    def is_due(self, now: float) -> bool:
        """Whether it is time for another look."""
        return self._seen_at is None or now - self._seen_at >= SAMPLE_SECONDS

    def judge(self, now: float, wanted: int, loads: Mapping[int, Load]) -> int:
        """By how much the number of workers should change: 1, -1, or 0.

        loads: of the serving workers, by process number.
        """
        before, at = self._seen, self._seen_at
        if not self.is_due(now):
            return 0
        self._seen = {pid: load.busy_seconds for pid, load in loads.items()}
        self._seen_at = now
        if at is None or len(loads) != wanted:
            # Somebody boots or leaves: what is seen now says little of what will be.
            self._pressed_since = self._idle_since = None
            return 0
        gone_by = now - at
        used = sum(
            min(max(busy - before.get(pid, busy), 0.0) / gone_by, self._threads)
            for pid, busy in self._seen.items()
        )
        queued = sum(load.queued for load in loads.values())
        return self._follow(now, wanted, used, queued)

    def _follow(self, now: float, wanted: int, used: float, queued: int) -> int:
        is_pressed = bool(queued) or used >= BUSY_SHARE * wanted * self._threads
        is_idle = not queued and used <= IDLE_SHARE * (wanted - 1) * self._threads
        self._pressed_since = _since(self._pressed_since, now) if is_pressed else None
        self._idle_since = _since(self._idle_since, now) if is_idle else None
        change = 0
        if wanted < self._span.most and _lasted(self._pressed_since, now, GROW_AFTER_SECONDS):
            change = 1
        elif wanted > self._span.fewest and _lasted(self._idle_since, now, SHRINK_AFTER_SECONDS):
            change = -1
        if change:
            self._pressed_since = self._idle_since = None
        return change


def _since(before: float | None, now: float) -> float:
    return now if before is None else before


def _lasted(since: float | None, now: float, seconds: float) -> bool:
    return since is not None and now - since >= seconds
