"""A client on a bare socket, for requests that no HTTP library would send.

It shows what the server did byte by byte: interim answers, how a body was framed, whether it came
whole, and how the connection ended. It is strict: an answer that is not HTTP/1.1 fails the test.
"""

from __future__ import annotations

import json
import re
import select
import socket
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self

Address = tuple[str, int] | str
"""Host and port, or the path of a unix socket (a leading NUL makes it abstract)."""

PATIENCE_SECONDS = 15.0
BLOCK_BYTES = 256 * 1024
STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ([^\r\n]*)\Z")
HEADER_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*\Z")


class Ended(Exception):
    """The connection ended (or was reset) before what was waited for had come."""

    def __init__(self, message: str, received: bytes) -> None:
        super().__init__(message)
        self.received = received


class Framing(Enum):
    """How the end of a body is told (RFC 9112 section 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


@dataclass
class Answer:
    """One response; `whole` is false where the connection ended inside the body."""

    status: int
    reason: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    framing: Framing = Framing.NONE
    whole: bool = True
    interim: list[Answer] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The value of the only field of that name; None where there is none."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) < 2, f"{name} came {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        return (self.header("Connection") or "").lower() == "close"


def connect(
    address: Address, *, receive_buffer_bytes: int = 0, source: str | None = None
) -> socket.socket:
    """A connected socket; a small receive buffer makes a client that is slow at once.

    All of 127.0.0.0/8 is this machine on Linux, so that a client with a `source` of its own can
    be told apart in the access log even where its request could not be read.
    """
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    if not isinstance(address, str) and ":" in address[0]:
        family = socket.AF_INET6
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if receive_buffer_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer_bytes)
        if source is not None:
            sock.bind((source, 0))
        sock.settimeout(PATIENCE_SECONDS)
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


class Client:
    """One connection; a context manager that closes it."""

    def __init__(
        self,
        address: Address,
        *,
        receive_buffer_bytes: int = 0,
        source: str | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.socket = connect(address, receive_buffer_bytes=receive_buffer_bytes, source=source)
        self._patience_seconds = patience_seconds
        self._buffer = bytearray()
        self.received_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Leave with a reset instead of an orderly close."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def half_close(self) -> None:
        """Say that nothing more will be sent, and go on reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def get(self, path: str, *fields: str, method: str = "GET") -> Answer:
        """Send a request without a body and read its answer."""
        self.send(request_head(method, path, *fields))
        return self.read_answer(method)

    def post(self, path: str, body: bytes, *fields: str) -> Answer:
        """Send a request with a body of known length and read its answer."""
        self.send(request_head("POST", path, f"Content-Length: {len(body)}", *fields) + body)
        return self.read_answer("POST")

    def read_answer(self, method: str = "GET", already: bytes = b"") -> Answer:
        """The next final answer, with the interim ones before it.

        `already` is what `read_some` has returned of it.

        Raises:
            Ended: the connection ended before the head was complete.
        """
        self._buffer[:0] = already
        interim: list[Answer] = []
        while True:
            answer = self._read_head()
            if answer.status >= 200:
                break
            interim.append(answer)
        answer.interim = interim
        self._read_body(answer, method)
        return answer

    def read_interim(self) -> Answer:
        """One interim answer (1xx), nothing more."""
        answer = self._read_head()
        assert 100 <= answer.status < 200, answer
        return answer

    def read_until_closed(self) -> bytes:
        """Whatever still comes until the server closes; a reset counts as closing."""
        try:
            while self._fill():
                pass
        except ConnectionError:
            pass
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def has_input(self) -> bool:
        """Whether the server has sent something, or has closed."""
        return bool(self._buffer or select.select([self.socket], [], [], 0)[0])

    def read_some(self) -> bytes:
        """At least one byte of what comes next, without looking at it."""
        if not self._buffer and not self._fill():
            raise Ended("nothing more came", b"")
        some = bytes(self._buffer)
        self._buffer.clear()
        return some

    def _fill(self) -> bool:
        """Receive once; False at the end of the stream."""
        self.socket.settimeout(self._patience_seconds)
        data = self.socket.recv(BLOCK_BYTES)
        self._buffer += data
        self.received_bytes += len(data)
        return bool(data)

    def _read_head(self) -> Answer:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            try:
                more = self._fill()
            except ConnectionError as error:
                raise Ended(f"{error!r} before a whole head", bytes(self._buffer)) from error
            if not more:
                raise Ended("closed before a whole head", bytes(self._buffer))
        first, *rest = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        status_line = STATUS_LINE.match(first)
        assert status_line, f"not a status line: {first!r}"
        headers = []
        for line in rest:
            matched = HEADER_LINE.match(line)
            assert matched, f"not a header line: {line!r}"
            headers.append((matched[1].decode("latin-1"), matched[2].decode("latin-1")))
        return Answer(int(status_line[1]), status_line[2].decode("latin-1"), headers)

    def _read_body(self, answer: Answer, method: str) -> None:
        length = answer.header("Content-Length")
        coding = answer.header("Transfer-Encoding")
        if method == "HEAD" or answer.status in {204, 304}:
            return
        try:
            if coding is not None:
                assert coding == "chunked", coding
                assert length is None, "Content-Length beside Transfer-Encoding"
                answer.framing = Framing.CHUNKED
                self._read_chunks(answer)
            elif length is not None:
                answer.framing = Framing.LENGTH
                answer.body = self._take(int(length))
            else:
                answer.framing = Framing.CLOSE
                answer.body = self.read_until_closed()
        except Ended as ended:
            answer.body += ended.received
            answer.whole = False

    def _read_chunks(self, answer: Answer) -> None:
        body = bytearray(answer.body)
        try:
            while size := int(self._take_line(), 16):
                body += self._take(size)
                assert self._take(2) == b"\r\n"
        finally:
            answer.body = bytes(body)
        assert self._take_line() == b"", "unexpected trailer"

    def _take_line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._fill_or_end(keep=False)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._fill_or_end(keep=True)
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _fill_or_end(self, *, keep: bool) -> None:
        try:
            more = self._fill()
        except ConnectionError:
            more = False
        if not more:
            raise Ended("closed inside a body", bytes(self._buffer) if keep else b"")


def request_head(method: str, target: str, *fields: str, host: str = "localhost") -> bytes:
    """A request head in HTTP/1.1 with these field lines after Host."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


def chunked(*blocks: bytes) -> bytes:
    """A chunked body of these blocks, with its end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(b), b) for b in blocks) + b"0\r\n\r\n"
