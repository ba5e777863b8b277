"""The soft time-out: `RequestTimeout`, raised where a greenlet waits whose call lasts too long.

A greenlet that does not run waits, so the exception is raised exactly there; what a call computes
without ever waiting is not interrupted. Where it waits for its client, nothing is raised.
"""

from __future__ import annotations

from typing import Any

import gevent

from canter.engine.clock import now_ns
from canter.engine.contract import AroundCalls
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.member import Member
from canter.wsgi.exchange import Application, Exchange
from canter.wsgi.overtime import RequestTimeout

_LONGEST_SECONDS = 1.0


class SoftLimit:
    """`AroundCalls` that interrupt each call once. around: what goes on around each call."""

    def __init__(self, seconds: float, around: AroundCalls | None) -> None:
        self._limit_ns = int(seconds * 1e9)
        self._around = around

    def run(self, application: Application, exchange: Exchange) -> None:
        """See `AroundCalls.run`."""
        connection = exchange.sink
        assert isinstance(connection, Connection)
        member = connection.member
        assert member is not None
        seconds = self._limit_ns / 1e9
        timer: Any = gevent.get_hub().loop.timer(seconds, min(seconds / 4, _LONGEST_SECONDS))
        timer.start(self._look, timer, member, exchange)
        try:
            if self._around is None:
                exchange.run(application)
            else:
                self._around.run(application, exchange)
        except RequestTimeout as late:  # it came to what is around the call
            exchange.break_off(late)
        finally:
            timer.stop()
            timer.close()

    def _look(self, timer: Any, member: Member, exchange: Exchange) -> None:
        """Raise, unless there was progress or the client is waited for; by the event loop."""
        slot = member.slot
        if slot is None or not slot.started_ns or exchange.abandoned:
            return
        if now_ns() - member.started_ns >= self._limit_ns:
            timer.stop()
            greenlet: Any = member.thread
            greenlet.throw(RequestTimeout)
