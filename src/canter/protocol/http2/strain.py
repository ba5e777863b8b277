"""How much work for nothing one connection may ask for (floods of resets, settings, pings, ...).

Every frame that moves no request forward costs; requests that are answered and bytes of content
that move pay back. A peer that only costs is told to calm down (RFC 9113 10.5): rapid reset
(CVE-2023-44487) and the floods of 2019 are cases of this one rule. No clock is needed.
"""

from __future__ import annotations

#: Cost of a frame that asks for something and brings nothing: ping, settings, priority, unknown.
CONTROL = 10
#: Cost of a request that is given up by its client, before its answer was whole.
RESET = 50
#: Cost of a window update, and of content in a few bytes; ordinary, so that it costs little.
SMALL = 2
#: What an answered request pays back.
ANSWERED = 100
#: So many bytes of content pay back 1.
BYTES_PER_UNIT = 64
#: Content of fewer bytes than this in one frame is SMALL.
SMALL_BYTES = 128
LIMIT = 10_000
_LIMIT = LIMIT
_BYTES_PER_UNIT = BYTES_PER_UNIT


class Strain:
    """The account of one connection; never below nothing, so that no credit is saved up."""

    __slots__ = ("_bytes", "_units")

    def __init__(self) -> None:
        self._units = 0
        self._bytes = 0

    def add(self, units: int) -> bool:
        """Something cost so much: whether that was too much by now."""
        self._units += units
        return self._units > _LIMIT

    def relieve(self, units: int) -> None:
        """Something was of use."""
        self._units = max(self._units - units, 0)

    def moved(self, count: int) -> None:
        """Bytes of content have come or gone."""
        self._bytes += count
        if self._bytes >= _BYTES_PER_UNIT:
            self.relieve(self._bytes // _BYTES_PER_UNIT)
            self._bytes %= _BYTES_PER_UNIT
