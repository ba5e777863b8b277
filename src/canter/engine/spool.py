"""Where a request body is kept until it is whole: in memory while small, else on disk."""

from __future__ import annotations

import contextlib
import io
import tempfile
from typing import IO

from canter.engine.latch import Latch
from canter.engine.room import Room

# Smaller rooms are not kept: the allocator has memory for them at hand.
_KEPT_FROM_BYTES = 64 * 1024
# Among so many kept rooms one that fits is looked for, the one that was used last first.
_LOOKED_AT = 8
_TIDY_EVERY_NS = 1_000_000_000


class Budget:
    """The memory that the bodies of one worker may take together, in bytes; from any thread.

    Rooms for bodies are kept for a while and lent again; they are part of it.
    """

    __slots__ = ("_idle", "_kept", "_left", "_lock", "_tidied_ns", "total_bytes")

    def __init__(self, total_bytes: int = 64 * 1024 * 1024) -> None:
        self.total_bytes = total_bytes
        self._left = total_bytes
        self._lock = Latch()
        self._kept: list[Room] = []
        # How many of them nobody has wanted since the last tidying.
        self._idle = 0
        self._tidied_ns = 0

    def take(self, size: int) -> bool:
        """Have `size` bytes; False where that many are not left."""
        with self._lock:
            return self._take(size)

    def _take(self, size: int) -> bool:
        if size > self._left:
            self._let_go(len(self._kept))
        if size > self._left:
            return False
        self._left -= size
        return True

    def give_back(self, size: int) -> None:
        """Be done with bytes that were taken."""
        with self._lock:
            self._left += size

    def lend(self, size: int) -> Room | None:
        """A room for a body of `size` bytes; None where that many are not left."""
        with self._lock:
            kept = self._kept
            for index in range(len(kept) - 1, max(len(kept) - _LOOKED_AT, 0) - 1, -1):
                if size <= kept[index].capacity <= 2 * size:
                    room = kept.pop(index)
                    self._idle = min(self._idle, len(kept))
                    return room
            if not self._take(size):
                return None
        return Room(size)

    def take_back(self, room: Room) -> None:
        """Be done with a room; what was opened there is closed."""
        with self._lock:
            if room.capacity >= _KEPT_FROM_BYTES and room.is_free():
                self._kept.append(room)
            else:
                self._left += room.capacity

    def tidy(self, now_ns: int) -> None:
        """Let go of rooms that were not needed for a second; to be called from time to time."""
        if now_ns - self._tidied_ns < _TIDY_EVERY_NS:
            return
        with self._lock:
            self._tidied_ns = now_ns
            self._let_go(self._idle)
            self._idle = len(self._kept)

    def _let_go(self, count: int) -> None:
        """Give up so many of the kept rooms, those that were used last a longer time ago."""
        for room in self._kept[:count]:
            self._left += room.capacity
        del self._kept[:count]
        self._idle = min(self._idle, len(self._kept))


class Spool:
    """A request body on its way, and then there for the application.

    memory_bytes: more than this, or than `budget` has left, goes to an unnamed temporary file in
    `directory` (None: the system's). length: what the body will have, -1 where nobody knows.
    Writing raises OSError when the disk is full.
    """

    __slots__ = (
        "_body",
        "_budget",
        "_directory",
        "_end",
        "_memory_bytes",
        "_room",
        "_taken",
        "size",
    )

    def __init__(
        self, memory_bytes: int, directory: str | None, budget: Budget, length: int = -1
    ) -> None:
        self._memory_bytes = memory_bytes
        self._directory = directory
        self._budget = budget
        self._taken = 0
        self._body: IO[bytes] | None = None
        self._room: Room | None = None
        # Where a body that has a room ends; 0 once it is not collected there.
        self._end = 0
        self.size = 0
        if 0 < length <= memory_bytes:
            self._room = budget.lend(length)
            self._end = 0 if self._room is None else length

    @property
    def left(self) -> int:
        """How many bytes `fill` may take; 0 where the body has to be written."""
        return max(self._end - self.size, 0)

    def fill(self, fd: int) -> int:
        """Read what has arrived there: the number of bytes, 0 at the end, -1 for nothing now.

        The bytes are copied only once, and no object is made for them. One more than `left` means
        that something stands behind the body: `behind` has its first byte. Raises OSError.
        """
        assert self._room is not None
        count: int = self._room.fill(fd, self.size, self._end)
        if count > 0:
            self.size = min(self.size + count, self._end)
        return count

    def behind(self) -> bytes:
        """The one byte that was read too much."""
        assert self._room is not None
        return self._room.at(self._end)

    def write(self, data: bytes) -> None:
        """Keep one more piece."""
        size = self.size + len(data)
        if self._room is not None and size <= self._end:
            self._room.put(self.size, data)
        else:
            self._write_on(data)
        self.size = size

    def _write_on(self, data: bytes) -> None:
        """Keep a piece of a body that has no room, or is longer than it was said to be."""
        body = self._body
        if body is None:
            body = self._body = io.BytesIO() if self._room is None else self._leave_room()
        if isinstance(body, io.BytesIO) and not self._fits(len(data)):
            body = self._move_to_disk(body)
        body.write(data)

    def _leave_room(self) -> IO[bytes]:
        assert self._room is not None
        self._end = 0
        body = self._room.open(self.size)
        body.seek(self.size)
        return body

    def _fits(self, more: int) -> bool:
        if self.size + more > self._memory_bytes or not self._budget.take(more):
            return False
        self._taken += more
        return True

    def _move_to_disk(self, memory: io.BytesIO) -> IO[bytes]:
        self._body = file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - handed on
        file.write(memory.getvalue())
        memory.close()
        self._give_back()
        return file

    def open(self) -> IO[bytes]:
        """The whole body as a seekable file at its start; `close` when it has been used."""
        body = self._body
        if body is None:
            body = self._body = io.BytesIO() if self._room is None else self._leave_room()
        body.seek(0)
        return body

    def close(self) -> None:
        """Give up the body, whole or not; raises nothing."""
        body = self._body
        self._body = None
        self._end = 0
        if body is not None:
            # Closing writes what is still buffered, which fails again on a full disk.
            with contextlib.suppress(OSError, BufferError):
                body.close()
        self._give_back()

    def _give_back(self) -> None:
        if self._taken:
            self._budget.give_back(self._taken)
            self._taken = 0
        if self._room is not None:
            self._budget.take_back(self._room)
            self._room = None
