"""The reading side of a FastCGI connection: one request at a time, one after the other.

Records of another request than the present one are ignored, as the specification has it, but for
one that begins: it is told that requests are not multiplexed here. Replies to management records
are owed at once (`interim`), in between the pieces of a body too.
"""

from __future__ import annotations

from typing import Any, NoReturn

from canter.protocol.fastcgi.records import (
    HEAD_BYTES,
    KEEP_CONNECTION,
    MANAGEMENT,
    RESPONDER,
    VERSION,
    Status,
    Type,
    end_request,
    read_pairs,
    stream,
    unknown_type,
    values_result,
)
from canter.protocol.fastcgi.states import TABLE, Event, Phase
from canter.protocol.fastcgi.writer import BEFORE_STATUS, Writer, ended
from canter.protocol.faults import (
    BadFraming,
    BadPacket,
    BodyTooLarge,
    Fault,
    FieldsTooLarge,
    Truncated,
    Untrusted,
    quoted,
)
from canter.protocol.gateway.reader import told_line
from canter.protocol.gateway.variables import request_from
from canter.protocol.gateway.writer import refusal
from canter.protocol.limits import Leniency, Limits
from canter.protocol.reader import RequestReader
from canter.protocol.request import CHUNKED, Request

# GET_VALUES of an honest peer has some dozens of bytes.
_MANAGEMENT_BYTES = 1024
# Records without an effect that may come in a row: each costs a little and brings nothing.
_IDLE_RECORDS = 64

# Caddy's word for the length of a body that comes in chunks; STDIN has an end of its own.
_NOT_KNOWN = (b"CONTENT_LENGTH", b"-1")


class Reader(RequestReader):
    """`RequestReader` for FastCGI.

    trusted: whether the peer may speak FastCGI here.
    """

    __slots__ = (
        "_base",
        "_body",
        "_data",
        "_declared",
        "_fault",
        "_idle_records",
        "_keeps",
        "_leniency",
        "_limits",
        "_params",
        "_phase",
        "_received",
        "_replies",
        "_request",
        "_request_id",
        "_trusted",
    )

    def __init__(self, limits: Limits, leniency: Leniency, *, trusted: bool) -> None:
        super().__init__()
        self._limits = limits
        self._leniency = leniency
        self._trusted = trusted
        self._data = bytearray()
        self._phase = Phase.IDLE
        self._fault: Fault | None = None
        self._replies: list[bytes] = []
        self._idle_records = 0
        # Of the request that is being read, or was read last; an id of 0 is none.
        self._request_id = 0
        self._keeps = False
        self._params = bytearray()
        self._body = bytearray()
        self._declared = -1
        self._received = 0
        # Whose variables are whole, and whose STDIN has not begun.
        self._request: Request | None = None
        self._base: dict[str, Any] = {}

    # -- RequestReader ------------------------------------------------------------------------

    @property
    def buffered(self) -> int:
        """Bytes that were fed and not consumed."""
        return len(self._data) + len(self._body)

    @property
    def head_started(self) -> bool:
        """Whether part of a next request's head has come."""
        phase = self._phase
        return phase in (Phase.PARAMS, Phase.HEAD_READ) or (
            phase is Phase.IDLE and bool(self._data) and not self._body
        )

    @property
    def body_complete(self) -> bool:
        """Whether there is no more body to read."""
        return self._phase not in (Phase.STDIN, Phase.FAILED) and not self._body

    @property
    def phase(self) -> Phase:
        """What is expected next."""
        return self._phase

    def truncated(self) -> Fault | None:
        """What it means when the peer's side ends now."""
        if self._phase is Phase.FAILED:
            return self._fault
        if self._phase is Phase.STDIN:
            return Truncated("the connection ended within a request's body")
        if self.head_started:
            return Truncated("the connection ended within a request's head")
        return None

    def feed(self, data: bytes) -> None:
        """Take what was received."""
        self._data += data

    def interim(self) -> bytes:
        """The replies to management records."""
        replies = b"".join(self._replies)
        self._replies.clear()
        self.owes = False
        return replies

    def next_request(self, base: dict[str, Any]) -> Request | None:
        """The next request, or None."""
        self._raise_again()
        if self._phase is Phase.STDIN or self._body:
            raise RuntimeError("asked for a request before the last one's body was read")
        self._base = base
        try:
            if self._data and not self._trusted:
                raise Untrusted("a peer that may not speak FastCGI here")
            while not self.owes and self._read_record():
                request = self._request
                if request is not None and self._is_given:
                    self._request = None
                    return request
        except Fault as fault:
            self._fail(fault)
        return None

    def read_body(self, maximum: int) -> bytes:
        """At most `maximum` bytes of the body."""
        if not self._body:
            self._raise_again()
        try:
            while self._phase is Phase.STDIN and len(self._body) < maximum and not self.owes:
                if not self._read_record():
                    break
        except Fault as fault:
            self._fault = fault
            self._move(Event.FAULT)
            if not self._body:
                raise
            # What came before the place of the fault is handed out first.
        piece = bytes(self._body[:maximum])
        del self._body[:maximum]
        self.body_received += len(piece)
        return piece

    def answer(self, request: Request, keep_alive: bool) -> Writer:
        """The writer of the response."""
        return Writer(self._request_id, request.method == "HEAD", keep_alive)

    def refusal(self, fault: Fault, date_line: bytes, *, head_only: bool = False) -> bytes:
        """The whole answer to what was refused; none where no request had begun."""
        del date_line
        if isinstance(fault, Untrusted) or not self._request_id:
            return b""
        told = refusal(BEFORE_STATUS, fault, head_only=head_only)
        number = self._request_id
        return stream(Type.STDOUT, number, told) + ended(number)

    # -- records ------------------------------------------------------------------------------

    def _read_record(self) -> bool:
        """Take one record; False when it is not complete. Raises Fault."""
        data = self._data
        if data and data[0] != VERSION:
            raise BadPacket(f"not FastCGI: a record begins with {quoted(bytes(data[:1]))}")
        if len(data) < HEAD_BYTES:
            return False
        _, kind, high, low, size_high, size_low, padding, _ = data[:HEAD_BYTES]
        number = high << 8 | low
        size = size_high << 8 | size_low
        if number == MANAGEMENT and size > _MANAGEMENT_BYTES:
            raise BadPacket(f"a management record of {size} bytes")
        behind = HEAD_BYTES + size
        if len(data) < behind + padding:
            return False
        content = bytes(data[HEAD_BYTES:behind])
        del data[: behind + padding]
        if number == MANAGEMENT:
            self._manage(kind, content)
        elif kind == Type.BEGIN_REQUEST:
            self._begin(number, content)
        elif number == self._request_id and self._phase is not Phase.IDLE:
            self._take(kind, content)
        else:
            self._note_idle_record()
        return True

    def _note_idle_record(self) -> None:
        self._idle_records += 1
        if self._idle_records > _IDLE_RECORDS:
            raise BadPacket("too many records that belong to no request")

    def _manage(self, kind: int, content: bytes) -> None:
        self._note_idle_record()
        if kind == Type.GET_VALUES:
            self._owe(values_result(read_pairs(content)))
        else:
            self._owe(unknown_type(kind))

    def _begin(self, number: int, content: bytes) -> None:
        if len(content) != 8:
            raise BadPacket(f"a request begins with {len(content)} bytes, not 8")
        if self._phase is not Phase.IDLE:
            if number == self._request_id:
                raise BadPacket("a request that begins twice")
            self._note_idle_record()
            self._owe(end_request(number, Status.CANT_MPX_CONN))
            return
        if content[0] << 8 | content[1] != RESPONDER:
            self._note_idle_record()
            self._owe(end_request(number, Status.UNKNOWN_ROLE))
            return
        self._request_id = number
        self._keeps = bool(content[2] & KEEP_CONNECTION)
        self._params.clear()
        self._declared = -1
        self._received = 0
        self.body_received = 0
        self.request_line = b""
        self._move(Event.BEGIN)

    def _take(self, kind: int, content: bytes) -> None:
        """A record of the present request."""
        phase = self._phase
        if kind == Type.ABORT_REQUEST:
            self._abort()
        elif kind == Type.PARAMS and phase is Phase.PARAMS:
            self._take_params(content)
        elif kind == Type.STDIN and phase is not Phase.PARAMS:
            self._take_body(content)
        else:
            raise BadPacket(f"a record of type {kind} where {phase.name} is expected")

    def _abort(self) -> None:
        if self._phase is Phase.STDIN:
            raise Truncated("the web server gave the request up")
        self._move(Event.ABORT)
        self._owe(end_request(self._request_id, Status.REQUEST_COMPLETE))
        self._request = None
        self._request_id = 0

    def _take_params(self, content: bytes) -> None:
        limit = self._limits.header_block
        if content:
            self._params += content
            if limit and len(self._params) > limit:
                raise FieldsTooLarge(f"variables over {limit} bytes")
            return
        variables = read_pairs(bytes(self._params))
        if _NOT_KNOWN in variables:
            variables.remove(_NOT_KNOWN)
        self._params.clear()
        self.request_line = told_line(dict(variables))
        request = request_from(self._base, variables, self._limits, self._leniency)
        request.keep_alive = self._keeps
        self._declared = request.body_length
        # Where the body ends is told by STDIN, whatever length was told.
        request.body_length = CHUNKED
        self._request = request
        self._move(Event.PARAMS_END)

    def _take_body(self, content: bytes) -> None:
        """A record of STDIN: the first one gives the request away."""
        if content:
            self._received += len(content)
            if 0 <= self._declared < self._received:
                raise BadFraming(f"a body longer than its CONTENT_LENGTH of {self._declared}")
            limit = self._limits.body
            if limit and self._received > limit:
                raise BodyTooLarge(f"a body over {limit} bytes")
            self._body += content
            if self._phase is Phase.HEAD_READ:
                self._move(Event.STDIN_BEGIN)
            return
        if self._declared > self._received:
            raise BadFraming(f"a body of {self._received} bytes, not {self._declared}")
        if self._request is not None:
            self._request.body_length = 0
        self._idle_records = 0
        self._move(Event.STDIN_END)

    @property
    def _is_given(self) -> bool:
        """Whether it is known of the present request if it has a body."""
        return self._phase in (Phase.STDIN, Phase.IDLE)

    def _owe(self, reply: bytes) -> None:
        self._replies.append(reply)
        self.owes = True

    def _move(self, event: Event) -> None:
        self._phase = TABLE[self._phase, event]

    def _raise_again(self) -> None:
        if self._phase is Phase.FAILED:
            assert self._fault is not None
            raise self._fault

    def _fail(self, fault: Fault) -> NoReturn:
        self._fault = fault
        self._move(Event.FAULT)
        raise fault
