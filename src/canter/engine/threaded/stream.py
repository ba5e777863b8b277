"""One stream of a connection that carries several, as the crew knows it: a request like any other.

A `Stream` is a connection of one request whose hub is the multiplexer of its connection
(`canter.engine.threaded.streams` tells who does what under which lock).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from typing import Any, Protocol, cast

from canter.engine.threaded.backlog import FilePart
from canter.engine.threaded.connection import READ_BYTES, Connection
from canter.protocol.faults import RequestTimeout
from canter.protocol.http2.errors import Error
from canter.protocol.http2.streams import StreamReader
from canter.protocol.response import judge_response
from canter.wsgi.exchange import ClientGone, ClientStalled

_PROGRESS_EVERY_NS = 1_000_000_000
_now_ns = time.monotonic_ns


class Owner(Protocol):
    """What a stream needs of the multiplexer; all but the attributes with its lock held."""

    connection: Connection
    lock: threading.Lock
    changed: threading.Condition

    def date_line_now(self) -> bytes:
        """The Date line of now."""

    def want_to_send(self, stream: Stream) -> None:
        """The stream has a head, content, or an end to be sent."""

    def send_interim(self, stream: Stream, status: int, fields: list[tuple[str, str]]) -> None:
        """Send an interim response."""

    def open_window(self, stream: Stream, count: int) -> None:
        """Content has found its place: let the client send more."""

    def give_up(self, stream: Stream, error: Error) -> None:
        """End the stream at once."""


class _NoSocket:
    """What a stream has in a socket's place."""

    def fileno(self) -> int:
        """None of its own."""
        return -1

    def close(self) -> None:
        """There is nothing to close."""


_NO_SOCKET = cast("socket.socket", _NoSocket())


class Stream(Connection):
    """One request and its response.

    number: the stream's. gone: its client has given it up, or the connection is lost. headed: its
    head went. whole: all of the response was given to it. done: all of it is in frames. returned:
    the crew has given it back. out: content that waits; out_bytes: of it in memory. sent: content
    put in frames so far. owed: bytes of content read, for which the window was not opened again.
    """

    __slots__ = (
        "done",
        "gone",
        "headed",
        "mux",
        "number",
        "out",
        "out_bytes",
        "owed",
        "returned",
        "sent",
        "whole",
    )

    def __init__(self, mux: Owner, number: int, reader: StreamReader) -> None:
        owner = mux.connection
        super().__init__(-1, reader, owner.base, owner.config, cast("Any", mux), _NO_SOCKET)
        self.gathers = False
        self.mux = mux
        self.number = number
        self.gone = False
        self.headed = False
        self.whole = False
        self.done = False
        self.returned = False
        self.out: deque[memoryview | FilePart] = deque()
        self.out_bytes = 0
        self.sent = 0
        self.owed = 0
        self.listener = owner.listener
        self.peer_host = owner.peer_host
        self.peer_port = owner.peer_port
        self.began_ns = _now_ns()
        self.shared = cast("Any", mux)

    @property
    def stream_reader(self) -> StreamReader:
        """The reader, as what it is."""
        return cast("StreamReader", self.reader)

    # -- reading ------------------------------------------------------------------------------

    def pull(self) -> bytes:
        """The next piece of a streamed body, waiting for it. Raises Fault."""
        mux = self.mux
        reader = self.reader
        with mux.lock:
            request = self.request
            if request is not None and request.expect_continue and not reader.body_received:
                request.expect_continue = False
                mux.send_interim(self, 100, [])
            while True:
                data = reader.read_body(READ_BYTES)
                if data or reader.body_complete:
                    mux.open_window(self, len(data))
                    return data
                if self.gone:
                    raise reader.truncated() or ClientGone("the client left")
                self._wait_for_content()

    def _wait_for_content(self) -> None:
        seconds = self.config.body_timeout_seconds
        member = self.member
        if member is not None:
            member.wait_for_client()
        try:
            if not self.mux.changed.wait(seconds if seconds > 0 else None):
                raise RequestTimeout("the body came too slowly")
        finally:
            if member is not None:
                member.go_on(_now_ns())

    def client_disconnected(self) -> bool:
        """environ["canter.client_disconnected"]: whether the client has given this request up."""
        return self.gone or self.mux.connection.input_ended

    def early_hints(self, fields: list[tuple[str, str]]) -> None:
        """environ["wsgi.early_hints"]: send a 103 (RFC 8297)."""
        judged = judge_response("200 OK", fields)
        exchange = self.exchange
        if exchange is not None and exchange.may_hint():
            kept = [f for f in judged.fields if f[0].lower() != "content-length"]
            with self.mux.lock:
                self.mux.send_interim(self, 103, kept)

    # -- writing: `canter.wsgi.exchange.Sink` -------------------------------------------------

    def date_line(self) -> bytes:
        """The Date line of now."""
        return self.mux.date_line_now()

    def settle(self, writer: Any) -> None:
        """A body that stays unread ends with its stream and nothing else."""

    def send(self, data: bytes) -> None:
        """Send, or keep until windows and socket have room; never waits. Raises ClientGone."""
        with self.mux.lock:
            if self.gone:
                raise ClientGone("the client left", len(data))
            if data:  # a head alone waits for content, or for the end, to go with it
                self.out.append(memoryview(data))
                self.out_bytes += len(data)
                self._note_whole()
                self.mux.want_to_send(self)

    def _note_whole(self) -> None:
        """The end may go with the last content, where a length tells that this is it."""
        writer = self.stream_reader.writer
        if writer is not None and writer.remaining == 0:
            self.whole = True

    def stream(self, data: bytes) -> None:
        """As `send`, but waits while the client is far behind. Raises ClientGone."""
        self.send(data)
        member = self.member
        if member is not None:
            now_ns = _now_ns()
            if now_ns - member.started_ns > _PROGRESS_EVERY_NS:
                member.go_on(now_ns)
        if self.out_bytes <= self.config.high_water_bytes:
            return
        if member is not None:
            member.wait_for_client()
        try:
            self._wait_for_windows()
        finally:
            if member is not None:
                member.go_on(_now_ns())

    def _wait_for_windows(self) -> None:
        seconds = self.config.send_timeout_seconds
        mux = self.mux
        with mux.lock:
            while self.out_bytes > self.config.high_water_bytes // 2 and not self.gone:
                before = self.sent
                in_time = mux.changed.wait(seconds if seconds > 0 else None)
                if not in_time and self.sent == before:
                    mux.give_up(self, Error.CANCEL)
                    raise ClientStalled("the client takes nothing of the response")
            if self.gone:
                raise ClientGone("the client left")

    def send_file(self, head: bytes, descriptor: int, offset: int, count: int) -> None:
        """Send what stands before it, then count bytes of the file, and close the descriptor."""
        with self.mux.lock:
            if head and not self.gone:
                self.out.append(memoryview(head))
                self.out_bytes += len(head)
            if count and not self.gone:
                self.out.append(FilePart(descriptor, offset, count))
            else:
                os.close(descriptor)
            if self.gone:
                raise ClientGone("the client left")
            self._note_whole()
            self.mux.want_to_send(self)

    def shut(self) -> None:
        """Nothing more comes of the response."""
        with self.mux.lock:
            self.whole = True
            if not self.gone:
                self.mux.want_to_send(self)

    def cut(self) -> None:
        """End the stream at once, from any thread."""
        with self.mux.lock:
            self.mux.give_up(self, Error.INTERNAL_ERROR)

    def drop_output(self) -> None:
        """Forget what waits to be sent; with the multiplexer's lock held."""
        for part in self.out:
            if isinstance(part, FilePart):
                os.close(part.descriptor)
        self.out.clear()
        self.out_bytes = 0
