"""One connection's way through its phases: reading, answering, ending.

`canter.engine.threaded.loop` adds the round that drives it. `answered` is where connections come
back from the application, in whichever thread ran it; everything else is called by the owner of the
connection (`canter.engine.phases`).

Locks: `lock` guards the deadlines, the moves out of RUNNING, and notes for connections in RUNNING.
A backlog's own lock may be held when `lock` is taken, never the other way round.
"""

from __future__ import annotations

import os
from collections import deque

from canter.engine.clock import now_ns
from canter.engine.contract import EngineConfig
from canter.engine.deadlines import Deadlines, Wait
from canter.engine.latch import Latch
from canter.engine.phases import Phase
from canter.engine.poller import FAILED, HANGUP, PEER_ENDED, READABLE, WRITABLE, Poller
from canter.engine.session import Step
from canter.engine.threaded.answering import Answering
from canter.engine.threaded.connection import READ_BYTES, After, Connection, Hub
from canter.engine.threaded.service import Service
from canter.protocol.faults import Fault, RequestTimeout
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
_SHARED = int(Phase.SHARED)
_READABLE = READABLE
_PEER_ENDED = PEER_ENDED
_NEWS = READABLE | PEER_ENDED
_BROKEN = FAILED | HANGUP
_ENDED = PEER_ENDED | FAILED | HANGUP
_SENDABLE = WRITABLE | FAILED | HANGUP
_READ_BYTES = READ_BYTES
_KEEP_ALIVE = int(Wait.KEEP_ALIVE)
_HEADER_WAIT = int(Wait.HEADER)
_BODY_WAIT = int(Wait.BODY)
_MORE = Step.MORE
_READY_STEP = Step.READY
_CLOSE = After.CLOSE
_LINGER_AFTER = After.LINGER

_READS_A_TURN = 16
# The end of a client's input this soon behind its request is a half-closed client's way to say that
# it sends no more (browsers never do, `nc -N` does).
_HALF_CLOSE_NS = 250_000_000


class Traffic(Hub):
    """The connections of one worker.

    ready: where complete requests go. service: keeps the books. answering: for answers that are
    not the application's. now_ns: when the present turn began. chores_at_ns: when the chores are
    due. crowded: what comes now waits for a thread.
    """

    def __init__(
        self, config: EngineConfig, ready: deque[Connection], service: Service, poller: Poller
    ) -> None:
        super().__init__()
        self.config = config
        self.ready = ready
        self._now_ready = ready.append
        self._service = service
        self.answering = Answering(config, service)
        self._asks = bool(config.responders)
        self.poller = poller
        self.connections: dict[int, Connection] = {}
        self.deadlines: Deadlines = Deadlines(
            {
                Wait.KEEP_ALIVE: config.keep_alive_seconds,
                Wait.HEADER: config.header_timeout_seconds,
                Wait.BODY: config.body_timeout_seconds,
                Wait.SEND: config.send_timeout_seconds,
                Wait.LINGER: config.linger_seconds,
            }
        )
        self._keep_alive_grain_ns = self.deadlines.grain_ns(_KEEP_ALIVE)
        self.crowded = False
        # Requests behind others, whose connections are watched only if they have to wait.
        self._unheard: deque[Connection] = deque()
        self.now_ns = now_ns()
        self.chores_at_ns = 0
        # Connections that have more to do than their share of a turn; others may be put here by
        # threads that give them back.
        self._again: deque[Connection] = deque()
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)
        self.lock = Latch()

    def wake(self) -> None:
        """End the present poll; from any thread."""
        try:
            os.write(self._wake_writer, b"\0")
        except (BlockingIOError, OSError):
            pass  # a full pipe wakes as well; a closed one has nobody to wake

    def watch(self, fd: int) -> None:
        """`connection.Hub`: have the poller report a connection's events."""
        self.poller.add_connection(fd)

    def watch_room(self, fd: int) -> None:
        """`connection.Hub`: have the poller tell when a connection takes more."""
        self.poller.add_writing(fd)

    def books(self) -> Service:
        """Where what becomes of requests is written down."""
        return self._service

    def look_again(self, connection: Connection) -> None:
        """Have the leader attend to a connection in its next turn; from any thread."""
        self._again.append(connection)

    def lose(self, connection: Connection) -> None:
        """The connection is broken; by its owner."""
        self._lose(connection)

    def note_fault(self, connection: Connection, kind: str, detail: str) -> None:
        """`connection.Hub`: tell the log of something that gets no answer."""
        self._service.note_fault(connection, kind, detail)

    # -- reading --------------------------------------------------------------------------------

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
        elif phase == _SHARED:
            connection.shared.attend(bits)  # type: ignore[union-attr]  # has some in this phase
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
        if bits & _ENDED and connection.phase == _READY:
            self._notice_end(connection, bits)
        return False

    def _read(self, connection: Connection, ended: bool = False) -> None:
        """Read until there is nothing more, or a request is complete; by the owner.

        ended: the poller has seen the end of the client's input, so a short read is not the last.
        """
        if connection.phase == _BODY and connection.straight():
            self._fill(connection, ended)
            return
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
            full = len(data) >= _READ_BYTES
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
            if connection.request is not None and connection.straight():
                self._fill(connection, ended)
                return
        else:
            connection.events |= _NEWS if ended else _READABLE
            self._again.append(connection)
        self._await_more(connection)

    def _fill(self, connection: Connection, ended: bool) -> None:
        """Read what there is of a body straight to where it is kept; by the owner."""
        left = connection.straight()
        try:
            count = connection.fill(connection.fd)
        except OSError:
            self._lose(connection)
            return
        if count < 0:
            self._await_more(connection)
            return
        if not count:
            self._end_input(connection)
            return
        self.bytes_in += count
        if ended or count > left:
            connection.events |= _NEWS if ended else _READABLE  # there is more to be read
        if count >= left:
            self._go_on(connection, connection.resume())
            return
        if ended:
            self._again.append(connection)
        self._await_more(connection)

    def _go_on(self, connection: Connection, step: Step) -> None:
        """A session wants something else than bytes; by the owner."""
        if step is Step.CONTINUE:
            try:
                connection.send(connection.reader.interim())
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
            if self._asks:
                self._ask(connection)
            else:
                self._enqueue(connection)
        elif step is Step.SHARED:
            connection.shared.take_over()  # type: ignore[union-attr]  # has some by now
        elif step is Step.REFUSED:
            assert connection.fault is not None
            self._refuse(connection, connection.fault)
        else:
            self._await_more(connection)

    def _enqueue(self, connection: Connection) -> None:
        """Have the application answer; by the owner, who has it no more."""
        if not connection.watched:
            if self.crowded:
                connection.watch()  # to hear of its end while it waits
            elif self.ready:
                self._unheard.append(connection)
        self._now_ready(connection)

    def _listen_to_waiting(self) -> None:
        """Between two requests no call went on for long; in the end one does: by the leader.

        What came in one turn is mostly answered before the next one, and need not be watched.
        """
        unheard = self._unheard
        while unheard:
            connection = unheard.popleft()
            if self.crowded and not connection.watched:
                with self.lock:  # while it is held nobody closes it
                    if connection.phase == _READY:
                        connection.watch()

    def _notice_end(self, connection: Connection, bits: int) -> None:
        """A client ends its side while its request waits for a thread; by the leader.

        Who closes the sending side with the request wants the answer; who does it later has left.
        """
        if not bits & _BROKEN and self.now_ns - connection.ready_ns < _HALF_CLOSE_NS:
            return
        if not connection.client_disconnected():
            return  # the event was of the connection that had this descriptor before
        try:
            self.ready.remove(connection)
        except ValueError:
            return  # a thread has it
        self._lose(connection)

    def _ask(self, connection: Connection) -> None:
        """Have responders answer, also what is pipelined behind, or else the application."""
        while True:
            try:
                after = self.answering.ask(connection)
            except ClientGone:
                self._lose(connection)
                return
            if after is None:
                self._enqueue(connection)
                return
            if not self._is_through(connection, after):
                return
            step = self._next_step(connection)
            if step is not _READY_STEP:
                if step is not None:
                    self._go_on(connection, step)
                return
            connection.move(_READY)
            connection.ready_ns = connection.began_ns

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
        self.lock.acquire()  # by hand, since this runs once for each request
        try:
            news = connection.events if connection.phase == _RUNNING else 0
            # A head has its time from its first byte on, however slowly it drips.
            if connection.waits != wait:
                self.deadlines.begin(connection, wait, self.now_ns)
            elif wait == _KEEP_ALIVE:
                if self.now_ns - connection.waits_since_ns >= self._keep_alive_grain_ns:
                    self.deadlines.begin(connection, wait, self.now_ns)
            elif wait == _BODY_WAIT:
                self.deadlines.restart(connection, self.now_ns)
            if connection.phase != phase:
                connection.move(phase)
        finally:
            self.lock.release()
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

    # -- answering ------------------------------------------------------------------------------

    def answered(self, connection: Connection, after: After) -> None:
        """The application is done with the connection's request; by the thread that ran it."""
        if self._is_through(connection, after):
            self._sent(connection)

    def _is_through(self, connection: Connection, after: After) -> bool:
        """Whether the client has taken all of the response; else it is left with the loop."""
        connection.after = after
        backlog = connection.backlog
        if backlog is not None:
            with backlog.lock:
                if backlog:
                    with self.lock:
                        connection.move(_SENDING)
                        self.deadlines.begin(connection, Wait.SEND, now_ns())
                    connection.still_takes()  # from here on it is asked what has gone
                    if not backlog.blocked:
                        self._again.append(connection)  # no event will tell of it
                        self.wake()
                    return False  # the leader's, as soon as the lock is let go
            if backlog.broken:
                self._lose(connection)
                return False
            connection.backlog = None
        return True

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
                    self.deadlines.restart(connection, now_ns())
        else:
            connection.backlog = None
            self._sent(connection)

    def _sent(self, connection: Connection) -> None:
        """All of the response is in the kernel's hands; by the owner."""
        step = self._next_step(connection)
        if step is not None:
            self._go_on(connection, step)

    def _next_step(self, connection: Connection) -> Step | None:
        """Be done with a request; what the bytes at hand want next, None where all is arranged."""
        self._service.sent(connection)
        connection.finish_request()
        if connection.after is _CLOSE:
            self._close(connection)
        elif connection.after is _LINGER_AFTER:
            self._linger(connection)
        elif connection.reader.buffered:
            connection.began_ns = now_ns()
            step = connection.resume()
            if step is not _MORE:
                return step
            if connection.input_ended:
                self._end_input(connection)
            else:
                self._resume_reading(connection)
        elif connection.input_ended:
            self._close(connection)
        else:
            self._resume_reading(connection)
        return None

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
            answer = connection.reader.refusal(fault, self.date_line, head_only=head_only)
            if answer:
                connection.send(answer)
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
        news = 0
        with self.lock:
            was_running = connection.phase == _RUNNING
            connection.move(_LINGER)
            self.deadlines.begin(connection, Wait.LINGER, now_ns())
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

    # -- ending ---------------------------------------------------------------------------------

    def _end_wait(self, connection: Connection, wait: Wait) -> None:
        """A connection has waited too long; by the leader."""
        shared = connection.shared
        if shared is not None and (connection.fd < 0 or connection.phase == _SHARED):
            shared.overdue(connection, wait)
        elif wait is Wait.SEND:
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
        if connection.shared is not None:
            connection.shared.lost()
        if connection.taken is not None:
            connection.taken.end()
            connection.taken = None
            if connection.watched:
                # The application may have its socket still, and then its events go on coming.
                self.poller.remove_connection(connection.fd)
        self.connections.pop(connection.fd, None)
        connection.close()
        if self.draining:
            self.chores_at_ns = 0
            self.wake()  # it may have been the last
