"""Where a request body is kept until it is whole: in memory while small, else on disk."""

from __future__ import annotations

import contextlib
import io
import tempfile
import threading
from typing import IO

from canter.engine.wire import receive_into, unwritten


class Budget:
    """The memory that the bodies of one worker may take together, in bytes; from any thread."""

    __slots__ = ("_left", "_lock", "total_bytes")

    def __init__(self, total_bytes: int = 64 * 1024 * 1024) -> None:
        self.total_bytes = total_bytes
        self._left = total_bytes
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Have `size` bytes; False where that many are not left."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        """Be done with bytes that were taken."""
        with self._lock:
            self._left += size


class Spool:
    """A request body on its way, and then there for the application.

    memory_bytes: more than this, or than `budget` has left, goes to an unnamed temporary file in
    `directory` (None: the system's). length: what the body will have, -1 where nobody knows.
    Writing raises OSError when the disk is full.
    """

    __slots__ = ("_body", "_budget", "_directory", "_memory_bytes", "_room", "_taken", "size")

    def __init__(
        self, memory_bytes: int, directory: str | None, budget: Budget, length: int = -1
    ) -> None:
        self._memory_bytes = memory_bytes
        self._directory = directory
        self._budget = budget
        self._taken = 0
        self._room: memoryview | None = None
        self._body: IO[bytes] = io.BytesIO()
        self.size = 0
        if 0 < length <= memory_bytes and budget.take(length):
            self._taken = length
            self._body = memory = io.BytesIO(unwritten(length))
            self._room = memory.getbuffer()

    @property
    def left(self) -> int:
        """How many bytes `fill` may take; 0 where the body has to be written."""
        return 0 if self._room is None else len(self._room) - self.size

    def fill(self, fd: int) -> int:
        """Read what has arrived there: the number of bytes, 0 at the end, -1 for nothing now.

        The bytes are copied only once, and no object is made for them. Raises OSError.
        """
        assert self._room is not None
        count: int = receive_into(fd, self._room[self.size :])
        if count > 0:
            self.size += count
        return count

    def write(self, data: bytes) -> None:
        """Keep one more piece."""
        size = self.size + len(data)
        if self._room is not None and size > len(self._room):
            self._give_up_room()
        if self._room is not None:
            self._room[self.size : size] = data
        else:
            if isinstance(self._body, io.BytesIO) and not self._fits(len(data)):
                self._move_to_disk()
            self._body.write(data)
        self.size = size

    def _give_up_room(self) -> None:
        """The body is not as long as it was said to be, or it is over."""
        assert self._room is not None
        self._room.release()
        self._room = None
        self._body.truncate(self.size)
        self._body.seek(self.size)

    def _fits(self, more: int) -> bool:
        if self.size + more > self._memory_bytes or not self._budget.take(more):
            return False
        self._taken += more
        return True

    def _move_to_disk(self) -> None:
        memory = self._body
        self._body = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - handed on
        memory.seek(0)
        self._body.write(memory.read())
        self._give_back()

    def open(self) -> IO[bytes]:
        """The whole body as a seekable file at its start; `close` when it has been used."""
        if self._room is not None:
            self._give_up_room()
        self._body.seek(0)
        return self._body

    def close(self) -> None:
        """Give up the body, whole or not; raises nothing."""
        if self._room is not None:
            self._room.release()
            self._room = None
        # Closing writes what is still buffered, which fails again on a full disk.
        with contextlib.suppress(OSError, BufferError):
            self._body.close()
        self._give_back()

    def _give_back(self) -> None:
        if self._taken:
            self._budget.give_back(self._taken)
            self._taken = 0
