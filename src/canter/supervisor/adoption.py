"""Whether the kernel makes this process the parent of its grandchildren that have lost theirs.

Linux does, when asked. It is asked only for fork servers: their workers are to be reaped and
signalled here, like workers that were forked here.
"""

from __future__ import annotations

import sys

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> bool:
    """Be the parent of all orphans among our descendants from now on; False where nobody can."""
    if sys.platform != "linux":
        return False
    try:
        import ctypes
    except ImportError:
        return False  # Python can be built without it.
    return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
