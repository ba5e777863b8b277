"""How much memory this process holds."""

from __future__ import annotations

import os

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """The resident set: also what is shared with other processes. 0 where it cannot be told.

    Only Linux tells it cheaply; elsewhere there is a peak only, which never falls.
    """
    try:
        descriptor = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return int(os.read(descriptor, 100).split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
    finally:
        os.close(descriptor)
