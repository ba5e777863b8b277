"""The socket between a supervisor and one worker: whole messages, never blocking.

Both ends use it. Neither may ever wait for the other: a stopped supervisor must not hold up a
worker's signals, a stuck worker must not hold up the supervisor. What the socket does not take at
once waits in a bounded outbox.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time

from canter.worker.messages import BrokenChannelError, FrameReader, Garbled, Message, encode

_READ_BYTES = 64 * 1024
# Far above what is ever in flight; a peer that lets this much pile up is not reading.
_MAX_OUTBOX_BYTES = 8 << 20


class Channel:
    """One end. Once the other end is gone or not to be trusted, `is_open` is False for good."""

    __slots__ = ("_outbox", "_reader", "_sock", "is_open")

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._reader = FrameReader()
        self._outbox = bytearray()
        self.is_open = True

    def fileno(self) -> int:
        """The descriptor, so that selectors take the channel itself."""
        return self._sock.fileno()

    @property
    def events(self) -> int:
        """What to wait for, in the terms of `selectors`."""
        wants_write = selectors.EVENT_WRITE if self._outbox else 0
        return selectors.EVENT_READ | wants_write

    def send(self, message: Message) -> None:
        """Send now what goes now and keep the rest; to a peer that is gone, nothing."""
        if not self.is_open:
            return
        self._outbox += encode(message)
        if len(self._outbox) > _MAX_OUTBOX_BYTES:
            self.hang_up()
            return
        self.flush()

    def flush(self) -> None:
        """Send on what waits in the outbox, as far as the socket takes it."""
        while self._outbox and self.is_open:
            try:
                sent = self._sock.send(self._outbox)
            except BlockingIOError:
                return
            except OSError:
                # What the peer has said before it left is still to be read, so no close here.
                self._outbox.clear()
                return
            del self._outbox[:sent]

    def flush_within(self, seconds: float) -> None:
        """Send everything that waits, for `seconds` at most: the last words before leaving."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            if not self.is_open:
                return
            selector.register(self, selectors.EVENT_WRITE)
            while self._outbox and (left := deadline - time.monotonic()) > 0:
                selector.select(left)
                self.flush()

    def receive(self) -> list[Message | Garbled]:
        """All messages that have come; closes the channel when the other end is gone."""
        messages: list[Message | Garbled] = []
        while self.is_open:
            try:
                data = self._sock.recv(_READ_BYTES)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                self.close()
                break
            try:
                messages += self._reader.feed(data)
            except BrokenChannelError as error:
                messages.append(Garbled(str(error)))
                self.close()
        return messages

    def hang_up(self) -> None:
        """End the conversation; both ends then read the end of the stream and close."""
        self._outbox.clear()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def say_goodbye(self) -> None:
        """Say nothing more; the other end sees that nobody is here, and may finish what it says."""
        self._outbox.clear()
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Give back the socket; the other end sees that nobody is here."""
        self.is_open = False
        self._outbox.clear()
        self._sock.close()


def make_channel() -> tuple[Channel, Channel]:
    """The two ends of a new channel. Raises OSError when there are no descriptors left."""
    ours, theirs = socket.socketpair()
    return Channel(ours), Channel(theirs)
