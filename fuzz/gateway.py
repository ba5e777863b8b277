"""What the fuzz targets of the gateway formats share: one reader, fed in several ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import cycle

from canter.protocol.faults import Fault
from tests.protocol.gateway.feeding import Event, Make, read_all

_SEED_MAXIMUM = 2048
_SEED_WIDTHS = (b"\7\0", b"\1\3", b"\0\0", b"\5\2", b"\10\1", b"\40\3")


def check_reader(data: bytes, make: Make) -> None:
    """Read the wire whole, in pieces and byte by byte: the same events, and nothing but Faults."""
    widths, wire = data[:2].ljust(2, b"\1"), data[2:]
    expected = read_all([wire], make)
    _check_events(expected)
    for parts in (pieces(wire, widths), pieces(wire, b"\1")):
        events = read_all(parts, make)
        assert events == expected, ([*map(len, parts)], events, expected)


def pieces(wire: bytes, widths: bytes) -> list[bytes]:
    """The wire in pieces of these widths in turn; a width of 0 means all the rest."""
    found: list[bytes] = []
    at = 0
    for width in cycle(widths):
        if at >= len(wire):
            return found
        end = at + (width or len(wire))
        found.append(wire[at:end])
        at = end
    raise AssertionError("widths cannot be empty")


def _check_events(events: list[Event]) -> None:
    for event in events:
        if event[0] == "request":
            for key, value in event[1]["environ"].items():
                assert type(value) is str, (key, value)
                assert key == "wsgi.url_scheme" or key.startswith("HTTP_") or "." not in key, key
            assert event[1]["environ"]["wsgi.url_scheme"] in ("http", "https"), event
            assert "HTTP_TRANSFER_ENCODING" not in event[1]["environ"], event
        elif event[0] == "fault":
            assert issubclass(event[1], Fault), event
            assert event[2].isascii(), event
            assert event[2].isprintable(), event


def seeds_of(wires: Iterable[bytes]) -> Iterator[bytes]:
    """These wires, cut in some ways."""
    for wire in wires:
        if len(wire) <= _SEED_MAXIMUM:
            for widths in _SEED_WIDTHS:
                yield widths + wire
