"""One connection as far as it can be decided without touching a socket: bytes in, requests out.

Engines subclass `Session` with what does the I/O. A session reads heads, collects bodies, knows
when the client waits for 100-continue, and what the end of its input means. It never writes.
"""

from __future__ import annotations

import enum
import io
from typing import Any

from canter.engine.contract import BodyMode, EngineConfig
from canter.engine.phases import MAY_FOLLOW, Phase
from canter.engine.spool import Spool
from canter.protocol.faults import Fault, StorageFull
from canter.protocol.reader import RequestReader
from canter.protocol.request import Request
from canter.wsgi.exchange import Sink
from canter.wsgi.input import NO_BODY

_BODY_READ_BYTES = 256 * 1024
_IDLE = int(Phase.IDLE)
_MAY_FOLLOW = MAY_FOLLOW
_BytesIO = io.BytesIO


class Step(enum.Enum):
    """What a session wants next."""

    MORE = "more"
    """More bytes."""

    CONTINUE = "continue"
    """`reader.interim()`, 100 Continue for one, to be sent; then `resume`."""

    READY = "ready"
    """`request` is complete (or, when bodies are streamed, its head is)."""

    SHARED = "shared"
    """Streams instead of requests one by one; `shared` has them."""

    REFUSED = "refused"
    """`fault` to be answered; nothing after it can be understood."""


_MORE = Step.MORE
_READY_STEP = Step.READY


class IllegalMove(AssertionError):
    """A connection was moved to a phase that cannot follow; always a mistake of ours."""


class Session(Sink):
    """A connection's reading side and its phase."""

    __slots__ = (
        "_spool",
        "_streams",
        "base",
        "config",
        "fault",
        "phase",
        "reader",
        "request",
        "served",
    )

    def __init__(self, reader: RequestReader, base: dict[str, Any], config: EngineConfig) -> None:
        self.reader = reader
        self.base = base
        self.config = config
        self.phase: int = _IDLE
        self._streams = config.request_body is BodyMode.STREAM
        self.request: Request | None = None
        self.fault: Fault | None = None
        self.served = 0
        self._spool: Spool | None = None

    def move(self, phase: int) -> None:
        """Change the phase; the table in `canter.engine.phases` says what may follow what."""
        followers: int = _MAY_FOLLOW[self.phase]
        if not followers >> phase & 1:
            raise IllegalMove(f"{Phase(self.phase).name} to {Phase(phase).name}")
        self.phase = phase

    def receive(self, data: bytes) -> Step:
        """Take bytes from the client and say what is wanted next."""
        self.reader.feed(data)
        return self.resume()

    def resume(self) -> Step:
        """Go on with the bytes at hand; also after a response, for what came behind a request."""
        try:
            if self.request is not None:
                return self._collect(self.request)
            request = self.reader.next_request(self.base)
            if request is None:
                return self._await_head()
            self.request = request
            if request.body_length == 0 and not request.expect_continue:
                request.environ["wsgi.input"] = NO_BODY
                return _READY_STEP
            return self._begin_body(request)
        except Fault as fault:
            self.fault = fault
            return Step.REFUSED

    def _await_head(self) -> Step:
        """There is no next request yet; what that takes."""
        reader = self.reader
        if reader.owes:
            return Step.CONTINUE
        if reader.successor is None:
            return _MORE
        self.reader = reader.successor
        self.introduce(reader)
        return self.resume()

    def introduce(self, reader: RequestReader) -> None:
        """Note what a reader has found out that stood before the present one."""

    def _begin_body(self, request: Request) -> Step:
        if self._streams and not self.reader.body_complete:
            return Step.READY
        length = request.body_length
        if 0 < length <= self.reader.buffered and length <= self.config.body_memory_bytes:
            # The commonest body: it came with its head, and nothing has to be collected.
            body = self.reader.read_body(length)
            request.environ["wsgi.input"] = _BytesIO(body)
            return _READY_STEP
        config = self.config
        self._spool = Spool(
            config.body_memory_bytes, config.spool_directory, config.body_budget, length
        )
        if request.expect_continue and not self.reader.buffered:
            return Step.CONTINUE
        return self._collect(request)

    def _collect(self, request: Request) -> Step:
        spool = self._spool
        assert spool is not None
        reader = self.reader
        try:
            while data := reader.read_body(_BODY_READ_BYTES):
                spool.write(data)
            if not reader.body_complete:
                return Step.CONTINUE if reader.owes else _MORE
            request.environ["wsgi.input"] = spool.open()
        except OSError as error:
            raise StorageFull(f"the body cannot be kept: {error.strerror}") from error
        if request.body_length < 0:
            # The body is whole, so its length is known: applications that look for CONTENT_LENGTH
            # (most do) see a chunked body like any other.
            request.environ["CONTENT_LENGTH"] = str(spool.size)
        return Step.READY

    def straight(self) -> int:
        """How many bytes of a body may be read straight to where it is kept, past the reader.

        0: they have to be fed, as they are encoded, or go to a file, or some are waiting already.
        """
        spool = self._spool
        return 0 if spool is None else min(spool.left, self.reader.ahead)

    def fill(self, fd: int) -> int:
        """Read such bytes: their number, 0 at the end of the input, -1 for none now.

        One more than was `straight` where something stands behind the body; the reader has it.
        Raises OSError.
        """
        spool = self._spool
        assert spool is not None
        left = spool.left
        count: int = spool.fill(fd)
        if count > left:
            # The next request has come as well.
            self.reader.pass_over(left)
            self.reader.feed(spool.behind())
        elif count > 0:
            self.reader.pass_over(count)
        return count

    def finish_request(self) -> None:
        """The present request has been answered (or given up)."""
        request = self.request
        if request is not None:
            self.request = None
            self.served += 1
            # Ten thousand idle connections need not remember what they asked last.
            self.reader.request_line = b""
        if self._spool is not None:
            self.drop_body()

    def drop_body(self) -> None:
        """Give back what a body was kept in, whole or not."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def receive_end(self) -> Fault | None:
        """The client will send nothing more: what that means. None: nothing is cut short."""
        if self.request is not None and self.reader.body_complete:
            return None
        return self.reader.truncated()
