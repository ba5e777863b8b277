"""The gevent engine as its worker sees it: start, drain, stop, expire.

Everything runs in the worker's main thread, which waits for signals and messages by a selector that
gevent has patched: while it waits, the greenlets run. So nothing here needs a lock, and what the
application starts while it is imported (greenlets, or threads that have become greenlets) goes on.
"""

from __future__ import annotations

import dataclasses
import enum
import logging
import time
import traceback
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import Any

import gevent
from gevent.event import Event

from canter.engine.contract import AroundCalls, EngineConfig, EngineEvent
from canter.engine.gevent.doors import Doors
from canter.engine.gevent.overtime import SoftLimit
from canter.engine.gevent.seats import Seats
from canter.engine.gevent.talk import DRAIN_IDLE_SECONDS, Talk
from canter.engine.phases import Phase
from canter.engine.slow import SlowRequests
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.engine import line_of, send_expiry
from canter.engine.threaded.member import Member
from canter.engine.threaded.service import Service
from canter.net.listeners import Listener
from canter.observe.access import RequestLog
from canter.observe.meter import Meter
from canter.observe.present import found_by
from canter.observe.scoreboard import Field, WorkerSlot
from canter.wsgi.environ import base_environ
from canter.wsgi.errors import ErrorStream
from canter.wsgi.exchange import Abandoned, Application, HeadState

_FLUSH_SECONDS = 0.02
_LOOK_SECONDS = 0.1


class EngineState(enum.Enum):
    """An engine's life; moves go down this list and never back."""

    NEW = 0
    SERVING = 1
    DRAINING = 2
    OVER = 3


class GeventEngine:
    """A greenlet for each connection. The arguments are those of the threaded engine."""

    def __init__(
        self,
        application: Application,
        listeners: Sequence[Listener],
        config: EngineConfig,
        slot: WorkerSlot,
        access: RequestLog | None,
        log: logging.Logger,
        on_event: Callable[[EngineEvent], None],
        around: AroundCalls | None = None,
    ) -> None:
        if config.soft_timeout_seconds:
            around = SoftLimit(config.soft_timeout_seconds, around)
        # Nothing queues for a greenlet, and no thread is there to raise in.
        config = dataclasses.replace(config, queue_timeout_seconds=0.0, soft_timeout_seconds=0.0)
        self._words = slot.words
        self._access = access
        self._on_event = on_event
        self._state = EngineState.NEW
        slow = config.slow_request_seconds
        self._look_again_seconds = 1.0
        self._service = Service(
            application,
            config,
            access,
            log,
            lambda: on_event(EngineEvent.MAX_REQUESTS),
            Meter(slot.meter_words),
            slot.noted,
            around,
            SlowRequests(slow, log, _stack_of) if slow else None,
        )
        self._seats = Seats(slot)
        self._hurried = Event()
        self._body_budget = config.body_budget
        self._talk = Talk(config, self._service, self._seats, self._on_change, self._hurried.set)
        errors = ErrorStream(log.error)

        def base(listener: Listener) -> dict[str, Any]:
            return base_environ(
                server_name=listener.server_name,
                server_port=listener.server_port,
                multithread=True,
                multiprocess=config.multiprocess,
                script_name=config.script_name,
                errors=errors,
            )

        self._doors = Doors(listeners, self._talk, config, base, log)

    # -- for the worker -----------------------------------------------------------------------

    def start(self) -> None:
        """Take connections."""
        found_by(self._present_environ)
        self._state = EngineState.SERVING
        self._words[Field.OPEN] = 1
        self._refresh_date()
        self._publish()
        self._doors.review()
        gevent.spawn(self._keep_house)

    def drain(self, *, answer_backlog: bool) -> None:
        """Take no more connections, finish what runs, then send FINISHED.

        answer_backlog: what waits in the listen queues is accepted and answered first.
        """
        if self._state is EngineState.SERVING:
            self._state = EngineState.DRAINING
            self._words[Field.OPEN] = 0
            self._talk.draining = True
            self._doors.close(answer_backlog=answer_backlog)
            for member in self._seats.all_running():
                exchange = member.exchange
                if exchange is not None and exchange.state is not HeadState.SENT:
                    exchange.writer.keep_alive = False
        self._hurried.set()

    def stop(self) -> None:
        """Close every connection now, then send FINISHED, whatever the application does."""
        self._words[Field.OPEN] = 0
        self._talk.draining = True
        self._doors.close(answer_backlog=False)
        for connection in self._talk.connections:
            connection.cut()
        gevent.sleep(0)  # they see it, and write their lines of the access log
        self._finish()

    def expire(self, thread: int, started_ns: int) -> str | None:
        """End the request that has place `thread` since `started_ns`.

        The client gets 504 if nothing was sent to it yet, else its connection is cut. `Abandoned`
        is raised where the greenlet waits. Returns what it was, with the greenlet's stack, or None
        when that request has ended meanwhile.
        """
        member = self._seats.sitting(thread)
        exchange = None if member is None else member.exchange
        if (
            member is None
            or exchange is None
            or member.started_ns != started_ns
            or exchange.abandoned
        ):
            return None
        connection = exchange.sink
        if not isinstance(connection, Connection):
            return None  # it has answered, or has taken the connection over
        stack = _stack_of(member)
        exchange.abandoned = True
        refused = send_expiry(connection, exchange, self._talk.date_line)
        self._service.expire(connection, exchange, started_ns, refused=refused)
        greenlet: Any = member.thread
        greenlet.kill(Abandoned, block=False)
        self._hurried.set()
        age_seconds = (time.monotonic_ns() - started_ns) / 1e9
        return (
            f"{line_of(exchange.environ)} "
            f"from {connection.peer_host or 'a unix socket'}, {age_seconds:.1f} s old, "
            f"in greenlet {thread}:\n{stack}"
        )

    def stacks(self, only: int | None = None) -> str:
        """The Python stack of every greenlet that runs a request, or of one."""
        parts = []
        for member in self._seats.all_running():
            assert member.exchange is not None
            if only in (None, member.index):
                line = line_of(member.exchange.environ)
                parts.append(f"greenlet {member.index}: {line}\n{_stack_of(member)}")
        return "\n".join(parts)

    # -- inside -------------------------------------------------------------------------------

    def _present_environ(self) -> dict[str, Any] | None:
        """That of the request which the calling greenlet runs, if it runs one."""
        greenlet = gevent.getcurrent()
        for connection in self._talk.connections:
            exchange = connection.exchange
            if exchange is not None and connection.greenlet is greenlet:
                return exchange.environ
        return None

    def _on_change(self) -> None:
        """A connection has ended."""
        if self._state is EngineState.SERVING:
            self._doors.note_change()
        elif self._state is EngineState.DRAINING and not self._talk.connections:
            self._hurried.set()

    def _keep_house(self) -> None:
        """The date, the scoreboard and the log; a greenlet of its own, until the end."""
        while self._state is not EngineState.OVER:
            self._hurried.wait(self._patience_seconds())
            if self._hurried.is_set():
                self._hurried.clear()
                gevent.sleep(_FLUSH_SECONDS)  # what others write meanwhile goes with it
            try:
                self._do_chores()
            except Exception as error:
                self._service.failed(error)

    def _patience_seconds(self) -> float:
        if self._state is EngineState.DRAINING or not self._doors.listening:
            return _LOOK_SECONDS
        # The next second has a date of its own.
        return min(1.001 - time.time() % 1, self._look_again_seconds)

    def _do_chores(self) -> None:
        self._refresh_date()
        self._service.tick()
        self._body_budget.tidy(time.monotonic_ns())
        if self._state is EngineState.DRAINING:
            self._go_on_draining()
        else:
            self._doors.review()
        if self._access is not None and self._access.waiting:
            self._access.flush()
        if self._state is not EngineState.OVER:
            running = self._seats.all_running()
            self._look_again_seconds = self._service.look_at_calls(running, time.monotonic_ns())
            self._publish()

    def _go_on_draining(self) -> None:
        if not self._doors.closed:
            self._doors.sweep()
        long_ago_ns = time.monotonic_ns() - int(DRAIN_IDLE_SECONDS * 1e9)
        for connection in self._talk.connections:
            is_kept = connection.is_idle() and connection.served
            if is_kept and connection.waits_since_ns < long_ago_ns:
                connection.hurry()
        # A request that was given up has had its answer: nobody waits for its greenlet.
        exchanges = [connection.exchange for connection in self._talk.connections]
        if self._doors.closed and all(it is not None and it.abandoned for it in exchanges):
            self._finish()

    def _finish(self) -> None:
        if self._state is EngineState.OVER:
            return
        self._state = EngineState.OVER
        if self._access is not None:
            self._access.flush()
        self._publish()
        self._on_event(EngineEvent.FINISHED)

    def _refresh_date(self) -> None:
        """Make the Date line of this second (RFC 9110 5.6.7)."""
        self._talk.date_line = f"Date: {formatdate(usegmt=True)}\r\n".encode("ascii")

    def _publish(self) -> None:
        """Bring the scoreboard up to date."""
        words = self._words
        counts = self._service.counts
        phases = [connection.phase for connection in self._talk.connections]
        words[Field.HEARTBEAT_NS] = time.monotonic_ns()
        words[Field.CONNECTIONS] = len(phases)
        words[Field.RUNNING] = self._seats.taken
        words[Field.QUEUED] = 0
        words[Field.ACCEPTED] = self._doors.accepted
        words[Field.REQUESTS] = counts.requests
        words[Field.ABORTED] = counts.aborted
        words[Field.BUSY_NS] = counts.busy_ns
        words[Field.BYTES_IN] = self._talk.bytes_in
        words[Field.BYTES_OUT] = counts.body_bytes
        words[Field.IDLE] = phases.count(Phase.IDLE)
        words[Field.READING] = phases.count(Phase.HEAD) + phases.count(Phase.BODY)
        words[Field.SENDING] = phases.count(Phase.SENDING) + phases.count(Phase.LINGER)
        if self._access is not None:
            words[Field.LOG_DROPPED] = self._access.dropped
        for digit in range(1, 6):
            words[Field.STATUS_1XX + digit - 1] = counts.statuses[digit]


def _stack_of(member: Member) -> str:
    """The Python stack of a greenlet that waits, innermost call last."""
    frame = getattr(member.thread, "gr_frame", None)
    return "  (it runs just now)\n" if frame is None else "".join(traceback.format_stack(frame))
