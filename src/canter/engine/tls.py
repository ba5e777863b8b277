"""TLS between a socket and whoever talks through it, by the ssl module over memory.

A `TlsTransport` stands where a connection has its socket, and has as much of a socket's manner as a
connection and its backlog use. Nothing here ever waits: the handshake is made by reading, piece by
piece as it arrives, so that one that stalls costs no thread.

Every method may be called from any thread. `_lock` guards the TLS engine and the order of what goes
into the socket; it is held for no longer than the calls that cannot wait, and nothing else is
locked under it.

Compiled where a compiler is at hand (`tls.pxd`); the same source either way.
"""

from __future__ import annotations

import enum
import os
import socket
import ssl

from canter.engine.latch import Latch
from canter.engine.wire import receive, transmit
from canter.protocol.proxy.reader import Reader as ProxyReader

_RAW_BYTES = 64 * 1024
# What one record holds at most (RFC 8446 5.1).
_RECORD_BYTES = 16 * 1024
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
        "_divided",
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
        # Whether the record that was opened last may hold more than what was taken of it.
        self._divided = False
        self._resets = False
        self._lock = Latch()

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
        drained = False
        while True:
            if self.state is _OPEN:
                while missing > 0:
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
                self._incoming.write(raw)
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
        """The content of one record, or as much of it; None where no whole one has come.

        TLS is asked only where it has something: an answer that there is nothing is an exception,
        which costs more than to open a small record.
        """
        # Nothing is longer open than it was sealed.
        most = _RECORD_BYTES if self._divided else self._incoming.pending
        if not most:
            return None
        asked = min(most, maximum_bytes)
        self._divided = False
        try:
            piece: bytes = self.tls.read(asked)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLZeroReturnError:
            piece = b""
        if not piece:
            self.peer_ended = True
            return None
        self._divided = len(piece) == asked
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
        return self._unsent is not _NOTHING

    def send(self, data: bytes | memoryview) -> int:
        """As `put`, with a socket's manners: raises BlockingIOError when it takes none now."""
        count = self.put(data)
        if not count and data:
            raise BlockingIOError
        return count

    def put(self, data: bytes | memoryview) -> int:
        """Send as much as the socket takes: the number of bytes. Raises OSError.

        Where that is not all, the next call has to begin with the bytes that follow, as with any
        socket. Bytes count as sent when their sealed form is in the socket.
        """
        with self._lock:
            if self._pledged or self._unsent is not _NOTHING:
                taken = self._settle()
                if taken or self._unsent is not _NOTHING:
                    return taken
            if self.state is _OPEN:
                return self._seal_all(data)
            if self.state is TlsState.CLEAR:
                return transmit(self.sock.fileno(), bytes(data))
            if data:
                raise BrokenPipeError("TLS is not open")
            return 0

    def _seal_all(self, data: bytes | memoryview) -> int:
        size = len(data)
        sent = 0
        while sent < size:
            piece = data
            if size > _SEALED_AT_ONCE_BYTES:
                piece = memoryview(data)[sent : sent + _SEALED_AT_ONCE_BYTES]
            count = self.tls.write(piece)
            sealed = self._outgoing.read()
            done = transmit(self.sock.fileno(), sealed)
            if done < len(sealed):
                self._unsent = memoryview(sealed)[done:]
                if not self._push():
                    self._pledged = count
                    return sent
            sent += count
        return sent

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """As `send`, the bytes from a file; 0 when the file ends here."""
        with self._lock:
            if self._pledged or self._unsent is not _NOTHING:
                taken = self._settle()
                if self._unsent is not _NOTHING:
                    raise BlockingIOError
                if taken:
                    return taken
        data = os.pread(descriptor, min(count, _SEALED_AT_ONCE_BYTES), offset)
        return self.send(data) if data else 0

    def _settle(self) -> int:
        """Send what is sealed; how many of the bytes that were given to `put` that makes."""
        if not self._push():
            return 0
        taken, self._pledged = self._pledged, 0
        return taken

    def _push(self) -> bool:
        """Send what is sealed; whether that was all."""
        while self._unsent:
            try:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
            except BlockingIOError:
                return False
        self._unsent = _NOTHING
        return True

    def _collect(self) -> None:
        """Send what TLS has to say for itself: its handshake, an answer to a key update."""
        if not self._outgoing.pending:
            return
        if len(self._unsent) - self._pledged > _UNASKED_BYTES:
            raise ConnectionAbortedError("the client does not read what TLS answers it")
        self._unsent = memoryview(bytes(self._unsent) + self._outgoing.read())
        self._push()  # what is left is seen by the connection's backlog: `unsent`

    # -- ending -------------------------------------------------------------------------------

    def shutdown(self, how: int) -> None:
        """End our side, with a goodbye, or both sides, without."""
        if how == socket.SHUT_WR:
            with self._lock:
                self._say_goodbye()
        self.sock.shutdown(how)

    def close(self) -> None:
        """Close the socket; with a goodbye where everything before it was sent."""
        with self._lock:
            self._say_goodbye()
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
