"""Text as it is written down for each request on the scoreboard.

This is the plain build's version; `copying.pyx` beside it is the same in C.
"""

from __future__ import annotations


def copy_into(view: memoryview, at: int, text: bytes, length: int) -> None:
    """Copy the first `length` bytes of `text` to place `at`; the view has room for them."""
    view[at : at + length] = text[:length]
