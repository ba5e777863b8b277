"""What a thread asks about itself and the time, once or more for each request.

This is the plain build's version; `clock.pyx` beside it is the same in C, without making objects.
"""

from __future__ import annotations

import resource
import time

now_ns = time.monotonic_ns
wall_seconds = time.time

_OF_THREAD: int | None = getattr(resource, "RUSAGE_THREAD", None)


def waits_so_far() -> int:
    """How often this thread has given up the processor of its own accord, to wait for something.

    What the kernel takes from it on a busy machine does not count. Always 0 where the kernel does
    not tell a thread's own count.
    """
    return resource.getrusage(_OF_THREAD).ru_nvcsw if _OF_THREAD is not None else 0
