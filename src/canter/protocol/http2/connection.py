"""One connection of HTTP/2 in terms of its streams: what came, what goes, what is owed.

Without I/O: bytes in, news out; heads and content in, bytes out. `incoming` takes frames apart,
`states` says what may follow what, and here is what a frame means for streams and windows. What a
peer can make us do for nothing is bounded by `strain`.
"""

from __future__ import annotations

import enum

from canter.protocol.http2 import errors, frames, strain
from canter.protocol.http2.errors import ConnectionFailed, Error, Mistake, StreamFailed
from canter.protocol.http2.fields import Fields
from canter.protocol.http2.frames import number_at
from canter.protocol.http2.limits import Http2Limits
from canter.protocol.http2.outgoing import CONNECTION_WINDOW_BYTES, FrameWriter
from canter.protocol.http2.states import Event, State
from canter.protocol.http2.tracks import Track, follow

_OPENED_BYTES = 32 * 1024
# Of the last streams it is known whether they were opened or left out.
_KNOWN_STREAMS = 64
_KNOWN_MASK = 0xFFFF_FFFF_FFFF_FFFF

# C ints where compiled.
_END_STREAM = frames.END_STREAM
_PADDED = frames.PADDED
_LARGEST_WINDOW = frames.LARGEST_WINDOW
_IDLE = int(State.IDLE)
_CLOSED = int(State.CLOSED)
_GIVEN_UP = int(State.GIVEN_UP)
_HEAD = int(Event.HEAD)
_CONTENT = int(Event.CONTENT)
_ENDED = int(Event.ENDED)
_RESET = int(Event.RESET)
_WINDOW = int(Event.WINDOW)
_SMALL_BYTES = strain.SMALL_BYTES


class What(enum.Enum):
    """What happened to a stream."""

    OPENED = "a request's head came"
    DATA = "content came"
    TRAILERS = "trailers came"
    ENDED = "its client sends nothing more"
    RESET = "its client has given it up, or broken the rules"


_OPENED_NEWS = What.OPENED
_DATA_NEWS = What.DATA
_NO_FIELDS: Fields = []


class News:
    """One thing that happened. size: of DATA, as flow control counts it."""

    __slots__ = ("data", "ended", "fields", "size", "stream", "what")

    def __init__(self, what: What, stream: int) -> None:
        self.what = what
        self.stream = stream
        self.fields = _NO_FIELDS
        self.data = b""
        self.size = 0
        self.ended = False


class Http2Connection(FrameWriter):
    """One connection. Not safe from several threads: its user has a lock.

    streams_seen: requests that came so far.
    """

    __slots__ = (
        "_failure",
        "_highest",
        "_in_initial",
        "_in_window",
        "_known",
        "_news",
        "_owed",
        "streams_seen",
    )

    def __init__(self, limits: Http2Limits) -> None:
        super().__init__(limits)
        self._failure: ConnectionFailed | None = None
        self._news: list[News] = []
        # The highest stream that came, and which of the last were opened: bit n for 2n below it.
        self._highest = -1
        self._known = 0
        # Until the client has acknowledged our settings, it may hold to those of the RFC.
        self._in_initial = max(limits.initial_window_size, frames.WINDOW_BYTES)
        self._in_window = frames.WINDOW_BYTES + CONNECTION_WINDOW_BYTES
        self._owed = 0
        self.streams_seen = 0

    # -- what came ----------------------------------------------------------------------------

    def receive(self, data: bytes) -> list[News]:
        """What happened in these bytes. Raises ConnectionFailed: what was found before is lost."""
        if self._failure is not None:
            raise self._failure
        news = self._news = []
        try:
            self._read(data)
        except ConnectionFailed as failure:
            self._failure = failure
            self.go_away(failure.mistake.code)
            raise
        return news

    def _on_head(self, flags: int, stream: int, fields: Fields) -> None:
        track = self._streams.get(stream)
        if track is None:
            state = self._state_of(stream)
            if state == _IDLE:
                self._open(flags, stream, fields)
                return
            if state == _CLOSED and not self._was_opened(stream):
                raise ConnectionFailed(errors.GOES_BACK)
            self._drop(state, _HEAD, flags, stream)
            return
        track.move(_HEAD)
        if not flags & _END_STREAM:
            raise StreamFailed(errors.TRAILERS_WITHOUT_END)
        news = News(What.TRAILERS, stream)
        news.fields = fields
        self._news.append(news)
        self._end(track)

    def _open(self, flags: int, stream: int, fields: Fields) -> None:
        """A new request."""
        gap = (stream - self._highest) >> 1
        known = self._known << gap if gap < _KNOWN_STREAMS else 0
        self._known = (known | 1) & _KNOWN_MASK
        self._highest = stream
        ended = bool(flags & _END_STREAM)
        if len(self._streams) >= self._most_streams:
            # The client may send it again (8.7), though not without end.
            self._charge(strain.RESET, "streams at once")
            self._put(frames.reset(stream, Error.REFUSED_STREAM))
            if not ended:
                self._note_given_up(stream)
            return
        track = Track(stream, self._in_initial, self._out_initial)
        track.move(_HEAD)
        if ended:
            track.move(_ENDED)
        self._streams[stream] = track
        self.streams_seen += 1
        self.last_stream = stream
        news = News(_OPENED_NEWS, stream)
        news.fields = fields
        news.ended = ended
        self._news.append(news)

    def _on_content(self, flags: int, stream: int, data: bytes, start: int, end: int) -> None:
        size = end - start
        if size > self._in_window:
            raise ConnectionFailed(errors.WINDOW_PASSED)
        padding = self._padding(flags, data, start, end)
        # The connection's window is for all streams: it is opened again whatever they do.
        self._in_window -= size
        self._owed += size
        if self._owed >= _OPENED_BYTES:
            self._put(frames.window_update(0, self._owed))
            self._in_window += self._owed
            self._owed = 0
        track = self._streams.get(stream)
        if track is None:
            self._drop(self._state_of(stream), _CONTENT, flags, stream)
            return
        track.move(_CONTENT)
        if size > track.in_window:
            raise StreamFailed(errors.WINDOW_PASSED)
        track.in_window -= size
        if flags & _PADDED:
            start += 1
            end -= padding
        count = end - start
        self._strain.moved(count)
        if count < _SMALL_BYTES and not flags & _END_STREAM:
            self._charge(strain.SMALL if count else strain.CONTROL, "content in tiny frames")
        if size:
            news = News(_DATA_NEWS, stream)
            news.data = data[start:end]
            news.size = size
            self._news.append(news)
        if flags & _END_STREAM:
            self._end(track)

    def _end(self, track: Track) -> None:
        """The client has said that this was all of a request."""
        track.move(_ENDED)
        if track.state == _CLOSED:
            del self._streams[track.number]
        self._news.append(News(What.ENDED, track.number))

    def _drop(self, state: int, event: int, flags: int, stream: int) -> None:
        """A head or content for a stream that is not there: on its way when we gave it up."""
        following = follow(state, event)
        self._charge(strain.SMALL if event == _CONTENT else strain.RESET, "frames for no stream")
        if flags & _END_STREAM:
            following = follow(following, _ENDED)
        if following == _CLOSED:
            self._given_up.pop(stream, None)

    def _state_of(self, stream: int) -> int:
        """The state of a stream of which there is no track."""
        if stream > self._highest or not stream & 1:
            return _IDLE
        return _GIVEN_UP if stream in self._given_up else _CLOSED

    def _was_opened(self, stream: int) -> bool:
        """Whether a stream up to the highest was opened; of one long ago nobody knows."""
        back = (self._highest - stream) >> 1
        return back >= _KNOWN_STREAMS or bool(self._known >> back & 1)

    def _on_other(
        self, kind: int, flags: int, stream: int, data: bytes, start: int, end: int
    ) -> None:
        size = end - start
        if kind == frames.WINDOW_UPDATE:
            self._on_window(stream, data, start, size)
        elif kind == frames.SETTINGS:
            self._on_settings(flags, stream, data, start, size)
        elif kind == frames.PING:
            self._on_ping(flags, stream, data[start:end])
        elif kind == frames.RST_STREAM:
            self._on_reset(stream, size)
        elif kind == frames.PUSH_PROMISE:
            raise ConnectionFailed(errors.PUSH_BY_CLIENT)
        else:
            # A client that opens no more streams (GOAWAY) still waits for the answers to those it
            # has opened (6.8); priorities and what nobody knows are ignored (5.3.2, 5.5).
            if kind == frames.GOAWAY and stream:
                raise ConnectionFailed(errors.NOT_OF_THE_CONNECTION)
            if kind == frames.PRIORITY and not stream:
                raise ConnectionFailed(errors.NOT_OF_A_STREAM)
            if (kind == frames.PRIORITY and size != 5) or (kind == frames.GOAWAY and size < 8):
                raise ConnectionFailed(errors.WRONG_SIZE)
            self._charge(strain.CONTROL, "frames that ask for nothing")

    def _on_window(self, stream: int, data: bytes, start: int, size: int) -> None:
        if size != 4:
            raise ConnectionFailed(errors.WRONG_SIZE)
        count = number_at(data, start) & _LARGEST_WINDOW
        self._charge(strain.SMALL, "window updates")
        if not stream:
            if not count:
                raise ConnectionFailed(errors.WINDOW_OF_NOTHING)
            self._out_window += count
            if self._out_window > _LARGEST_WINDOW:
                raise ConnectionFailed(errors.WINDOW_OVERFLOW)
            return
        track = self._streams.get(stream)
        if track is None:
            follow(self._state_of(stream), _WINDOW)
            return
        track.move(_WINDOW)
        if not count:
            raise StreamFailed(errors.WINDOW_OF_NOTHING)
        track.out_window += count
        if track.out_window > _LARGEST_WINDOW:
            raise StreamFailed(errors.WINDOW_OVERFLOW)

    def _on_reset(self, stream: int, size: int) -> None:
        if not stream:
            raise ConnectionFailed(errors.NOT_OF_A_STREAM)
        if size != 4:
            raise ConnectionFailed(errors.WRONG_SIZE)
        track = self._streams.get(stream)
        if track is None:
            follow(self._state_of(stream), _RESET)
            self._given_up.pop(stream, None)
            self._charge(strain.CONTROL, "frames for no stream")
            return
        track.move(_RESET)
        del self._streams[stream]
        self._charge(strain.RESET, "requests that are given up at once")
        self._news.append(News(What.RESET, stream))

    def _on_ping(self, flags: int, stream: int, payload: bytes) -> None:
        if stream:
            raise ConnectionFailed(errors.NOT_OF_THE_CONNECTION)
        if len(payload) != 8:
            raise ConnectionFailed(errors.WRONG_SIZE)
        self._charge(strain.CONTROL, "frames that ask for nothing")
        if not flags & frames.ACK:
            self._put(frames.head(8, frames.PING, frames.ACK, 0) + payload)

    def _on_settings(self, flags: int, stream: int, data: bytes, start: int, size: int) -> None:
        if stream:
            raise ConnectionFailed(errors.NOT_OF_THE_CONNECTION)
        if size % frames.SETTING_BYTES or (flags & frames.ACK and size):
            raise ConnectionFailed(errors.WRONG_SIZE)
        self._charge(strain.CONTROL, "frames that ask for nothing")
        if flags & frames.ACK:
            self._shrink_windows()
            return
        before = self._out_initial
        for pos in range(start, start + size, frames.SETTING_BYTES):
            self._take_setting(data[pos] * 256 + data[pos + 1], number_at(data, pos + 2))
        # The last value counts, so that a frame full of them costs no more than one.
        change = self._out_initial - before
        if change:
            for track in self._streams.values():
                track.out_window += change
                if track.out_window > _LARGEST_WINDOW:
                    raise ConnectionFailed(errors.WINDOW_OVERFLOW)
        self._put(frames.head(0, frames.SETTINGS, frames.ACK, 0))

    def _take_setting(self, number: int, value: int) -> None:
        """One setting of the peer (6.5.2)."""
        if number == frames.HEADER_TABLE_SIZE:
            self._encoder.resize(value)
        elif number == frames.ENABLE_PUSH and value > 1:
            raise ConnectionFailed(errors.BAD_PUSH_SETTING)
        elif number == frames.INITIAL_WINDOW_SIZE:
            if value > _LARGEST_WINDOW:
                raise ConnectionFailed(errors.BAD_WINDOW_SETTING)
            self._out_initial = value
        elif number == frames.MAX_FRAME_SIZE:
            if not frames.FRAME_BYTES <= value <= frames.LARGEST_FRAME:
                raise ConnectionFailed(errors.BAD_FRAME_SETTING)
            self.frame_bytes = value

    def _shrink_windows(self) -> None:
        """The client knows our settings: a smaller window holds from here on (6.9.2)."""
        change = self._limits.initial_window_size - self._in_initial
        if change:
            self._in_initial += change
            for track in self._streams.values():
                track.in_window += change

    def _fail_stream(self, stream: int, mistake: Mistake) -> None:
        self._charge(strain.RESET, "requests that break the rules")
        self.reset(stream, mistake.code)
        self._news.append(News(What.RESET, stream))

    def _charge(self, units: int, what: str) -> None:
        if self._strain.add(units):
            raise ConnectionFailed(errors.flood(what))
