"""One request over a plain socket, and its answer whole: what it says and how many bytes it took.

Beside the load generator, which counts answers but does not read them: a server is probed before
and after each round, and the size of its answer is what the bytes of the round are held against.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

from benchmarks.scenarios import Request

ANSWER_WITHIN_SECONDS = 20.0
READ_BYTES = 1 << 20


class ProbeError(Exception):
    """The answer is no HTTP/1.1 message that a client could read to its end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`size_bytes` is None where the framing may differ from one answer to the next.

    `announces_close`: the answer said that the connection ends with it.
    """

    status: int
    body: bytes
    size_bytes: int | None
    announces_close: bool

    def is_right(self, request: Request) -> bool:
        """Whether it is a 200 whose body passes the request's check, and closes when asked to."""
        if request.closes and not self.announces_close:
            return False
        return self.status == 200 and request.check(self.body)


def request_bytes(port: int, request: Request) -> bytes:
    """The request as it goes over the wire, body included."""
    lines = [f"{request.method} {request.path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += request.fields
    if request.body_bytes:
        lines.append(f"Content-Length: {request.body_bytes}")
    head = "\r\n".join(lines) + "\r\n\r\n"
    return head.encode("ascii") + b"x" * request.body_bytes


class _Incoming:
    """The bytes of one connection, read as they are wanted."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._held = bytearray()
        self.taken = 0

    def _more(self) -> bool:
        data = self._connection.recv(READ_BYTES)
        self._held += data
        return bool(data)

    def until(self, end: bytes) -> bytes:
        while (at := self._held.find(end)) < 0:
            if not self._more():
                raise ProbeError("the connection ended inside a message")
        return self.exactly(at + len(end))

    def exactly(self, count: int) -> bytes:
        while len(self._held) < count:
            if not self._more():
                raise ProbeError("the connection ended inside a message")
        taken = bytes(self._held[:count])
        del self._held[:count]
        self.taken += count
        return taken

    def rest(self) -> bytes:
        while self._more():
            pass
        return self.exactly(len(self._held))


def _parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ", 2)
    if len(parts) < 2 or not parts[0].startswith("HTTP/1.") or not parts[1].isdigit():
        raise ProbeError("no HTTP/1 status line")
    fields = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    return int(parts[1]), fields


def _chunks(incoming: _Incoming) -> bytes:
    body = bytearray()
    while length := int(incoming.until(b"\r\n").split(b";")[0], 16):
        body += incoming.exactly(length)
        incoming.exactly(2)
    while incoming.until(b"\r\n") != b"\r\n":
        pass
    return bytes(body)


def read_answer(connection: socket.socket) -> Answer:
    """Read one answer to its end. Raises ProbeError or OSError."""
    incoming = _Incoming(connection)
    status, fields = _parse_head(incoming.until(b"\r\n\r\n"))
    closing = fields.get("connection", "").lower() == "close"
    if "chunked" in fields.get("transfer-encoding", ""):
        return Answer(status, _chunks(incoming), None, closing)
    if "content-length" in fields:
        body = incoming.exactly(int(fields["content-length"]))
        return Answer(status, body, incoming.taken, closing)
    return Answer(status, incoming.rest(), None, announces_close=True)


def ask(port: int, request: Request) -> Answer:
    """Ask once on a connection of its own. Raises ProbeError or OSError (TimeoutError too)."""
    with socket.create_connection(("127.0.0.1", port), ANSWER_WITHIN_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if request.tls:
            with _any_certificate().wrap_socket(connection) as secured:
                secured.sendall(request_bytes(port, request))
                return read_answer(secured)
        connection.sendall(request_bytes(port, request))
        return read_answer(connection)


def _any_certificate() -> ssl.SSLContext:
    """Of a server on the loopback, whose certificate the run has made itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
