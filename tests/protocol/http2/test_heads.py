"""Heads of HTTP/2: what becomes of them, and that nothing but a fault can come of any."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.faults import BadTrailer, Fault, Overloaded
from canter.protocol.http1.reader import Reader
from canter.protocol.http2.fields import field_of
from canter.protocol.http2.heads import (
    interim_fields,
    judge_request,
    judge_trailers,
    refusal_fields,
    response_fields,
)
from canter.protocol.limits import Leniency, Limits
from canter.protocol.request import CHUNKED
from canter.protocol.response import judge_response
from canter.protocol.trust import TrustPolicy

DATE = b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
GET = [(b":method", b"GET"), (b":scheme", b"https"), (b":path", b"/"), (b":authority", b"a.org")]


def judged(fields, *, ended=True, trust=None, limits=None):
    limits = limits or Limits()
    reader = Reader(limits, Leniency(), trust=trust, trusted=trust is not None)
    base = {"SCRIPT_NAME": ""}
    return judge_request([field_of(*pair) for pair in fields], reader, base, limits, ended)


def test_a_head_becomes_an_ordinary_request():
    request = judged([*GET, (b"accept", b"*/*"), (b"cookie", b"a=1"), (b"cookie", b"b=2")])
    assert (request.method, request.target, request.body_length) == ("GET", "/", 0)
    environ = request.environ
    assert environ["SERVER_PROTOCOL"] == "HTTP/2.0"
    assert environ["HTTP_HOST"] == "a.org"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["PATH_INFO"] == "/"


def test_a_body_without_a_length_lasts_as_long_as_its_stream():
    assert judged(GET, ended=False).body_length == CHUNKED
    assert judged([*GET, (b"content-length", b"7")], ended=False).body_length == 7


def test_a_host_beside_the_same_authority_is_one_host():
    assert judged([*GET, (b"host", b"a.org")]).environ["HTTP_HOST"] == "a.org"
    only_host = [*GET[:3], (b"host", b"b.org")]
    assert judged(only_host).environ["HTTP_HOST"] == "b.org"


def test_a_trusted_front_tells_the_scheme():
    trust = TrustPolicy(allow="*", secure_scheme_headers={"X-FORWARDED-PROTO": "https"})
    request = judged([*GET, (b"x-forwarded-proto", b"https")], trust=trust)
    assert request.environ["wsgi.url_scheme"] == "https"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([(b":method", b"CONNECT"), (b":authority", b"a.org:443")], 501),
        ([*GET[:2], (b":path", b"*"), GET[3]], 400),
        ([GET[0], (b":scheme", b"ftp"), *GET[2:]], 400),
        ([*GET[:3], (b":authority", b"a b")], 400),
        ([*GET[:3], (b":authority", b"a\r\nx: y")], 400),
        ([(b"a", b"b"), *GET], 400),
        ([*GET, (b"expect", b"something")], 417),
        ([*GET, (b"te", b"trailers, deflate")], 400),
        ([*GET, (b"", b"x")], 400),
        ([*GET, (b"content-length", b"+7")], 400),
    ],
)
def test_what_is_refused_has_its_status(fields, status):
    with pytest.raises(Fault) as raised:
        judged(fields)
    assert raised.value.status == status


def test_trailers_are_judged_like_fields():
    judge_trailers([field_of(b"x-sum", b"1")], Limits())
    for bad in ([(b":path", b"/")], [(b"X", b"1")], [(b"x", b"a\nb")], [(b"x", b"1")] * 101):
        with pytest.raises(BadTrailer):
            judge_trailers([field_of(*pair) for pair in bad], Limits())


FIELD = st.tuples(
    st.one_of(
        st.sampled_from(
            [b":method", b":path", b":scheme", b":authority", b"host", b"cookie", b"te"]
        ),
        st.binary(max_size=12),
    ),
    st.one_of(st.sampled_from([b"/", b"GET", b"https", b"a.org"]), st.binary(max_size=20)),
)


@given(fields=st.lists(FIELD, max_size=8), whole=st.booleans(), ended=st.booleans())
def test_any_head_is_a_request_or_a_fault_and_never_smuggles_a_line(fields, whole, ended):
    head = [*GET, *fields] if whole else fields
    try:
        request = judged(head, ended=ended)
    except Fault:
        return
    names = {name for name, _ in head}
    brought = [key for key in request.environ if key.startswith("HTTP_")]
    # Every key of the environ has its field: no value became a line of its own.
    for key in brought:
        name = key[5:].replace("_", "-").lower().encode("latin-1")
        assert name in names or (key == "HTTP_HOST" and b":authority" in names), key
    assert all("\r" not in str(request.environ[key]) for key in brought)


def test_a_response_s_fields_are_in_lower_case_and_complete():
    head = judge_response("200 OK", [("Content-Type", " text/plain "), ("X-A", "é")])
    fields = response_fields(head, 5, DATE)
    assert fields[0] == (b":status", b"200")
    assert (b"server", b"canter") in fields
    assert (b"date", b"Thu, 01 Jan 1970 00:00:00 GMT") in fields
    assert (b"content-type", b"text/plain") in fields
    assert (b"x-a", b"\xe9") in fields
    assert fields[-1] == (b"content-length", b"5")


def test_no_content_has_no_length():
    head = judge_response(
        "204 No Content", [("Content-Length", "0"), ("Date", "x"), ("Server", "y")]
    )
    assert response_fields(head, -1, DATE) == [
        (b":status", b"204"),
        (b"date", b"x"),
        (b"server", b"y"),
    ]


def test_interim_heads_and_refusals():
    assert interim_fields(103, [("Link", "x")]) == [(b":status", b"103"), (b"link", b"x")]
    fields = dict(refusal_fields(Overloaded("busy", 3), DATE, 4))
    assert fields[b":status"] == b"503"
    assert fields[b"retry-after"] == b"3"
