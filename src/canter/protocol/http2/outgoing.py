"""What one connection of HTTP/2 sends: frames, within the windows that its peer has opened.

Every piece is put into `_out` in the order in which the peer has to see it, and leaves with all
others in one write.
"""

from __future__ import annotations

from canter.protocol.http2 import frames, strain
from canter.protocol.http2.encoder import Encoder
from canter.protocol.http2.errors import Error
from canter.protocol.http2.frames import head as frame_head
from canter.protocol.http2.incoming import FrameReader
from canter.protocol.http2.limits import Http2Limits
from canter.protocol.http2.states import Event, State
from canter.protocol.http2.tracks import Track

# C ints where compiled.
_DATA = frames.DATA
_HEADERS = frames.HEADERS
_END_STREAM = frames.END_STREAM
_END_HEADERS = frames.END_HEADERS
_HALF_CLOSED_REMOTE = int(State.HALF_CLOSED_REMOTE)
_HALF_CLOSED_LOCAL = int(State.HALF_CLOSED_LOCAL)
_CLOSED = int(State.CLOSED)
_GIVEN_UP = int(State.GIVEN_UP)
_SENT_ALL = int(Event.SENT_ALL)
_SENT_RESET = int(Event.SENT_RESET)
_ANSWERED = strain.ANSWERED
#: What a client may send on all streams beyond the window that it begins with.
CONNECTION_WINDOW_BYTES = 1024 * 1024


class FrameWriter(FrameReader):
    """The sending half of a connection.

    last_stream: the highest stream that was accepted. waiting: bytes that are to be sent.
    frame_bytes: the largest frame that the peer takes.
    """

    __slots__ = (
        "_encoder",
        "_given_up",
        "_limits",
        "_most_streams",
        "_out",
        "_out_initial",
        "_out_window",
        "_strain",
        "_streams",
        "frame_bytes",
        "last_stream",
        "waiting",
    )

    def __init__(self, limits: Http2Limits) -> None:
        super().__init__(limits)
        self._limits = limits
        self._most_streams = limits.max_concurrent_streams
        self._encoder = Encoder()
        self._strain = strain.Strain()
        self._streams: dict[int, Track] = {}
        # Streams that we gave up and of which the client may not know yet, the oldest first.
        self._given_up: dict[int, None] = {}
        self._out_initial = frames.WINDOW_BYTES
        self._out_window = frames.WINDOW_BYTES
        self._out: list[bytes] = []
        self.frame_bytes = frames.FRAME_BYTES
        self.waiting = 0
        self.last_stream = 0
        values = {
            frames.ENABLE_PUSH: 0,
            frames.MAX_CONCURRENT_STREAMS: limits.max_concurrent_streams,
            frames.INITIAL_WINDOW_SIZE: limits.initial_window_size,
            frames.MAX_FRAME_SIZE: limits.max_frame_size,
        }
        if limits.max_header_list_size:
            values[frames.MAX_HEADER_LIST_SIZE] = limits.max_header_list_size
        self._put(frames.settings(values))
        self._put(frames.window_update(0, CONNECTION_WINDOW_BYTES))

    def _put(self, piece: bytes) -> None:
        self._out.append(piece)
        self.waiting += len(piece)

    def output(self) -> bytes:
        """The bytes to be sent, in order; each is given once."""
        data = b"".join(self._out)
        self._out.clear()
        self.waiting = 0
        return data

    def room(self, stream: int) -> int:
        """How many bytes of content may be sent on a stream now; 0 when it is closed."""
        track = self._streams.get(stream)
        if track is None:
            return 0
        return max(min(track.out_window, self._out_window), 0)

    def send_head(self, stream: int, fields: list[tuple[bytes, bytes]], end: bool) -> bool:  # noqa: FBT001
        """Send a head, interim or final; False when the stream is closed."""
        track = self._streams.get(stream)
        if track is None or track.state == _HALF_CLOSED_LOCAL:
            return False
        block = self._encoder.encode(fields)
        flags = _END_STREAM if end else 0
        size = self.frame_bytes
        if len(block) <= size:
            flags |= _END_HEADERS
            self._put(frame_head(len(block), _HEADERS, flags, stream))
            self._put(block)
        else:
            self._put_in_parts(stream, block, flags)
        if end:
            self._note_sent(track)
        return True

    def _put_in_parts(self, stream: int, block: bytes, flags: int) -> None:
        """A header block that one frame has no room for (6.10)."""
        size = self.frame_bytes
        kind = _HEADERS
        for at in range(0, len(block), size):
            part = block[at : at + size]
            if at + size >= len(block):
                flags |= _END_HEADERS
            self._put(frame_head(len(part), kind, flags, stream))
            self._put(part)
            kind, flags = frames.CONTINUATION, 0

    def send_content(self, stream: int, data: bytes, end: bool) -> bool:  # noqa: FBT001
        """Send content, within `room` and `frame_bytes`; False when the stream is closed."""
        track = self._streams.get(stream)
        if track is None or track.state == _HALF_CLOSED_LOCAL:
            return False
        count = len(data)
        track.out_window -= count
        self._out_window -= count
        self._put(frame_head(count, _DATA, _END_STREAM if end else 0, stream))
        if count:
            self._put(data)
            self._strain.moved(count)
        if end:
            self._note_sent(track)
        return True

    def _note_sent(self, track: Track) -> None:
        """All of a response is in frames."""
        track.move(_SENT_ALL)
        if track.state == _CLOSED:
            del self._streams[track.number]

    def open_window(self, stream: int, count: int) -> None:
        """So many bytes of a stream's content have found a place: its client may send more."""
        track = self._streams.get(stream)
        if count and track is not None and track.state != _HALF_CLOSED_REMOTE:
            track.in_window += count
            self._put(frames.window_update(stream, count))

    def reset(self, stream: int, error: int) -> None:
        """End a stream at once, both ways."""
        track = self._streams.pop(stream, None)
        if track is None:
            return
        track.move(_SENT_RESET)
        self._put(frames.reset(stream, error))
        if track.state == _GIVEN_UP:
            self._note_given_up(stream)

    def _note_given_up(self, stream: int) -> None:
        """Remember what the client may be sending on still."""
        given_up = self._given_up
        given_up[stream] = None
        # A client opens no more than its share before it hears of those that have ended.
        if len(given_up) > 2 * self._most_streams:
            del given_up[next(iter(given_up))]

    def answered(self) -> None:
        """A request was answered whole."""
        self._strain.relieve(_ANSWERED)

    def go_away(self, error: int, last_stream: int = -1) -> None:
        """Say which streams are served and that others are not (RFC 9113 6.8).

        last_stream: the highest that is served; -1 for the highest that was accepted.
        """
        last = self.last_stream if last_stream < 0 else last_stream
        self._put(frames.go_away(last, error))

    def announce_end(self) -> None:
        """Say that the end is near, without refusing what is on its way."""
        self.go_away(Error.NO_ERROR, frames.HIGHEST_STREAM)
