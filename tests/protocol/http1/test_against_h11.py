"""Another parser's opinion: every difference between this reader and h11's server has a reason.

A difference that no row of DIFFERENCES explains is a bug of one of the two, and fails here. Each
row carries a wire that shows it, so that a row whose difference is gone fails as well.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol import faults
from tests.protocol.http1.feeding import SUBJECTS, Setup, read_all
from tests.protocol.http1.strategies import damaged, requests

REFUSED = "refused"
INCOMPLETE = "incomplete"
READ = "read"


class Verdict(NamedTuple):
    """What a parser made of the first request: what it is, or why it is none."""

    kind: str
    request: tuple[Any, ...] = ()
    fault: type[faults.Fault] | None = None
    detail: str = ""


def our_verdict(wire: bytes) -> Verdict:
    events = read_all([wire], SUBJECTS["reference"], Setup())
    if len(events) > 2 and events[1][0] == "body":
        request = events[0][1]
        return Verdict(READ, (request["method"], request["target"], events[1][1], request))
    if events[-1][0] == "fault":
        return Verdict(REFUSED, fault=events[-1][1], detail=events[-1][2])
    return Verdict(INCOMPLETE)


def h11_verdict(wire: bytes) -> Verdict:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(wire)
    request: Any = None
    body = b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                target = request.target.decode("latin-1")
                return Verdict(READ, (request.method.decode(), target, body, request))
            else:
                return Verdict(INCOMPLETE)
    except h11.RemoteProtocolError as error:
        return Verdict(REFUSED, detail=str(error))


def opinions(wire: bytes) -> tuple[Verdict, Verdict]:
    """Ours and h11's, of the wire or, where only one has an opinion yet, of the wire ended.

    h11 judges a head when it has come whole, but for its first byte, which it judges at once.
    """
    ours = our_verdict(wire)
    theirs = h11_verdict(wire)
    if ours.kind == REFUSED and theirs.kind == INCOMPLETE:
        theirs = h11_verdict(wire + b"\r\n\r\n")
    if theirs.kind == REFUSED and ours.kind == INCOMPLETE:
        ours = our_verdict(wire + b"\r\n\r\n")
    return ours, theirs


class Difference(NamedTuple):
    """A reason why the two may differ.

    fault and says: how ours refuses; None where ours reads what h11 refuses. holds: what must be
    in the wire for the reason to be one. example: a wire that shows it.
    """

    why: str
    fault: type[faults.Fault] | None
    says: str
    holds: bytes
    example: bytes


_LINE = b"GET / HTTP/1.1\r\n"
_HEAD = _LINE + b"Host: a\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_CONTROL = rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]"

DIFFERENCES = {
    "an empty line before the request": Difference(
        "RFC 9112 2.2: a server should ignore at least one; h11 takes it for the end of a head",
        None,
        "no request line received",
        rb"\A(\r\n)+",
        b"\r\n" + _HEAD + b"\r\n",
    ),
    "a bare LF": Difference(
        "RFC 9112 2.2 lets a recipient take it for a line's end; two that differ are smuggled past",
        faults.BadRequest,
        "a bare LF",
        rb"(?<!\r)\n",
        _HEAD + b"\n",
    ),
    "an unconventional method": Difference(
        "Gunicorn's strictness: 3 to 20 characters, no small letters, no '#'",
        faults.BadRequestLine,
        "an unconventional method",
        rb"\A(\r\n)*([^ ]*[a-z#]|[^ ]{1,2} |[^ ]{21})",
        b"get" + _HEAD[3:] + b"\r\n",
    ),
    "a target of no known form": Difference(
        "RFC 9112 3.2: h11 takes any printable text for a target",
        faults.BadTarget,
        "",
        rb"\A(\r\n)*(?!CONNECT )[^ ]+ [^/]",
        _HEAD.replace(b"/", b"x", 1) + b"\r\n",
    ),
    "a fragment": Difference(
        "RFC 9112 3.2: no form of a target has one; h11 takes any printable text for a target",
        faults.BadTarget,
        "a fragment",
        rb"\A(\r\n)*[^ ]+ [^ ]*#",
        _HEAD.replace(b"/", b"/#", 1) + b"\r\n",
    ),
    "CONNECT": Difference(
        "RFC 9112 3.2.3, RFC 9110 9.3.6: h11 leaves its target and its meaning to others",
        faults.BadTarget,
        "CONNECT",
        rb"\A(\r\n)*CONNECT ",
        b"CONNECT" + _HEAD[3:] + b"\r\n",
    ),
    "CONNECT that is well formed": Difference(
        "RFC 9110 15.6.2: no tunnels here",
        faults.MethodNotImplemented,
        "CONNECT",
        rb"\A(\r\n)*CONNECT ",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    ),
    "another major version": Difference(
        "RFC 9110 15.6.6: h11 leaves versions to others",
        faults.UnsupportedVersion,
        "",
        rb"\A(\r\n)*[^\n]* HTTP/[02-9]\.[0-9]\r\n",
        _HEAD.replace(b"1.1", b"2.0") + b"\r\n",
    ),
    "no Host in a higher minor version": Difference(
        "RFC 9110 2.5: what is not 1.0 is read as 1.1; h11 asks 1.1 alone for a Host",
        faults.BadHost,
        "no Host",
        rb" HTTP/1\.[2-9]\r\n",
        b"GET / HTTP/1.2\r\n\r\n",
    ),
    "a Host that is not one": Difference(
        "RFC 9112 3.2: h11 counts Host fields but does not read them",
        faults.BadHost,
        "Host is not a host",
        rb"(?i)\nhost:",
        _LINE + b"Host: a b\r\n\r\n",
    ),
    "an empty Host": Difference(
        "RFC 9110 4.2.1: h11 counts Host fields but does not read them",
        faults.BadHost,
        "an empty Host",
        rb"(?i)\nhost:",
        _LINE + b"Host: \r\n\r\n",
    ),
    "folding": Difference(
        "RFC 9112 5.2: to be refused or replaced; h11 replaces",
        faults.BadRequest,
        "obsolete folding",
        rb"\n[ \t]",
        _HEAD + b"X: 1\r\n 2\r\n\r\n",
    ),
    "a control character in a value": Difference(
        "RFC 9110 5.5: invalid, and a recipient may keep it; h11 does, but for NUL, CR and LF",
        faults.BadRequest,
        "a control character in the value",
        _CONTROL,
        _HEAD + b"X: \x01\r\n\r\n",
    ),
    "two Content-Types": Difference(
        "RFC 9110 5.3, as Gunicorn: h11 leaves fields to others",
        faults.RepeatedField,
        "",
        rb"(?is)content-type.*content-type",
        _HEAD + b"Content-Type: a\r\nContent-Type: a\r\n\r\n",
    ),
    "an expectation that nobody knows": Difference(
        "RFC 9110 10.1.1: may be answered 417; h11 leaves it to others",
        faults.ExpectationFailed,
        "",
        rb"(?i)\nexpect:",
        _HEAD + b"Expect: x\r\n\r\n",
    ),
    "chunks in HTTP/1.0": Difference(
        "RFC 9112 6.1: framing that must be treated as faulty",
        faults.BadFraming,
        "in a request of HTTP/1.0",
        rb" HTTP/1\.0\r\n",
        _CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n",
    ),
    "a length and chunks": Difference(
        "RFC 9112 6.1: may be refused as smuggling; h11 lets the chunks win",
        faults.BadFraming,
        "both Content-Length and Transfer-Encoding",
        rb"(?is)content-length.*transfer-encoding|transfer-encoding.*content-length",
        _HEAD + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "the same length twice": Difference(
        "RFC 9112 6.3: may be refused or taken once; h11 takes it once",
        faults.BadFraming,
        "two Content-Length fields",
        rb"(?is)content-length.*content-length",
        _HEAD + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    ),
    "a length that is a list of the same": Difference(
        "RFC 9112 6.3: may be refused or taken once; h11 takes it once",
        faults.BadFraming,
        "Content-Length is not a number",
        rb"(?i)content-length:[^\n]*,",
        _HEAD + b"Content-Length: 0, 0\r\n\r\n",
    ),
    "a length beyond 63 bits": Difference(
        "RFC 9110 8.6: overflow; h11 counts to 20 digits",
        faults.BadFraming,
        "beyond counting",
        rb"(?i)content-length:[^\n]*[0-9]{19}",
        _HEAD + b"Content-Length: 99999999999999999999\r\n\r\n",
    ),
    "whitespace behind a chunk size": Difference(
        "RFC 9112 7.1 has none; h11 forgives it",
        faults.BadChunk,
        "a malformed chunk size",
        rb"\n[0-9A-Fa-f]+[^\n]*[ \t]\r\n",
        _CHUNKED + b"1 \r\nx\r\n0\r\n\r\n",
    ),
    "chunk extensions": Difference(
        "RFC 9112 7.1.1: h11 takes any text for an extension",
        faults.BadChunk,
        "a malformed chunk size",
        rb"\n[0-9A-Fa-f]+;[^\n]*\r\n",
        _CHUNKED + b"1;\r\nx\r\n0\r\n\r\n",
    ),
    "a chunk size of more than 63 bits": Difference(
        "RFC 9112 7.1: overflow; h11 counts to 20 digits",
        faults.BadChunk,
        "a malformed chunk size",
        rb"\n([0-9A-Fa-f]{17}|[89A-Fa-f][0-9A-Fa-f]{15}[\r;])",
        _CHUNKED + b"00000000000000001\r\nx\r\n0\r\n\r\n",
    ),
    "whitespace before a chunk extension": Difference(
        "RFC 9112 7.1.1: bad whitespace is to be read; h11 refuses it",
        None,
        "illegal chunk header",
        rb"\n[0-9A-Fa-f]+[ \t]+;",
        _CHUNKED + b"1 ;a\r\nx\r\n0\r\n\r\n",
    ),
    "fields that trailers must not hold": Difference(
        "RFC 9110 6.5.1: h11 hands trailers on",
        faults.BadTrailer,
        "in the trailers",
        rb"\n0+[^\n]*\r\n",
        _CHUNKED + b"0\r\nHost: x\r\n\r\n",
    ),
}


def explains(difference: Difference, wire: bytes, ours: Verdict, theirs: Verdict) -> bool:
    if re.search(difference.holds, wire) is None:
        return False
    if difference.fault is None:
        return theirs.kind == REFUSED and difference.says in theirs.detail and ours.kind != REFUSED
    return (
        ours.fault is not None
        and issubclass(ours.fault, difference.fault)
        and difference.says in ours.detail
        and theirs.kind != REFUSED
    )


@given(st.one_of(requests(), damaged()))
def test_every_difference_has_a_reason(wire):
    ours, theirs = opinions(wire)
    if ours.kind == theirs.kind:
        assert ours.request[:3] == theirs.request[:3]
    else:
        reasons = [why for why, row in DIFFERENCES.items() if explains(row, wire, ours, theirs)]
        assert reasons, (wire, ours, theirs)


@given(st.one_of(requests(), damaged()))
def test_fields_that_both_read_say_the_same(wire):
    ours, theirs = opinions(wire)
    if ours.kind == theirs.kind == READ:
        environ = ours.request[3]["environ"]
        told: dict[str, list[str]] = {}
        for name, value in theirs.request[3].headers:
            if b"_" not in name and name != b"transfer-encoding":
                told.setdefault(name.decode().upper().replace("-", "_"), []).append(
                    value.decode("latin-1")
                )
        is_absolute = "://" in ours.request[1][:8]
        for name, values in told.items():
            if name == "HOST" and is_absolute:
                continue
            key = name if name in {"CONTENT_TYPE", "CONTENT_LENGTH"} else "HTTP_" + name
            joined = ("; " if name == "COOKIE" else ",").join(values)
            if key == "CONTENT_LENGTH":
                joined = str(int(joined))
            assert environ[key] == joined
        extra = {key for key in environ if key.startswith("HTTP_")} - {"HTTP_HOST"}
        assert extra <= {"HTTP_" + name for name in told}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_each_reason_shows_in_its_example(name):
    difference = DIFFERENCES[name]
    ours, theirs = opinions(difference.example)
    assert ours.kind != theirs.kind
    assert explains(difference, difference.example, ours, theirs)
