"""How much memory a process has, from /proc where there is one."""

from __future__ import annotations

import os
import time
from typing import NamedTuple

_PROPORTIONAL_EVERY_SECONDS = 10.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pid: int, proc: str = "/proc") -> int:
    """The pages of `pid` that are in memory, shared ones included; 0 where that is not told."""
    try:
        with open(f"{proc}/{pid}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0


def proportional_bytes(pid: int, proc: str = "/proc") -> int:
    """The same with each shared page divided by who shares it; 0 where that is not told.

    The kernel walks the process's pages for it, which takes some milliseconds for a big one.
    """
    try:
        with open(f"{proc}/{pid}/smaps_rollup", "rb") as file:
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
