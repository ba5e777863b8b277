"""Deadlines without a timer per connection.

Every kind of waiting has one duration, so the connection that began to wait first is the next to
run out: a queue per kind, in order of beginning, and only its head is ever looked at. Times are
monotonic nanoseconds, given by the caller; nothing here looks at a clock.
"""

from __future__ import annotations

import enum
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
    """What can wait: remembers its kind (-1 for none), since when, and who is before and behind it.

    A queue is made of those who wait in it: it takes no memory of its own for each, and whoever
    leaves is found at once.
    """

    waits: int
    waits_since_ns: int
    earlier: Any
    later: Any


class _Queue:
    """The two ends of a queue: `later` is the first that waits, `earlier` the last."""

    __slots__ = ("earlier", "later")

    def __init__(self) -> None:
        self.earlier: Any = self
        self.later: Any = self

    def append(self, waiter: Waiter) -> None:
        """Put it behind all others."""
        last = self.earlier
        waiter.earlier = last
        waiter.later = self
        last.later = waiter
        self.earlier = waiter


def _take_out(waiter: Waiter) -> None:
    earlier = waiter.earlier
    later = waiter.later
    earlier.later = later
    later.earlier = earlier
    waiter.earlier = None
    waiter.later = None


class Deadlines:
    """Who waits for what, and until when.

    seconds: the duration of each kind; 0 or less = without end.
    """

    def __init__(self, seconds: Mapping[Wait, float]) -> None:
        self._queues = [_Queue() for _ in Wait]
        self._counts = [0 for _ in Wait]
        self._durations_ns = [int(seconds[kind] * 1e9) for kind in Wait]
        # A kept connection that answers one request after another is moved in its queue only this
        # often; its time-out may come early by as much.
        self._grain_ns = [min(1_000_000_000, duration // 16) for duration in self._durations_ns]

    def grain_ns(self, kind: int) -> int:
        """How long `begin` changes nothing for who waits for this kind already."""
        return self._grain_ns[kind]

    def begin(self, waiter: Waiter, kind: int, now_ns: int) -> None:
        """From now on `waiter` waits for `kind`; ends whatever it waited for before."""
        before = waiter.waits
        if before == kind and now_ns - waiter.waits_since_ns < self._grain_ns[kind]:
            return
        if before >= 0:
            _take_out(waiter)
            self._counts[before] -= 1
        waiter.waits = kind
        waiter.waits_since_ns = now_ns
        self._queues[kind].append(waiter)
        self._counts[kind] += 1

    def restart(self, waiter: Waiter, now_ns: int) -> None:
        """There was progress: the wait of the present kind begins anew."""
        kind = waiter.waits
        if kind >= 0:
            waiter.waits_since_ns = now_ns
            _take_out(waiter)
            self._queues[kind].append(waiter)

    def end(self, waiter: Waiter) -> None:
        """`waiter` waits for nothing."""
        kind = waiter.waits
        if kind >= 0:
            _take_out(waiter)
            self._counts[kind] -= 1
            waiter.waits = -1

    def waiting(self, kind: Wait) -> Iterator[Any]:
        """Who waits for `kind`, the longest waiting first; nobody may begin or end meanwhile."""
        queue = self._queues[kind]
        waiter = queue.later
        while waiter is not queue:
            yield waiter
            waiter = waiter.later

    def count(self, kind: Wait) -> int:
        """How many wait for `kind`; one that went on to a quick request may still be among them."""
        return self._counts[kind]

    def expired(self, now_ns: int) -> list[tuple[Any, Wait]]:
        """Who has waited too long; they wait for nothing afterwards."""
        found: list[tuple[Any, Wait]] = []
        for kind in Wait:
            duration_ns = self._durations_ns[kind]
            if duration_ns <= 0:
                continue
            queue = self._queues[kind]
            while (waiter := queue.later) is not queue:
                if waiter.waits_since_ns + duration_ns > now_ns:
                    break
                self.end(waiter)
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
            first = queue.later
            if first is not queue and self._durations_ns[kind] > 0:
                left_ns = first.waits_since_ns + self._durations_ns[kind] - now_ns
                nearest_ns = min(nearest_ns, left_ns)
        return max(nearest_ns, 0) / 1e9
