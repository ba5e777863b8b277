"""Output that the client has not taken yet, left with the loop.

A connection has a backlog only while it needs one: most responses fit the socket's own buffer. The
thread that runs the request appends; the loop sends; both under the backlog's lock. A producer
that is far ahead of its client waits here, and nobody else does.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from canter.engine.wire import transmit_file

_SEND_AT_ONCE_BYTES = 256 * 1024
_WRAPPED_BYTES = 64 * 1024
# How much one client may take in one go before the others have their turn.
_TURN_BYTES = 4 * 1024 * 1024
# Linux alone can be told that more follows at once; a head then goes out with what is behind it.
_MORE_FOLLOWS: int = getattr(socket, "MSG_MORE", 0)


class Transport(Protocol):
    """What may stand in a socket's place: takes bytes and does something to them on their way."""

    def send(self, data: memoryview, /) -> int:
        """As a socket's."""

    def send_file(self, descriptor: int, offset: int, count: int) -> int:
        """As `send`, the bytes from a file; 0 when the file ends here."""


class FilePart:
    """A stretch of a file still to be sent; owns the descriptor.

    wrap: makes of each block what is sent for it, where a format does not take a file as it is.
    """

    __slots__ = ("count", "descriptor", "offset", "wrap")

    def __init__(
        self,
        descriptor: int,
        offset: int,
        count: int,
        wrap: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.descriptor = descriptor
        self.offset = offset
        self.count = count
        self.wrap = wrap


class Backlog:
    """What is still to be sent on one connection, in order.

    size: bytes that wait in memory (stretches of files do not count). sent: bytes sent from here.
    blocked: the socket takes no more for now. broken: the client is gone, and `unsent` bytes with
    it. cut: it was us who broke it: a file was shorter than what was promised of it. A waiting
    producer is woken at low_water_bytes.
    """

    __slots__ = (
        "_changed",
        "_low_water_bytes",
        "_parts",
        "blocked",
        "broken",
        "cut",
        "lock",
        "sent",
        "size",
        "unsent",
    )

    def __init__(self, low_water_bytes: int) -> None:
        self._low_water_bytes = low_water_bytes
        self._parts: deque[memoryview | FilePart] = deque()
        self.lock = threading.Lock()
        # Few backlogs ever have a producer that waits.
        self._changed: threading.Condition | None = None
        self.size = 0
        self.sent = 0
        self.blocked = False
        self.broken = False
        self.cut = False
        self.unsent = 0

    def __bool__(self) -> bool:
        return bool(self._parts)

    def wait(self, seconds: float) -> None:
        """Wait until it has become short, or for so long; 0: without end. With the lock held."""
        if self._changed is None:
            self._changed = threading.Condition(self.lock)
        self._changed.wait(seconds if seconds > 0 else None)

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed.notify_all()

    def append(self, data: memoryview) -> None:
        """Keep bytes to be sent. Call with the lock held."""
        self._parts.append(data)
        self.size += len(data)

    def append_file(self, part: FilePart) -> None:
        """Keep a stretch of a file to be sent. Call with the lock held."""
        self._parts.append(part)

    def flush(self, sock: socket.socket | Transport, turn_bytes: int = _TURN_BYTES) -> None:
        """Send until the socket would block, or it is the others' turn; with the lock held.

        Afterwards `blocked` says whether the poller will tell when there is room again. On a
        broken connection everything is given up and `broken` is set.
        """
        parts = self._parts
        self.blocked = False
        try:
            while parts and turn_bytes > 0:
                part = parts[0]
                if isinstance(part, FilePart):
                    count = self._send_file(sock, part, turn_bytes)
                    if count < 0:
                        self.blocked = True
                        break
                else:
                    count = self._send(sock, part)
                self.sent += count
                turn_bytes -= count
        except BlockingIOError:
            self.blocked = True
        except OSError:
            self.give_up()
        if self.size <= self._low_water_bytes:
            self._tell()

    def _send(self, sock: socket.socket | Transport, part: memoryview) -> int:
        piece = part[:_SEND_AT_ONCE_BYTES]
        if len(self._parts) > 1 and isinstance(sock, socket.socket):
            count = sock.send(piece, _MORE_FOLLOWS)
        else:
            count = sock.send(piece)
        self.size -= count
        if count == len(part):
            self._parts.popleft()
        else:
            self._parts[0] = part[count:]
        return count

    def _send_file(self, sock: socket.socket | Transport, part: FilePart, turn_bytes: int) -> int:
        """Send of a file: the number of bytes of the part, -1 where the socket takes none now."""
        if part.wrap is not None:
            self._wrap_next(part, part.wrap)
            return 0
        size = min(part.count, turn_bytes)
        if isinstance(sock, socket.socket):
            count = transmit_file(sock.fileno(), part.descriptor, part.offset, size)
            if count < 0:
                return -1
        else:  # what stands in a socket's place (TLS) has to see the bytes
            count = sock.send_file(part.descriptor, part.offset, size)
        self._take(part, count)
        return count

    def _take(self, part: FilePart, count: int) -> None:
        """So many bytes of the first part are on their way."""
        if count == 0:
            # The file is shorter than it was: what was promised cannot be sent.
            self.cut = True
            raise OSError("the file was cut while it was sent")
        part.offset += count
        part.count -= count
        if part.count == 0:
            os.close(part.descriptor)
            self._parts.popleft()

    def _wrap_next(self, part: FilePart, wrap: Callable[[bytes], bytes]) -> None:
        """Put the next block of the first part, wrapped, in front of it."""
        block = os.pread(part.descriptor, min(part.count, _WRAPPED_BYTES), part.offset)
        self._take(part, len(block))
        data = memoryview(wrap(block))
        self._parts.appendleft(data)
        self.size += len(data)

    def give_up(self) -> None:
        """Drop everything; with the lock held."""
        self.broken = True
        self.unsent += self.size
        for part in self._parts:
            if isinstance(part, FilePart):
                self.unsent += part.count
                os.close(part.descriptor)
        self._parts.clear()
        self.size = 0
        self._tell()
