"""HTTP/1.1 responses as bytes (RFC 9112 sections 4, 6 and 7).

A `Writer` turns one judged response into bytes: it chooses the framing (a length, chunks, or the
end of the connection), and says afterwards whether the connection can be kept. It touches no
socket and no clock: the Date line is handed to it.
"""

from __future__ import annotations

from canter.protocol.faults import Fault
from canter.protocol.octets import response_head
from canter.protocol.response import (
    HAS_DATE,
    HAS_LENGTH,
    HAS_SERVER,
    WANTS_CLOSE,
    ResponseHead,
)
from canter.protocol.writer import ResponseWriter

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
SERVER_LINE = b"Server: canter\r\n"
LAST_CHUNK = b"0\r\n\r\n"

_NO_CONTENT = 204
_NOT_MODIFIED = 304
_HAS_DATE = HAS_DATE
_HAS_LENGTH = HAS_LENGTH
_HAS_SERVER = HAS_SERVER
_WANTS_CLOSE = WANTS_CLOSE

_CLOSE_LINE = b"Connection: close\r\n\r\n"
_KEEP_ALIVE_LINE = b"Connection: keep-alive\r\n\r\n"
_CHUNKED_LINE = b"Transfer-Encoding: chunked\r\n"
_EMPTY_LINE = b"\r\n"
_NO_LINE = b""

# How heads begin, by status: the status line, and the server's line.
_BEGINNINGS_MAXIMUM = 256
_beginnings: dict[str, bytes] = {}


def _status_line(status: str) -> bytes:
    return f"HTTP/1.1 {status}\r\n".encode("latin-1")


def _beginning(status: str) -> bytes:
    known = _beginnings.get(status)
    if known is None:
        known = _status_line(status) + SERVER_LINE
        if len(_beginnings) < _BEGINNINGS_MAXIMUM:
            _beginnings[status] = known
    return known


class Writer(ResponseWriter):
    """The bytes of one response of HTTP/1.1, or of HTTP/1.0."""

    __slots__ = ()

    def head(self, response: ResponseHead, body_length: int, date_line: bytes) -> bytes:
        """The head's bytes: `ResponseWriter.head`."""
        facts = response.facts
        code = response.code
        fields = response.fields
        start = (
            _status_line(response.status) if facts & _HAS_SERVER else _beginning(response.status)
        )
        if facts & _HAS_DATE:
            date_line = _NO_LINE
        length = -1  # that is not among the fields
        ending = _EMPTY_LINE
        if code == _NO_CONTENT or code == _NOT_MODIFIED:
            # RFC 9110 8.6: no Content-Length with 204; with 304 only what a 200 would have had.
            self.bodyless = True
            if code == _NO_CONTENT and facts & _HAS_LENGTH:
                fields = [field for field in fields if field[0].lower() != "content-length"]
        elif not self.head_only:
            if response.content_length >= 0:
                self.remaining = response.content_length
            elif body_length >= 0:
                self.remaining = length = body_length
            elif self.http_10:
                self.keep_alive = False
            else:
                self.chunked = True
                ending = _CHUNKED_LINE + ending
        if facts & _WANTS_CLOSE:
            self.keep_alive = False
        if not self.keep_alive:
            ending = ending[: len(ending) - 2] + _CLOSE_LINE
        elif self.http_10:
            ending = ending[: len(ending) - 2] + _KEEP_ALIVE_LINE
        return response_head(start, date_line, fields, length, ending)

    def data(self, block: bytes) -> bytes:
        """The bytes that carry one non-empty block of the body: `ResponseWriter.data`."""
        if self.chunked:
            return b"%x\r\n%b\r\n" % (len(block), block)
        if self.remaining >= 0:
            self.remaining -= len(block)
        return block

    def frame(self, size: int) -> tuple[bytes, bytes]:
        """As `data`, for a block too large to copy: what stands before it and behind it."""
        if self.chunked:
            return b"%x\r\n" % size, b"\r\n"
        if self.remaining >= 0:
            self.remaining -= size
        return b"", b""

    def end(self) -> bytes:
        """The bytes that end the body."""
        if self.chunked and not self.bodyless:
            return LAST_CHUNK
        return b""


def early_hints(fields: list[tuple[str, str]]) -> bytes:
    """An interim 103 response (RFC 8297) with judged fields."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in fields])
    return b"HTTP/1.1 103 Early Hints\r\n" + lines.encode("latin-1") + b"\r\n"


def refusal(fault: Fault, date_line: bytes, *, head_only: bool = False) -> bytes:
    """The whole response to a request that was refused; the connection closes after it."""
    hint = f": {fault.hint}" if fault.hint else ""
    text = f"{fault.status} {fault.reason}{hint}\n".encode("latin-1")
    extra = b""
    retry_after_seconds = getattr(fault, "retry_after_seconds", None)
    if retry_after_seconds is not None:
        extra = b"Retry-After: %d\r\n" % retry_after_seconds
    return b"".join(
        (
            f"HTTP/1.1 {fault.status} {fault.reason}\r\n".encode("latin-1"),
            SERVER_LINE,
            date_line,
            b"Content-Type: text/plain; charset=utf-8\r\n",
            extra,
            b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(text),
            b"" if head_only else text,
        )
    )
