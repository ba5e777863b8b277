"""A text in shared memory that one process writes and all that are forked later can read.

Two places take turns: a writer fills the one that is not shown and then says so. A reader never
waits and makes no system call. A checksum tells it whether what it has read is whole: a writer that
laps it, or dies, is a reason to look again, never to give out half a text.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from typing import Final

_HEAD: Final = struct.Struct("<II")
"""Length and checksum, before each of the two texts."""
_FIRST: Final = 8
_TRIES: Final = 3


class Placard:
    """Room for a text of up to `size` bytes; memory is used as it is filled."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._place = _HEAD.size + size
        self._memory = mmap.mmap(-1, _FIRST + 2 * self._place)

    def write(self, text: bytes) -> bool:
        """Show `text` from now on; False, with nothing shown, where it is too long."""
        fits = len(text) <= self.size
        shown = text if fits else b""
        turn = 1 - self._memory[0]
        at = _FIRST + turn * self._place
        self._memory[at + _HEAD.size : at + _HEAD.size + len(shown)] = shown
        self._memory[at : at + _HEAD.size] = _HEAD.pack(len(shown), zlib.crc32(shown))
        self._memory[0] = turn
        return fits

    def read(self) -> bytes:
        """The text that is shown; empty where there is none."""
        for _ in range(_TRIES):
            at = _FIRST + self._memory[0] * self._place
            length, checksum = _HEAD.unpack(self._memory[at : at + _HEAD.size])
            if length <= self.size:
                text = self._memory[at + _HEAD.size : at + _HEAD.size + length]
                if zlib.crc32(text) == checksum:
                    return text
        return b""
