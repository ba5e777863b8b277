"""The slow-request log: where a call is at the moment when it becomes slow, not afterwards."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from canter.engine.threaded.member import Member
from canter.observe.records import shown
from canter.observe.repeats import RepeatLimiter
from canter.wsgi.exchange import Exchange

_LONGEST_NS = 1_000_000_000
_KIND = "slow request"


class SlowRequests:
    """Tells each call once that has lasted for `seconds`, with its stack.

    Time counts as for `timeout`: it stands still while the client is waited for, and begins anew
    when a part of the answer was sent. stack_of: the Python stack of who runs a call; called by
    whoever calls `look`, the leader of the engine.
    """

    def __init__(
        self,
        seconds: float,
        log: logging.Logger,
        stack_of: Callable[[Member], str],
        limiter: RepeatLimiter | None = None,
    ) -> None:
        self._limit_ns = int(seconds * 1e9)
        self._log = log
        self._stack_of = stack_of
        self._limiter = RepeatLimiter() if limiter is None else limiter
        # By place: when the call began that was told last.
        self._told: dict[int, int] = {}

    def look(self, members: Iterable[Member], now_ns: int) -> float:
        """Tell what is slow now; in how many seconds, at most, to look again."""
        soonest_ns = min(_LONGEST_NS, self._limit_ns // 4)
        for member in members:
            exchange, slot = member.exchange, member.slot
            if exchange is None or slot is None or not slot.started_ns or exchange.abandoned:
                continue
            began_ns = member.began_ns
            if self._told.get(member.index) == began_ns:
                continue
            left_ns = member.started_ns + self._limit_ns - now_ns
            if left_ns > 0:
                soonest_ns = min(soonest_ns, left_ns)
                continue
            stack = self._stack_of(member)
            if member.exchange is exchange:  # or it has just ended, and the stack is another's
                self._told[member.index] = began_ns
                self._tell(member, exchange, (now_ns - began_ns) / 1e9, stack, now_ns / 1e9)
        return soonest_ns / 1e9

    def tick(self, now_seconds: float) -> None:
        """Say how many were hidden, once their window is over."""
        for sentence in self._limiter.due(now_seconds):
            self._log.warning("%s", sentence)

    def _tell(
        self, member: Member, exchange: Exchange, seconds: float, stack: str, now_seconds: float
    ) -> None:
        self.tick(now_seconds)
        if not self._limiter.admits(_KIND, now_seconds):
            return
        environ = exchange.environ
        method = str(environ.get("REQUEST_METHOD"))
        # As it was sent, without the query string.
        path = _printable(str(environ.get("RAW_URI", "")).partition("?")[0])
        line = f"{method} {path}"
        extra: dict[str, Any] = {
            "http.request.method": method,
            "url.path": path,
            "canter.thread": member.index,
            "event.duration": int(seconds * 1e9),
        }
        request_id = environ.get("canter.request_id")
        if request_id is not None:
            line = f"{line} [{_printable(str(request_id))}]"
            extra["http.request.id"] = request_id
        self._log.warning(
            "slow request: %s, for %.2f s now, in thread %d of worker %d:\n%s",
            line,
            seconds,
            member.index,
            os.getpid(),
            stack.rstrip(),
            extra=extra,
        )


def _printable(text: str) -> str:
    return shown(text.encode("latin-1", "backslashreplace"))
