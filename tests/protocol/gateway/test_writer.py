"""What is sent to a web server, in CGI's manner and in FastCGI's records."""

from __future__ import annotations

import pytest

from canter.protocol.fastcgi.records import Status, Type, end_request, record, stream
from canter.protocol.fastcgi.writer import Writer as FastcgiWriter
from canter.protocol.faults import BadRequest, Overloaded
from canter.protocol.gateway.writer import GatewayWriter, refusal
from canter.protocol.response import judge_response

TEXT = ("Content-Type", "text/plain")
ENDED = record(Type.STDOUT, 7, b"") + end_request(7, Status.REQUEST_COMPLETE)


def writer(*, head_only: bool = False) -> GatewayWriter:
    return GatewayWriter(b"Status: ", head_only, False)


def head(status: str = "200 OK", *fields: tuple[str, str], length: int = -1) -> bytes:
    return writer().head(judge_response(status, [TEXT, *fields]), length, b"Date: x\r\n")


def test_the_head_is_the_application_s_and_nothing_of_the_server_s():
    assert head() == b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"


def test_a_length_that_is_known_is_told():
    assert b"Content-Length: 5\r\n" in head(length=5)
    assert head("200 OK", ("Content-Length", "9"), length=5).count(b"Content-Length") == 1


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_what_has_no_body_has_no_length_of_one(status: str):
    found = writer()
    sent = found.head(judge_response(status, [TEXT]), 5, b"")
    assert b"Content-Length" not in sent
    assert found.bodyless
    assert b"Content-Length" not in head("204 No Content", ("Content-Length", "5"))


def test_what_is_left_of_a_length_is_counted():
    found = writer()
    found.head(judge_response("200 OK", [("Content-Length", "5")]), -1, b"")
    assert (found.data(b"he"), found.remaining) == (b"he", 3)
    assert (found.frame(2), found.remaining) == ((b"", b""), 1)
    assert found.end() == b""


def test_a_refusal_is_a_whole_answer():
    assert refusal(b"Status: ", BadRequest("x"), head_only=False) == (
        b"Status: 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 16\r\n\r\n400 Bad Request\n"
    )
    told = refusal(b"Status: ", Overloaded("x", 7), head_only=True)
    assert b"Retry-After: 7\r\n" in told
    assert told.endswith(b"\r\n\r\n")


def fastcgi(*, head_only: bool = False) -> FastcgiWriter:
    return FastcgiWriter(7, head_only, True)


def test_a_fastcgi_response_is_records_and_their_end():
    found = fastcgi()
    sent = found.head(judge_response("200 OK", []), 5, b"") + found.data(b"hello") + found.end()
    text = b"Status: 200 OK\r\nContent-Length: 5\r\n\r\n"
    assert sent == stream(Type.STDOUT, 7, text) + stream(Type.STDOUT, 7, b"hello") + ENDED


def test_a_fastcgi_response_without_a_body_ends_with_its_head():
    found = fastcgi(head_only=True)
    sent = found.head(judge_response("200 OK", []), 5, b"")
    assert sent.endswith(ENDED)
    assert found.end() == b""


def test_a_fastcgi_body_that_falls_short_is_not_ended():
    found = fastcgi()
    found.head(judge_response("200 OK", [("Content-Length", "5")]), -1, b"")
    found.data(b"he")
    assert found.end() == b""


def test_records_are_no_longer_than_they_can_be():
    found = fastcgi()
    sent = found.data(bytes(200_000))
    sizes = []
    while sent:
        size, padding = int.from_bytes(sent[4:6], "big"), sent[6]
        sizes.append(size)
        sent = sent[8 + size + padding :]
    assert sum(sizes) == 200_000
    assert max(sizes) == found.largest


@pytest.mark.parametrize("size", [1, 7, 8, 65528])
def test_a_frame_is_what_a_record_has_around_its_content(size: int):
    before, behind = fastcgi().frame(size)
    assert before + bytes(size) + behind == record(Type.STDOUT, 7, bytes(size))
