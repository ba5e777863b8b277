"""Whether the kernel's out-of-memory killer has struck in our control group.

The group counts its strikes, and does so before the signal is sent: a count that has risen when a
worker is found killed says who did it. It is looked at now and then, so that an older strike, at
somebody else in the group, is not taken for this one.
"""

from __future__ import annotations

from canter.supervisor.cgroups import OURS, ROOT, group_directories, read

LOOK_EVERY_SECONDS = 1.0
# Deaths by one strike are found one after the other.
_LATELY_SECONDS = 3.0
_FILES = (("", "memory.events"), ("memory", "memory.oom_control"))


class MemoryKills:
    """The count, and when it last rose. Times are seconds of a monotonic clock."""

    def __init__(self, now: float, proc: str = OURS, root: str = ROOT) -> None:
        candidates = (
            f"{directory}/{name}"
            for controller, name in _FILES
            for directory in group_directories(proc, root, controller)
        )
        self._path = next((it for it in candidates if _count(it) is not None), None)
        self._seen = self._read()
        self._rose_at: float | None = None
        self._look_at = now

    def look(self, now: float) -> None:
        """Look at the count, if it was not looked at just now."""
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_SECONDS
            self._note(now)

    def struck_lately(self, now: float) -> bool | None:
        """Whether it has struck in the last moments; None where that cannot be known."""
        if self._path is None:
            return None
        self._note(now)
        return self._rose_at is not None and now - self._rose_at <= _LATELY_SECONDS

    def _note(self, now: float) -> None:
        count = self._read()
        if count > self._seen:
            self._rose_at = now
        self._seen = count

    def _read(self) -> int:
        return 0 if self._path is None else _count(self._path) or 0


def _count(path: str) -> int | None:
    """The number in the line `oom_kill N`."""
    for line in read(path).splitlines():
        name, _, number = line.partition(" ")
        if name == "oom_kill" and number.strip().isdigit():
            return int(number)
    return None
