"""What one connection's greenlet does: read, have answered, send, and so on until the end.

It is straight-line code that waits; the phases are the threaded engine's, without a hand-over.
"""

from __future__ import annotations

from collections.abc import Callable

import gevent

from canter.engine.clock import now_ns
from canter.engine.contract import EngineConfig
from canter.engine.gevent.connection import GreenConnection
from canter.engine.gevent.seats import Seats
from canter.engine.phases import Phase
from canter.engine.session import Step
from canter.engine.threaded.answering import Answering
from canter.engine.threaded.connection import After, Connection, Hub
from canter.engine.threaded.service import Service
from canter.protocol.faults import Fault, RequestTimeout
from canter.wsgi.exchange import Abandoned, ClientGone, ClientStalled

DRAIN_IDLE_SECONDS = 1.0
_READS_A_TURN = 16


class Talk(Hub):
    """The conversations of one worker.

    connections: those that are open. changed: told when one has ended. noted: told when the access
    log has something.
    """

    __slots__ = ("_answering", "_changed", "_config", "_noted", "_seats", "_service", "connections")

    def __init__(
        self,
        config: EngineConfig,
        service: Service,
        seats: Seats,
        changed: Callable[[], None],
        noted: Callable[[], None],
    ) -> None:
        super().__init__()
        self._config = config
        self._service = service
        self._seats = seats
        self._changed = changed
        self._noted = noted
        self._answering = Answering(config, service) if config.responders else None
        self.connections: set[GreenConnection] = set()

    # -- `canter.engine.threaded.connection.Hub` ------------------------------------------------

    def watch(self, fd: int) -> None:
        """Its own greenlet waits for its events."""

    def note_fault(self, connection: Connection, kind: str, detail: str) -> None:
        """Tell the log of something that gets no answer."""
        self._service.note_fault(connection, kind, detail)

    def answered(self, connection: Connection, after: After) -> None:
        """The application is done; its greenlet goes on by itself."""
        connection.after = after

    def abandon(self, connection: Connection, error: BaseException) -> None:
        """Something failed that must not."""
        self._service.failed(error)
        assert isinstance(connection, GreenConnection)
        connection.broken = True

    # -- one connection -------------------------------------------------------------------------

    def adopt(self, connection: GreenConnection) -> None:
        """Begin a conversation."""
        self.connections.add(connection)
        connection.greenlet = gevent.spawn(self._live, connection)

    def _live(self, connection: GreenConnection) -> None:
        try:
            step: Step | None = Step.MORE
            while step is not None:
                step = self._go_on(connection, step)
        except (ClientGone, OSError) as gone:
            self._service.lost(connection, timed_out=isinstance(gone, ClientStalled))
        except Abandoned:
            pass  # its books are kept by whoever gave it up
        except Exception as error:
            self._service.failed(error)
            self._service.lost(connection, timed_out=False)
        finally:
            self._close(connection)

    def _close(self, connection: GreenConnection) -> None:
        backlog = connection.backlog
        if backlog is not None:
            with backlog.lock:
                backlog.give_up()
        connection.finish_request()
        if connection.phase != Phase.CLOSED:
            connection.move(Phase.CLOSED)
        connection.close()
        self.connections.discard(connection)
        self._tell_of_notes()
        self._changed()

    def _go_on(self, connection: GreenConnection, step: Step) -> Step | None:
        """Do what is wanted next; None at the connection's end."""
        if step is Step.MORE:
            return self._read(connection)
        if step is Step.READY:
            return self._answer(connection)
        if step is Step.CONTINUE:
            connection.send(connection.reader.interim())
            connection.send_rest()
            return connection.resume()
        assert connection.fault is not None
        return self._refuse(connection, connection.fault)

    # -- reading --------------------------------------------------------------------------------

    def _read(self, connection: GreenConnection) -> Step | None:
        """Wait for bytes, and give them to the session."""
        self._settle(connection)
        for _ in range(_READS_A_TURN):
            data = connection.read()
            if data is None:
                fault = self._wait_for_bytes(connection)
                if fault is not None:
                    return self._refuse(connection, fault)
                if connection.after is After.CLOSE:
                    return None
                continue
            if not data:
                connection.input_ended = True
                fault = connection.receive_end()
                return None if fault is None else self._refuse(connection, fault)
            if connection.phase == Phase.IDLE:
                connection.began_ns = now_ns()
            self.bytes_in += len(data)
            step = connection.receive(data)
            if step is not Step.MORE:
                return step
            self._settle(connection)
        gevent.sleep(0)  # it is the others' turn
        return Step.MORE

    @staticmethod
    def _settle(connection: GreenConnection) -> None:
        """Be in the phase that fits what has come of the next request."""
        if connection.request is not None:
            phase = Phase.BODY
        elif connection.reader.head_started:
            phase = Phase.HEAD
        else:
            phase = Phase.IDLE
        if connection.phase != phase:
            connection.move(phase)
            connection.waits_since_ns = now_ns()

    def _wait_for_bytes(self, connection: GreenConnection) -> Fault | None:
        """Let others run meanwhile. What was too slow, or `after` says that it is over."""
        config = self._config
        phase = connection.phase
        if phase == Phase.BODY:
            if connection.wait_readable(config.body_timeout_seconds):
                return None
            return RequestTimeout("the body came too slowly")
        if phase == Phase.IDLE and connection.served:
            seconds = config.keep_alive_seconds
            if self.draining:
                seconds = min(seconds, DRAIN_IDLE_SECONDS)
        elif config.header_timeout_seconds > 0:
            # A head has its time from its first byte on, however slowly it drips.
            waited_ns = now_ns() - connection.waits_since_ns
            seconds = max(config.header_timeout_seconds - waited_ns / 1e9, 1e-6)
        else:
            seconds = 0.0
        if connection.wait_readable(seconds):
            return None
        if phase == Phase.HEAD:
            return RequestTimeout("the head came too slowly")
        connection.after = After.CLOSE
        return None

    # -- answering ------------------------------------------------------------------------------

    def _answer(self, connection: GreenConnection) -> Step | None:
        connection.move(Phase.READY)
        connection.ready_ns = now_ns()
        after = None if self._answering is None else self._answering.ask(connection)
        if after is None:
            self._run(connection)
        else:
            connection.after = after
        if connection.broken:
            self._service.lost(connection, timed_out=False)
            return None
        if connection.backlog is not None:
            connection.move(Phase.SENDING)
            connection.send_rest()
        self._service.sent(connection)
        connection.finish_request()
        self._tell_of_notes()
        return self._after(connection)

    def _run(self, connection: GreenConnection) -> None:
        """Have the application answer, in this greenlet."""
        member = self._seats.take()
        member.thread = connection.greenlet
        try:
            self._service.serve(connection, member)
        finally:
            self._seats.give_back(member)

    def _after(self, connection: GreenConnection) -> Step | None:
        """How the connection goes on when its response is through."""
        if connection.after is After.CLOSE:
            return None
        if connection.after is After.LINGER:
            return self._linger(connection)
        if not connection.reader.buffered:
            return None if connection.input_ended else Step.MORE
        gevent.sleep(0)  # a pipelined request is at hand, but it is the others' turn
        connection.began_ns = now_ns()
        step = connection.resume()
        if step is Step.MORE and connection.input_ended:
            fault = connection.receive_end()
            return None if fault is None else self._refuse(connection, fault)
        return step

    def _refuse(self, connection: GreenConnection, fault: Fault) -> Step | None:
        """Answer a request that cannot be served, then end the connection: None."""
        request = connection.request
        head_only = request is not None and request.method == "HEAD"
        self._service.refused(connection, fault)
        connection.drop_body()
        answer = connection.reader.refusal(fault, self.date_line, head_only=head_only)
        if answer:
            connection.send(answer)
            connection.move(Phase.SENDING)
            connection.send_rest()
        self._service.sent(connection)
        return self._linger(connection)

    def _linger(self, connection: GreenConnection) -> Step | None:
        """Close our side and wait for the client's end (RFC 9112 9.6), for a while; then None."""
        connection.shut()
        connection.move(Phase.LINGER)
        self._tell_of_notes()
        until_ns = now_ns() + int(self._config.linger_seconds * 1e9)
        while not connection.input_ended and (left_ns := until_ns - now_ns()) > 0:
            data = connection.read()
            if data:
                gevent.sleep(0)
            elif data is not None or not connection.wait_readable(left_ns / 1e9):
                break
        return None

    def _tell_of_notes(self) -> None:
        service = self._service
        if service.noted:
            service.noted = False
            self._noted()
