"""What the streams of one connection send: whose turn it is, and how much the windows let through.

Everything here is called with the lock of the streams held.
"""

from __future__ import annotations

import enum
import os
from typing import Any

from canter.engine.clock import now_ns
from canter.engine.contract import EngineConfig
from canter.engine.threaded.backlog import FilePart
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.stream import Owner, Stream
from canter.protocol.http2.connection import Http2Connection
from canter.protocol.http2.errors import Error
from canter.protocol.http2.heads import interim_fields
from canter.protocol.http2.limits import Http2Limits
from canter.wsgi.exchange import ClientGone

# What one stream may send before the others have their turn.
_TURN_BYTES = 64 * 1024
# So much goes at once, whatever else is about to be said: about a record of TLS.
_GATHERED_BYTES = 16 * 1024


class Fate(enum.Enum):
    """What is to become of the connection; moves down this list and never back."""

    GOES_ON = 0
    ENDING = 1
    """Everything was said: the connection is to be closed in an orderly way."""

    LOST = 2
    """The client is gone."""


_GOES_ON = Fate.GOES_ON
_LOST = Fate.LOST


class Outflow(Owner):
    """The sending half of a multiplexer.

    fate: of the connection. unanswered: how many streams are with the crew.
    """

    __slots__ = ("_gathers", "_hub", "_senders", "config", "fate", "http2", "limits", "unanswered")

    def __init__(self, connection: Connection, hub: Any, limits: Http2Limits) -> None:
        super().__init__(connection)
        self.config: EngineConfig = connection.config
        self.limits = limits
        self._hub = hub
        self.http2 = Http2Connection(limits)
        self._senders: dict[int, Stream] = {}
        self.fate = Fate.GOES_ON
        self.unanswered = 0
        # The leader is going to look after frames that were not sent at once.
        self._gathers = False

    def _conclude(self, stream: Stream) -> None:
        """All of a response is in frames."""
        raise NotImplementedError

    def _drop(self, stream: Stream) -> None:
        """A stream's client has given it up, or can be told nothing more."""
        raise NotImplementedError

    def want_to_send(self, stream: Stream) -> None:
        """A stream has a head, content, or an end to be sent."""
        self._senders[stream.number] = stream
        self._pump(stream)

    def send_interim(self, stream: Stream, status: int, fields: list[tuple[str, str]]) -> None:
        """Send an interim response."""
        if not stream.gone:
            self.http2.send_head(stream.number, interim_fields(status, fields), False)
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
        self.tell_change()

    def _pump(self, stream: Stream | None = None) -> None:
        """Make frames of what waits, one turn for each stream after the other.

        stream: the one that has just got more to send, if it is that.
        """
        senders = self._senders
        while senders and self.fate is _GOES_ON:
            backlog = self.connection.backlog
            if backlog is not None and backlog.size > self.config.high_water_bytes:
                return  # the socket is behind; it will tell
            moved = False
            for sender in list(senders.values()):
                moved = self._send_some(sender) or moved
            if senders or stream is None or not self._may_gather(stream):
                self._emit()
            if not moved:
                return

    def _may_gather(self, stream: Stream) -> bool:
        """Whether frames may wait a moment for those of the next answer.

        They may while the leader itself runs one quick call after the other: it looks after them
        in its next turn at the latest, and where a call is slow, the turn is another's.
        """
        member = stream.member
        if member is None or not member.inline or self.unanswered <= 1:
            return False
        if not stream.whole or self.http2.waiting > _GATHERED_BYTES:
            return False
        if not self._gathers:
            self._gathers = True
            self._hub.look_again(self.connection)
            if not member.inline:  # the lead was taken away meanwhile
                self._hub.wake()  # type: ignore[unreachable]  # another thread has changed it
        return True

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
            if not http2.send_head(number, head, end):
                self._drop(stream)
                return False
            moved = stream.headed = True
            stream.done = end
        if not stream.done and stream.out:
            moved = self._send_content(stream) or moved
        if stream.whole and not stream.out and not stream.done and not stream.gone:
            http2.send_content(number, b"", True)
            stream.done = moved = True
        if moved and stream.out:
            with self._hub.lock:
                self._hub.deadlines.restart(stream, now_ns())
        if not stream.out:
            self._senders.pop(number, None)
        if stream.done and not was_done:
            self._conclude(stream)
        if moved:
            self.tell_change()
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
            if not http2.send_content(stream.number, data, end):
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
        if len(part) <= count:
            stream.out.popleft()
            stream.out_bytes -= len(part)
            return bytes(part)
        stream.out_bytes -= count
        view = memoryview(part)
        stream.out[0] = view[count:]
        return bytes(view[:count])

    def _emit(self) -> None:
        """Give the frames that were made to the connection."""
        self._gathers = False
        if not self.http2.waiting:
            return
        data = self.http2.output()
        if self.fate is _LOST:
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
