"""wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class FileWrapper:
    """An iterable over a file-like object, in blocks.

    Where the object is a plain file the server never iterates: the engine hands the file to the
    kernel. filelike: has read(size); its close() becomes the wrapper's. left: bytes to
    give, where that is not all that there is.
    """

    def __init__(self, filelike: Any, block_size: int = 65536, left: int | None = None) -> None:
        self.filelike = filelike
        self.block_size = block_size
        self.left = left
        if hasattr(filelike, "close"):
            self.close: Callable[[], object] = filelike.close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        size = self.block_size
        if self.left is not None:
            size = min(size, self.left)
        block: bytes = self.filelike.read(size) if size else b""
        if block:
            if self.left is not None:
                self.left -= len(block)
            return block
        raise StopIteration
