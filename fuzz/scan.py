"""Invariant: every scanner finds the same, at the same place, whatever the bytes and the limits.

An input is four bytes, then what is scanned: where it begins, the limits of a line and of the
block of fields, and in the last the number of fields (low bits) and that read before (high bits).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from canter.protocol.http1.scan import COUNT_SHIFT, Outcome, Scan
from fuzz import http1
from tests.protocol.http1 import feeding

# The least limit of a chunk's first line: no reader gives one that a size alone would pass.
_DIGITS = 16


def played(scan: Scan, data: bytes) -> list[Any]:
    """All that the three functions of a scanner make of one input."""
    at, line, block, counts = data[:4].ljust(4, b"\0")
    wire = data[4:]
    at = min(at, len(wire))
    facts = (counts >> 4) << COUNT_SHIFT
    first: dict[str, Any] = {}
    environ: dict[str, Any] = {"HTTP_X_A": "before"}
    aside: list[tuple[str, str]] = []
    return [
        scan.request_line(wire, at, line, first),
        scan.fields(wire, at, line, at + block * 4, counts & 15, facts, environ, aside),
        scan.chunk_size(wire, at, max(line, _DIGITS)),
        first,
        # Environs keep the order of the fields.
        [*environ.items()],
        aside,
    ]


def check(data: bytes) -> None:
    """Scan one input with every scanner; AssertionError where they differ."""
    expected = played(feeding.SUBJECTS["reference"].scan, data)
    for outcome, behind, number in expected[:3]:
        assert outcome in set(Outcome), expected
        assert 0 <= behind <= max(len(data) - 4, 0), expected
        assert number >= 0, expected
    for name, subject in feeding.SUBJECTS.items():
        found = played(subject.scan, data)
        assert found == expected, (name, found, expected)


def seeds() -> Iterator[bytes]:
    """The wires of the reader's seeds: from their beginning, and their fields."""
    for seed in http1.seeds():
        wire = seed[4:]
        fields_at = wire.find(b"\n") + 1
        yield bytes([0, 255, 255, 15]) + wire
        yield bytes([0, 60, 40, 19]) + wire[fields_at:]
