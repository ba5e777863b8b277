"""What the leading thread does: sockets, deadlines, listeners.

A round (`turn`) polls once and brings every connection that has news as far as it goes without the
application; complete requests end in `ready`. `answered` is where connections come back from the
application, in whichever thread ran it.

Locks: `lock` guards the deadlines, the moves out of RUNNING, and notes for connections in RUNNING.
A backlog's own lock may be held when `lock` is taken, never the other way round.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from threading import Lock
from typing import cast

from canter.engine.contract import EngineConfig
from canter.engine.deadlines import Deadlines, Wait
from canter.engine.phases import Phase
from canter.engine.poller import FAILED, HANGUP, PEER_ENDED, READABLE, WRITABLE, make_poller
from canter.engine.session import Step
from canter.engine.threaded.connection import READ_BYTES, After, Connection
from canter.engine.threaded.service import Service
from canter.protocol.faults import Fault, RequestTimeout
from canter.protocol.http1.writer import CONTINUE, refusal
from canter.wsgi.exchange import ClientGone

# Plain numbers and names of a module's own are quicker than an enum's members.
_IDLE = int(Phase.IDLE)
_HEAD = int(Phase.HEAD)
_BODY = int(Phase.BODY)
_READY = int(Phase.READY)
_RUNNING = int(Phase.RUNNING)
_SENDING = int(Phase.SENDING)
_LINGER = int(Phase.LINGER)
_CLOSED = int(Phase.CLOSED)
_READABLE = READABLE
_PEER_ENDED = PEER_ENDED
_NEWS = READABLE | PEER_ENDED
_BROKEN = FAILED | HANGUP
_SENDABLE = WRITABLE | FAILED | HANGUP
_READ_BYTES = READ_BYTES
_KEEP_ALIVE = int(Wait.KEEP_ALIVE)
_HEADER_WAIT = int(Wait.HEADER)
_BODY_WAIT = int(Wait.BODY)
_MORE = Step.MORE
_READY_STEP = Step.READY
_CLOSE = After.CLOSE
_LINGER_AFTER = After.LINGER
_now_ns = time.monotonic_ns

_LONGEST_POLL_SECONDS = 0.5
# How long a connection has been idle before it may be closed for the sake of a new one.
_IDLE_ENOUGH_NS = 1_000_000_000
_READS_A_TURN = 16
# Once draining, a kept connection has this long to send a request that was already on its way.
DRAIN_IDLE_SECONDS = 1.0


class Loop:
    """The connections of one worker.

    ready: where complete requests go. service: keeps the books. chores: called from time to time
    with (now_ns, number of connections); says in how many seconds, at most, again.
    date_line: the Date line of now. bytes_in: bytes read from clients. now_ns: when this turn
    began. draining: connections end with what they are doing.
    """

    def __init__(
        self,
        config: EngineConfig,
        ready: deque[Connection],
        service: Service,
        chores: Callable[[int, int], float],
    ) -> None:
        self.config = config
        self.ready = ready
        self._service = service
        self._chores = chores
        self.poller = make_poller()
        self.connections: dict[int, Connection] = {}
        self.doors: dict[int, Callable[[int], None]] = {}
        self.deadlines: Deadlines = Deadlines(
            {
                Wait.KEEP_ALIVE: config.keep_alive_seconds,
                Wait.HEADER: config.header_timeout_seconds,
                Wait.BODY: config.body_timeout_seconds,
                Wait.SEND: config.send_timeout_seconds,
                Wait.LINGER: config.linger_seconds,
            }
        )
        self.draining = False
        self.date_line = b""
        self.bytes_in = 0
        self.now_ns = time.monotonic_ns()
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
        self._chores_at_ns = 0
        # Connections that have more to do than their share of a turn; others may be put here by
        # threads that give them back.
        self._again: deque[Connection] = deque()
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)
        self.add_door(self._wake_reader, self._drain_wakeups)
        self.lock = Lock()
        self._lock = self.lock.acquire
        self._unlock = self.lock.release
        self.refresh_date(time.monotonic_ns())

    # -- the round ----------------------------------------------------------------------------

    def turn(self) -> None:
        """Wait for news and handle it."""
        again = self._again
        seconds = 0.0 if again else (self._chores_at_ns - time.monotonic_ns()) / 1e9
        events = self.poller.poll(max(seconds, 0.0))
        self.now_ns = now_ns = _now_ns()
        if now_ns >= self._date_until_ns:
            self.refresh_date(now_ns)
        for _ in range(len(again)):
            connection = again.popleft()
            self._attend(connection, connection.events)
        connections = self.connections
        for fd, bits in events:
            known = connections.get(fd)
            if known is not None:
                self._attend(known, bits)
            elif fd in self.doors:
                self.doors[fd](fd)
        # After the events: a listener is not taken out while a wake-up for it is in our hands.
        if now_ns >= self._chores_at_ns:
            self._do_chores(now_ns)

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

    def _do_chores(self, now_ns: int) -> None:
        """What is due from time to time, and when it is due again.

        Whoever begins to wait between two chores is noticed at the next ones: they come at least
        four times in the shortest duration.
        """
        self._expire(now_ns)
        soon = self._chores(now_ns, len(self.connections))
        with self.lock:
            seconds = self.deadlines.next_seconds(now_ns, self._chores_every_seconds)
        next_date_ns = self._date_until_ns - now_ns
        self._chores_at_ns = now_ns + min(int(min(seconds, soon) * 1e9), next_date_ns)

    def hurry(self, seconds: float) -> None:
        """Have the chores done within this time; by the leader."""
        self._chores_at_ns = min(self._chores_at_ns, time.monotonic_ns() + int(seconds * 1e9))

    def refresh_date(self, now_ns: int) -> None:
        """Make the Date line of this second (RFC 9110 5.6.7)."""
        wall = time.time()
        self.date_line = f"Date: {formatdate(wall, usegmt=True)}\r\n".encode("ascii")
        self._date_until_ns = now_ns + int((1 - wall % 1) * 1e9)

    def wake(self) -> None:
        """End the present poll; from any thread."""
        try:
            os.write(self._wake_writer, b"\0")
        except (BlockingIOError, OSError):
            pass  # a full pipe wakes as well; a closed one has nobody to wake

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

    def watch(self, fd: int) -> None:
        """`connection.Hub`: have the poller report a connection's events."""
        self.poller.add_connection(fd)

    def adopt(self, connection: Connection) -> None:
        """Take a new connection and read what it may have sent already; by the leader."""
        self.connections[connection.fd] = connection
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
        connection.fd = -1
        connection.sock.close()

    def take_over(self, connection: Connection, data: bytes, began_ns: int) -> None:
        """Go on with a connection that another process has read `data` from; by the leader."""
        self.connections[connection.fd] = connection
        try:
            connection.began_ns = began_ns
            # What came after `data` is still in the socket: it is looked for when this is done.
            connection.events = _READABLE
            step = connection.receive(data)
            if step is _MORE:
                self._await_more(connection)
            else:
                self._go_on(connection, step)
        except Exception as error:
            self.abandon(connection, error)

    def idle_connection(self) -> Connection | None:
        """The connection that has been idle for the longest time, or that never said anything."""
        with self.lock:
            for wait in (Wait.KEEP_ALIVE, Wait.HEADER):
                for connection in self.deadlines.waiting(wait):
                    if _now_ns() - connection.waits_since_ns < _IDLE_ENOUGH_NS:
                        break  # and the younger ones have their first request on its way
                    if connection.phase == _IDLE:
                        return cast("Connection", connection)
        return None

    def make_room(self) -> bool:
        """Close an idle connection for the sake of a new one; False when all are in use."""
        connection = self.idle_connection()
        if connection is None:
            return False
        self._end_wait(connection, Wait.KEEP_ALIVE)
        return connection.phase == _CLOSED

    def begin_drain(self, idle_seconds: float) -> None:
        """From now on connections end with what they are doing; by the leader.

        idle_seconds: how long a kept connection may still bring a request that is on its way.
        """
        self.draining = True
        with self.lock:
            self.deadlines.shorten(Wait.KEEP_ALIVE, idle_seconds)
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
        connection.fd = -1
        connection.sock.close()

    # -- events ---------------------------------------------------------------------------------

    def _on_events(self, connection: Connection, bits: int) -> None:
        """News of one connection; by the leader."""
        phase = connection.phase
        if phase == _RUNNING or phase == _READY:
            if not self._note(connection, bits):
                return
            phase = connection.phase
        if phase == _SENDING:
            connection.events = (connection.events | bits) & _NEWS
            self._send_more(connection)
            return
        connection.events = 0
        if phase == _LINGER:
            self._discard(connection)
        elif phase != _CLOSED:
            if bits & _BROKEN:
                bits |= _PEER_ENDED
            if connection.backlog is not None and not self._flush_interim(connection):
                return
            if bits & _NEWS:
                self._read(connection, bool(bits & _PEER_ENDED))

    def _flush_interim(self, connection: Connection) -> bool:
        """Send what is left of an interim response; False when the client is gone."""
        backlog = connection.backlog
        assert backlog is not None
        with backlog.lock:
            backlog.flush(connection.sock)
        if backlog.broken:
            self._lose(connection)
            return False
        if not backlog:
            connection.backlog = None
        return True

    def _note(self, connection: Connection, bits: int) -> bool:
        """Keep the news of a connection that a thread has; True when it has come back meanwhile."""
        backlog = connection.backlog
        if bits & _SENDABLE and backlog is not None:
            with backlog.lock:
                # The lock keeps `answered` from moving on while this looks and sends.
                if connection.phase == _RUNNING:
                    backlog.flush(connection.sock)
                    if backlog and not backlog.blocked:
                        self._again.append(connection)
        with self.lock:
            if connection.phase not in (_RUNNING, _READY):
                return True
            connection.events |= bits
            return False

    def _read(self, connection: Connection, ended: bool = False) -> None:
        """Read until there is nothing more, or a request is complete; by the owner.

        ended: the poller has seen the end of the client's input, so a short read is not the last.
        """
        fresh = connection.phase == _IDLE
        connection.raw = None
        if connection.phase != _HEAD and connection.phase != _BODY:
            connection.began_ns = self.now_ns
        for _ in range(_READS_A_TURN):
            try:
                data = connection.read()
            except OSError:
                self._lose(connection)
                return
            if data is None:
                break
            if not data:
                self._end_input(connection)
                return
            self.bytes_in += len(data)
            step = connection.receive(data)
            full = len(data) == _READ_BYTES
            if step is not _MORE:
                if full or ended:
                    connection.events |= _NEWS if ended else _READABLE
                if fresh and step is _READY_STEP:
                    connection.raw = data  # it may still be read again, by a sibling
                self._go_on(connection, step)
                return
            fresh = False
            if not full and not ended:
                break
        else:
            connection.events |= _NEWS if ended else _READABLE
            self._again.append(connection)
        self._await_more(connection)

    def _go_on(self, connection: Connection, step: Step) -> None:
        """A session wants something else than bytes; by the owner."""
        if step is Step.CONTINUE:
            try:
                connection.send(CONTINUE)
            except ClientGone:
                self._lose(connection)
                return
            step = connection.resume()
        if step is _READY_STEP:
            connection.move(_READY)
            # The turn's own time is good enough, and free; a pipelined request is younger than it.
            connection.ready_ns = max(self.now_ns, connection.began_ns)
            if connection.waits > _KEEP_ALIVE:
                with self.lock:  # the next head gets a time of its own
                    self.deadlines.end(connection)
            self.ready.append(connection)
        elif step is Step.REFUSED:
            assert connection.fault is not None
            self._refuse(connection, connection.fault)
        else:
            self._await_more(connection)

    def _await_more(self, connection: Connection) -> None:
        """Nothing more can be done without bytes from the client; by the owner.

        From RUNNING this gives the connection back to the leader, who is told of news that came
        meanwhile.
        """
        connection.watch()
        if connection.request is not None:
            phase = _BODY
            wait = _BODY_WAIT
        elif connection.reader.head_started:
            phase = _HEAD
            wait = _HEADER_WAIT
        else:
            phase = _IDLE
            wait = _KEEP_ALIVE if connection.served else _HEADER_WAIT
        self._lock()  # by hand, since this runs once for each request
        try:
            news = connection.events if connection.phase == _RUNNING else 0
            # A head has its time from its first byte on, however slowly it drips.
            if connection.waits != wait or wait == _KEEP_ALIVE:
                self.deadlines.begin(connection, wait, self.now_ns)
            elif wait == _BODY_WAIT:
                self.deadlines.restart(connection, self.now_ns)
            if connection.phase != phase:
                connection.move(phase)
        finally:
            self._unlock()
        if news:
            self._again.append(connection)
            self.wake()

    def _end_input(self, connection: Connection) -> None:
        """The client will send nothing more; by the owner."""
        connection.input_ended = True
        fault = connection.receive_end()
        if fault is not None:
            self._refuse(connection, fault)
        else:
            self._close(connection)

    # -- answers ----------------------------------------------------------------------------------

    def answered(self, connection: Connection, after: After) -> None:
        """The application is done with the connection's request; by the thread that ran it."""
        connection.after = after
        backlog = connection.backlog
        if backlog is not None:
            with backlog.lock:
                if backlog:
                    with self.lock:
                        connection.move(_SENDING)
                        self.deadlines.begin(connection, Wait.SEND, time.monotonic_ns())
                    connection.still_takes()  # from here on it is asked what has gone
                    if not backlog.blocked:
                        self._again.append(connection)  # no event will tell of it
                        self.wake()
                    return  # the leader's, as soon as the lock is let go
            if backlog.broken:
                self._lose(connection)
                return
            connection.backlog = None
        self._sent(connection)

    def _send_more(self, connection: Connection) -> None:
        """Send what is left of a response; by the leader."""
        backlog = connection.backlog
        assert backlog is not None
        before = backlog.sent
        with backlog.lock:
            backlog.flush(connection.sock)
        if backlog.broken:
            self._lose(connection)
        elif backlog:
            if not backlog.blocked:
                self._again.append(connection)
            if backlog.sent != before:
                with self.lock:
                    self.deadlines.restart(connection, time.monotonic_ns())
        else:
            connection.backlog = None
            self._sent(connection)

    def _sent(self, connection: Connection) -> None:
        """All of the response is in the kernel's hands; by the owner."""
        self._service.sent(connection)
        connection.finish_request()
        if connection.after is _CLOSE:
            self._close(connection)
        elif connection.after is _LINGER_AFTER:
            self._linger(connection)
        elif connection.reader.buffered:
            connection.began_ns = time.monotonic_ns()
            step = connection.resume()
            if step is not _MORE:
                self._go_on(connection, step)
            elif connection.input_ended:
                self._end_input(connection)
            else:
                self._resume_reading(connection)
        elif connection.input_ended:
            self._close(connection)
        else:
            self._resume_reading(connection)

    def _resume_reading(self, connection: Connection) -> None:
        news = connection.events if connection.phase == _SENDING else 0
        if news & _NEWS:
            connection.events = 0
            self._read(connection, bool(news & _PEER_ENDED))
        else:
            self._await_more(connection)

    def _refuse(self, connection: Connection, fault: Fault) -> None:
        """Answer a request that cannot be served, then end the connection; by the owner."""
        request = connection.request
        head_only = request is not None and request.method == "HEAD"
        self._service.refused(connection, fault)
        connection.drop_body()
        connection.after = After.LINGER
        try:
            connection.send(refusal(fault, self.date_line, head_only=head_only))
        except ClientGone:
            self._lose(connection)
            return
        if connection.backlog:
            self.answered(connection, After.LINGER)
            return
        connection.backlog = None
        self._sent(connection)

    def _linger(self, connection: Connection) -> None:
        """Close our side and wait for the client's end (RFC 9112 9.6); by the owner."""
        connection.shut()
        if connection.input_ended:
            self._close(connection)
            return
        connection.watch()
        with self.lock:
            was_running = connection.phase == _RUNNING
            connection.move(_LINGER)
            self.deadlines.begin(connection, Wait.LINGER, time.monotonic_ns())
            news = connection.events
        if news and was_running:
            self._again.append(connection)  # only the leader may read it now
            self.wake()
        elif not was_running:
            self._discard(connection)

    def _discard(self, connection: Connection) -> None:
        """Read and drop what comes after the end; by the leader."""
        try:
            for _ in range(_READS_A_TURN):
                data = connection.read()
                if data is None:
                    return
                if not data:
                    self._close(connection)
                    return
        except OSError:
            self._close(connection)
            return
        connection.events |= _READABLE
        self._again.append(connection)

    # -- endings ------------------------------------------------------------------------------

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

    def _end_wait(self, connection: Connection, wait: Wait) -> None:
        """A connection has waited too long; by the leader."""
        if wait is Wait.SEND:
            if connection.still_takes():
                with self.lock:
                    self.deadlines.begin(connection, Wait.SEND, self.now_ns)
            else:
                self._lose(connection, True)
        elif wait is Wait.LINGER:
            self._close(connection)
        elif wait is Wait.BODY:
            self._refuse(connection, RequestTimeout("the body came too slowly"))
        elif wait is Wait.HEADER and connection.phase == _HEAD:
            self._refuse(connection, RequestTimeout("the head came too slowly"))
        else:
            self._read(connection)  # what arrived at the last moment is not thrown away
            if connection.phase == _IDLE:
                self._close(connection)

    def _lose(self, connection: Connection, timed_out: bool = False) -> None:
        """The connection is broken or given up; by the owner."""
        self._service.lost(connection, timed_out=timed_out)
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        """Close the socket and forget the connection; by the owner."""
        backlog = connection.backlog
        with self.lock:
            if connection.phase == _CLOSED:
                return
            connection.move(_CLOSED)
            self.deadlines.end(connection)
        if backlog is not None:
            with backlog.lock:
                backlog.give_up()
        connection.finish_request()
        self.connections.pop(connection.fd, None)
        connection.fd = -1  # the number may be another connection's in a moment
        connection.sock.close()
        if self.draining:
            self._chores_at_ns = 0
            self.wake()  # it may have been the last
