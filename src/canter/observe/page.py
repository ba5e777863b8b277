"""A line of text while it is being written, piece by piece.

This is the plain build's version; `page.pyx` beside it is the same over memory of its own, without
an object for each piece.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^ !#-\[\]-~]").search


class Page:
    """Takes pieces in order; `whole` is all of them."""

    __slots__ = ("_pieces",)

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def text(self, piece: str) -> None:
        """Write the piece as it is."""
        self._pieces.append(piece)

    def number(self, value: int) -> None:
        """Write an integer of at most 64 bits in decimal."""
        self._pieces.append(str(value))

    def quoted(self, piece: str) -> bool:
        """Write the piece, if it is printable ASCII without a double quote and a backslash.

        False: it is not, and nothing was written.
        """
        if _UNSAFE(piece) is not None:
            return False
        self._pieces.append(piece)
        return True

    def whole(self) -> str:
        """All pieces."""
        return "".join(self._pieces)
