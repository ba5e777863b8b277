"""What becomes of requests that wait for a thread for too long, or that are too many.

They are answered 503 with Retry-After: whoever is served is served in time, and a burst that cannot
be served does not hold up those who come after it. The oldest that waits is served first; what is
too much is turned away as it comes, the youngest first. Everything here is called by the leader.
"""

from __future__ import annotations

import time

from canter.engine.contract import EngineConfig
from canter.engine.threaded.loop import Loop


class WaitingRoom:
    """Looks after `ready` while every application thread is busy."""

    def __init__(self, loop: Loop, config: EngineConfig) -> None:
        self._loop = loop
        self._timeout_ns = int(config.queue_timeout_seconds * 1e9)
        self._most = config.max_queue

    def tend(self) -> None:
        """Turn away whoever has waited for too long, or is too much."""
        if self._most:
            self._make_room(self._most)
        if self._timeout_ns:
            self._end_waits(self._timeout_ns)

    def _make_room(self, most: int) -> None:
        ready = self._loop.ready
        while len(ready) > most:
            try:
                connection = ready.pop()
            except IndexError:  # the threads were quicker
                return
            self._loop.shed(connection, f"more than {most} requests wait")

    def _end_waits(self, timeout_ns: int) -> None:
        ready = self._loop.ready
        now_ns = time.monotonic_ns()
        while ready:
            try:
                connection = ready[0]
                left_ns = connection.ready_ns + timeout_ns - now_ns
                if left_ns > 0:
                    self._loop.hurry(left_ns / 1e9)
                    return
                ready.remove(connection)
            except (IndexError, ValueError):  # a thread has taken it
                continue
            self._loop.shed(connection, _TOO_LATE)


_TOO_LATE = "a request waited for a thread until its time was over"
