"""A client's side of an exchange without sockets: keeps what is sent, leaves when it is told to."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import h11

from canter.protocol.http1.writer import Writer
from canter.protocol.writer import ResponseWriter
from canter.wsgi.exchange import ClientGone, Exchange, Sink

DATE = b"Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"


class Recording(Sink):
    """A `canter.wsgi.exchange.Sink` that keeps what it is given.

    takes_bytes: the client is gone once it has been given so many; None: it stays.
    sends_files: whether plain files may be handed over whole.
    sent: every piece as it was given. streamed: those of them that may have waited.
    descriptors: those that were opened and not given back.
    """

    def __init__(self, takes_bytes: int | None = None, *, sends_files: bool = True) -> None:
        self._takes_bytes = takes_bytes
        self._sends_files = sends_files
        self.sent: list[bytes] = []
        self.streamed: list[bytes] = []
        self.files: list[tuple[int, int]] = []
        self.descriptors: set[int] = set()

    @property
    def data(self) -> bytes:
        """Everything that was sent."""
        return b"".join(self.sent)

    def send(self, data: bytes) -> None:
        if self._takes_bytes is not None and len(self.data) + len(data) > self._takes_bytes:
            raise ClientGone("the client left", len(data))
        self.sent.append(data)

    def stream(self, data: bytes) -> None:
        self.streamed.append(data)
        self.send(data)

    def open_file(self, filelike: Any) -> tuple[int, int, int] | None:
        if not self._sends_files or not isinstance(filelike, io.BufferedReader):
            return None
        descriptor = os.dup(filelike.fileno())
        self.descriptors.add(descriptor)
        offset = filelike.tell()
        return descriptor, offset, os.fstat(descriptor).st_size - offset

    def send_file(self, head: bytes, descriptor: int, offset: int, count: int) -> None:
        self.files.append((offset, count))
        data = os.pread(descriptor, count, offset)
        self.close_file(descriptor)
        self.send(head)
        self.send(data)

    def close_file(self, descriptor: int) -> None:
        self.descriptors.remove(descriptor)
        os.close(descriptor)

    def settle(self, writer: ResponseWriter) -> None:
        """A body that is streamed is none of this sink's concern."""

    def date_line(self) -> bytes:
        return DATE


@dataclass
class Answer:
    """A response as another implementation reads it; whole is False where it was cut."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes = b""
    whole: bool = False
    interim: list[int] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The only field of this name."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) < 2
        return values[0] if values else None


@dataclass
class Call:
    """One call of an application, after it."""

    exchange: Exchange
    sink: Recording
    writer: Writer
    method: str

    def answer(self) -> Answer:
        """What the client read; the connection's end counts as one if it is not kept."""
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=self.method, target="/", headers=[("Host", "a")]))
        client.send(h11.EndOfMessage())
        client.receive_data(self.sink.data)
        interim = []
        while isinstance(event := client.next_event(), h11.InformationalResponse):
            interim.append(event.status_code)
        assert isinstance(event, h11.Response), event
        headers = [(name.decode(), value.decode("latin-1")) for name, value in event.headers]
        answer = Answer(event.status_code, headers, interim=interim)
        while True:
            try:
                event = client.next_event()
                if event is h11.NEED_DATA:
                    client.receive_data(b"")
                    event = client.next_event()
            except h11.RemoteProtocolError:
                return answer
            if isinstance(event, h11.Data):
                answer.body += bytes(event.data)
            else:
                answer.whole = isinstance(event, h11.EndOfMessage)
                assert not client.trailing_data[0], "bytes behind the response"
                return answer


def call(
    application: Callable[..., Any],
    *,
    method: str = "GET",
    http_10: bool = False,
    keep_alive: bool = True,
    environ: dict[str, Any] | None = None,
    sink: Recording | None = None,
) -> Call:
    """Call an application as an engine does."""
    sink = Recording() if sink is None else sink
    writer = Writer(http_10, method == "HEAD", keep_alive)
    environ = {"REQUEST_METHOD": method} if environ is None else environ
    exchange = Exchange(environ, sink, writer)
    exchange.run(application)
    assert not sink.descriptors, "descriptors were not given back"
    return Call(exchange, sink, writer, method)


class Body:
    """An iterable that counts how often it was closed; it ends in `problem`, if there is one."""

    def __init__(self, *blocks: Any, problem: BaseException | None = None) -> None:
        self.blocks = blocks
        self.problem = problem
        self.asked = 0
        self.closed = 0

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> Any:
        self.asked += 1
        if self.asked <= len(self.blocks):
            return self.blocks[self.asked - 1]
        if self.problem is not None:
            raise self.problem
        raise StopIteration

    def close(self) -> None:
        self.closed += 1


class SizedBody(Body):
    """The same with a length."""

    def __len__(self) -> int:
        return len(self.blocks)


def answering(result: Any, *fields: tuple[str, str], status: str = "200 OK") -> Callable[..., Any]:
    """An application that answers with `result`."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        start_response(status, list(fields))
        return result

    return application
