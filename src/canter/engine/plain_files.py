"""Files that the kernel can send by itself."""

from __future__ import annotations

import io
import os
import stat
import tempfile
from typing import Any

_PLAIN_FILES = (io.BufferedReader, io.BufferedRandom, io.FileIO)


def open_plain(filelike: Any) -> tuple[int, int, int] | None:
    """(descriptor of our own, offset, bytes left) of a plain file, or None for anything else.

    Only files whose descriptor means the same bytes as their read(): a compressed file, say, has a
    descriptor too, but of what lies on disk.
    """
    plain = filelike
    if isinstance(filelike, tempfile._TemporaryFileWrapper):  # noqa: SLF001 - has no other name
        plain = filelike.file
    if type(plain) not in _PLAIN_FILES:
        return None
    try:
        descriptor = os.dup(plain.fileno())
    except (OSError, ValueError):
        return None
    try:
        status = os.fstat(descriptor)
        # A size of 0 may be one that the file system does not know, as in /proc.
        if stat.S_ISREG(status.st_mode) and status.st_size:
            offset = plain.tell()
            return descriptor, offset, max(status.st_size - offset, 0)
    except (OSError, ValueError):
        pass
    os.close(descriptor)
    return None
