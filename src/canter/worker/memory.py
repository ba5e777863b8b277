"""How much memory a process holds."""

from __future__ import annotations

import os

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(process: int | None = None) -> int:
    """The resident set of `process` (of this one without it), shared pages included; 0 = unknown.

    Only Linux tells it cheaply; elsewhere there is a peak only, which never falls.
    """
    try:
        descriptor = os.open(f"/proc/{process or 'self'}/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return int(os.read(descriptor, 100).split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
    finally:
        os.close(descriptor)
