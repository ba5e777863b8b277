"""Invariant: what a peer sends means the same to every build however it is cut, or is one Fault.

An input is four bytes that choose how it is read, then the bytes of the wire:

0. leniencies, one bit each; two bits for `header_map`; the highest for a trusted peer;
1. the limits (two bits) and the most that one `read_body` may give (two bits);
2. and 3. the lengths of the pieces in which the wire comes once more, in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any, NamedTuple

from canter.protocol.faults import Fault
from canter.protocol.limits import HeaderMap, Leniency, Limits
from canter.protocol.trust import TrustPolicy
from tests.protocol.http1 import feeding
from tests.protocol.http1.corpus import ACCEPTED, REJECTED, Case
from tests.protocol.http1.feeding import Event, Setup, read_all

_LENIENCIES = (
    "permit_obsolete_folding",
    "strip_header_spaces",
    "permit_unconventional_http_method",
    "casefold_http_method",
    "permit_unconventional_http_version",
)
_HEADER_MAPS: tuple[HeaderMap, ...] = ("drop", "refuse", "dangerous", "drop")
_TRUSTED = 128
_LIMITS = (
    Limits(),
    Limits(request_line=30, fields=4, field_size=40, body=7, header_block=80),
    Limits(request_line=200, fields=10, field_size=100, body=64, header_block=600),
    Limits(request_line=0, fields=0, field_size=0, body=0, header_block=0),
)
_MAXIMA = (65536, 1, 2, 7)
_TRUST = TrustPolicy(
    allow=(ip_network("127.0.0.1"),),
    secure_scheme_headers={"X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on"},
    forwarder_headers=("SCRIPT_NAME", "PATH_INFO"),
)
# Byte by byte a line is looked at as often as it has bytes; plain that is far slower.
_BYTE_BY_BYTE_MAXIMUM = {"reference": 256, "interpreted": 64, "compiled": 1024}
_SEED_MAXIMUM = 2048

# What only a percent-encoding or a trusted front can put anything into.
_MAY_HOLD_ANYTHING = {"PATH_INFO", "SCRIPT_NAME", "HTTP_PATH_INFO", "HTTP_SCRIPT_NAME"}
# CGI's names stand for these, and the framing is the server's alone. Only `dangerous` lets the two
# through that an underscore makes of others.
_FRAMING = "HTTP_TRANSFER_ENCODING"
_NAMED_OTHERWISE = {"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE"}


class Plan(NamedTuple):
    """How the bytes of an input are to be read."""

    setup: Setup
    body_maximum: int
    widths: tuple[int, int]
    wire: bytes


def plan(data: bytes) -> Plan:
    """What an input says; one of under four bytes is filled up with zeros."""
    options, sizes, first, second = data[:4].ljust(4, b"\0")
    leniency = Leniency(
        header_map=_HEADER_MAPS[options >> 5 & 3],
        **{name: bool(options >> bit & 1) for bit, name in enumerate(_LENIENCIES)},
    )
    setup = Setup(_LIMITS[sizes & 3], leniency)
    if options & _TRUSTED:
        setup = setup._replace(trust=_TRUST, trusted=True)
    return Plan(setup, _MAXIMA[sizes >> 2 & 3], (first, second), data[4:])


def pieces(wire: bytes, widths: tuple[int, int]) -> list[bytes]:
    """The wire in pieces of one width and the other in turn; a width of 0 means all the rest."""
    found = []
    at = turn = 0
    while at < len(wire):
        end = at + (widths[turn] or len(wire))
        found.append(wire[at:end])
        at = end
        turn = 1 - turn
    return found


def _ways(told: Plan, build: str) -> Iterator[tuple[list[bytes], int]]:
    """Each way in which a build reads the wire: its pieces, and the most of a body at once."""
    if build != "reference":  # which has read it so already
        yield [told.wire], 65536
    yield pieces(told.wire, told.widths), told.body_maximum
    if len(told.wire) <= _BYTE_BY_BYTE_MAXIMUM[build]:
        yield pieces(told.wire, (1, 1)), told.body_maximum


def check(data: bytes) -> None:
    """Read one input in every way; AssertionError, or what escaped, where the invariant breaks."""
    told = plan(data)
    expected = read_all([told.wire], feeding.SUBJECTS["reference"], told.setup)
    _check_events(expected, dangerous=told.setup.leniency.header_map == "dangerous")
    for name, subject in feeding.SUBJECTS.items():
        for parts, maximum in _ways(told, name):
            events = read_all(parts, subject, told.setup, maximum)
            assert events == expected, (name, [*map(len, parts)], maximum, events, expected)


def _check_events(events: list[Event], *, dangerous: bool) -> None:
    """What holds for whatever was sent."""
    length = 0
    for event in events:
        if event[0] == "request":
            _check_environ(event[1]["environ"])
            assert dangerous or not _NAMED_OTHERWISE & set(event[1]["environ"]), event
            length = event[1]["body_length"]
        elif event[0] == "body":
            assert length in (-1, len(event[1])), event
    end = events[-1]
    assert end[0] in ("fault", "end"), end
    if end[0] == "fault":
        assert issubclass(end[1], Fault), end
        assert 400 <= end[1].status < 600, end
        assert end[2].isascii(), end
        assert end[2].isprintable(), end


def _check_environ(environ: dict[str, Any]) -> None:
    assert _FRAMING not in environ, environ
    assert environ["wsgi.url_scheme"] in ("http", "https"), environ
    for key, value in environ.items():
        assert type(value) is str, (key, value)
        value.encode("latin-1")
        if key not in _MAY_HOLD_ANYTHING:
            assert not set("\r\n\0") & set(value), (key, value)


def seeds() -> Iterator[bytes]:
    """The corpus of the tests, each case read much as it asks to be, under two of the limits."""
    for case in (*ACCEPTED, *REJECTED):
        if len(case.wire) <= _SEED_MAXIMUM:
            for sizes in (0, 0b0110):
                yield bytes([_options(case), sizes, 7, 0]) + case.wire


def _options(case: Case) -> int:
    leniency = case.setup.leniency
    chosen = _HEADER_MAPS.index(leniency.header_map) << 5
    for bit, name in enumerate(_LENIENCIES):
        chosen |= getattr(leniency, name) << bit
    return chosen | (_TRUSTED if case.setup.trusted else 0)
