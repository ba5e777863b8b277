"""The threaded engine as its worker sees it: start, drain, stop, expire.

Every public method may be called from any thread; a worker calls them from its main thread, which
the engine never uses.
"""

from __future__ import annotations

import enum
import logging
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from canter.engine.balance import Load
from canter.engine.contract import AroundCalls, EngineConfig, EngineEvent
from canter.engine.deadlines import Wait
from canter.engine.siblings import Siblings, neighbours_of
from canter.engine.slow import SlowRequests
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.crew import Crew
from canter.engine.threaded.listening import Doors
from canter.engine.threaded.loop import DRAIN_IDLE_SECONDS, Loop
from canter.engine.threaded.member import Member
from canter.engine.threaded.moving import Removals
from canter.engine.threaded.service import Service
from canter.engine.threaded.waiting import WaitingRoom
from canter.net.listeners import Listener
from canter.observe.access import RequestLog
from canter.observe.meter import Meter
from canter.observe.present import found_by
from canter.observe.request_marks import in_words, marks_of
from canter.observe.scoreboard import Field, WorkerSlot
from canter.protocol.faults import RequestExpired
from canter.wsgi.environ import base_environ
from canter.wsgi.errors import ErrorStream
from canter.wsgi.exchange import Application, ClientGone, Exchange, HeadState

ALONE = Siblings()

_PYTHONS_SWITCH_INTERVAL_SECONDS = 0.005

# Plain numbers are quicker than an enum's members.
_RUNNING = int(Field.RUNNING)
_QUEUED = int(Field.QUEUED)


class EngineState(enum.Enum):
    """An engine's life; moves go down this list and never back."""

    NEW = 0
    SERVING = 1
    DRAINING = 2
    OVER = 3


class Request(enum.Enum):
    """What another thread has asked the leader to do."""

    NOTHING = 0
    DRAIN = 1
    DRAIN_WITH_BACKLOG = 2
    STOP = 3


class ThreadedEngine:
    """N application threads and a reserve around one loop.

    listeners: non-blocking listening sockets, this process's own copies; closed by drain and stop.
    slot: the worker's part of the scoreboard.
    access: None where no access log is wanted. on_event: called from an engine's thread.
    around: what runs before and after each call of the application.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all that it is made of
        self,
        application: Application,
        listeners: Sequence[Listener],
        config: EngineConfig,
        slot: WorkerSlot,
        access: RequestLog | None,
        log: logging.Logger,
        on_event: Callable[[EngineEvent], None],
        siblings: Siblings = ALONE,
        around: AroundCalls | None = None,
    ) -> None:
        self._config = config
        self._words = slot.words
        self._access = access
        self._log = log
        self._on_event = on_event
        self._state = EngineState.NEW
        self._asked = Request.NOTHING
        self._finished = False
        slow = config.slow_request_seconds
        self._service = Service(
            application,
            config,
            access,
            log,
            lambda: on_event(EngineEvent.MAX_REQUESTS),
            Meter(slot.meter_words),
            slot.noted,
            around,
            SlowRequests(slow, log, stack_of) if slow else None,
        )
        threads = [slot.thread(index) for index in range(config.threads)]
        self._crew = Crew(threads, self, self._service, "canter")
        self._loop = Loop(config, self._crew.ready, self._service, self._do_chores)
        self._crew.loop = self._loop
        errors = ErrorStream(log.error)

        def base(listener: Listener) -> dict[str, Any]:
            return base_environ(
                server_name=listener.server_name,
                server_port=listener.server_port,
                multithread=config.threads > 1,
                multiprocess=config.multiprocess,
                script_name=config.script_name,
                errors=errors,
            )

        neighbours = neighbours_of(siblings)
        self._is_alone = not neighbours
        self._doors = Doors(
            listeners, self._loop, config, neighbours, self._load, base, self._words, log
        )
        self._waiting = WaitingRoom(self._loop, config)
        self._removals = Removals(
            self._loop, self._doors, config.threads, neighbours, siblings.tray, self._words, log
        )
        if siblings.tray is not None:
            self._loop.add_door(siblings.tray.fileno(), self._on_letters)

    # -- for the worker -----------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads and take connections."""
        found_by(self._crew.present_environ)
        if sys.getswitchinterval() == _PYTHONS_SWITCH_INTERVAL_SECONDS:  # else it was chosen
            sys.setswitchinterval(switch_interval_seconds(self._config.threads))
        self._state = EngineState.SERVING
        self._words[Field.OPEN] = 1
        self._crew.start()

    def drain(self, *, answer_backlog: bool) -> None:
        """Take no more connections, finish what runs, then send FINISHED.

        answer_backlog: what waits in the listen queues is accepted and answered first; for the end
        of the whole service. Otherwise it is left to the siblings.
        """
        asked = Request.DRAIN_WITH_BACKLOG if answer_backlog else Request.DRAIN
        if self._asked in (Request.NOTHING, Request.DRAIN):
            self._asked = asked
            self._crew.asked = True
        self._loop.wake()

    def stop(self) -> None:
        """Close every connection now, then send FINISHED, whatever the application does."""
        self._asked = Request.STOP
        self._crew.asked = True
        self._loop.wake()

    def expire(self, thread: int, started_ns: int) -> str | None:
        """Give up the request that application thread `thread` runs since `started_ns`.

        The client gets 504 if nothing was sent to it yet, else its connection is cut; the access
        log gets its line. Returns what it was, with the Python stack of the thread, or None when
        that request has ended meanwhile.
        """
        member = self._crew.members[thread]
        exchange = member.exchange
        if exchange is None or member.started_ns != started_ns or exchange.abandoned:
            return None
        connection = exchange.sink
        if not isinstance(connection, Connection):
            return None  # it has answered, or has taken the connection over
        stack = stack_of(member)
        with self._service.expiring:
            # The application's thread sets the head's state first and looks at this mark
            # afterwards, so of the two sides at most one sends.
            exchange.abandoned = True
            if member.exchange is not exchange:
                exchange.abandoned = False  # it ended at the last moment
                return None
            refused = send_expiry(connection, exchange, self._loop.date_line)
            self._service.expire(connection, exchange, started_ns, refused=refused)
        age_seconds = (time.monotonic_ns() - started_ns) / 1e9
        return (
            f"{line_of(exchange.environ)} "
            f"from {connection.peer_host or 'a unix socket'}, {age_seconds:.1f} s old, "
            f"in thread {thread}:\n{stack}"
        )

    def stacks(self, only: int | None = None) -> str:
        """The Python stack of every thread that runs a request, or of one."""
        parts = []
        for member in self._crew.members:
            exchange = member.exchange
            if exchange is not None and only in (None, member.index):
                line = line_of(exchange.environ)
                parts.append(f"thread {member.index}: {line}\n{stack_of(member)}")
        return "\n".join(parts)

    # -- `canter.engine.threaded.crew.Work` ---------------------------------------------------

    def turn(self) -> None:
        """See `Work.turn`."""
        self._crew.asked = False
        if self._asked is not Request.NOTHING:
            self._obey()
        if self._state is not EngineState.OVER:
            self._loop.crowded = crowded = self._crew.reserve_leads
            if crowded:
                # Every application thread is busy, or was a moment ago: siblings have to know.
                busy = self._crew.busy() if self._is_alone else self._face_siblings()
                if self._crew.ready and busy >= self._config.threads:
                    self._removals.relieve()
                    self._waiting.tend()
            else:
                self._removals.settle()
            self._loop.turn()

    def tell_waiting(self, count: int) -> None:
        """See `Work.tell_waiting`."""
        self._words[_QUEUED] = count

    def at_leisure(self) -> None:
        """See `Work.at_leisure`."""
        if not self._is_alone:
            self._removals.invite()

    def ended(self) -> None:
        """The last thread leaves."""
        self._loop.close()
        self._finish()

    # -- inside -------------------------------------------------------------------------------

    def _load(self) -> Load:
        return Load(
            self._crew.busy(),
            len(self._crew.ready),
            len(self._loop.connections),
            self._doors.listening,
        )

    def _on_letters(self, _fd: int) -> None:
        """A sibling has moved connections here, or has room for some of ours."""
        self._removals.collect_all()
        self._crew.asked = True

    def _do_chores(self, now_ns: int, connections: int) -> float:
        """The scoreboard and the log; by the leader, through the loop."""
        self._publish(now_ns, connections)
        self._service.tick()
        self._config.body_budget.tidy(now_ns)
        self._doors.review()
        access = self._access
        if access is not None and access.waiting:
            access.flush()
        if self._state is EngineState.DRAINING:
            if not self._doors.closed:
                self._doors.sweep()
            self._end_if_drained()
        return self._service.look_at_calls(self._crew.members, now_ns)

    def _publish(self, now_ns: int, connections: int) -> None:
        """Bring the scoreboard up to date; by the leader."""
        words = self._words
        counts = self._service.counts
        words[Field.HEARTBEAT_NS] = now_ns
        words[Field.CONNECTIONS] = connections
        busy = self._publish_calls()
        words[Field.ACCEPTED] = self._doors.accepted
        words[Field.REQUESTS] = counts.requests
        words[Field.ABORTED] = counts.aborted
        words[Field.BUSY_NS] = counts.busy_ns
        words[Field.BYTES_IN] = self._loop.bytes_in
        words[Field.BYTES_OUT] = counts.body_bytes
        waiting = self._loop.deadlines.count
        words[Field.IDLE] = max(waiting(Wait.KEEP_ALIVE) - busy, 0)
        words[Field.READING] = waiting(Wait.HEADER) + waiting(Wait.BODY)
        words[Field.SENDING] = waiting(Wait.SEND) + waiting(Wait.LINGER)
        if self._access is not None:
            words[Field.LOG_DROPPED] = self._access.dropped
        for digit in range(1, 6):
            words[Field.STATUS_1XX + digit - 1] = counts.statuses[digit]

    def _face_siblings(self) -> int:
        """Tell them how busy this worker is and see whether it should listen; how many calls go on.

        By the leader.
        """
        busy = self._publish_calls()
        self._removals.settle()
        self._doors.review()
        return busy

    def _publish_calls(self) -> int:
        """Tell siblings what runs and what waits; how many calls go on."""
        busy = self._crew.busy()
        self._words[_RUNNING] = busy
        # What a free thread is about to run does not wait: siblings take a queue for a busy worker.
        free = self._config.threads - busy
        self._words[_QUEUED] = max(len(self._crew.ready) - free, 0)
        return busy

    def _obey(self) -> None:
        """Do what was asked; by the leader."""
        asked = self._asked
        if asked is Request.STOP:
            self._words[Field.OPEN] = 0
            self._doors.close(answer_backlog=False)
            self._loop.draining = True
            self._loop.close_all()
            self._end()
            self._finish()  # threads that are stuck in the application cannot hold it back
            return
        if self._state is EngineState.SERVING:
            self._state = EngineState.DRAINING
            self._words[Field.OPEN] = 0
            self._doors.close(answer_backlog=asked is Request.DRAIN_WITH_BACKLOG)
            self._loop.begin_drain(DRAIN_IDLE_SECONDS)
            for member in self._crew.members:
                exchange = member.exchange
                if exchange is not None and exchange.state is not HeadState.SENT:
                    exchange.writer.keep_alive = False
        if self._asked is asked:
            self._asked = Request.NOTHING
        self._end_if_drained()

    def _end_if_drained(self) -> None:
        # Requests that were given up have had their answer: nobody waits for their threads.
        stuck = self._crew.abandoned()
        if (
            self._doors.closed
            and len(self._loop.connections) <= stuck
            and self._crew.busy() <= stuck
            and not self._crew.ready
        ):
            # Siblings saw a moment ago that this worker takes no more: what they had sent is here.
            self._removals.collect_all()
            if self._loop.connections and not stuck:
                return
            self._end()
            if stuck:
                self._finish()

    def _end(self) -> None:
        """There is nothing more to do: let every thread leave."""
        self._state = EngineState.OVER
        if self._access is not None:
            self._access.flush()
        self._publish(time.monotonic_ns(), len(self._loop.connections))
        self._crew.dismiss()

    def _finish(self) -> None:
        if not self._finished:
            self._finished = True
            self._on_event(EngineEvent.FINISHED)


def switch_interval_seconds(threads: int) -> float:
    """How long a thread that computes may keep the interpreter while another one wants it.

    So long the loop, and with it every quick request, may have to wait each time. Who waits wakes
    up as often, and with many threads that costs processor time
    (ADR 35).
    """
    return min(max(threads / 8000, 0.0005), 0.001)


def send_expiry(connection: Connection, exchange: Exchange, date_line: bytes) -> bool:
    """Tell the client of a request that is given up, as far as it can still be told.

    Whether it was answered with 504.
    """
    if exchange.state is HeadState.SENT:
        connection.cut()
        return False
    fault = RequestExpired("the application took too long")
    head_only = exchange.environ.get("REQUEST_METHOD") == "HEAD"
    try:
        connection.send(connection.reader.refusal(fault, date_line, head_only=head_only))
    except ClientGone:
        pass
    connection.shut()
    return True


def stack_of(member: Member) -> str:
    """The Python stack of a member's thread, innermost call last."""
    frame = sys._current_frames().get(member.ident)  # noqa: SLF001 - the documented way
    if frame is None:
        return "  (the thread is gone)\n"
    return "".join(traceback.format_stack(frame))


def line_of(environ: dict[str, Any]) -> str:
    """A request as reports name it: method, target and what it is known by."""
    line = f"{environ.get('REQUEST_METHOD')} {_escaped(environ.get('RAW_URI', ''))}"
    return f"{line}{_escaped(in_words(marks_of(environ)))}"


def _escaped(target: str) -> str:
    """A request target as it may stand in a log."""
    return target.encode("unicode_escape").decode("ascii")
