"""Where a request body is kept until it is whole: in memory while small, then on disk."""

from __future__ import annotations

import contextlib
import io
import tempfile
from typing import IO


class Spool:
    """A request body on its way.

    memory_bytes: more than this goes to an unnamed temporary file in `directory` (None: the
    system's). Writing raises OSError when the disk is full.
    """

    __slots__ = ("_directory", "_file", "_memory", "_memory_bytes", "size")

    def __init__(self, memory_bytes: int, directory: str | None) -> None:
        self._memory_bytes = memory_bytes
        self._directory = directory
        self._memory: list[bytes] | None = []
        self._file: IO[bytes] | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Keep one more piece."""
        self.size += len(data)
        if self._file is not None:
            self._file.write(data)
            return
        assert self._memory is not None
        self._memory.append(data)
        if self.size > self._memory_bytes:
            self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115 - handed on
            for piece in self._memory:
                self._file.write(piece)
            self._memory = None

    def open(self) -> IO[bytes]:
        """The whole body as a seekable file at its start; the spool is done."""
        if self._file is not None:
            self._file.seek(0)
            return self._file
        assert self._memory is not None
        return io.BytesIO(b"".join(self._memory))

    def close(self) -> None:
        """Give up a body that will not be whole; raises nothing."""
        if self._file is not None:
            # Closing writes what is still buffered, which fails again on a full disk.
            with contextlib.suppress(OSError):
                self._file.close()
