"""Invariant: what is read ahead of a connection is the same however it is cut, or is one Fault.

An input is two bytes, the widths of the pieces in which the wire comes, then the wire.
"""

from __future__ import annotations

from collections.abc import Iterator

from canter.protocol.http1.reader import Reader as HttpReader
from canter.protocol.limits import Leniency, Limits
from canter.protocol.proxy.reader import Mode, Reader
from fuzz.gateway import pieces, seeds_of
from tests.protocol.proxy.test_reader import outcome
from tests.protocol.proxy.wires import ACCEPTED, REJECTED


def _reader() -> Reader:
    return Reader(Mode.AUTO, HttpReader(Limits(), Leniency()), trusted=True)


def check(data: bytes) -> None:
    """Read one input in every way; AssertionError, or what escaped, where the invariant breaks."""
    widths, wire = data[:2].ljust(2, b"\1"), data[2:]
    expected = outcome([wire], _reader())
    for parts in (pieces(wire, widths), pieces(wire, b"\1")):
        found = outcome(parts, _reader()) if parts else expected
        assert found == expected, ([*map(len, parts)], found, expected)


def seeds() -> Iterator[bytes]:
    """The corpus of the tests."""
    return seeds_of([*(it[0] for it in ACCEPTED.values()), *(it[0] for it in REJECTED.values())])
