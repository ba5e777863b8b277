"""A client of HTTP/2 on a bare socket, by the h2 library, and frames it would not send.

Strict where it matters to a test: it acknowledges windows only when asked to, and shows resets,
GOAWAY and interim answers as they come.
"""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import Any, Self

import h2.config
import h2.connection
import h2.events
import h2.settings
from hyperframe.frame import Frame, GoAwayFrame

from tests.live.raw_http import PATIENCE_SECONDS, Address, connect

Fields = list[tuple[str, str]]


@dataclass
class StreamAnswer:
    """What came on one stream so far. reset: the error code that ended it."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    interim: list[dict[str, str]] = field(default_factory=list)
    ended: bool = False
    reset: int | None = None


class _Streams(h2.connection.H2Connection):
    """The library's connection, going on after GOAWAY with the streams that are served."""

    def _receive_goaway_frame(self, frame: GoAwayFrame) -> tuple[list[Frame], list[Any]]:
        event = h2.events.ConnectionTerminated()
        event.error_code = frame.error_code
        event.last_stream_id = frame.last_stream_id
        return [], [event]


class H2Client:
    """One connection; a context manager that closes it.

    goaways: (error code, last stream) of each. opens_windows: content that comes is acknowledged.
    """

    def __init__(
        self,
        address: Address,
        context: ssl.SSLContext | None = None,
        *,
        opens_windows: bool = True,
        settings: dict[Any, int] | None = None,
    ) -> None:
        self.socket: socket.socket = connect(address)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.socket.settimeout(PATIENCE_SECONDS)
        config = h2.config.H2Configuration(
            client_side=True,
            header_encoding="latin-1",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.h2 = _Streams(config)
        if settings:
            self.h2.local_settings = h2.settings.Settings(client=True, initial_values=settings)
        self.answers: dict[int, StreamAnswer] = {}
        self.goaways: list[tuple[int, int]] = []
        self.opens_windows = opens_windows
        self.closed = False
        self.h2.initiate_connection()
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    # -- sending --------------------------------------------------------------------------------

    def flush(self) -> None:
        """Send what the library has to say."""
        data = self.h2.data_to_send()
        if data:
            self.socket.sendall(data)

    def send_frames(self, *frames: Frame) -> None:
        """Send frames as they are, behind the library's back."""
        self.socket.sendall(b"".join(frame.serialize() for frame in frames))

    def request(
        self,
        path: str = "/",
        *more: tuple[str, str],
        method: str = "GET",
        end: bool = True,
        pseudo: Fields | None = None,
    ) -> int:
        """Open a stream; its number."""
        stream = self._open(pseudo or _pseudo(method, path), *more, end=end)
        self.flush()
        return stream

    def requests(self, *paths: str) -> list[int]:
        """Open several streams in one write; their numbers."""
        streams = [self._open(_pseudo("GET", path), end=True) for path in paths]
        self.flush()
        return streams

    def _open(self, pseudo: Fields, *more: tuple[str, str], end: bool) -> int:
        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = StreamAnswer()
        self.h2.send_headers(stream, [*pseudo, *more], end_stream=end)
        return stream

    def send_body(self, stream: int, body: bytes, *, end: bool = True) -> None:
        """Send content, as the windows allow."""
        view = memoryview(body)
        while view:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room <= 0:
                self.receive()
                continue
            self.h2.send_data(stream, view[:room].tobytes())
            view = view[room:]
            self.flush()
        if end:
            self.h2.end_stream(stream)
        self.flush()

    # -- receiving ------------------------------------------------------------------------------

    def receive(self) -> bool:
        """Take what has come, waiting for something; False at the end of the connection."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self.closed = True
            return False
        for event in self.h2.receive_data(data):
            self._note(event)
        try:
            self.flush()
        except OSError:
            pass
        return True

    def _note(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaways.append((int(event.error_code or 0), event.last_stream_id or 0))
            return
        stream = getattr(event, "stream_id", None)
        answer = self.answers.get(stream or 0)
        if answer is None:
            return
        if isinstance(event, h2.events.InformationalResponseReceived):
            answer.interim.append(_texts(event.headers))
        elif isinstance(event, h2.events.ResponseReceived):
            answer.headers = _texts(event.headers)
            answer.status = int(answer.headers[":status"])
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            if self.opens_windows:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code or 0)

    def answer(self, stream: int) -> StreamAnswer:
        """The whole answer on a stream, or as much as came before it was reset."""
        answer = self.answers[stream]
        while not answer.ended and answer.reset is None:
            assert self.receive(), f"the connection ended before stream {stream}: {answer}"
        return answer

    def get(self, path: str = "/", *more: tuple[str, str], **options: Any) -> StreamAnswer:
        """One request and its answer."""
        return self.answer(self.request(path, *more, **options))

    def until_closed(self) -> None:
        """Take everything until the server closes."""
        while self.receive():
            pass


def _pseudo(method: str, path: str) -> Fields:
    return [
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
    ]


def _texts(fields: Any) -> dict[str, str]:
    return {
        (name if isinstance(name, str) else name.decode("latin-1")): (
            value if isinstance(value, str) else value.decode("latin-1")
        )
        for name, value in fields
    }
