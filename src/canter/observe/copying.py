"""Text as it is written down for each request: on the scoreboard, and in the access log.

This is the plain build's version; `copying.pyx` beside it is the same in C.
"""

from __future__ import annotations

import re

_UNSAFE = re.compile(r"[^ !#-\[\]-~]").search


def copy_into(view: memoryview, at: int, text: bytes, length: int) -> None:
    """Copy the first `length` bytes of `text` to place `at`; the view has room for them."""
    view[at : at + length] = text[:length]


def is_quotable(text: str) -> bool:
    """Whether it is printable ASCII, and spaces, without a double quote and a backslash."""
    return _UNSAFE(text) is None


def joined(texts: list[str], values: list[str]) -> str:
    """The texts, one more than there are values, with a value between each two."""
    parts = [part for pair in zip(texts, values, strict=False) for part in pair]
    return "".join(parts) + texts[-1]
