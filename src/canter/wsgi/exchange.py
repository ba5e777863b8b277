"""One call of a WSGI application: start_response, write, the iterable, close (PEP 3333).

An exchange decides what is sent and when; it does not know how. It is handed a `Sink` by the
engine, which owns the connection, and leaves behind what the engine logs: the outcome, the status,
the number of body bytes, what went wrong.

The order is PEP 3333's: the head goes out with the first non-empty block, or at the end; every
block is given to the sink before the next is asked for; close() is called once, whatever happened.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from typing import Any

from canter.protocol.faults import Fault
from canter.protocol.response import InvalidResponse, ResponseHead, judge_response
from canter.protocol.writer import ResponseWriter
from canter.wsgi.file_wrapper import FileWrapper
from canter.wsgi.overtime import RequestTimeout

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class ClientGone(ConnectionError):
    """The client left, or does not take what is sent to it; nothing more can be sent.

    refused_bytes: of what was to be sent last, none of which was taken over.
    """

    def __init__(self, message: str, refused_bytes: int = 0) -> None:
        super().__init__(message)
        self.refused_bytes = refused_bytes


class ClientStalled(ClientGone):
    """The client is there and takes nothing: it was given up."""


class Abandoned(BaseException):
    """The server has given this request up; the response must not be sent any more.

    A BaseException, so that an application's `except Exception` does not swallow it.
    """


class HeadState(enum.Enum):
    """How far a response's head is: nothing said, declared by start_response, sent."""

    UNSET = "unset"
    DECLARED = "declared"
    SENT = "sent"


class Ending(enum.Enum):
    """How an exchange ended, as far as the application and this call go; OPEN: not yet."""

    OPEN = "open"
    OK = "ok"
    FAILED = "failed"
    CUT = "cut"
    ABORTED = "aborted"
    STALLED = "stalled"
    ABANDONED = "abandoned"
    TAKEN = "taken"


_UNSET = HeadState.UNSET
_DECLARED = HeadState.DECLARED
_SENT = HeadState.SENT
_OPEN = Ending.OPEN
_OK = Ending.OK
_TAKEN = Ending.TAKEN

_TOO_LONG = "the body is longer than its Content-Length; the rest was left out"


# Up to this size head and body, or a block and its framing, are made one piece: a copy costs less
# than to tell the kernel of several.
_COPIED_BYTES = 4096
# Up to this size they are one piece where several cannot be sent at once: above it the copy would
# cost more than the second write.
_JOINED_BYTES = 64 * 1024


class Sink:
    """Where an exchange's bytes go; the engine's side of the connection.

    A class and not a protocol, so that a compiled exchange calls a compiled connection directly.
    """

    __slots__ = ()

    def send(self, data: bytes) -> None:
        """Send, or keep for the loop to send; never waits. Raises ClientGone."""
        raise NotImplementedError

    def stream(self, data: bytes) -> None:
        """As `send`, but waits while the client is far behind. Raises ClientGone."""
        raise NotImplementedError

    def send_block(
        self,
        before: bytes,
        block: bytes,
        behind: bytes,
        streams: bool,  # noqa: FBT001 - a C function
    ) -> None:
        """As `stream`, or else as `send`: a block with what stands before it and behind it."""
        send = self.stream if streams else self.send
        if len(block) <= _JOINED_BYTES:
            send(before + block + behind)
            return
        if before:
            try:
                self.send(before)
            except ClientGone as gone:
                gone.refused_bytes = len(block)
                raise
        send(block)
        if behind:
            self.send(behind)

    def open_file(self, filelike: Any) -> tuple[int, int, int] | None:
        """(descriptor, offset, size left) of a plain file the kernel can send, or None.

        The descriptor is the sink's own; it must be given to `send_file` or `close_file`.
        """
        raise NotImplementedError

    def send_file(self, head: bytes, descriptor: int, offset: int, count: int) -> None:
        """Send head, then count bytes of the file, and close the descriptor; never waits."""
        raise NotImplementedError

    def close_file(self, descriptor: int) -> None:
        """Give a descriptor back that was not sent."""
        raise NotImplementedError

    def date_line(self) -> bytes:
        """The Date line of now."""
        raise NotImplementedError

    def settle(self, writer: ResponseWriter) -> None:
        """Before the head of a response to a streamed request: say if the connection must end."""
        raise NotImplementedError


class _Nowhere(Sink):
    """The sink of an exchange that is over."""

    __slots__ = ()

    def send(self, data: bytes) -> None:
        """Refuse."""
        raise ClientGone("the request is over")

    def stream(self, data: bytes) -> None:
        """Refuse."""
        raise ClientGone("the request is over")

    def open_file(self, filelike: Any) -> tuple[int, int, int] | None:
        """Refuse."""
        return None

    def send_file(self, head: bytes, descriptor: int, offset: int, count: int) -> None:
        """Refuse."""
        raise ClientGone("the request is over")

    def close_file(self, descriptor: int) -> None:
        """Nothing was opened."""

    def date_line(self) -> bytes:
        """There is no head to be sent."""
        return b""

    def settle(self, writer: ResponseWriter) -> None:
        """There is no head to be sent."""


_NOWHERE = _Nowhere()


class Write:
    """PEP 3333's write callable, which start_response gives back."""

    __slots__ = ("_exchange",)

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __call__(self, block: bytes) -> None:
        """See `Exchange.write`."""
        self._exchange.write(block)


class Exchange:
    """One request's call of the application, and the start_response that it is called with.

    After `run`: ending, code (the status sent, 0 for none), fields (the headers sent), body_bytes
    (of the body, as given to the sink), problem (the exception, where one ended it), remarks
    (what the application did wrong without harm to the connection).
    """

    __slots__ = (
        "abandoned",
        "body_bytes",
        "ending",
        "environ",
        "head",
        "problem",
        "remarks",
        "sink",
        "state",
        "streams",
        "writer",
    )

    def __init__(self, environ: dict[str, Any], sink: Sink, writer: ResponseWriter) -> None:
        self.environ = environ
        self.sink = sink
        self.writer = writer
        self.state = _UNSET
        self.head: ResponseHead | None = None
        self.abandoned = False
        #: The request's body is read while the application runs.
        self.streams = False
        self.body_bytes = 0
        self.ending = _OPEN
        self.problem: BaseException | None = None
        self.remarks: list[str] | None = None

    # -- what the engine reads afterwards -----------------------------------------------------

    @property
    def code(self) -> int:
        """The status that was sent, 0 where none was."""
        if self.state is _SENT and self.head is not None:
            return self.head.code
        return 0

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The header fields as the application gave them."""
        return self.head.declared if self.head is not None else []

    def remark(self, text: str) -> None:
        """Note what the application did wrong."""
        if self.remarks is None:
            self.remarks = []
        self.remarks.append(text)

    # -- the call -----------------------------------------------------------------------------

    def run(self, application: Application) -> None:
        """Call the application and send what it answers; raises nothing."""
        self._call(application)
        # A write callable that outlives its request must not reach the connection's next one.
        self.sink = _NOWHERE

    def _call(self, application: Application) -> None:
        result: Any = None
        try:
            result = application(self.environ, self)
            kind = type(result)
            if self.ending is not _OPEN:
                pass  # the connection was taken over
            elif kind is list or kind is tuple:
                self._send_whole(result)
                result = None  # neither has a close()
            elif kind is FileWrapper:
                self._send_file(result)
            else:
                self._send_each(result)
            if self.ending is _OPEN:
                self.ending = _OK
        except BaseException as problem:
            self._fail(problem)
        if result is not None:
            try:
                close = getattr(result, "close", None)
                if close is not None:
                    close()
            except BaseException as problem:
                # The response is out; what close() was to do is not. It is logged, not answered.
                if self.problem is None:
                    self.problem = problem

    def give_up_answer(self) -> None:
        """The application has taken the connection over: whatever it answers is not sent.

        Raises Abandoned.
        """
        # In this order, as in `_head_bytes`.
        self.state = _SENT
        if self.abandoned:
            raise Abandoned
        self.head = None
        self.writer.keep_alive = False
        self.sink = _NOWHERE
        self.ending = _TAKEN

    def break_off(self, problem: BaseException) -> None:
        """`run` itself was ended by an exception: answer, while that is possible, or cut."""
        if self.sink is _NOWHERE:
            return  # all was done
        if self.state is _SENT:
            self.problem = problem
            self.writer.keep_alive = False
            self.ending = Ending.CUT
        else:
            self._fail(problem)
        self.sink = _NOWHERE

    def __call__(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """PEP 3333's start_response; raises InvalidResponse for what cannot be sent."""
        if exc_info is not None:
            try:
                if self.state is _SENT:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # breaks the reference cycle, as the PEP asks
        elif self.ending is _TAKEN:
            return Write(self)
        elif self.state is not _UNSET:
            raise RuntimeError("start_response was called a second time without exc_info")
        self.head = judge_response(status, headers)
        self.state = _DECLARED
        if self.head.dropped:
            names = ", ".join(self.head.dropped)
            self.remark(f"hop-by-hop headers belong to the server and were left out: {names}")
        return Write(self)

    def write(self, block: bytes) -> None:
        """PEP 3333's write callable."""
        if self.ending is not _OPEN:
            # The connection may be at its next request by now, whose answer this would get into.
            raise RuntimeError("write() was called after the response had ended")
        if type(block) is not bytes:
            block = _as_bytes(block)
        if block:
            self._emit(block)

    def may_hint(self) -> bool:
        """Whether an interim response may still be sent."""
        return self.state is not _SENT and not self.writer.http_10

    # -- sending ------------------------------------------------------------------------------

    def _head_bytes(self, body_length: int) -> bytes:
        """The head, once; from here on the status cannot change."""
        head = self.head
        if head is None:
            raise InvalidResponse("the application answered without calling start_response")
        # Set before the check: `abandon` sets its flag before it looks at the state, so of the two
        # sides at most one sends.
        self.state = _SENT
        if self.abandoned:
            raise Abandoned
        if self.streams:
            self.sink.settle(self.writer)
        return self.writer.head(head, body_length, self.sink.date_line())

    def _send_whole(self, blocks: list[bytes] | tuple[bytes, ...]) -> None:
        """The body is at hand: one write for head and body."""
        body = blocks[0] if len(blocks) == 1 else b"".join(blocks)
        if type(body) is not bytes:
            body = _as_bytes(body)
        if self.state is _SENT:  # write() was used before
            if body:
                self._emit(body)
            self._finish()
            return
        head = self._head_bytes(len(body))
        writer = self.writer
        remaining = writer.remaining
        if writer.bodyless:
            self.sink.send(head)
        elif remaining == len(body) and not writer.chunked:
            writer.remaining = 0
            self.body_bytes = remaining
            if remaining <= _COPIED_BYTES:
                self.sink.send(head + body)
            else:
                self.sink.send_block(head, body, b"", False)
        elif writer.chunked and 0 < len(body) <= _JOINED_BYTES and remaining in (-1, len(body)):
            self.body_bytes = len(body)
            self.sink.send(head + writer.data(body) + writer.end())
        else:
            self.sink.send(head)
            if body:
                self._emit(body)
            self._finish()

    def _send_each(self, blocks: Iterable[bytes]) -> None:
        for block in blocks:
            if block:
                data = block if type(block) is bytes else _as_bytes(block)
                if self.state is _SENT:
                    if self.writer.remaining == 0:
                        self._remark_too_long()
                        break  # PEP 3333: "stop iterating ... when enough data has been sent"
                    self._emit(data)
                else:
                    self._emit_first(data, blocks)
                if self.writer.bodyless:
                    break  # the rest would be made for nobody; close() is called all the same
        self._finish()

    def _emit_first(self, block: bytes, blocks: Iterable[bytes]) -> None:
        """Head and first block together; an iterable of one item has a length (PEP 3333)."""
        length = -1
        head = self.head
        if head is not None and head.content_length < 0 and hasattr(blocks, "__len__"):
            try:
                length = len(block) if len(blocks) == 1 else -1  # type: ignore[arg-type]
            except TypeError:
                length = -1
        self._emit(block, length)

    def _emit(self, block: bytes, body_length: int = -1) -> None:
        """Send one block, with the head before it where that is still to be sent."""
        head = b"" if self.state is _SENT else self._head_bytes(body_length)
        writer = self.writer
        remaining = writer.remaining
        if 0 <= remaining < len(block) and not writer.bodyless:
            self._remark_too_long()
            block = block[:remaining]
        if self.abandoned:
            raise Abandoned
        if writer.bodyless:
            if head:
                self.sink.send(head)
            return
        size = len(block)
        if size <= _COPIED_BYTES:
            self.body_bytes += size
            self.sink.stream(head + writer.data(block))
            return
        if 0 < writer.largest < size:
            if head:
                self.sink.send(head)
            for start in range(0, size, writer.largest):
                self._emit(block[start : start + writer.largest])
            return
        before, behind = writer.frame(size)
        self.body_bytes += size
        self.sink.send_block(head + before, block, behind, True)

    def _remark_too_long(self) -> None:
        if self.remarks is None or _TOO_LONG not in self.remarks:
            self.remark(_TOO_LONG)

    def _finish(self) -> None:
        """The application has given all its blocks."""
        head = b"" if self.state is _SENT else self._head_bytes(0)
        writer = self.writer
        if writer.remaining > 0:
            # A shorter body must not look whole: the connection is cut (RFC 9112 6.3).
            missing = writer.remaining
            writer.keep_alive = False
            self.ending = Ending.CUT
            self.remark(f"the body is shorter than its Content-Length; {missing} bytes are missing")
        data = head + writer.end()
        if data:
            self.sink.send(data)

    def _send_file(self, wrapper: FileWrapper) -> None:
        opened = None
        # A format that wraps every block leaves nothing for the kernel to send by itself.
        if self.state is _DECLARED and not self.writer.chunked:
            opened = self.sink.open_file(wrapper.filelike)
        if opened is None:
            self._send_each(wrapper)
            return
        descriptor, offset, size = opened
        try:
            head = self._head_bytes(size)
        except BaseException:
            self.sink.close_file(descriptor)
            raise
        writer = self.writer
        if writer.bodyless:
            self.sink.close_file(descriptor)
            self.sink.send(head)
            return
        # The size is known, so the writer chose a length: what was declared, or this size.
        count = min(size, writer.remaining)
        writer.remaining -= count
        self.body_bytes = count
        self.sink.send_file(head, descriptor, offset, count)
        self._finish()

    def _fail(self, problem: BaseException) -> None:
        """The call ended in an exception: answer 500 while that is possible, else cut."""
        if isinstance(problem, Abandoned) or self.abandoned:
            self.writer.keep_alive = False
            self.ending = Ending.ABANDONED
            return
        if self.ending is _TAKEN:
            # StopIteration is how applications tell Gunicorn that they have answered by themselves.
            if not isinstance(problem, (StopIteration, ClientGone)):
                self.problem = problem
            return
        if isinstance(problem, ClientGone):
            self.body_bytes = max(self.body_bytes - problem.refused_bytes, 0)
            self.writer.keep_alive = False
            stalled = isinstance(problem, ClientStalled)
            self.ending = Ending.STALLED if stalled else Ending.ABORTED
            return
        self.problem = problem
        if self.state is _SENT:
            self.writer.keep_alive = False
            self.ending = Ending.CUT
            return
        self.ending = Ending.FAILED
        status = "500 Internal Server Error"
        if isinstance(problem, Fault):
            # The body broke off under the application's hands: that is what the client is told.
            status = f"{problem.status} {problem.reason}"
            self.writer.keep_alive = False
        elif isinstance(problem, RequestTimeout):
            status = "504 Gateway Timeout"
        self.head = judge_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        text = f"{status}\n".encode()
        try:
            head = self._head_bytes(len(text))
            writer = self.writer
            self.body_bytes = 0 if writer.bodyless else len(text)
            self.sink.send(head if writer.bodyless else head + writer.data(text) + writer.end())
        except ClientGone:
            self.body_bytes = 0
            self.writer.keep_alive = False
            self.ending = Ending.ABORTED
        except Abandoned:
            self.writer.keep_alive = False
            self.ending = Ending.ABANDONED


def _as_bytes(block: Any) -> bytes:
    """A block of a subclass of bytes as plain bytes; raises TypeError for anything else."""
    if not isinstance(block, bytes):
        raise TypeError(f"the body's blocks must be bytes, not {type(block).__name__}")
    return bytes(block)
