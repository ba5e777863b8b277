"""Files whose change means a reload: polled, because that works on every file system."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from typing import TypeAlias

Stamp: TypeAlias = tuple[int, int, int] | None


class FileWatch:
    """The files that workers reported, and `patterns` (files or globs) that are looked up anew."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._stamps: dict[str, Stamp] = {}
        self.look_for(patterns)

    def look_for(self, patterns: Sequence[str]) -> None:
        """Look up these patterns from now on."""
        self._patterns = [os.path.abspath(pattern) for pattern in patterns]
        self.add(self._matching())

    def add(self, files: Iterable[str]) -> None:
        """Watch `files` from now on."""
        for file in files:
            if file not in self._stamps:
                self._stamps[file] = _stamp(file)

    def changed(self) -> list[str]:
        """Files that were changed, made or removed since the last call."""
        changed = []
        for file in self._stamps.keys() | set(self._matching()):
            stamp = _stamp(file)
            if stamp != self._stamps.get(file):
                self._stamps[file] = stamp
                changed.append(file)
        return sorted(changed)

    def _matching(self) -> list[str]:
        return [file for pattern in self._patterns for file in glob.glob(pattern, recursive=True)]


def _stamp(file: str) -> Stamp:
    try:
        status = os.stat(file)
    except OSError:
        return None
    # The inode tells editors that replace the file within one tick of the clock.
    return status.st_mtime_ns, status.st_size, status.st_ino
