"""Deadlines without a timer per connection.

Every kind of waiting has one duration, so the connection that began to wait first is the next to
run out: a queue per kind, in order of beginning, and only its head is ever looked at. Times are
monotonic nanoseconds, given by the caller; nothing here looks at a clock.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Protocol


@enum.unique
class Wait(enum.IntEnum):
    """The kinds of waiting."""

    KEEP_ALIVE = 0
    HEADER = 1
    BODY = 2
    SEND = 3
    LINGER = 4


class Waiter(Protocol):
    """What can wait: remembers its kind (-1 for none) and since when."""

    waits: int
    waits_since_ns: int


class Deadlines:
    """Who waits for what, and until when.

    seconds: the duration of each kind; 0 or less = without end.
    """

    def __init__(self, seconds: Mapping[Wait, float]) -> None:
        self._queues: list[OrderedDict[Any, None]] = [OrderedDict() for _ in Wait]
        self._durations_ns = [int(seconds[kind] * 1e9) for kind in Wait]
        # A kept connection that answers one request after another is moved in its queue only this
        # often; its time-out may come early by as much.
        self._grain_ns = [min(1_000_000_000, duration // 16) for duration in self._durations_ns]

    def begin(self, waiter: Waiter, kind: int, now_ns: int) -> None:
        """From now on `waiter` waits for `kind`; ends whatever it waited for before."""
        before = waiter.waits
        if before == kind:
            if now_ns - waiter.waits_since_ns >= self._grain_ns[kind]:
                waiter.waits_since_ns = now_ns
                self._queues[kind].move_to_end(waiter)
            return
        if before >= 0:
            del self._queues[before][waiter]
        waiter.waits = kind
        waiter.waits_since_ns = now_ns
        self._queues[kind][waiter] = None

    def restart(self, waiter: Waiter, now_ns: int) -> None:
        """There was progress: the wait of the present kind begins anew."""
        if waiter.waits >= 0:
            waiter.waits_since_ns = now_ns
            self._queues[waiter.waits].move_to_end(waiter)

    def end(self, waiter: Waiter) -> None:
        """`waiter` waits for nothing."""
        if waiter.waits >= 0:
            del self._queues[waiter.waits][waiter]
            waiter.waits = -1

    def waiting(self, kind: Wait) -> Iterator[Any]:
        """Who waits for `kind`, the longest waiting first."""
        return iter(self._queues[kind])

    def expired(self, now_ns: int) -> list[tuple[Any, Wait]]:
        """Who has waited too long; they wait for nothing afterwards."""
        found: list[tuple[Any, Wait]] = []
        for kind in Wait:
            duration_ns = self._durations_ns[kind]
            if duration_ns <= 0:
                continue
            queue = self._queues[kind]
            while queue:
                waiter = next(iter(queue))
                if waiter.waits_since_ns + duration_ns > now_ns:
                    break
                del queue[waiter]
                waiter.waits = -1
                found.append((waiter, kind))
        return found

    def shorten(self, kind: Wait, seconds: float) -> None:
        """Waits of this kind last at most this long from now on."""
        duration_ns = int(seconds * 1e9)
        if self._durations_ns[kind] <= 0 or duration_ns < self._durations_ns[kind]:
            self._durations_ns[kind] = duration_ns
            self._grain_ns[kind] = min(self._grain_ns[kind], duration_ns // 16)

    def next_seconds(self, now_ns: int, at_most: float) -> float:
        """How long nothing can run out, at most `at_most` seconds."""
        nearest_ns = int(at_most * 1e9)
        for kind in Wait:
            queue = self._queues[kind]
            if queue and self._durations_ns[kind] > 0:
                left_ns = next(iter(queue)).waits_since_ns + self._durations_ns[kind] - now_ns
                nearest_ns = min(nearest_ns, left_ns)
        return max(nearest_ns, 0) / 1e9
