"""The reading side of a connection that brings one head of variables and one body of known length.

uwsgi and SCGI are this; each has its own way to write the head.
"""

from __future__ import annotations

from typing import Any, NoReturn

from canter.protocol.faults import Fault, Truncated, Untrusted
from canter.protocol.gateway.states import TABLE, Event, Phase
from canter.protocol.gateway.variables import needs_length, request_from
from canter.protocol.limits import Leniency, Limits
from canter.protocol.reader import RequestReader
from canter.protocol.request import Request

Variables = list[tuple[bytes, bytes]]

# Names of a module's own are found quicker than an enum's members.
_HEAD = Phase.HEAD
_BODY = Phase.BODY
_OVER = Phase.OVER
_FAILED = Phase.FAILED
_HEAD_WITH_BODY = Event.HEAD_WITH_BODY
_HEAD_WITHOUT_BODY = Event.HEAD_WITHOUT_BODY
_BODY_READ = Event.BODY_READ


class OneRequestReader(RequestReader):
    """`RequestReader` for formats with one request on a connection.

    trusted: whether the peer may speak this format here.
    """

    __slots__ = ("_data", "_fault", "_leniency", "_limits", "_phase", "_remaining", "_trusted")

    #: How the format is called.
    name = ""

    def __init__(self, limits: Limits, leniency: Leniency, *, trusted: bool) -> None:
        super().__init__()
        self._limits = limits
        self._leniency = leniency
        self._trusted = trusted
        # Grows in place: a head that comes byte by byte is not copied for each of them.
        self._data = bytearray()
        self._phase = _HEAD
        self._fault: Fault | None = None
        self._remaining = 0

    # -- what a format adds -------------------------------------------------------------------

    def _take_head(self) -> Variables | None:
        """Take the head off the front of the buffer; None when it is not complete. Raises Fault."""
        raise NotImplementedError

    def _amend(self, request: Request) -> None:
        """Change what the format wants changed in a request. Raises Fault."""

    # -- RequestReader ------------------------------------------------------------------------

    @property
    def buffered(self) -> int:
        """Bytes that were fed and not consumed."""
        return len(self._data)

    @property
    def head_started(self) -> bool:
        """Whether part of the head has come."""
        return self._phase is _HEAD and bool(self._data)

    @property
    def body_complete(self) -> bool:
        """Whether there is no more body to read."""
        return self._phase is _OVER or self._phase is _HEAD

    @property
    def phase(self) -> Phase:
        """What the next unread byte belongs to."""
        return self._phase

    def truncated(self) -> Fault | None:
        """What it means when the peer's side ends now."""
        if self._phase is _FAILED:
            return self._fault
        if self._phase is _BODY:
            return Truncated("the connection ended within a request's body")
        if self.head_started:
            return Truncated("the connection ended within a request's head")
        return None

    def feed(self, data: bytes) -> None:
        """Take what was received."""
        self._data += data

    def interim(self) -> bytes:
        """Never owed: these formats have no interim answers."""
        return b""

    def next_request(self, base: dict[str, Any]) -> Request | None:
        """The request, once."""
        if self._phase is _FAILED:
            assert self._fault is not None
            raise self._fault
        if self._phase is _OVER or not self._data:
            return None
        if self._phase is not _HEAD:
            raise RuntimeError(f"asked for a request while in {self._phase.name}")
        try:
            if not self._trusted:
                raise Untrusted(f"a peer that may not speak {self.name} here")
            variables = self._take_head()
            if variables is None:
                return None
            told = dict(variables)
            self.request_line = told_line(told)
            request = request_from(base, variables, self._limits, self._leniency)
            needs_length(request, had_coding=b"HTTP_TRANSFER_ENCODING" in told)
            self._amend(request)
        except Fault as fault:
            self._fail(fault)
        self._remaining = request.body_length
        self._move(_HEAD_WITH_BODY if self._remaining else _HEAD_WITHOUT_BODY)
        return request

    def read_body(self, maximum: int) -> bytes:
        """At most `maximum` bytes of the body."""
        if self._phase is _FAILED:
            assert self._fault is not None
            raise self._fault
        if self._phase is not _BODY:
            return b""
        count = min(len(self._data), self._remaining, maximum)
        piece = bytes(self._data[:count])
        del self._data[:count]
        self._remaining -= count
        self.body_received += count
        if self._remaining == 0:
            self._move(_BODY_READ)
        return piece

    def _move(self, event: Event) -> None:
        self._phase = TABLE[self._phase, event]

    def _fail(self, fault: Fault) -> NoReturn:
        self._fault = fault
        self._move(Event.FAULT)
        raise fault


def told_line(told: dict[bytes, bytes]) -> bytes:
    """What was asked for, as a request line, of variables that nobody has judged."""
    parts = (
        told.get(b"REQUEST_METHOD", b""),
        told.get(b"REQUEST_URI") or told.get(b"PATH_INFO") or told.get(b"DOCUMENT_URI", b""),
        told.get(b"SERVER_PROTOCOL", b""),
    )
    return b" ".join([part for part in parts if part])
