"""What happens to one complete request, and what is written down about every request.

`serve` runs in the thread that has the request; the rest is the loop's `Office`.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from typing import Any

from canter.engine.clock import now_ns, wall_seconds
from canter.engine.contract import AroundCalls, BodyMode, EngineConfig
from canter.engine.phases import Phase
from canter.engine.slow import SlowRequests
from canter.engine.threaded.connection import After, Connection, Disconnected, EarlyHints
from canter.engine.threaded.member import Member
from canter.engine.threaded.overtime import SoftLimit
from canter.engine.threaded.takeover import KEY as _SOCKET
from canter.engine.threaded.takeover import ClientSocket
from canter.observe.access import RequestLog
from canter.observe.access_entry import AccessEntry
from canter.observe.logs import ClientFaultLog
from canter.observe.meter import Meter
from canter.observe.outcomes import Outcome
from canter.observe.records import NotedRequests
from canter.observe.request_marks import in_words, marks_of
from canter.protocol.faults import (
    BadRequest,
    Fault,
    Overloaded,
    RequestExpired,
    RequestTimeout,
    Truncated,
)
from canter.wsgi.exchange import Application, Ending, Exchange
from canter.wsgi.input import BodyInput
from canter.wsgi.overtime import RequestTimeout as Overtime

_OUTCOMES = {
    Ending.OPEN: Outcome.TIMEOUT,  # only what is given up has a line before its end
    Ending.OK: Outcome.OK,
    Ending.FAILED: Outcome.FAILED,
    Ending.CUT: Outcome.CUT,
    Ending.ABORTED: Outcome.ABORTED,
    Ending.STALLED: Outcome.TIMEOUT,
    Ending.ABANDONED: Outcome.TIMEOUT,
    Ending.TAKEN: Outcome.TAKEN,
}
# The first class that fits says how a refused request ended.
_REFUSALS: tuple[tuple[type[Fault], Outcome], ...] = (
    (Truncated, Outcome.ABORTED),
    (BadRequest, Outcome.MALFORMED),
    (RequestTimeout, Outcome.TIMEOUT),
    (RequestExpired, Outcome.TIMEOUT),
    (Overloaded, Outcome.SHED),
    (Fault, Outcome.REFUSED),
)
_RUNNING = int(Phase.RUNNING)
_SENDING = int(Phase.SENDING)
_NEXT = After.NEXT
_CLOSE = After.CLOSE
_LINGER = After.LINGER
_CUT = Ending.CUT
_OK = Ending.OK
_ABORTED = Ending.ABORTED
_ABANDONED = Ending.ABANDONED
_STALLED = Ending.STALLED
_FIRST_FAILURE = 500
_FAILURES_APART_NS = 1_000_000_000
_SELDOM_SECONDS = 1.0
_LONG_SECONDS = 1.0
_DROPPED_AT_ONCE_BYTES = 64 * 1024
# SO_LINGER with no time: closing sends a reset at once.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Counts:
    """What a worker has done since it started; written to the scoreboard by the leader."""

    __slots__ = ("aborted", "body_bytes", "busy_ns", "requests", "statuses")

    def __init__(self) -> None:
        self.requests = 0
        self.aborted = 0
        self.busy_ns = 0
        self.body_bytes = 0
        # By the first digit of the status; 0 where nothing was sent.
        self.statuses = array("q", [0] * 10)


class Service:
    """Runs requests and keeps the books.

    on_share_served: called once, after max_requests. kept: takes requests that fail or are slow.
    slow: tells the slow ones while they run, if that is wanted. noted: the access log has had a
    line since this was set to False.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all that it is made of
        self,
        application: Application,
        config: EngineConfig,
        access: RequestLog | None,
        log: logging.Logger,
        on_share_served: Callable[[], None],
        meter: Meter,
        kept: NotedRequests,
        around: AroundCalls | None = None,
        slow: SlowRequests | None = None,
    ) -> None:
        self._application = application
        self._meter = meter
        self._kept = kept
        self._slow = slow
        # What takes so long is kept for those who look.
        self._long_ns = int((config.slow_request_seconds or _LONG_SECONDS) * 1e9)
        self._around = around
        self._soft: SoftLimit | None = None
        if config.soft_timeout_seconds:
            self._soft = SoftLimit(config.soft_timeout_seconds, around)
        # The number of requests after which the worker asks to be replaced; 0 = never, or asked.
        self._share = config.max_requests
        self._on_share_served = on_share_served
        self._queue_ns = int(config.queue_timeout_seconds * 1e9)
        self._streams = config.request_body is BodyMode.STREAM
        self._keeps_alive = config.keep_alive_seconds > 0
        self._access = access
        self._log = log
        self._client_faults = ClientFaultLog(log)
        self.counts = Counts()
        self.noted = False
        self._failed_ns = -_FAILURES_APART_NS
        self._hidden_failures = 0
        # Held by who gives a request up, from the mark on the exchange to the last byte sent.
        self.expiring = threading.Lock()

    # -- a complete request -----------------------------------------------------------------

    def serve(self, connection: Connection, member: Member) -> None:
        """Run one request and give its connection back to the loop. Raises nothing."""
        try:
            self._serve(connection, member)
        except Exception as error:
            member.exchange = None
            if member.slot is not None:
                member.slot.end(now_ns(), 0)
            connection.hub.abandon(connection, error)

    def _serve(self, connection: Connection, member: Member) -> None:
        if self._queue_ns and now_ns() - connection.ready_ns > self._queue_ns:
            connection.hub.shed(connection, "a request waited too long for a thread")
            return
        connection.move(_RUNNING)
        connection.raw = None  # what was begun is not moved to a sibling any more
        loop = connection.hub
        request = connection.request
        assert request is not None
        environ = request.environ
        if request.names_client:
            environ["canter.peer"] = (connection.peer_host, connection.peer_port)
        else:
            environ["REMOTE_ADDR"] = connection.peer_host
            if connection.peer_port:
                environ["REMOTE_PORT"] = connection.peer_port
        environ["wsgi.early_hints"] = EarlyHints(connection)
        environ["canter.client_disconnected"] = Disconnected(connection)
        if request.upgrade:
            environ[_SOCKET] = ClientSocket(connection)
        streams = self._streams and "wsgi.input" not in environ
        if streams:
            environ["wsgi.input"] = BodyInput(connection.pull)
        keep_alive = (
            request.keep_alive
            and self._keeps_alive
            and not loop.draining
            and not connection.input_ended
        )
        writer = connection.reader.answer(request, keep_alive)
        exchange = connection.exchange = Exchange(environ, connection, writer)
        exchange.streams = streams
        began_ns = now_ns()
        slot = member.slot
        assert slot is not None
        member.began_ns = member.started_ns = began_ns
        connection.first_ns = 0
        connection.member = member
        member.exchange = exchange
        slot.begin(began_ns, connection.reader.request_line)
        if self._soft is not None:
            self._soft.run(self._application, exchange, member)
        elif self._around is None:
            exchange.run(self._application)
        else:
            self._around.run(self._application, exchange)
        member.ended_ns = ended_ns = now_ns()
        slot.end(ended_ns, exchange.code)
        member.exchange = None
        connection.exchange = connection.member = None
        if exchange.abandoned:
            # Whoever gives the request up (`expire`) holds the lock until it is done with the
            # connection, or has taken it back.
            with self.expiring:
                if exchange.abandoned:
                    exchange.ending = _ABANDONED
        if exchange.problem is not None or exchange.remarks is not None:
            self._report(connection, exchange)
        self._account(connection, exchange, member)
        loop.answered(connection, self._after(connection, exchange))

    def _after(self, connection: Connection, exchange: Exchange) -> After:
        """How the connection goes on after this response."""
        request = connection.request
        assert request is not None
        if exchange.ending is _CUT:
            if not exchange.writer.chunked:
                self._reset_on_close(connection, exchange)
            return _CLOSE
        if connection.taken is not None:
            return connection.taken.give_back()
        if self._streams and not connection.reader.body_complete:
            # The rest of a body that the application did not read stands before the next request.
            try:
                while connection.reader.read_body(_DROPPED_AT_ONCE_BYTES):
                    pass
            except Fault:
                return _LINGER
            if not connection.reader.body_complete:
                return _LINGER
        if exchange.writer.keep_alive:
            return _NEXT
        # A client that asked for the end sends no more; any other may be sending its next request
        # now, and a reset would take the answer away from it.
        if request.keep_alive or connection.reader.buffered:
            return _LINGER
        return _CLOSE

    @staticmethod
    def _reset_on_close(connection: Connection, exchange: Exchange) -> None:
        """A body without a length that just ends would look whole: end it with a reset."""
        if exchange.writer.remaining < 0:
            try:
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            except OSError:
                pass

    def _report(self, connection: Connection, exchange: Exchange) -> None:
        """Tell the error log what the application did."""
        request = connection.request
        assert request is not None
        extra = marks_of(exchange.environ)
        line = f"{request.method} {_printable(request.target)}{_printable(in_words(extra))}"
        for remark in exchange.remarks or ():
            self._log.warning("%s: %s", line, remark, extra=extra)
        problem = exchange.problem
        if isinstance(problem, Fault):
            # A streamed body broke off under the application's hands: the client's doing.
            self._client_faults.report(
                problem.reason, connection.peer_host, problem.detail, time.monotonic()
            )
        elif isinstance(problem, Overtime):
            self._log.warning("over its soft_timeout: %s", line, exc_info=problem, extra=extra)
        elif problem is not None:
            self._log.error("error in the application: %s", line, exc_info=problem, extra=extra)

    def _account(self, connection: Connection, exchange: Exchange, member: Member) -> None:
        """Count the request, and note its line for the access log."""
        counts = self.counts
        code = exchange.code
        took_ns = member.ended_ns - member.began_ns
        counts.requests += 1
        counts.busy_ns += took_ns
        if 0 < self._share <= counts.requests:
            self._share = 0
            self._on_share_served()
        ending = exchange.ending
        if ending is not _ABANDONED:
            counts.statuses[code // 100] += 1
        counts.body_bytes += exchange.body_bytes
        connection.ended_ns = member.ended_ns
        first_ns = connection.first_ns or member.ended_ns
        request = connection.request
        assert request is not None
        self._meter.note(
            request.method,
            0 if ending is _ABANDONED else code,
            member.began_ns - connection.ready_ns,
            took_ns,
            first_ns - connection.ready_ns,
        )
        if took_ns >= self._long_ns or code >= _FIRST_FAILURE or ending is not _OK:
            self._keep(connection, exchange, member.began_ns, took_ns)
        if ending is _ABORTED or ending is _STALLED:
            counts.aborted += 1
        if self._access is None or ending is _ABANDONED:
            return  # an abandoned request had its line when it was abandoned
        connection.unlogged = self._entry(connection, exchange, member.began_ns, member.ended_ns)

    def _keep(
        self, connection: Connection, exchange: Exchange, began_ns: int, took_ns: int
    ) -> None:
        """Show a request that was slow or failed to those who look."""
        ending = exchange.ending
        if ending is _ABANDONED or (ending is _ABORTED and took_ns < self._long_ns):
            return  # it was kept when it was given up; that its client left is no failure
        line = connection.reader.request_line
        self._kept.note(began_ns, took_ns, exchange.code, _outcome(exchange), line)

    def _entry(
        self, connection: Connection, exchange: Exchange, began_ns: int, ended_ns: int
    ) -> AccessEntry:
        request = connection.request
        client = connection.peer_host
        if request is not None and request.names_client:
            client = exchange.environ.get("REMOTE_ADDR", client)
        entry = AccessEntry(exchange.environ, "", client)
        # One by one, numbers stay numbers of C on their way.
        entry.status = exchange.code
        entry.headers = exchange.fields
        entry.body_bytes = exchange.body_bytes
        entry.total_ns = ended_ns - connection.began_ns
        entry.started_at = wall_seconds() - entry.total_ns * 1e-9
        entry.queue_ns = began_ns - connection.ready_ns
        entry.app_ns = ended_ns - began_ns
        if exchange.ending is not _OK or exchange.problem is not None:
            entry.outcome = _outcome(exchange)
        return entry

    # -- requests that are given up -----------------------------------------------------------

    def expire(
        self, connection: Connection, exchange: Exchange, began_ns: int, *, refused: bool
    ) -> None:
        """Note an abandoned request's end; from the thread that abandoned it.

        refused: it was answered with 504, whatever its thread has come to meanwhile.
        """
        status = RequestExpired.status if refused else exchange.code
        self.counts.statuses[status // 100] += 1
        took_ns = now_ns() - began_ns
        line = connection.reader.request_line
        self._kept.note(began_ns, took_ns, status, Outcome.TIMEOUT, line)
        if self._access is None:
            return
        entry = self._entry(connection, exchange, began_ns, now_ns())
        entry.outcome = Outcome.TIMEOUT
        entry.status = status
        self._record(entry)

    # -- what the loop has to tell ------------------------------------------------------------

    def sent(self, connection: Connection) -> None:
        """Everything of the connection's last response was taken by the kernel."""
        ended_ns = connection.ended_ns
        if ended_ns:
            connection.ended_ns = 0
            # What was taken at once was taken within the application's call.
            self._meter.note_write(now_ns() - ended_ns if connection.phase == _SENDING else 0)
        entry = connection.unlogged
        if entry is not None:
            connection.unlogged = None
            if connection.phase == _SENDING:
                entry.total_ns = now_ns() - connection.began_ns
            self._record(entry)

    def lost(self, connection: Connection, *, timed_out: bool) -> None:
        """The connection ended before all of its response, or of its request, was through."""
        entry = connection.unlogged
        if entry is not None:
            connection.unlogged = None
            backlog = connection.backlog
            if entry.outcome is Outcome.OK and backlog is not None and backlog.cut:
                entry.outcome = Outcome.CUT
            elif entry.outcome is Outcome.OK:
                entry.outcome = Outcome.TIMEOUT if timed_out else Outcome.ABORTED
                self.counts.aborted += 1
            if backlog is not None:
                with backlog.lock:
                    backlog.give_up()
                entry.body_bytes = max(entry.body_bytes - backlog.unsent, 0)
            entry.total_ns = now_ns() - connection.began_ns
            self._record(entry)
        elif connection.phase in (Phase.HEAD, Phase.BODY, Phase.READY):
            self.counts.aborted += 1
            self._record(self._unserved(connection, 0, Outcome.ABORTED))

    def refused(self, connection: Connection, fault: Fault) -> None:
        """A request was answered with a fault."""
        outcome = _refusal(fault)
        self.counts.requests += 1
        self.counts.statuses[fault.status // 100] += 1
        request = connection.request
        self._meter.note_refusal("" if request is None else request.method, fault.status)
        kind = f"{fault.status} {fault.reason}"
        self._client_faults.report(kind, connection.peer_host, fault.detail, time.monotonic())
        connection.unlogged = self._unserved(connection, fault.status, outcome)

    def note_fault(self, connection: Connection, kind: str, detail: str) -> None:
        """A client did something that gets no answer, as a handshake that failed."""
        self._client_faults.report(kind, connection.peer_host, detail, time.monotonic())

    def note_shed(self, connection: Connection, why: str) -> None:
        """A request is turned away; told in the log, not every time."""
        kind = f"{Overloaded.status} {Overloaded.reason}"
        self._client_faults.report(kind, connection.peer_host, why, time.monotonic())

    def answered_here(
        self,
        connection: Connection,
        code: int,
        fields: list[tuple[str, str]],
        body_bytes: int,
        outcome: Outcome,
    ) -> None:
        """A request is answered without the application."""
        counts = self.counts
        counts.requests += 1
        counts.statuses[code // 100] += 1
        counts.body_bytes += body_bytes
        request = connection.request
        self._meter.note_refusal("" if request is None else request.method, code)
        entry = self._unserved(connection, code, outcome)
        entry.headers = fields
        entry.body_bytes = body_bytes
        connection.unlogged = entry

    def failed(self, error: BaseException) -> None:
        """Something failed in the engine itself; it is told, not often, and life goes on."""
        moment_ns = now_ns()
        if moment_ns - self._failed_ns < _FAILURES_APART_NS:
            self._hidden_failures += 1
            return
        self._failed_ns = moment_ns
        hidden, self._hidden_failures = self._hidden_failures, 0
        before = f" ({hidden} more since the last line like it)" if hidden else ""
        # A log that cannot be written must not end a thread.
        with contextlib.suppress(Exception):
            self._log.error("the engine failed at something and goes on%s", before, exc_info=error)

    def look_at_calls(self, members: Sequence[Member], now_ns: int) -> float:
        """Tell slow calls, interrupt those over their time; when to look again, in seconds."""
        soon = _SELDOM_SECONDS if self._soft is None else self._soft.look(members, now_ns)
        return soon if self._slow is None else min(soon, self._slow.look(members, now_ns))

    def tick(self) -> None:
        """Say what the limits on repeated lines have hidden, once in a while."""
        self._client_faults.tick(time.monotonic())
        if self._slow is not None:
            self._slow.tick(time.monotonic())

    def _unserved(self, connection: Connection, status: int, outcome: Outcome) -> AccessEntry:
        request = connection.request
        environ: dict[str, Any] | None = request.environ if request is not None else None
        if environ is not None:
            environ.setdefault("REMOTE_ADDR", connection.peer_host)
        moment_ns = now_ns()
        return AccessEntry(
            environ=environ,
            request_line=connection.reader.request_line.decode("latin-1"),
            client=environ["REMOTE_ADDR"] if environ is not None else connection.peer_host,
            status=status,
            started_at=wall_seconds() - (moment_ns - connection.began_ns) / 1e9,
            total_ns=moment_ns - connection.began_ns,
            outcome=outcome,
        )

    def _record(self, entry: AccessEntry) -> None:
        if self._access is not None:
            self._access.record(entry)
            self.noted = True


def _refusal(fault: Fault) -> Outcome:
    """How a request ended that was refused for `fault`."""
    return next(outcome for kind, outcome in _REFUSALS if isinstance(fault, kind))


def _outcome(exchange: Exchange) -> Outcome:
    """How a request ended."""
    problem = exchange.problem
    if exchange.ending is Ending.FAILED and isinstance(problem, Fault):
        return _refusal(problem)
    if exchange.ending is Ending.FAILED and isinstance(problem, Overtime):
        return Outcome.TIMEOUT
    if exchange.ending is Ending.TAKEN and problem is not None:
        return Outcome.CUT
    return _OUTCOMES[exchange.ending]


def _printable(target: str) -> str:
    """A request target as it may stand in a log line."""
    if target.isascii() and target.isprintable():
        return target
    return target.encode("unicode_escape").decode("ascii")
