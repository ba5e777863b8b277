"""TLS between a socket and whoever talks through it, by the ssl module over memory.

A `TlsTransport` stands where a connection has its socket, and has as much of a socket's manner as a
connection and its backlog use. Nothing here ever waits: the handshake is made by reading, piece by
piece as it arrives, so that one that stalls costs no thread.

Every method may be called from any thread. `_lock` guards the TLS engine and the order of what goes
into the socket; it is held for no longer than the calls that cannot wait, and nothing else is
locked under it.
"""

from __future__ import annotations

import enum
import os
import socket
import ssl
from threading import Lock

from canter.engine.wire import receive
from canter.protocol.proxy.reader import Reader as ProxyReader

_RAW_BYTES = 64 * 1024
_SEALED_AT_ONCE_BYTES = 64 * 1024
# The first byte of a TLS connection: a record that holds handshake messages (RFC 8446 5.1).
_HANDSHAKE_RECORD = 0x16
# How much sealed output other than what was given to `send` may wait (answers to key updates).
_UNASKED_BYTES = 64 * 1024
_NOTHING = memoryview(b"")


class TlsState(enum.Enum):
    """How far a connection is."""

    SHAKING = "the handshake goes on"
    OPEN = "open"
    SHUT = "we have said goodbye; the peer may still send"
    CLEAR = "the peer does not speak TLS"
    FAILED = "something was not TLS, or not for us"


_SHAKING = TlsState.SHAKING
_OPEN = TlsState.OPEN

_FOLLOWERS: dict[TlsState, frozenset[TlsState]] = {
    TlsState.SHAKING: frozenset({TlsState.OPEN, TlsState.CLEAR, TlsState.FAILED}),
    TlsState.OPEN: frozenset({TlsState.SHUT, TlsState.FAILED}),
    TlsState.SHUT: frozenset(),
    TlsState.CLEAR: frozenset(),
    TlsState.FAILED: frozenset(),
}


class TlsTransport:
    """One connection's socket with TLS on it.

    state: see `TlsState`. peer_ended: the client has said, in TLS, that it sends nothing more.
    tls: the ssl module's object, for what was agreed on. ahead: what reads the PROXY header that
    comes before TLS, None where there is none, or it is over. sock: what lies under TLS.
    """

    __slots__ = (
        "_begun",
        "_incoming",
        "_lock",
        "_outgoing",
        "_pledged",
        "_ragged",
        "_resets",
        "_unsent",
        "ahead",
        "peer_ended",
        "sock",
        "state",
        "tls",
    )

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext,
        suppress_ragged_eofs: bool,
        ahead: ProxyReader | None = None,
    ) -> None:
        self.sock = sock
        self.ahead = ahead
        self._ragged = suppress_ragged_eofs
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.state = TlsState.SHAKING
        self.peer_ended = False
        # What is sealed and not yet in the socket, and how many bytes given to `send` are in it.
        self._unsent = _NOTHING
        self._pledged = 0
        self._begun = False
        self._resets = False
        self._lock = Lock()

    # -- reading ------------------------------------------------------------------------------

    def read(self, maximum_bytes: int) -> bytes | None:
        """What has arrived, b"" at the end, None when there is nothing now.

        Raises OSError; Fault when what is ahead of TLS is no good.

        Fewer bytes than the maximum mean that the socket has nothing more.
        """
        with self._lock:
            if self.state is not _OPEN and self.state is not _SHAKING:
                return receive(self.sock.fileno(), maximum_bytes)
            try:
                return self._read(maximum_bytes)
            except ssl.SSLError:
                self._move(TlsState.FAILED)
                self._say_what_is_left()  # the alert that tells the client why
                raise

    def _read(self, maximum_bytes: int) -> bytes | None:
        pieces: list[bytes] = []
        missing = maximum_bytes
        incoming = self._incoming
        drained = False
        while True:
            if self.state is _OPEN:
                while missing > 0 and (incoming.pending or self.tls.pending()):
                    piece = self._open(missing)
                    if piece is None:
                        break
                    pieces.append(piece)
                    missing -= len(piece)
            if drained or missing <= 0 or self.peer_ended:
                break
            raw = receive(self.sock.fileno(), _RAW_BYTES)
            if raw is None:
                break
            if not raw:
                self._note_end()
                break
            drained = len(raw) < _RAW_BYTES
            if self.state is _SHAKING:
                if self.ahead is not None:
                    raw = self._read_ahead(self.ahead, raw)
                if raw and not self._shake(raw):
                    return raw
            else:
                incoming.write(raw)
        self._collect()
        if pieces:
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        return b"" if self.peer_ended else None

    def _read_ahead(self, ahead: ProxyReader, raw: bytes) -> bytes:
        """Go on with the PROXY header; what came behind it. Raises Fault."""
        ahead.feed(raw)
        ahead.next_request({})
        if ahead.successor is None:
            return b""
        self.ahead = None
        return ahead.rest

    def _open(self, maximum_bytes: int) -> bytes | None:
        try:
            piece = self.tls.read(maximum_bytes)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            piece = b""
        if not piece:
            self.peer_ended = True
            return None
        return piece

    def _note_end(self) -> None:
        """The socket has ended, with or without a goodbye before."""
        if not self._ragged and self.state is _OPEN and not self.peer_ended:
            raise ConnectionAbortedError("the client left without the end of TLS")
        self.peer_ended = True

    def _shake(self, raw: bytes) -> bool:
        """Go on with the handshake; False when this is not TLS at all."""
        if not self._begun:
            self._begun = True
            if raw[0] != _HANDSHAKE_RECORD:
                self._move(TlsState.CLEAR)
                return False
        self._incoming.write(raw)
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        else:
            self._move(TlsState.OPEN)
        self._collect()
        return True

    # -- writing ------------------------------------------------------------------------------

    @property
    def unsent(self) -> bool:
        """Whether sealed bytes wait for room in the socket."""
        return bool(self._unsent)

    def send(self, data: bytes | memoryview) -> int:
        """Send as much as the socket takes: the number of bytes.

        Raises BlockingIOError when it takes none now; then the next call has to begin with the same
        bytes, as with any socket. Bytes count as sent when their sealed form is in the socket.
        """
        with self._lock:
            if self._unsent:
                self._push()
                taken, self._pledged = self._pledged, 0
                if taken:
                    return taken
            if self.state is TlsState.CLEAR:
                return self.sock.send(data)
            if self.state is not _OPEN:
                if not data:
                    return 0
                raise BrokenPipeError("TLS is not open")
            return self._seal_all(memoryview(data))

    def _seal_all(self, data: memoryview) -> int:
        sent = 0
        while sent < len(data):
            count = self.tls.write(data[sent : sent + _SEALED_AT_ONCE_BYTES])
            self._unsent = memoryview(self._outgoing.read())
            try:
                self._push()
            except BlockingIOError:
                self._pledged = count
                if sent:
                    return sent
                raise
            sent += count
        return sent

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """As `send`, the bytes from a file; 0 when the file ends here."""
        with self._lock:
            if self._unsent:
                self._push()
                taken, self._pledged = self._pledged, 0
                if taken:
                    return taken
        data = os.pread(descriptor, min(count, _SEALED_AT_ONCE_BYTES), offset)
        return self.send(data) if data else 0

    def _push(self) -> None:
        while self._unsent:
            self._unsent = self._unsent[self.sock.send(self._unsent) :]

    def _collect(self) -> None:
        """Send what TLS has to say for itself: its handshake, an answer to a key update."""
        if not self._outgoing.pending:
            return
        if len(self._unsent) - self._pledged > _UNASKED_BYTES:
            raise ConnectionAbortedError("the client does not read what TLS answers it")
        self._unsent = memoryview(bytes(self._unsent) + self._outgoing.read())
        try:
            self._push()
        except BlockingIOError:
            pass  # the connection's backlog sees `unsent`

    # -- ending -------------------------------------------------------------------------------

    def shutdown(self, how: int) -> None:
        """End our side, with a goodbye, or both sides, without."""
        if how == socket.SHUT_WR:
            with self._lock:
                self._say_goodbye()
        self.sock.shutdown(how)

    def close(self) -> None:
        """Close the socket; with a goodbye where everything before it was sent."""
        if self._lock.acquire(blocking=False):
            try:
                self._say_goodbye()
            finally:
                self._lock.release()
        self.sock.close()

    def _say_goodbye(self) -> None:
        """Send close_notify: the client can tell the end from a connection that was cut."""
        if self.state is not _OPEN:
            return
        self._move(TlsState.SHUT)
        if self._unsent or self._resets:
            return
        try:
            self.tls.unwrap()
        except (OSError, ValueError):
            pass  # it wants the client's goodbye, for which nobody waits
        self._say_what_is_left()

    def _say_what_is_left(self) -> None:
        """Send what TLS has said last, if the socket takes it."""
        last = self._outgoing.read()
        if last and not self._unsent:
            try:
                self.sock.send(last)
            except OSError:
                pass

    def _move(self, state: TlsState) -> None:
        if state not in _FOLLOWERS[self.state]:
            raise AssertionError(f"{self.state.name} to {state.name}")
        self.state = state

    # -- as a socket --------------------------------------------------------------------------

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self.sock.fileno()

    def recv(self, count: int, flags: int) -> bytes:
        """Look at the socket itself (MSG_PEEK): only whether it has ended means anything."""
        return self.sock.recv(count, flags)

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        """Set an option of the socket; SO_LINGER says that the end is to be a reset."""
        if level == socket.SOL_SOCKET and option == socket.SO_LINGER:
            self._resets = True
        self.sock.setsockopt(level, option, value)
