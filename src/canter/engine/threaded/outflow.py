"""What the streams of one connection send: whose turn it is, and how much the windows let through.

Everything here is called with the lock of the streams held.
"""

from __future__ import annotations

import enum
import os
import threading
import time
from typing import Any

from canter.engine.contract import EngineConfig
from canter.engine.threaded.backlog import FilePart
from canter.engine.threaded.connection import Connection, Hub
from canter.engine.threaded.stream import Stream
from canter.protocol.http2.connection import Http2Connection
from canter.protocol.http2.errors import Error
from canter.protocol.http2.heads import interim_fields
from canter.protocol.http2.limits import Http2Limits
from canter.wsgi.exchange import ClientGone

# What one stream may send before the others have their turn.
_TURN_BYTES = 64 * 1024
_now_ns = time.monotonic_ns


class Fate(enum.Enum):
    """What is to become of the connection; moves down this list and never back."""

    GOES_ON = 0
    ENDING = 1
    """Everything was said: the connection is to be closed in an orderly way."""

    LOST = 2
    """The client is gone."""


class Outflow(Hub):
    """The sending half of a multiplexer.

    lock: of the streams. changed: told when a stream's output went or its input came. fate: of the
    connection.
    """

    __slots__ = (
        "_hub",
        "_senders",
        "changed",
        "config",
        "connection",
        "fate",
        "http2",
        "limits",
        "lock",
    )

    def __init__(self, connection: Connection, hub: Any, limits: Http2Limits) -> None:
        super().__init__()
        self.connection = connection
        self.config: EngineConfig = connection.config
        self.limits = limits
        self._hub = hub
        self.http2 = Http2Connection(limits)
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self._senders: dict[int, Stream] = {}
        self.fate = Fate.GOES_ON

    def _conclude(self, stream: Stream) -> None:
        """All of a response is in frames."""
        raise NotImplementedError

    def _drop(self, stream: Stream) -> None:
        """A stream's client has given it up, or can be told nothing more."""
        raise NotImplementedError

    def want_to_send(self, stream: Stream) -> None:
        """A stream has a head, content, or an end to be sent."""
        self._senders[stream.number] = stream
        self._pump()
        self._emit()

    def send_interim(self, stream: Stream, status: int, fields: list[tuple[str, str]]) -> None:
        """Send an interim response."""
        if not stream.gone:
            self.http2.send_head(stream.number, interim_fields(status, fields), end=False)
            self._emit()

    def open_window(self, stream: Stream, count: int) -> None:
        """Content has found its place: let the client send more."""
        stream.owed += count
        if stream.owed * 2 >= self.limits.initial_window_size and not stream.stream_reader.ended:
            self.http2.open_window(stream.number, stream.owed)
            stream.owed = 0
            self._emit()

    def give_up(self, stream: Stream, error: Error) -> None:
        """End a stream at once, whatever it is doing."""
        if not stream.gone and not stream.done:
            self._reset(stream, error)
            self._emit()

    def _reset(self, stream: Stream, error: Error) -> None:
        self.http2.reset(stream.number, error)
        stream.gone = True
        stream.drop_output()
        self._senders.pop(stream.number, None)
        self.changed.notify_all()

    def _pump(self) -> None:
        """Make frames of what waits, one turn for each stream after the other."""
        senders = self._senders
        while senders and self.fate is Fate.GOES_ON:
            backlog = self.connection.backlog
            if backlog is not None and backlog.size > self.config.high_water_bytes:
                return  # the socket is behind; it will tell
            moved = False
            for stream in list(senders.values()):
                moved = self._send_some(stream) or moved
            self._emit()
            if not moved:
                return

    def _send_some(self, stream: Stream) -> bool:
        """One turn of one stream; whether anything went."""
        http2 = self.http2
        number = stream.number
        reader = stream.stream_reader
        moved = False
        was_done = stream.done
        head = reader.head
        if head is not None:
            reader.head = None
            end = stream.whole and not stream.out
            if not http2.send_head(number, head, end=end):
                self._drop(stream)
                return False
            moved = stream.headed = True
            stream.done = end
        if not stream.done and stream.out:
            moved = self._send_content(stream) or moved
        if stream.whole and not stream.out and not stream.done and not stream.gone:
            http2.send_content(number, b"", end=True)
            stream.done = moved = True
        if moved and stream.out:
            with self._hub.lock:
                self._hub.deadlines.restart(stream, _now_ns())
        if not stream.out:
            self._senders.pop(number, None)
        if stream.done and not was_done:
            self._conclude(stream)
        if moved:
            self.changed.notify_all()
        return moved

    def _send_content(self, stream: Stream) -> bool:
        http2 = self.http2
        budget = _TURN_BYTES
        before = stream.sent
        while stream.out and budget > 0:
            count = min(http2.room(stream.number), http2.frame_bytes, budget)
            if count <= 0:
                break
            data = self._next_content(stream, count)
            if data is None:
                self._reset(stream, Error.INTERNAL_ERROR)  # a file that is shorter than it was
                break
            end = stream.whole and not stream.out
            if not http2.send_content(stream.number, data, end=end):
                self._drop(stream)
                break
            stream.sent += len(data)
            budget -= len(data)
            stream.done = end
        return stream.sent != before

    @staticmethod
    def _next_content(stream: Stream, count: int) -> bytes | None:
        """At most so many bytes of what waits, taken out of it; None where a file ends early."""
        part = stream.out[0]
        if isinstance(part, FilePart):
            data = os.pread(part.descriptor, min(count, part.count), part.offset)
            if not data:
                return None
            part.offset += len(data)
            part.count -= len(data)
            if part.count == 0:
                os.close(part.descriptor)
                stream.out.popleft()
            return data
        data = bytes(part[:count])
        stream.out_bytes -= len(data)
        if len(data) == len(part):
            stream.out.popleft()
        else:
            stream.out[0] = part[len(data) :]
        return data

    def _emit(self) -> None:
        """Give the frames that were made to the connection."""
        data = self.http2.output()
        if not data or self.fate is Fate.LOST:
            return
        try:
            self.connection.send(data)
        except ClientGone:
            self.fate = Fate.LOST
            self._hub.look_again(self.connection)
            self._hub.wake()

    def _flush(self) -> None:
        """Send what the socket did not take before."""
        connection = self.connection
        backlog = connection.backlog
        if backlog is None:
            return
        with backlog.lock:
            backlog.flush(connection.sock)
        if backlog.broken:
            self.fate = Fate.LOST
        elif not backlog:
            connection.backlog = None
        elif not backlog.blocked:
            self._hub.look_again(connection)
