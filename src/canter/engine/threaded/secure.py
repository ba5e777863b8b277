"""A connection with TLS between its socket and the session.

Where plain connections read and write their descriptor, this one goes through its transport, which
also stands where they have their socket. Everything else is theirs. The handshake is part of
reading, so it has the time of the first head (`--header-timeout`), and costs no thread.

Compiled where a compiler is at hand (`secure.pxd`); the same source either way.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Any, cast

from canter.engine.contract import EngineConfig
from canter.engine.poller import PEER_ENDED
from canter.engine.session import Step
from canter.engine.threaded.connection import READ_BYTES, Connection, Hub
from canter.engine.threaded.sniffing import multiplexed
from canter.engine.tls import TlsState, TlsTransport
from canter.engine.tls_environ import tls_environ
from canter.protocol.faults import Fault, PlainOnTls
from canter.protocol.reader import RequestReader
from canter.wsgi.exchange import ClientGone

if TYPE_CHECKING:
    from canter.engine.threaded.streams import Multiplexer

_NOTHING = memoryview(b"")
_SHAKING = TlsState.SHAKING
_CLEAR = TlsState.CLEAR
_READ_BYTES = READ_BYTES


class TlsConnection(Connection):
    """One accepted connection of a listener that speaks TLS."""

    __slots__ = ("_agreed", "_ahead", "transport")

    def __init__(
        self,
        transport: TlsTransport,
        reader: RequestReader,
        base: dict[str, Any],
        config: EngineConfig,
        hub: Hub,
    ) -> None:
        sock = cast("socket.socket", transport)
        super().__init__(transport.fileno(), reader, base, config, hub, sock)
        self.gathers = False  # each piece would be a record of its own
        self.transport = transport
        self._agreed = False
        self._ahead = transport.ahead

    def read(self) -> bytes | None:
        """As that of a plain connection; what was read is the opened bytes. Raises OSError."""
        transport = self.transport
        try:
            data = transport.read(_READ_BYTES)
        except ssl.SSLError as error:
            detail = str(error.reason or error).lower().replace("_", " ")
            self.hub.note_fault(self, "TLS failed", detail)
            raise
        except Fault as fault:
            # Who waits for TLS would not understand an answer in the clear.
            self.hub.note_fault(self, "no TLS", fault.detail)
            raise ConnectionAbortedError(fault.detail) from fault
        if self._ahead is not None and transport.ahead is None:
            self.introduce(self._ahead)
            self._ahead = None
        if not self._agreed and transport.state is not _SHAKING:
            self._agree()
        if transport.unsent and self.backlog is None:
            # Of the handshake, say: an empty piece has the loop send what stands before it.
            backlog = self._begin_backlog()
            with backlog.lock:
                backlog.append(_NOTHING)
        if data and transport.peer_ended:
            self.events |= PEER_ENDED  # the end is behind these bytes, and no event will tell
        return data

    def straight(self) -> int:
        """Nothing is read past the transport."""
        return 0

    def _agree(self) -> None:
        """The handshake is over: what was agreed on goes into every environ."""
        self._agreed = True
        tls = self.transport.tls
        if self.transport.state is TlsState.OPEN:
            self.base = self.base | tls_environ(tls)
            limits = self.config.http2
            if limits is not None and tls.selected_alpn_protocol() == "h2":
                self.shared = multiplexed(self, limits)

    def receive(self, data: bytes) -> Step:
        """Take bytes from the client; who does not speak TLS is told so, in the clear."""
        if self.transport.state is _CLEAR:
            self.fault = PlainOnTls("this port speaks HTTPS, and something else came")
            return Step.REFUSED
        if self.shared is not None:
            cast("Multiplexer", self.shared).feed(data)
            return Step.SHARED
        return Connection.receive(self, data)  # in C there is no super() here

    def client_socket(self) -> socket.socket:
        """The socket under TLS."""
        return self.transport.sock

    def has_plain_bytes(self) -> bool:
        """The socket carries sealed bytes."""
        return False

    def draw(self) -> bytes | None:
        """As `read`, and nothing else happens. Raises OSError."""
        return self.transport.read(READ_BYTES)

    def send(self, data: bytes) -> None:
        """Send, or keep for the loop to send; never waits. Raises ClientGone."""
        backlog = self.backlog
        if backlog is None:
            try:
                count = self.transport.put(data)
            except OSError as error:
                raise ClientGone(str(error), len(data)) from error
            if count == len(data):
                return
            backlog = self._begin_backlog()
            rest = memoryview(data)[count:]
        else:
            rest = memoryview(data)
        with backlog.lock:
            if backlog.broken:
                raise ClientGone("the client left", len(data))
            backlog.append(rest)
            backlog.flush(self.sock)
