"""How much memory a process has, from /proc where there is one."""

from __future__ import annotations

import time
from typing import NamedTuple

from canter.worker.memory import resident_bytes

_PROPORTIONAL_EVERY_SECONDS = 10.0


def proportional_bytes(pid: int) -> int:
    """Resident memory with each shared page divided by who shares it; 0 where it is not told.

    The kernel walks the process's pages for it, which takes some milliseconds for a big one.
    """
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except (OSError, IndexError, ValueError):
        pass
    return 0


class Memory(NamedTuple):
    """What a process has, in bytes; 0 where it is not known."""

    resident: int = 0
    proportional: int = 0


UNKNOWN = Memory()


class MemoryWatch:
    """Reads what costs little each time it is asked, and what costs more only now and then."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[float, int]] = {}

    def of(self, pid: int) -> Memory:
        """The memory of `pid` now; its proportional share may be some seconds old."""
        now = time.monotonic()
        at, proportional = self._seen.get(pid, (float("-inf"), 0))
        if now - at >= _PROPORTIONAL_EVERY_SECONDS:
            proportional = proportional_bytes(pid)
            self._seen = {
                known: seen
                for known, seen in self._seen.items()
                if now - seen[0] < 2 * _PROPORTIONAL_EVERY_SECONDS
            }
            self._seen[pid] = now, proportional
        return Memory(resident_bytes(pid), proportional)
