"""wsgi.input for a body that is read while the application runs (`--request-body stream`).

Bodies that were read whole before the call need nothing of this: they are an ordinary in-memory or
temporary file.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any


class NoBody(io.BytesIO):
    """The input of every request without a body: empty for ever, and so the same for all.

    Closing it does nothing: the next request has it too.
    """

    def write(self, data: Any) -> int:
        """Refuse: input is read."""
        del data
        raise io.UnsupportedOperation("wsgi.input is read")

    def writelines(self, lines: Any) -> None:
        """Refuse: input is read."""
        del lines
        raise io.UnsupportedOperation("wsgi.input is read")

    def writable(self) -> bool:
        """Input is read."""
        return False

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go anywhere: there is nothing to be found."""
        del offset, whence
        return 0

    def truncate(self, size: int | None = None, /) -> int:
        """Refuse: input is read."""
        del size
        raise io.UnsupportedOperation("wsgi.input is read")

    def close(self) -> None:
        """Nothing: it is not one request's own."""


NO_BODY = NoBody()


class BodyInput:
    """A readable stream over a body that arrives in pieces; never reads past the body's end.

    pull: returns the next piece, waiting for it; b"" at the end of the body; raises when the body
    turns out to be cut short or malformed, so that a truncated body never looks complete.
    """

    def __init__(self, pull: Callable[[], bytes]) -> None:
        self._pull = pull
        self._buffer = bytearray()
        self._ended = False

    def _fetch(self) -> bool:
        """Get one more piece into the buffer; False at the end of the body."""
        if self._ended:
            return False
        piece = self._pull()
        if not piece:
            self._ended = True
            return False
        self._buffer += piece
        return True

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def read(self, size: int | None = -1) -> bytes:
        """Up to size bytes, fewer only at the end of the body; the whole rest for None or -1."""
        if size is None or size < 0:
            while self._fetch():
                pass
            return self._take(len(self._buffer))
        while len(self._buffer) < size and self._fetch():
            pass
        return self._take(size)

    def readline(self, size: int | None = -1) -> bytes:
        """One line with its line end, at most size bytes of it."""
        limit = -1 if size is None else size
        searched = 0
        while True:
            end = self._buffer.find(b"\n", searched)
            if end >= 0:
                count = end + 1
                break
            searched = len(self._buffer)
            if 0 <= limit <= searched or not self._fetch():
                count = len(self._buffer)
                break
        return self._take(count if limit < 0 else min(count, limit))

    def readlines(self, hint: int | None = None) -> list[bytes]:
        """The lines that are left; with a hint, no more than needed to reach that many bytes."""
        lines = []
        total = 0
        for line in self:
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line
