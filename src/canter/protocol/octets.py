"""The loops over single bytes that a C compiler makes many times quicker than any Python code.

This is the plain build's version; `octets.pyx` beside it is the same in C. What it means that a
byte is somewhere is judged by the callers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_PLAIN_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}").fullmatch
# RFC 9110 section 5.5: what a field value may hold.
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*").match


def value_end(data: bytes, pos: int, end: int) -> int:
    """The position of the first byte from `pos` on that no field value holds; at most `end`."""
    found = _VALUE(data, pos, end)
    assert found is not None
    return found.end()


def same_name(data: bytes, pos: int, lower: bytes, at: int, length: int) -> bool:
    """Whether the `length` bytes at `pos`, in any case, are those of `lower` at `at`.

    Both must be made of what names are made of; those of `lower` of letters, digits and dashes.
    """
    return data[pos : pos + length].lower() == lower[at : at + length]


def is_plain(text: str) -> bool:
    """Whether it is printable ASCII, and spaces, only."""
    return text.isascii() and text.isprintable()


def plain_number(text: str) -> int:
    """The number that up to 18 digits without a leading zero say; -1 for any other text."""
    return int(text) if _PLAIN_NUMBER(text) else -1


def response_head(
    start: bytes, date_line: bytes, fields: Sequence[tuple[str, str]], length: int, end: bytes
) -> bytes:
    """A response's head: two pieces as they are, the fields, a Content-Length unless -1, the end.

    Raises UnicodeEncodeError for what is not latin-1.
    """
    text = "".join([f"{name}: {value}\r\n" for name, value in fields])
    if length >= 0:
        text += f"Content-Length: {length}\r\n"
    return b"".join((start, date_line, text.encode("latin-1"), end))
