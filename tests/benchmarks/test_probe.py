"""The probe: one request, and its answer read to the end however it is framed."""

from __future__ import annotations

import socket

import pytest

from benchmarks.probe import Answer, ProbeError, read_answer, request_bytes
from benchmarks.scenarios import Request, is_exactly, is_json


def answered(sent, *, ended=True):
    """What the probe reads when a server sends these bytes."""
    client, server = socket.socketpair()
    with client, server:
        server.sendall(sent)
        if ended:
            server.shutdown(socket.SHUT_WR)
        client.settimeout(5)
        return read_answer(client)


def test_reads_a_body_of_known_length_and_the_size_of_all():
    sent = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    answer = answered(sent, ended=False)
    assert (answer.status, answer.body, answer.size_bytes) == (200, b"hello", len(sent))
    assert not answer.announces_close


def test_reads_a_chunked_body_and_names_no_size():
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"
    answer = answered(head + chunks, ended=False)
    assert (answer.body, answer.size_bytes) == (b"abc0123456789", None)


def test_a_body_without_framing_ends_with_the_connection():
    answer = answered(b"HTTP/1.0 200 OK\r\n\r\nall of it")
    assert answer.body == b"all of it"
    assert answer.announces_close


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        b"SSH-2.0-x\r\n\r\n",
    ],
)
def test_what_is_no_whole_answer_is_an_error(sent):
    with pytest.raises(ProbeError):
        answered(sent)


def test_a_request_has_its_fields_and_its_body():
    request = Request("/length", "POST", ("Accept: */*",), 3)
    assert request_bytes(80, request) == (
        b"POST /length HTTP/1.1\r\nHost: 127.0.0.1:80\r\n"
        b"Accept: */*\r\nContent-Length: 3\r\n\r\nxxx"
    )


def test_right_means_200_and_the_right_body():
    request = Request(check=is_exactly(b"x"))
    assert Answer(200, b"x", 1, announces_close=False).is_right(request)
    assert not Answer(200, b"y", 1, announces_close=False).is_right(request)
    assert not Answer(500, b"x", 1, announces_close=False).is_right(request)


def test_a_client_that_asks_to_close_wants_it_said():
    request = Request(fields=("Connection: close",), check=is_exactly(b"x"))
    assert Answer(200, b"x", 1, announces_close=True).is_right(request)
    assert not Answer(200, b"x", 1, announces_close=False).is_right(request)


def test_json_is_compared_by_value():
    check = is_json({"a": [1, 2]})
    assert check(b'{"a":[1,2]}\n')
    assert not check(b'{"a":[2,1]}')
    assert not check(b"<html>")
