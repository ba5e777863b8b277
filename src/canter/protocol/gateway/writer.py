"""Responses to a web server that speaks for its client.

A head as CGI has it, then the body as it is, ended by the connection or by the format.

The web server adds Date and Server itself, and tells its client how the body is framed.
"""

from __future__ import annotations

from canter.protocol.faults import Fault
from canter.protocol.octets import response_head
from canter.protocol.response import HAS_LENGTH, ResponseHead
from canter.protocol.writer import ResponseWriter

_NO_CONTENT = 204
_NOT_MODIFIED = 304
_HAS_LENGTH = HAS_LENGTH
_LINE_END = b"\r\n"


class GatewayWriter(ResponseWriter):
    """`ResponseWriter` for a body without framing of its own.

    before_status: what stands before "200 OK".
    """

    __slots__ = ("_before_status",)

    def __init__(self, before_status: bytes, head_only: bool, keep_alive: bool) -> None:
        super().__init__(True, head_only, keep_alive)
        self._before_status = before_status

    def head(self, response: ResponseHead, body_length: int, date_line: bytes) -> bytes:
        """The head's bytes: `ResponseWriter.head`."""
        del date_line
        code = response.code
        fields = response.fields
        length = -1  # that is not among the fields
        if code == _NO_CONTENT or code == _NOT_MODIFIED:
            self.bodyless = True
            if code == _NO_CONTENT and response.facts & _HAS_LENGTH:
                fields = [field for field in fields if field[0].lower() != "content-length"]
        elif not self.head_only:
            self.remaining = response.content_length
            if self.remaining < 0 <= body_length:
                # With a length the web server can tell a body that was cut from a whole one.
                self.remaining = length = body_length
        start = self._before_status + response.status.encode("latin-1")
        return response_head(start, _LINE_END, fields, length, _LINE_END)

    def data(self, block: bytes) -> bytes:
        """The block as it is."""
        if self.remaining >= 0:
            self.remaining -= len(block)
        return block

    def frame(self, size: int) -> tuple[bytes, bytes]:
        """Nothing around it."""
        if self.remaining >= 0:
            self.remaining -= size
        return b"", b""

    def end(self) -> bytes:
        """Nothing: the end of the connection is the body's."""
        return b""


def refusal(before_status: bytes, fault: Fault, *, head_only: bool) -> bytes:
    """The whole answer to a request that was refused, for the web server to pass on."""
    text = f"{fault.status} {fault.reason}\n"
    lines = [
        f"{fault.status} {fault.reason}\r\n",
        "Content-Type: text/plain; charset=utf-8\r\n",
        f"Content-Length: {len(text)}\r\n",
    ]
    retry_after_seconds = getattr(fault, "retry_after_seconds", None)
    if retry_after_seconds is not None:
        lines.append(f"Retry-After: {retry_after_seconds}\r\n")
    lines += ["\r\n", "" if head_only else text]
    return before_status + "".join(lines).encode("latin-1")
