"""FastCGI responses: a CGI head and the body in STDOUT records, then END_REQUEST.

A response that is cut has no END_REQUEST, so the web server can tell.
"""

from __future__ import annotations

from canter.protocol.fastcgi.records import (
    CONTENT_MAXIMUM,
    Status,
    Type,
    end_request,
    record,
    stream,
)
from canter.protocol.gateway.writer import GatewayWriter
from canter.protocol.response import ResponseHead

BEFORE_STATUS = b"Status: "


class Writer(GatewayWriter):
    """`ResponseWriter` for one request of a connection."""

    __slots__ = ("_has_ended", "_number")

    def __init__(self, number: int, head_only: bool, keep_alive: bool) -> None:
        super().__init__(BEFORE_STATUS, head_only, keep_alive)
        self._number = number
        self._has_ended = False
        self.chunked = True
        self.largest = CONTENT_MAXIMUM

    def head(self, response: ResponseHead, body_length: int, date_line: bytes) -> bytes:
        """The head in records; all of the response where there is no body."""
        head = super().head(response, body_length, date_line)
        framed = stream(Type.STDOUT, self._number, head)
        return framed + self._end() if self.bodyless else framed

    def data(self, block: bytes) -> bytes:
        """The block in records."""
        return stream(Type.STDOUT, self._number, super().data(block))

    def frame(self, size: int) -> tuple[bytes, bytes]:
        """A record's head and its padding."""
        super().frame(size)
        whole = record(Type.STDOUT, self._number, b"")
        padding = -size % 8
        return whole[:4] + size.to_bytes(2, "big") + bytes((padding, 0)), bytes(padding)

    def end(self) -> bytes:
        """The end of STDOUT and of the request."""
        # A body that falls short of its length is not whole: that the request has ended is not said
        return b"" if self._has_ended or self.remaining > 0 else self._end()

    def _end(self) -> bytes:
        self._has_ended = True
        return ended(self._number)


def ended(number: int) -> bytes:
    """The records that end STDOUT and the request."""
    return record(Type.STDOUT, number, b"") + end_request(number, Status.REQUEST_COMPLETE)
