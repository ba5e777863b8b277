"""Memory for one body whose length is known, filled from a socket and read as a file.

This is the plain build's version; `room.pyx` beside it is the same in C, where memory that nobody
looks at any more serves another body: fresh memory costs a fault of every page of it.
"""

from __future__ import annotations

import io
import os


class Room:
    """So many bytes of memory, and the next byte behind a body that fills it.

    capacity: in bytes, at least 1. Who fills it keeps count of what it holds.
    """

    __slots__ = ("_body", "_memory", "capacity")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._body = io.BytesIO(bytes(capacity + 1))
        self._memory: memoryview | None = self._body.getbuffer()

    def fill(self, fd: int, start: int, end: int) -> int:
        """Read from a socket into the bytes between: how many, 0 at the end, -1 for none now.

        It may be one more than there is room for between them, so that who asks learns whether
        anything stands behind. Raises OSError.
        """
        assert self._memory is not None
        try:
            return os.readv(fd, [self._memory[start : end + 1]])
        except BlockingIOError:
            return -1

    def put(self, start: int, data: bytes) -> None:
        """Keep bytes that were read elsewhere. Raises IndexError where there is no room."""
        assert self._memory is not None
        end = start + len(data)
        if start < 0 or end > self.capacity:
            raise IndexError(end)
        self._memory[start:end] = data

    def at(self, index: int) -> bytes:
        """One byte, which was read: for the one behind the body."""
        assert self._memory is not None
        return bytes(self._memory[index : index + 1])

    def open(self, size: int) -> io.BytesIO:
        """The first `size` bytes as a file at its start; nothing is put there after this."""
        if self._memory is not None:
            self._memory.release()
            self._memory = None
            self._body.truncate(size)
        return self._body

    def is_free(self) -> bool:
        """Whether this memory may have another body, now that the file was closed.

        Not while the application has bytes of it in its hands.
        """
        return False
