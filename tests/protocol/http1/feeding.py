"""Feeding one reader in every way that a connection could deliver the same bytes.

What a peer sent must mean the same however it was cut into reads and whichever build reads it, so
every test of the protocol goes through here: `deliveries` makes the ways, `read_all` plays one of
them, `SUBJECTS` are the builds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from types import FunctionType
from typing import Any, NamedTuple

from canter import extensions
from canter.protocol.faults import Fault
from canter.protocol.http1 import reader as imported_reader
from canter.protocol.http1 import scan_fast as imported_scan_fast
from canter.protocol.http1.scan import Scan
from canter.protocol.http1.scan_ref import REFERENCE
from canter.protocol.limits import Leniency, Limits
from canter.protocol.trust import TrustPolicy

_READER = "canter.protocol.http1.reader"
_READER_PARTS = (
    "canter.protocol.request",
    "canter.protocol.writer",
    "canter.protocol.http1.writer",
    "canter.protocol.reader",
    "canter.protocol.http1.incoming",
    "canter.protocol.http1.body",
)
_SCAN_FAST = "canter.protocol.http1.scan_fast"
_OCTETS = "canter.protocol.octets"


class Subject(NamedTuple):
    """A build of the reader with a scanner."""

    reader: Any
    scan: Scan


def _subjects() -> dict[str, Subject]:
    plain_reader = extensions.load_source(_READER, *_READER_PARTS).Reader
    subjects = {
        "reference": Subject(plain_reader, REFERENCE),
        "interpreted": Subject(plain_reader, extensions.load_source(_SCAN_FAST, _OCTETS).FAST),
    }
    is_compiled = not isinstance(imported_scan_fast.FastScan.fields, FunctionType)
    if is_compiled:
        subjects["compiled"] = Subject(imported_reader.Reader, imported_scan_fast.FAST)
    return subjects


SUBJECTS = _subjects()
REQUIRED = os.environ.get(extensions.VARIABLE) == "require"

NEXT_REQUEST = b"GET /next HTTP/1.1\r\nHost: next.example\r\n\r\n"

Event = tuple[Any, ...]


class Setup(NamedTuple):
    """What a reader is made with."""

    limits: Limits = Limits()
    leniency: Leniency = Leniency()
    trust: TrustPolicy | None = None
    trusted: bool = False
    base: dict[str, Any] = {"SCRIPT_NAME": "", "wsgi.url_scheme": "http"}  # copied

    def reader(self, subject: Subject) -> Any:
        return subject.reader(
            self.limits,
            self.leniency,
            subject.scan,
            trust=self.trust,
            trusted=self.trusted,
        )


def read_all(
    pieces: Sequence[bytes], subject: Subject, setup: Setup, body_maximum: int = 65536
) -> list[Event]:
    """What a reader makes of the pieces: requests, bodies, and how it ends.

    Bodies are one event each, because how they are cut is not part of what they mean. Ends with
    ("fault", class, detail) or ("end", what truncated() says, leftover, phase, head_started).
    """
    reader = setup.reader(subject)
    events: list[Event] = []
    body: list[bytes] = []
    reading_body = False
    try:
        for piece in pieces:
            reader.feed(piece)
            while True:
                if reading_body:
                    while data := reader.read_body(body_maximum):
                        body.append(data)
                    if not reader.body_complete:
                        break
                    assert reader.body_received == sum(map(len, body))
                    events.append(("body", b"".join(body)))
                    reading_body = False
                request = reader.next_request(setup.base)
                if request is None:
                    break
                events.append(("request", described(request)))
                body = []
                reading_body = True
    except Fault as fault:
        if reading_body:
            events.append(("part of a body", b"".join(body)))
        events.append(("fault", type(fault), fault.detail))
        return events
    if reading_body:
        events.append(("part of a body", b"".join(body)))
    end = reader.truncated()
    events.append(("end", end and type(end), reader.phase, reader.head_started, reader.take_rest()))
    return events


def described(request: Any) -> dict[str, Any]:
    return {
        "environ": dict(request.environ),
        "method": request.method,
        "target": request.target,
        "http_10": bool(request.http_10),
        "keep_alive": bool(request.keep_alive),
        "body_length": request.body_length,
        "expect_continue": bool(request.expect_continue),
        "upgrade": bool(request.upgrade),
    }


def deliveries(wire: bytes) -> Iterator[list[bytes]]:
    """Whole, in two pieces at every cut, and byte by byte."""
    yield [wire]
    for cut in range(1, len(wire)):
        yield [wire[:cut], wire[cut:]]
    yield [wire[at : at + 1] for at in range(len(wire))]


def assert_reads_alike(wire: bytes, setup: Setup = Setup()) -> list[Event]:  # noqa: B008
    """Every build makes the same of `wire` however it comes; gives back what that is."""
    expected = read_all([wire], SUBJECTS["reference"], setup)
    for name, subject in SUBJECTS.items():
        for pieces in deliveries(wire):
            assert read_all(pieces, subject, setup) == expected, (name, [*map(len, pieces)])
        assert read_all([wire], subject, setup, body_maximum=1) == expected, (name, "body by bytes")
    return expected


def assert_next_request_is_untouched(wire: bytes, setup: Setup = Setup()) -> None:  # noqa: B008
    """With another request behind it, every build makes the same of both, however they come."""
    alone = read_all([wire], SUBJECTS["reference"], setup)
    both = assert_reads_alike(wire + NEXT_REQUEST, setup)
    if alone[-1][0] == "fault":
        assert both == alone
    else:
        following = read_all([NEXT_REQUEST], SUBJECTS["reference"], setup)
        assert both == alone[:-1] + following
