"""HTTP/1.1 responses as bytes (RFC 9112 sections 4, 6 and 7).

A `Writer` turns one judged response into bytes: it chooses the framing (a length, chunks, or the
end of the connection), and says afterwards whether the connection can be kept. It touches no
socket and no clock: the Date line is handed to it.
"""

from __future__ import annotations

from canter.protocol.faults import Fault
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

_STATUS_LINES_MAXIMUM = 256
_status_lines: dict[str, bytes] = {}


def _status_line(status: str) -> bytes:
    line = f"HTTP/1.1 {status}\r\n".encode("latin-1")
    if len(_status_lines) < _STATUS_LINES_MAXIMUM:
        _status_lines[status] = line
    return line


class Writer(ResponseWriter):
    """The bytes of one response of HTTP/1.1, or of HTTP/1.0."""

    __slots__ = ()

    def head(self, response: ResponseHead, body_length: int, date_line: bytes) -> bytes:
        """The head's bytes: `ResponseWriter.head`."""
        parts = [_status_lines.get(response.status) or _status_line(response.status)]
        facts = response.facts
        if not facts & _HAS_SERVER:
            parts.append(SERVER_LINE)
        if not facts & _HAS_DATE:
            parts.append(date_line)
        framing = self._frame(response, body_length)
        fields = response.fields
        if facts & _HAS_LENGTH and response.code == _NO_CONTENT:
            fields = [field for field in fields if field[0].lower() != "content-length"]
        if fields:
            text = "".join([f"{name}: {value}\r\n" for name, value in fields])
            parts.append(text.encode("latin-1"))
        parts.append(framing)
        return b"".join(parts)

    def _frame(self, response: ResponseHead, body_length: int) -> bytes:
        """Choose the framing; the lines that say so, and the empty line."""
        code = response.code
        length = response.content_length
        line = b""
        if code == _NO_CONTENT or code == _NOT_MODIFIED:
            # RFC 9110 8.6: no Content-Length with 204; with 304 only what a 200 would have had.
            self.bodyless = True
        elif not self.head_only:
            if length < 0 and body_length >= 0:
                length = body_length
                line = b"Content-Length: %d\r\n" % length
            if length >= 0:
                self.remaining = length
            elif self.http_10:
                self.keep_alive = False
            else:
                self.chunked = True
                line = b"Transfer-Encoding: chunked\r\n"
        if response.facts & _WANTS_CLOSE:
            self.keep_alive = False
        if not self.keep_alive:
            return line + b"Connection: close\r\n\r\n"
        if self.http_10:
            return line + b"Connection: keep-alive\r\n\r\n"
        return line + b"\r\n"

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
    text = f"{fault.status} {fault.reason}\n".encode("latin-1")
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
