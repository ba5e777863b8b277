"""wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class FileWrapper:
    """An iterable over a file-like object, in blocks.

    Where the object is a plain file the server never iterates: the engine hands the file to the
    kernel. filelike: has read(size); its close() becomes the wrapper's.
    """

    def __init__(self, filelike: Any, block_size: int = 65536) -> None:
        self.filelike = filelike
        self.block_size = block_size
        if hasattr(filelike, "close"):
            self.close: Callable[[], object] = filelike.close

    def __iter__(self) -> FileWrapper:
        return self

    def __next__(self) -> bytes:
        block: bytes = self.filelike.read(self.block_size)
        if block:
            return block
        raise StopIteration
