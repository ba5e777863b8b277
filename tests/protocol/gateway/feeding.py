"""Feeding a reader of a gateway's format in every way that a connection could deliver the bytes.

`read_all` plays one delivery; `assert_reads_alike` demands the same of all of them: whole, at every
cut, byte by byte, and with bodies read byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from canter.protocol.faults import Fault
from canter.protocol.reader import RequestReader

Event = tuple[Any, ...]
Make = Callable[[], RequestReader]

BASE = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "canter.example",
    "SERVER_PORT": "8000",
    "SERVER_SOFTWARE": "canter",
    "wsgi.url_scheme": "http",
}
# Every cut of more than this would take seconds.
_CUTS_MAXIMUM = 700


def read_all(pieces: Sequence[bytes], make: Make, body_maximum: int = 65536) -> list[Event]:
    """What a reader makes of the pieces: requests, bodies, what it owes, and how it ends."""
    reader = make()
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
                    if reader.body_complete:
                        events.append(("body", b"".join(body)))
                        reading_body = False
                        continue
                else:
                    request = reader.next_request(BASE)
                    if request is not None:
                        events.append(("request", described(request)))
                        body, reading_body = [], True
                        continue
                if not reader.owes:
                    break
                events.append(("owed", reader.interim()))
    except Fault as fault:
        events.append(("fault", type(fault), fault.detail, bytes(reader.refusal(fault, b""))))
        check_fault_stays(reader, fault)
        return events
    end = reader.truncated()
    events.append(("end", end and type(end), reader.head_started, reader.buffered))
    return events


def check_fault_stays(reader: RequestReader, fault: Fault) -> None:
    """After a fault a reader raises the same one again, and says nothing else of its end."""
    for ask in (lambda: reader.next_request(BASE), lambda: reader.read_body(10)):
        try:
            ask()
        except Fault as again:
            assert again is fault  # noqa: PT017 - either end is looked at
        else:
            raise AssertionError("the fault was forgotten")
    assert reader.truncated() is fault


def described(request: Any) -> dict[str, Any]:
    return {
        "environ": dict(request.environ),
        "method": request.method,
        "target": request.target,
        "keep_alive": bool(request.keep_alive),
        "body_length": request.body_length,
        "names_client": bool(request.names_client),
    }


def deliveries(wire: bytes) -> Iterator[list[bytes]]:
    """Whole, in two pieces at many cuts, and byte by byte."""
    yield [wire]
    step = len(wire) // _CUTS_MAXIMUM + 1
    for cut in range(1, len(wire), step):
        yield [wire[:cut], wire[cut:]]
    if len(wire) <= _CUTS_MAXIMUM:
        yield [wire[at : at + 1] for at in range(len(wire))]


def assert_reads_alike(wire: bytes, make: Make) -> list[Event]:
    """The reader makes the same of `wire` however it comes; gives back what that is."""
    expected = read_all([wire], make)
    for pieces in deliveries(wire):
        assert read_all(pieces, make) == expected, [*map(len, pieces)]
    assert read_all([wire], make, body_maximum=1) == expected, "body by bytes"
    return expected
