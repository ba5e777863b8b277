"""Requests for parts of a file: the Range field (RFC 9110 section 14)."""

from __future__ import annotations

import re
from typing import NamedTuple

RANGES_MAXIMUM = 16
"""More ranges than that are no honest request: the file is sent whole."""

_LONGEST = 1024
_RANGE = re.compile(
    r"[ \t]*(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))[ \t]*", re.ASCII
).fullmatch


class Span(NamedTuple):
    """A stretch of a file."""

    offset: int
    length: int

    def content_range(self, size: int) -> str:
        """The value of Content-Range for it."""
        return f"bytes {self.offset}-{self.offset + self.length - 1}/{size}"


def wanted_spans(value: str | None, size: int) -> tuple[Span, ...] | None:
    """The stretches that a Range asks for, in its order; () where none of them is in the file.

    None where the file is to be sent whole: there is no Range, it cannot be read, it is of another
    unit, it asks for an empty file, or for what only an attack asks for: many ranges, ranges that
    overlap, ranges that are no less than the whole (RFC 9110 section 14.2 lets a server refuse).
    """
    if value is None or size == 0 or len(value) > _LONGEST:
        return None
    unit, equals, text = value.partition("=")
    if not equals or unit.strip(" \t").lower() != "bytes":
        return None
    items = [item for item in text.split(",") if item.strip(" \t")]
    if not items or len(items) > RANGES_MAXIMUM:
        return None
    spans: list[Span] = []
    for item in items:
        found = _RANGE(item)
        if found is None:
            return None
        first, last, suffix = found.groups()
        if last and int(last) < int(first):
            return None
        span = _span(first, last, suffix, size)
        if span is not None:
            spans.append(span)
    return None if len(spans) > 1 and _is_greedy(spans, size) else tuple(spans)


def _span(first: str | None, last: str | None, suffix: str | None, size: int) -> Span | None:
    """One range cut to the file; None where it lies outside."""
    if suffix is not None:
        count = min(int(suffix), size)
        return Span(size - count, count) if count else None
    offset = int(first or 0)
    if offset >= size:
        return None
    end = min(int(last) + 1, size) if last else size
    return Span(offset, end - offset)


def _is_greedy(spans: list[Span], size: int) -> bool:
    end = 0
    for span in sorted(spans):
        if span.offset < end:
            return True
        end = span.offset + span.length
    return sum(span.length for span in spans) >= size
