"""A plain connection on which a trusted peer may begin with HTTP/2 at once (prior knowledge)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from canter.engine.session import Step
from canter.engine.threaded.connection import Connection
from canter.protocol.http2.limits import Http2Limits

if TYPE_CHECKING:
    from canter.engine.threaded.streams import Multiplexer

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def multiplexed(connection: Connection, limits: Http2Limits) -> Multiplexer:
    """The streams of a connection; what they need is imported where HTTP/2 is on."""
    from canter.engine.threaded.streams import Multiplexer

    return Multiplexer(connection, connection.hub, limits)


class SniffingConnection(Connection):
    """Looks at what comes first: the preface of HTTP/2 (RFC 9113 3.4), or anything else."""

    __slots__ = ("_first", "_known")

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]  # those of a connection
        self._first = b""
        self._known = False

    def receive(self, data: bytes) -> Step:
        """Take bytes from the client and say what is wanted next."""
        if not self._known:
            data = self._first = self._first + data
            if len(data) < len(PREFACE) and PREFACE.startswith(data):
                return Step.MORE
            self._known, self._first = True, b""
            limits = self.config.http2
            if limits is not None and data.startswith(PREFACE):
                streams = multiplexed(self, limits)
                self.shared = streams
                streams.feed(data)
                return Step.SHARED
        return super().receive(data)
