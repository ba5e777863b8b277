"""Invariant: what a web server sends in uwsgi means the same however it is cut, or is one Fault.

An input is two bytes, the widths of the pieces in which the wire comes, then the wire.
"""

from __future__ import annotations

from collections.abc import Iterator

from canter.protocol.limits import Leniency, Limits
from canter.protocol.uwsgi.reader import Reader
from fuzz.gateway import check_reader, seeds_of
from tests.protocol.uwsgi.wires import ACCEPTED, REJECTED


def _reader() -> Reader:
    return Reader(Limits(body=1000), Leniency(), trusted=True)


def check(data: bytes) -> None:
    """Read one input in every way; AssertionError, or what escaped, where the invariant breaks."""
    check_reader(data, _reader)


def seeds() -> Iterator[bytes]:
    """The corpus of the tests."""
    return seeds_of([*ACCEPTED.values(), *(wire for wire, _, _ in REJECTED.values())])
