"""What is read ahead of a connection, however the bytes come."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.faults import BadProxyHeader, Fault, Truncated
from canter.protocol.http1.reader import Reader as HttpReader
from canter.protocol.limits import Leniency, Limits
from canter.protocol.proxy.crc32c import crc32c
from canter.protocol.proxy.introduction import Introduction
from canter.protocol.proxy.reader import Mode, Reader
from tests.protocol.gateway.feeding import deliveries
from tests.protocol.proxy.wires import ACCEPTED, REJECTED, V1, v2

REQUEST = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


def reader(mode: Mode = Mode.AUTO, *, trusted: bool = True) -> Reader:
    return Reader(mode, HttpReader(Limits(), Leniency()), trusted=trusted)


def outcome(pieces: Sequence[bytes], found: Reader) -> tuple[object, ...]:
    """What is said, its bytes and what was left for the successor; or the fault."""
    left = 0
    for number, piece in enumerate(pieces):
        try:
            found.feed(piece)
            assert found.next_request({}) is None
        except Fault as fault:
            assert found.truncated() is fault  # noqa: PT017 - either end is looked at
            return type(fault), fault.detail, found.refusal(fault, b"")
        if found.successor is not None:
            left = found.successor.buffered + sum(map(len, pieces[number + 1 :]))
            return found.introduction, found.header, left
    return "more", found.head_started, type(found.truncated())


def same_however_it_comes(wire: bytes, mode: Mode = Mode.AUTO, *, trusted: bool = True):
    expected = outcome([wire], reader(mode, trusted=trusted))
    for pieces in deliveries(wire):
        assert outcome(pieces, reader(mode, trusted=trusted)) == expected, [*map(len, pieces)]
    return expected


@pytest.mark.parametrize("name", ACCEPTED)
def test_reads_the_same_however_it_comes_and_nothing_behind_it(name: str):
    wire, source, scheme, environ = ACCEPTED[name]
    said = Introduction(source, scheme, environ)
    assert same_however_it_comes(wire) == (said, wire, 0)
    assert same_however_it_comes(wire + REQUEST) == (said, wire, len(REQUEST))


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_header_that_is_cut_short_is_no_request(name: str):
    wire = ACCEPTED[name][0]
    for size in range(1, len(wire)):
        assert outcome([wire[:size]], reader()) == ("more", True, Truncated)


@pytest.mark.parametrize("name", REJECTED)
def test_refuses_the_same_however_it_comes(name: str):
    wire, says = REJECTED[name]
    kind, detail, answer = same_however_it_comes(wire + REQUEST)
    assert kind is BadProxyHeader
    assert says in str(detail)
    assert isinstance(answer, bytes)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("wire", [V1, v2()])
def test_a_header_from_a_peer_that_may_not_send_one_is_refused(wire: bytes):
    kind, detail, _ = same_however_it_comes(wire + REQUEST, trusted=False)
    assert kind is BadProxyHeader
    assert "may not send" in str(detail)


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(
    "wire", [REQUEST, b"PRO", b"POST / HTTP/1.1\r\n", b"\r\nGET /", b"\0\1\0\0"]
)
def test_without_a_header_everything_is_left_to_the_successor(wire, trusted):
    if wire == b"PRO":
        assert outcome([wire], reader(trusted=trusted))[0] == "more"
        wire += b"PFIND / HTTP/1.1\r\n"
    assert same_however_it_comes(wire, trusted=trusted) == (Introduction(), b"", len(wire))


def test_a_header_may_be_required():
    kind, detail, _ = same_however_it_comes(REQUEST, Mode.REQUIRED)
    assert (kind, detail) == (BadProxyHeader, "no PROXY header ahead of the connection")
    assert same_however_it_comes(V1 + REQUEST, Mode.REQUIRED)[2] == len(REQUEST)


def test_one_version_may_be_all_that_is_read():
    assert outcome([v2()], reader(Mode.V1))[1] == b""
    assert outcome([V1], reader(Mode.V2))[1] == b""
    assert outcome([V1], reader(Mode.V1))[1] == V1
    assert outcome([v2()], reader(Mode.V2))[1] == v2()


def test_the_checksum_is_crc32c():
    assert crc32c(b"123456789") == 0xE3069283


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_one_fault(data):
    for wire in (data, b"PROXY " + data, v2(data), v2(data, family=0), v2(data, family=0x31)):
        same_however_it_comes(wire)


@given(st.lists(st.sampled_from([*V1.split(b" "), b"TCP6", b"::1", b"UNKNOWN"]), max_size=8))
def test_any_words_are_read_or_one_fault(words):
    same_however_it_comes(b"PROXY " + b" ".join(words) + b"\r\n")
