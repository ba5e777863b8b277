"""One connection of HTTP/2 in terms of its streams: what came, what goes, what is owed.

It hides the h2 library, which knows frames, HPACK and windows, from the engine, and bounds what
that leaves open: work for nothing (`strain`), header blocks that do not end, streams that we still
work for though their client has given them up.
"""

from __future__ import annotations

import enum
from typing import Any, NamedTuple

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    AlternativeServiceAvailable,
    DataReceived,
    Event,
    InformationalResponseReceived,
    PingAckReceived,
    PingReceived,
    PriorityUpdated,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    TrailersReceived,
    UnknownFrameReceived,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hyperframe.frame import Frame, GoAwayFrame

from canter.protocol.http2 import strain
from canter.protocol.http2.errors import Error
from canter.protocol.http2.heads import Fields
from canter.protocol.http2.limits import Http2Limits

#: So many bytes are looked at before the strain is judged again.
SLICE_BYTES = 4096
_HIGHEST_STREAM = 2**31 - 1
_CONNECTION_WINDOW_BYTES = 1024 * 1024
_OPENED_BYTES = 32 * 1024


class What(enum.Enum):
    """What happened to a stream."""

    OPENED = "a request's head came"
    DATA = "content came"
    TRAILERS = "trailers came"
    ENDED = "its client sends nothing more"
    RESET = "its client has given it up"


class News(NamedTuple):
    """One thing that happened. size: of DATA, as flow control counts it."""

    what: What
    stream: int
    fields: Fields = []  # noqa: RUF012 - never changed
    data: bytes = b""
    size: int = 0
    ended: bool = False


class ConnectionFailed(Exception):
    """The connection cannot go on; the peer has been told, in what is to be sent."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class _Streams(H2Connection):
    """The library's connection, but for one thing.

    A client that opens no more streams (GOAWAY) still waits for the answers to those it has opened
    (RFC 9113 6.8); the library would refuse to send them.
    """

    def _receive_goaway_frame(self, _: GoAwayFrame) -> tuple[list[Frame], list[Event]]:
        return [], []


class Http2Connection:
    """One connection. Not safe from several threads: its user has a lock.

    streams_seen: requests that came so far. last_stream: the highest stream that was accepted.
    """

    __slots__ = (
        "_extra",
        "_h2",
        "_kinds",
        "_limits",
        "_owed",
        "_silent",
        "_strain",
        "last_stream",
        "streams_seen",
    )

    def __init__(self, limits: Http2Limits) -> None:
        self._limits = limits
        config = H2Configuration(
            client_side=False,
            header_encoding=None,
            # What came is judged in `heads`, where HTTP/1 is judged too; what goes was judged.
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self._h2 = _Streams(config)
        codes = SettingCodes
        values: dict[SettingCodes, int] = {
            codes.MAX_CONCURRENT_STREAMS: limits.max_concurrent_streams,
            codes.INITIAL_WINDOW_SIZE: limits.initial_window_size,
            codes.MAX_FRAME_SIZE: limits.max_frame_size,
            codes.ENABLE_PUSH: 0,
        }
        if limits.max_header_list_size:
            values[codes.MAX_HEADER_LIST_SIZE] = limits.max_header_list_size
        self._h2.local_settings = Settings(client=False, initial_values=values)
        self._h2.max_inbound_frame_size = limits.max_frame_size
        self._h2.decoder.max_header_list_size = limits.max_header_list_size or 2**24
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW_BYTES)
        self._strain = strain.Strain()
        self._silent = 0
        self._owed = 0
        self._extra = b""
        self.streams_seen = 0
        self.last_stream = 0
        self._kinds: dict[type, Any] = {
            RequestReceived: self._on_request,
            DataReceived: self._on_data,
            TrailersReceived: self._on_trailers,
            StreamEnded: self._on_end,
            StreamReset: self._on_reset,
            WindowUpdated: self._on_window,
            PingReceived: self._on_control,
            PingAckReceived: self._on_control,
            RemoteSettingsChanged: self._on_control,
            PriorityUpdated: self._on_control,
            UnknownFrameReceived: self._on_control,
            InformationalResponseReceived: self._on_control,
            AlternativeServiceAvailable: self._on_control,
        }

    # -- what came ----------------------------------------------------------------------------

    def receive(self, data: bytes) -> list[News]:
        """What happened in these bytes. Raises ConnectionFailed: what was found before is lost."""
        news: list[News] = []
        for at in range(0, len(data), SLICE_BYTES):
            piece = data[at : at + SLICE_BYTES]
            try:
                events = self._h2.receive_data(piece)
            except ProtocolError as error:
                raise ConnectionFailed(str(error) or type(error).__name__) from None
            self._silent = 0 if events else self._silent + len(piece)
            if self._silent > self._limits.max_frame_size * 2 + (
                self._limits.max_header_list_size or 2**24
            ):
                self._calm("a header block that does not end")
            for event in events:
                react = self._kinds.get(type(event))
                if react is not None:
                    found = react(event)
                    if found is not None:
                        news.append(found)
        return news

    def _on_request(self, event: Any) -> News:
        self.streams_seen += 1
        self.last_stream = event.stream_id
        ended = event.stream_ended is not None
        return News(What.OPENED, event.stream_id, fields=event.headers, ended=ended)

    def _on_data(self, event: Any) -> News:
        size = event.flow_controlled_length
        count = len(event.data)
        self._strain.moved(count)
        if count < strain.SMALL_BYTES and event.stream_ended is None:
            self._charge(strain.SMALL if count else strain.CONTROL, "content in tiny frames")
        # The connection's window is for all streams: it is opened again whatever they do.
        self._owed += size
        if self._owed >= _OPENED_BYTES:
            self._h2.increment_flow_control_window(self._owed)
            self._owed = 0
        return News(What.DATA, event.stream_id, data=event.data, size=size)

    def _on_trailers(self, event: Any) -> News:
        return News(What.TRAILERS, event.stream_id, fields=event.headers)

    def _on_end(self, event: Any) -> News:
        return News(What.ENDED, event.stream_id)

    def _on_reset(self, event: Any) -> News:
        self._charge(strain.RESET, "requests that are given up at once")
        return News(What.RESET, event.stream_id)

    def _on_window(self, _: Any) -> None:
        self._charge(strain.SMALL, "window updates")

    def _on_control(self, _: Any) -> None:
        self._charge(strain.CONTROL, "frames that ask for nothing")

    def _charge(self, units: int, what: str) -> None:
        if self._strain.add(units):
            self._calm(f"too many {what}")

    def _calm(self, detail: str) -> None:
        """Tell the peer that this is too much, and end. Raises ConnectionFailed."""
        self.go_away(Error.ENHANCE_YOUR_CALM)
        raise ConnectionFailed(detail)

    # -- what goes ----------------------------------------------------------------------------

    def output(self) -> bytes:
        """The bytes to be sent, in order; each is given once."""
        data: bytes = self._h2.data_to_send()
        if self._extra:
            data, self._extra = data + self._extra, b""
        return data

    def room(self, stream: int) -> int:
        """How many bytes of content may be sent on a stream now; 0 when it is closed."""
        try:
            window = self._h2.local_flow_control_window(stream)
        except ProtocolError:
            return 0
        return max(window, 0)

    @property
    def frame_bytes(self) -> int:
        """The largest frame that the peer takes."""
        return int(self._h2.max_outbound_frame_size)

    def send_head(self, stream: int, fields: Fields, *, end: bool) -> bool:
        """Send a head, interim or final; False when the stream is closed."""
        try:
            self._h2.send_headers(stream, fields, end_stream=end)
        except ProtocolError:
            return False
        return True

    def send_content(self, stream: int, data: bytes, *, end: bool) -> bool:
        """Send content, within `room` and `frame_bytes`; False when the stream is closed."""
        try:
            self._h2.send_data(stream, data, end_stream=end)
        except ProtocolError:
            return False
        self._strain.moved(len(data))
        return True

    def open_window(self, stream: int, count: int) -> None:
        """So many bytes of a stream's content have found a place: its client may send more."""
        if count:
            try:
                self._h2.increment_flow_control_window(count, stream)
            except ProtocolError:
                pass  # closed meanwhile

    def reset(self, stream: int, error: Error) -> None:
        """End a stream at once, both ways."""
        try:
            self._h2.reset_stream(stream, error)
        except ProtocolError:
            pass  # closed already

    def answered(self) -> None:
        """A request was answered whole."""
        self._strain.relieve(strain.ANSWERED)

    def go_away(self, error: Error, last_stream: int | None = None) -> None:
        """Say which streams are served and that others are not (RFC 9113 6.8).

        last_stream: the highest that is served; None for the highest that was accepted. The h2
        library would take its own as the end of all; frames of streams that go on follow this one.
        """
        last = self.last_stream if last_stream is None else last_stream
        self._extra += GoAwayFrame(0, last_stream_id=last, error_code=error).serialize()

    def announce_end(self) -> None:
        """Say that the end is near, without refusing what is on its way."""
        self.go_away(Error.NO_ERROR, _HIGHEST_STREAM)
