"""Copying text into shared memory, without a view or a slice made for it.

This is the plain build's version; `copying.pyx` beside it is the same in C.
"""

from __future__ import annotations


def copy_into(view: memoryview, text: bytes, length: int) -> None:
    """Copy the first `length` bytes of `text`; the view has room for them."""
    view[:length] = text[:length]
