"""A response as bytes: its framing, what it leaves of the connection (RFC 9112 6 and 7)."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.faults import BadRequest, BodyTooLarge, Fault, Overloaded
from canter.protocol.http1.writer import Writer, early_hints, refusal
from canter.protocol.response import judge_response
from tests.protocol.memory import kept_bytes

DATE = b"Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n"


def make(*, http_10: bool = False, head_only: bool = False, keep_alive: bool = True) -> Writer:
    return Writer(http_10, head_only, keep_alive)


def lines_of(writer: Writer, status: str = "200 OK", *fields, length: int = -1) -> list[str]:
    head = writer.head(judge_response(status, list(fields)), length, DATE)
    assert head.endswith(b"\r\n\r\n")
    return head.decode("latin-1").split("\r\n")[:-2]


# -- the head ------------------------------------------------------------------------------------


def test_a_head_has_status_server_date_fields_and_framing():
    assert lines_of(make(), "200 OK", ("X-a", "b"), length=3) == [
        "HTTP/1.1 200 OK",
        "Server: canter",
        "Date: Tue, 15 Nov 1994 08:12:31 GMT",
        "X-a: b",
        "Content-Length: 3",
    ]


def test_own_server_and_date_take_the_place_of_ours():
    lines = lines_of(make(), "200 OK", ("server", "mine"), ("Date", "today"), length=0)
    assert lines == ["HTTP/1.1 200 OK", "server: mine", "Date: today", "Content-Length: 0"]


def test_latin_1_goes_out_as_it_is():
    assert "X: caf\xe9" in lines_of(make(), "200 Tr\xe8s", ("X", "caf\xe9"))


def test_an_application_that_invents_statuses_fills_no_memory():
    assert kept_bytes(lambda number: lines_of(make(), f"200 Reason {number}")) < 50_000


# -- framing -------------------------------------------------------------------------------------


def test_the_declared_length_stands_over_the_known_one():
    writer = make()
    assert "Content-Length: 5" in lines_of(writer, "200 OK", ("Content-Length", "5"), length=3)
    assert writer.remaining == 5
    assert not writer.chunked


def test_without_any_length_http_11_gets_chunks():
    writer = make()
    assert "Transfer-Encoding: chunked" in lines_of(writer)
    assert writer.chunked
    assert writer.keep_alive
    assert writer.data(b"abc") == b"3\r\nabc\r\n"
    assert writer.data(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"
    assert writer.frame(255) == (b"ff\r\n", b"\r\n")
    assert writer.end() == b"0\r\n\r\n"


def test_without_any_length_http_10_gets_the_end_of_the_connection():
    writer = make(http_10=True)
    lines = lines_of(writer)
    assert "Connection: close" in lines
    assert not any(line.startswith(("Content-Length", "Transfer-Encoding")) for line in lines)
    assert not writer.keep_alive
    assert writer.data(b"abc") == b"abc"
    assert writer.end() == b""


def test_a_body_of_known_length_goes_out_as_it_is_and_is_counted():
    writer = make()
    lines_of(writer, length=7)
    assert writer.data(b"abc") == b"abc"
    assert writer.frame(4) == (b"", b"")
    assert writer.remaining == 0
    assert writer.end() == b""


@pytest.mark.parametrize("fields", [[], [("Content-Length", "5")]])
def test_204_has_neither_length_nor_body(fields):
    writer = make()
    lines = lines_of(writer, "204 No Content", *fields, length=0)
    assert lines == ["HTTP/1.1 204 No Content", "Server: canter", DATE.decode().strip()]
    assert writer.bodyless
    assert writer.keep_alive
    assert writer.end() == b""


@pytest.mark.parametrize(("declared", "line"), [("5", "Content-Length: 5"), (None, None)])
def test_304_says_only_the_length_that_the_application_declared(declared, line):
    writer = make()
    fields = [("Content-Length", declared)] if declared else []
    lines = lines_of(writer, "304 Not Modified", *fields, length=9)
    assert [x for x in lines if x.startswith("Content-Length")] == ([line] if line else [])
    assert writer.bodyless
    assert writer.end() == b""


@pytest.mark.parametrize("http_10", [False, True])
def test_the_answer_to_head_says_what_was_declared_and_keeps_the_connection(http_10):
    writer = make(head_only=True, http_10=http_10)
    assert "Content-Length: 5" in lines_of(writer, "200 OK", ("Content-Length", "5"))
    assert writer.bodyless
    assert writer.keep_alive
    undeclared = make(head_only=True, http_10=http_10)
    lines = lines_of(undeclared, "200 OK", length=-1)
    assert not any(line.startswith(("Content-Length", "Transfer-Encoding")) for line in lines)
    assert undeclared.keep_alive
    assert undeclared.end() == b""


# -- the connection ------------------------------------------------------------------------------


def test_http_11_stays_silent_about_keeping_the_connection():
    assert not any(line.startswith("Connection") for line in lines_of(make(), length=0))


def test_http_10_is_told_that_the_connection_is_kept():
    writer = make(http_10=True)
    assert "Connection: keep-alive" in lines_of(writer, length=0)
    assert writer.keep_alive


@pytest.mark.parametrize("http_10", [False, True])
def test_a_connection_that_is_not_kept_says_close(http_10):
    writer = make(http_10=http_10, keep_alive=False)
    assert "Connection: close" in lines_of(writer, length=0)


def test_the_applications_close_ends_the_connection():
    writer = make()
    lines = lines_of(writer, "200 OK", ("Connection", "close"), length=0)
    assert lines.count("Connection: close") == 1
    assert not writer.keep_alive


# -- other answers -------------------------------------------------------------------------------


def test_early_hints_are_an_interim_response_of_their_own():
    assert early_hints([("Link", "</a>; rel=preload"), ("Link", "</b>")]) == (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\nLink: </b>\r\n\r\n"
    )


def parsed(data: bytes, method: str = "GET") -> tuple[h11.Response, bytes, h11.Connection]:
    """What another implementation reads."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    head = client.next_event()
    assert isinstance(head, h11.Response)
    body = b""
    while isinstance(event := client.next_event(), h11.Data):
        body += bytes(event.data)
    if event is h11.NEED_DATA:  # only the end of the connection ends it
        client.receive_data(b"")
        event = client.next_event()
    assert isinstance(event, h11.EndOfMessage)
    return head, body, client


@pytest.mark.parametrize("kind", [BadRequest, BodyTooLarge])
def test_a_refusal_is_whole_names_its_status_and_closes(kind: type[Fault]):
    head, body, client = parsed(refusal(kind("secret detail"), DATE))
    assert head.status_code == kind.status
    assert body == f"{kind.status} {kind.reason}\n".encode()
    assert client.their_state is h11.MUST_CLOSE
    assert b"secret" not in refusal(kind("secret detail"), DATE)


def test_an_overload_says_when_to_come_again():
    head, _, _ = parsed(refusal(Overloaded("too much", retry_after_seconds=7), DATE))
    assert (b"retry-after", b"7") in list(head.headers)


def test_a_refused_head_request_gets_no_body():
    whole = refusal(BadRequest("x"), DATE)
    head = refusal(BadRequest("x"), DATE, head_only=True)
    assert whole.startswith(head)
    assert head.endswith(b"\r\n\r\n")


BLOCKS = st.lists(st.binary(min_size=1, max_size=40), max_size=5)


@given(BLOCKS, st.booleans(), st.booleans())
def test_another_implementation_reads_the_same_body(blocks, http_10, known):
    body = b"".join(blocks)
    writer = make(http_10=http_10)
    length = len(body) if known else -1
    data = writer.head(judge_response("200 OK", []), length, DATE)
    for block in blocks:
        if len(block) % 2:
            data += writer.data(block)
        else:
            before, behind = writer.frame(len(block))
            data += before + block + behind
    head, read, _ = parsed(data + writer.end())
    assert read == body
    assert head.http_version == b"1.1"
