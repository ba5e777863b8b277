"""One stream's reading and writing side, as an engine and the WSGI layer know them.

The bytes of a stream are content alone: a head goes as fields, not as bytes, so the writer keeps it
for whoever makes frames of both.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NoReturn

from canter.protocol.faults import BadFraming, BodyTooLarge, Fault, Truncated
from canter.protocol.http2.fields import METHOD, PATH, Fields
from canter.protocol.http2.heads import (
    HeadJudge,
    Pairs,
    judge_trailers,
    refusal_fields,
    response_fields,
)
from canter.protocol.limits import Limits
from canter.protocol.reader import RequestReader
from canter.protocol.request import Request
from canter.protocol.response import ResponseHead
from canter.protocol.writer import ResponseWriter

_METHOD = METHOD
_PATH = PATH
_KEPT_LINE_BYTES = 4096


def _request_line(fields: Fields) -> bytes:
    """What was asked for, as the log shows it."""
    method = path = "-"
    for field in fields:
        kind = field.name.kind
        if kind == _METHOD:
            method = field.text
        elif kind == _PATH:
            path = field.text
    return f"{method} {path} HTTP/2.0".encode("latin-1")[:_KEPT_LINE_BYTES]


class StreamReader(RequestReader):
    """Reads the one request of a stream.

    fields: the head as it came. ended: the client sends nothing more. head: of the response, when
    there is one, until somebody has taken it.
    """

    __slots__ = (
        "_came",
        "_fault",
        "_judge",
        "_length",
        "_limits",
        "_pieces",
        "_size",
        "ended",
        "fields",
        "head",
        "writer",
    )

    def __init__(self, judge: HeadJudge, limits: Limits, fields: Fields) -> None:
        super().__init__()
        self._judge = judge
        self._limits = limits
        self._pieces: deque[bytes] | None = None
        self._size = 0
        # What the head says of the content's length, -1 for nothing, and how much has come.
        self._length = -1
        self._came = 0
        self._fault: Fault | None = None
        self.ended = False
        self.fields = fields
        self.head: Pairs | None = None
        self.writer: StreamWriter | None = None
        self.request_line = _request_line(fields)

    def feed(self, data: bytes) -> None:
        """Take content. Raises BadFraming for more than the head has said (RFC 9113 8.1.1)."""
        if not data:
            return
        self._came += len(data)
        if 0 <= self._length < self._came:
            self._fail(BadFraming("more content than its Content-Length"))
        if self._pieces is None:
            self._pieces = deque()
        self._pieces.append(data)
        self._size += len(data)

    def end(self) -> None:
        """There is no more content. Raises BadFraming for less than the head has said."""
        self.ended = True
        if self._came < self._length:
            self._fail(BadFraming("less content than its Content-Length"))

    def _fail(self, fault: Fault) -> NoReturn:
        self._fault = fault
        raise fault

    def next_request(self, base: dict[str, Any]) -> Request | None:
        """The stream's request. Raises Fault."""
        request = self._judge.request(self.fields, base, self.ended)
        self._length = request.body_length
        return request

    def read_body(self, maximum: int) -> bytes:
        """At most `maximum` bytes of the content that is here. Raises Fault."""
        if self._fault is not None:
            raise self._fault
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        if len(piece) > maximum:
            self._pieces.appendleft(piece[maximum:])
            piece = piece[:maximum]
        self._size -= len(piece)
        self.body_received += len(piece)
        limit = self._limits.body
        if limit and self.body_received > limit:
            raise BodyTooLarge(f"a body over {limit} bytes")
        return piece

    def take_trailers(self, fields: Fields) -> None:
        """Judge trailers and drop them. Raises BadTrailer."""
        try:
            judge_trailers(fields, self._limits)
        except Fault as fault:
            self._fail(fault)

    def answer(self, request: Request, keep_alive: bool) -> ResponseWriter:  # noqa: FBT001
        """The writer of the response."""
        self.writer = StreamWriter(self, request.method == "HEAD", keep_alive)
        return self.writer

    @property
    def buffered(self) -> int:
        """Bytes of content that are here."""
        return self._size

    @property
    def head_started(self) -> bool:
        """Heads come whole."""
        return False

    @property
    def body_complete(self) -> bool:
        """Whether all the content was read."""
        return self.ended and not self._pieces and self._fault is None

    def truncated(self) -> Fault | None:
        """What it means when the stream ends now."""
        if self.ended:
            return None
        return Truncated("the stream ended within a request's body")

    def interim(self) -> bytes:
        """Heads are no bytes: who has the frames sends them."""
        return b""

    def refusal(self, fault: Fault, date_line: bytes, *, head_only: bool = False) -> bytes:
        """The content of an answer to what was refused; its head is kept in `head`."""
        text = f"{fault.status} {fault.reason}\n".encode("latin-1")
        self.head = refusal_fields(fault, date_line, len(text))
        return b"" if head_only else text


class StreamWriter(ResponseWriter):
    """The response of one stream: its head is left with the reader, its content stays as it is."""

    __slots__ = ("_reader",)

    def __init__(self, reader: StreamReader, head_only: bool, keep_alive: bool) -> None:  # noqa: FBT001
        super().__init__(False, head_only, keep_alive)
        self._reader = reader

    def head(self, response: ResponseHead, body_length: int, date_line: bytes) -> bytes:
        """Keep the head; there are no bytes of it."""
        code = response.code
        length = response.content_length
        told = -1
        if code == 204 or code == 304:
            self.bodyless = True
        elif not self.head_only:
            if length < 0 and body_length >= 0:
                length = told = body_length
            self.remaining = length
            self.chunked = length < 0
        self._reader.head = response_fields(response, told, date_line)
        return b""

    def data(self, block: bytes) -> bytes:
        """The block itself."""
        if self.remaining >= 0:
            self.remaining -= len(block)
        return block

    def frame(self, size: int) -> tuple[bytes, bytes]:
        """Nothing stands around a block."""
        if self.remaining >= 0:
            self.remaining -= size
        return b"", b""

    def end(self) -> bytes:
        """The end is a flag of a frame."""
        return b""
