"""One stream of a connection that carries several, as the crew knows it: a request like any other.

A `Stream` is a connection of one request whose hub is the multiplexer of its connection
(`canter.engine.threaded.streams` tells who does what under which lock).
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from typing import Any, cast

from canter.engine.clock import now_ns
from canter.engine.threaded.backlog import FilePart
from canter.engine.threaded.connection import READ_BYTES, Connection, Hub
from canter.protocol.faults import RequestTimeout
from canter.protocol.http2.errors import Error
from canter.protocol.http2.streams import StreamReader
from canter.protocol.response import judge_response
from canter.wsgi.exchange import ClientGone, ClientStalled

_PROGRESS_EVERY_NS = 1_000_000_000


class Owner(Hub):
    """What a stream needs of the multiplexer; all but the attributes with its lock held.

    lock: of the streams. changed: told when a stream's output went or its input came, where some
    wait for that (`waiting`).
    """

    __slots__ = ("changed", "connection", "lock", "waiting")

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.waiting = 0

    def date_line_now(self) -> bytes:
        """The Date line of now."""
        raise NotImplementedError

    def want_to_send(self, stream: Stream) -> None:
        """The stream has a head, content, or an end to be sent."""
        raise NotImplementedError

    def send_interim(self, stream: Stream, status: int, fields: list[tuple[str, str]]) -> None:
        """Send an interim response."""
        raise NotImplementedError

    def open_window(self, stream: Stream, count: int) -> None:
        """Content has found its place: let the client send more."""
        raise NotImplementedError

    def give_up(self, stream: Stream, error: Error) -> None:
        """End the stream at once."""
        raise NotImplementedError

    def wait_for_change(self, seconds: float) -> bool:
        """Wait until something has changed; False when that takes too long (0: never)."""
        self.waiting += 1
        try:
            return self.changed.wait(seconds if seconds > 0 else None)
        finally:
            self.waiting -= 1

    def tell_change(self) -> None:
        """Something has changed."""
        if self.waiting:
            self.changed.notify_all()


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

    number: the stream's. stream_reader: its reader, as what it is. gone: its client has given it
    up, or the connection is lost. headed: its head went. whole: all of the response was given to
    it. done: all of it is in frames. returned: the crew has given it back. out: content that waits;
    out_bytes: of it in memory. sent: content put in frames so far. owed: bytes of content read, for
    which the window was not opened again.
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
        "stream_reader",
        "whole",
    )

    def __init__(self, mux: Owner, number: int, reader: StreamReader) -> None:
        owner = mux.connection
        super().__init__(-1, reader, owner.base, owner.config, mux, _NO_SOCKET)
        self.gathers = False
        self.mux = mux
        self.stream_reader = reader
        self.number = number
        self.gone = False
        self.headed = False
        self.whole = False
        self.done = False
        self.returned = False
        self.out: deque[bytes | memoryview | FilePart] = deque()
        self.out_bytes = 0
        self.sent = 0
        self.owed = 0
        self.listener = owner.listener
        self.peer_host = owner.peer_host
        self.peer_port = owner.peer_port
        self.began_ns = now_ns()
        self.shared = mux  # type: ignore[assignment]  # it is one

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
            if not self.mux.wait_for_change(seconds):
                raise RequestTimeout("the body came too slowly")
        finally:
            if member is not None:
                member.go_on(now_ns())

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
                self.out.append(data)
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
            moment_ns = now_ns()
            if moment_ns - member.started_ns > _PROGRESS_EVERY_NS:
                member.go_on(moment_ns)
        if self.out_bytes <= self.config.high_water_bytes:
            return
        if member is not None:
            member.wait_for_client()
        try:
            self._wait_for_windows()
        finally:
            if member is not None:
                member.go_on(now_ns())

    def _wait_for_windows(self) -> None:
        seconds = self.config.send_timeout_seconds
        mux = self.mux
        with mux.lock:
            while self.out_bytes > self.config.high_water_bytes // 2 and not self.gone:
                before = self.sent
                in_time = mux.wait_for_change(seconds)
                if not in_time and self.sent == before:
                    mux.give_up(self, Error.CANCEL)
                    raise ClientStalled("the client takes nothing of the response")
            if self.gone:
                raise ClientGone("the client left")

    def send_file(self, head: bytes, descriptor: int, offset: int, count: int) -> None:
        """Send what stands before it, then count bytes of the file, and close the descriptor."""
        with self.mux.lock:
            if head and not self.gone:
                self.out.append(head)
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
