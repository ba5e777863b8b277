"""What the leading thread does, round by round.

A round (`turn`) polls once and brings every connection that has news as far as it goes without the
application; complete requests end in `ready`. What happens to one connection is in
`canter.engine.threaded.traffic`.
"""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from typing import cast

from canter.engine.answers import Answer
from canter.engine.clock import now_ns
from canter.engine.contract import EngineConfig
from canter.engine.deadlines import Wait
from canter.engine.phases import Phase
from canter.engine.poller import READABLE, make_poller
from canter.engine.session import Step
from canter.engine.threaded.connection import After, Connection
from canter.engine.threaded.service import Service
from canter.engine.threaded.traffic import Traffic
from canter.observe.outcomes import Outcome
from canter.wsgi.exchange import ClientGone

# Plain numbers and names of a module's own are quicker than an enum's members.
_IDLE = int(Phase.IDLE)
_READY = int(Phase.READY)
_RUNNING = int(Phase.RUNNING)
_CLOSED = int(Phase.CLOSED)
_SHARED = int(Phase.SHARED)
_READABLE = READABLE
_MORE = Step.MORE
_READY_STEP = Step.READY

_LONGEST_POLL_SECONDS = 0.5
# How long lines for the access log are gathered.
_FLUSH_SECONDS = 0.05
# How long a connection has been idle before it may be closed for the sake of a new one.
_IDLE_ENOUGH_NS = 1_000_000_000
# Once draining, a kept connection has this long to send a request that was already on its way.
DRAIN_IDLE_SECONDS = 1.0


class Loop(Traffic):
    """The rounds, the doors, and who comes and goes.

    chores: called from time to time with (now_ns, number of connections); says in how many
    seconds, at most, again.
    """

    def __init__(
        self,
        config: EngineConfig,
        ready: deque[Connection],
        service: Service,
        chores: Callable[[int, int], float],
    ) -> None:
        super().__init__(config, ready, service, make_poller())
        self._chores = chores
        self._poll = self.poller.poll
        self.doors: dict[int, Callable[[int], None]] = {}
        self._date_until_ns = 0
        durations = [
            config.keep_alive_seconds,
            config.header_timeout_seconds,
            config.body_timeout_seconds,
            config.send_timeout_seconds,
            config.linger_seconds,
            DRAIN_IDLE_SECONDS,
        ]
        shortest = min(seconds for seconds in durations if seconds > 0)
        self._chores_every_seconds = min(_LONGEST_POLL_SECONDS, shortest / 4)
        self._shed_answer = Answer(
            "503 Service Unavailable",
            (
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Retry-After", str(max(1, math.ceil(config.queue_timeout_seconds)))),
            ),
            (b"503 Service Unavailable\n",),
        )
        self.add_door(self._wake_reader, self._drain_wakeups)
        self.refresh_date(now_ns())

    # -- the round ----------------------------------------------------------------------------

    def turn(self) -> None:
        """Wait for news and handle it."""
        again = self._again
        service = self._service
        if service.noted:
            service.noted = False
            self.hurry(_FLUSH_SECONDS)
        if self._unheard:
            self._listen_to_waiting()
        wait_ns = 0 if again else self.chores_at_ns - now_ns()
        events = self._poll(wait_ns / 1e9 if wait_ns > 0 else 0.0)
        self.now_ns = turn_ns = now_ns()
        if turn_ns >= self._date_until_ns:
            self.refresh_date(turn_ns)
        if again:
            for _ in range(len(again)):
                connection = again.popleft()
                self._attend(connection, connection.events)
        connections = self.connections
        for fd, bits in events:
            known = connections.get(fd)
            if known is not None:
                # One that came in this round has the number of another that a thread has closed
                # meanwhile: what was polled before is that one's.
                if known.adopted_ns != turn_ns:
                    self._attend(known, bits)
            elif fd in self.doors:
                self.doors[fd](fd)
        # After the events: a listener is not taken out while a wake-up for it is in our hands.
        if turn_ns >= self.chores_at_ns:
            self._do_chores(turn_ns)

    def _attend(self, connection: Connection, bits: int) -> None:
        """Handle one connection's news; whatever goes wrong there ends there."""
        try:
            self._on_events(connection, bits)
        except Exception as error:
            self.abandon(connection, error)

    def abandon(self, connection: Connection, error: BaseException) -> None:
        """Something failed that must not: end this connection and go on with the others."""
        self._service.failed(error)
        try:
            self._lose(connection)
        except Exception as another:
            self._service.failed(another)
            self.abandon_quietly(connection)

    def shed(self, connection: Connection, why: str) -> None:
        """Answer 503 in the application's place; by whoever has taken it out of `ready`."""
        try:
            self._service.note_shed(connection, why)
            after = self.answering.give(connection, self._shed_answer, Outcome.SHED)
        except ClientGone:
            if connection.hub is self:
                self._lose(connection)
            else:  # a stream: its connection may be well
                connection.hub.answered(connection, After.CLOSE)
        except Exception as error:
            connection.hub.abandon(connection, error)
        else:
            connection.hub.answered(connection, after)

    def _do_chores(self, now_ns: int) -> None:
        """What is due from time to time, and when it is due again.

        Whoever begins to wait between two chores is noticed at the next ones: they come at least
        four times in the shortest duration.
        """
        self.chores_at_ns = self._date_until_ns  # whoever is in a hurry meanwhile is heard
        self._expire(now_ns)
        soon = self._chores(now_ns, len(self.connections))
        with self.lock:
            seconds = self.deadlines.next_seconds(now_ns, self._chores_every_seconds)
        self.chores_at_ns = min(self.chores_at_ns, now_ns + int(min(seconds, soon) * 1e9))

    def hurry(self, seconds: float) -> None:
        """Have the chores done within this time; by the leader."""
        self.chores_at_ns = min(self.chores_at_ns, now_ns() + int(seconds * 1e9))

    def refresh_date(self, now_ns: int) -> None:
        """Make the Date line of this second (RFC 9110 5.6.7)."""
        wall = time.time()
        self.date_line = f"Date: {formatdate(wall, usegmt=True)}\r\n".encode("ascii")
        self._date_until_ns = now_ns + int((1 - wall % 1) * 1e9)

    def _drain_wakeups(self, fd: int) -> None:
        try:
            os.read(fd, 4096)
        except BlockingIOError:
            pass

    # -- doors and connections ------------------------------------------------------------------

    def add_door(self, fd: int, opened: Callable[[int], None]) -> None:
        """Call `opened` when a listening socket or a pipe has something."""
        self.doors[fd] = opened
        self.poller.add_listener(fd)

    def remove_door(self, fd: int) -> None:
        """Stop watching it."""
        del self.doors[fd]
        self.poller.remove_listener(fd)

    def adopt(self, connection: Connection) -> None:
        """Take a new connection and read what it may have sent already; by the leader."""
        self.connections[connection.fd] = connection
        connection.adopted_ns = self.now_ns
        try:
            self._read(connection)
        except Exception as error:
            self.abandon(connection, error)

    def release(self, connection: Connection) -> None:
        """Forget a connection that another process has taken over; by the leader."""
        connection.move(_CLOSED)
        with self.lock:
            self.deadlines.end(connection)
        connection.finish_request()
        self.connections.pop(connection.fd, None)
        if connection.watched:
            # Closing is not enough: the socket lives on in the other process, and its events here.
            self.poller.remove_connection(connection.fd)
        connection.close()

    def take_over(self, connection: Connection, data: bytes, began_ns: int) -> None:
        """Go on with a connection that another process has read `data` from; by the leader."""
        self.connections[connection.fd] = connection
        connection.adopted_ns = self.now_ns
        try:
            connection.began_ns = began_ns
            # What came after `data` is still in the socket: it is looked for when this is done.
            connection.events = _READABLE
            step = connection.receive(data)
            if step is _MORE:
                self._await_more(connection)
            else:
                if step is _READY_STEP:
                    connection.raw = data  # it may go on to a third one, should this one be busy
                self._go_on(connection, step)
        except Exception as error:
            self.abandon(connection, error)

    def idle_connection(self) -> Connection | None:
        """The connection that has been idle for the longest time, or that never said anything."""
        with self.lock:
            for wait in (Wait.KEEP_ALIVE, Wait.HEADER):
                for connection in self.deadlines.waiting(wait):
                    if now_ns() - connection.waits_since_ns < _IDLE_ENOUGH_NS:
                        break  # and the younger ones have their first request on its way
                    if connection.phase in (_IDLE, _SHARED):  # shared: it has no stream now
                        return cast("Connection", connection)
        return None

    def make_room(self) -> None:
        """Close an idle connection, if there is one, for the sake of a new one; by the leader."""
        connection = self.idle_connection()
        if connection is not None:
            self._end_wait(connection, Wait.KEEP_ALIVE)

    def begin_drain(self, idle_seconds: float) -> None:
        """From now on connections end with what they are doing; by the leader.

        idle_seconds: how long a kept connection may still bring a request that is on its way.
        """
        self.draining = True
        with self.lock:
            self.deadlines.shorten(Wait.KEEP_ALIVE, idle_seconds)
            self._keep_alive_grain_ns = self.deadlines.grain_ns(Wait.KEEP_ALIVE)
        for connection in list(self.connections.values()):
            if connection.shared is not None:
                connection.shared.drain()
        self.hurry(0)

    def close_all(self) -> None:
        """Close what the loop owns and cut what application threads have; by the leader."""
        waiting = []
        while self.ready:
            try:
                waiting.append(self.ready.popleft())
            except IndexError:  # a thread took the last one
                break
        for connection in list(self.connections.values()):
            with self.lock:
                # A thread may hold a request that it has taken and not yet begun.
                taken = connection.phase in (_READY, _RUNNING) and connection not in waiting
            if taken:
                connection.cut()
            else:
                self._lose(connection)

    def close(self) -> None:
        """Give everything back; when no thread is left."""
        for connection in list(self.connections.values()):
            self.abandon_quietly(connection)
        self.poller.close()
        os.close(self._wake_reader)
        writer, self._wake_writer = self._wake_writer, -1
        os.close(writer)

    def abandon_quietly(self, connection: Connection) -> None:
        """Close a connection that nobody will look after any more."""
        self.connections.pop(connection.fd, None)
        connection.close()

    def _expire(self, now_ns: int) -> None:
        """End what has waited too long; by the leader."""
        with self.lock:
            # A connection may have gone to a thread while its wait stood in the queue: not ours.
            due = [
                (connection, wait)
                for connection, wait in self.deadlines.expired(now_ns)
                if connection.phase not in (_RUNNING, _READY, _CLOSED)
            ]
        for connection, wait in due:
            try:
                self._end_wait(connection, wait)
            except Exception as error:
                self.abandon(connection, error)
