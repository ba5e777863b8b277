"""Every kind of waiting ends; the small durations bound nothing but the length of the tests."""

from __future__ import annotations

import contextlib
import time

import pytest

from canter.engine.contract import EngineConfig
from tests.engine.serving import Gate, plain
from tests.live.raw_http import request_head
from tests.live.waiting import eventually, until

SOON = 0.15


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [body]


@pytest.mark.parametrize("sent", [b"G", b"GET / HTTP/1.1\r\n", request_head("GET", "/")[:-2]])
def test_a_head_that_stops_coming_is_408(serve, sent):
    serving = serve(plain, EngineConfig(header_timeout_seconds=SOON))
    with serving.client() as client:
        client.send(sent)
        answer = client.read_answer()
        assert (answer.status, answer.closes) == (408, True)
        assert client.read_until_closed() == b""
    line = serving.line()
    assert (line.status, line.outcome) == ("408", "timeout")
    assert line.total_us >= SOON * 1e6 / 2


def test_a_head_that_drips_is_408_however_often_a_byte_comes(serve):
    serving = serve(plain, EngineConfig(header_timeout_seconds=SOON))
    with serving.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        while not client.has_input():
            client.send(b"x")
            until(time.monotonic() + SOON / 10)
        assert client.read_answer().status == 408


def test_a_head_after_a_slow_answer_has_its_full_time(serve):
    """The time of the head before, which came in two pieces, does not count."""
    gate = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(header_timeout_seconds=4 * SOON))
    head = request_head("GET", "/slow")
    with serving.client() as client:
        client.send(head[:10])
        until(time.monotonic() + 2 * SOON)
        client.send(head[10:] + b"GET /next HT")
        gate.wait_for()
        until(time.monotonic() + 3 * SOON)
        gate.open()
        assert client.read_answer().body == b"/slow"
        until(time.monotonic() + SOON)
        assert not client.has_input()
        client.send(b"TP/1.1\r\nHost: a\r\n\r\n")
        assert client.read_answer().body == b"/next"


def test_a_connection_without_a_word_is_closed_without_one(serve):
    serving = serve(plain, EngineConfig(header_timeout_seconds=SOON))
    with serving.client() as client:
        assert client.read_until_closed() == b""
    assert serving.lines_now() == []


def test_a_kept_connection_is_closed_when_it_idles(serve):
    serving = serve(plain, EngineConfig(keep_alive_seconds=SOON))
    with serving.client() as client:
        assert client.get("/a").status == 200
        assert client.read_until_closed() == b""
    assert serving.line().outcome == "ok"


def test_a_kept_connection_in_use_is_not_closed(serve):
    serving = serve(plain, EngineConfig(keep_alive_seconds=3 * SOON))
    end = time.monotonic() + 6 * SOON
    with serving.client() as client:
        while time.monotonic() < end:
            assert client.get("/a").status == 200
            until(time.monotonic() + SOON)


def test_no_keep_alive_time_means_that_every_response_ends_its_connection(serve):
    serving = serve(plain, EngineConfig(keep_alive_seconds=0))
    with serving.client() as client:
        answer = client.get("/a")
        assert (answer.body, answer.closes) == (b"/a", True)
        assert client.read_until_closed() == b""


@pytest.mark.parametrize("coding", ["Content-Length: 10", "Transfer-Encoding: chunked"])
def test_a_body_that_stops_coming_is_408(serve, coding):
    serving = serve(echo, EngineConfig(body_timeout_seconds=SOON))
    with serving.client() as client:
        client.send(request_head("POST", "/", coding) + b"5\r\nhel")
        answer = client.read_answer()
        assert (answer.status, answer.closes) == (408, True)
        assert client.read_until_closed() == b""
    line = serving.line()
    assert (line.method, line.status, line.outcome) == ("POST", "408", "timeout")


def test_a_body_that_keeps_coming_is_waited_for(serve):
    serving = serve(echo, EngineConfig(body_timeout_seconds=3 * SOON))
    with serving.client() as client:
        client.send(request_head("POST", "/", "Content-Length: 6"))
        for _ in range(6):
            until(time.monotonic() + SOON)
            client.send(b"x")
        assert client.read_answer("POST").body == b"xxxxxx"


def test_a_client_that_takes_nothing_is_given_up(serve):
    serving = serve(
        lambda environ, start_response: (start_response("200 OK", []), [b"x" * 30_000_000])[1],
        EngineConfig(send_timeout_seconds=SOON),
    )
    with serving.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/"))
        line = serving.line()
        assert line.outcome == "timeout"
        assert line.body_bytes < 10_000_000
        assert len(client.read_until_closed()) < 10_000_000
    eventually(lambda: serving.connections() == 0, "the connection is closed")


def test_a_client_that_takes_its_time_is_waited_for(serve):
    size = 24_000_000
    serving = serve(
        lambda environ, start_response: (start_response("200 OK", []), [b"x" * size])[1],
        EngineConfig(send_timeout_seconds=4 * SOON),
    )
    with serving.client(receive_buffer_bytes=65_536) as client:
        client.send(request_head("GET", "/"))
        received = bytearray()
        end = time.monotonic() + 8 * SOON
        while time.monotonic() < end:
            target = len(received) + size // 12
            while len(received) < target:
                received += client.socket.recv(100_000)
            until(time.monotonic() + SOON)
        answer = client.read_answer(already=bytes(received))
        assert answer.whole
        assert len(answer.body) == size
    assert serving.line().total_us > 6 * SOON * 1e6


def test_a_client_that_takes_little_but_steadily_is_waited_for(serve):
    """So little that the kernel's large buffer never has room to speak of."""
    size = 3_000_000
    serving = serve(
        lambda environ, start_response: (start_response("200 OK", []), [b"x" * size * 4])[1],
        EngineConfig(send_timeout_seconds=2 * SOON),
    )
    with serving.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/"))
        end = time.monotonic() + 8 * SOON
        while time.monotonic() < end:
            assert client.socket.recv(8192)
            until(time.monotonic() + SOON / 8)
        assert serving.lines_now() == []


def test_a_producer_whose_client_takes_nothing_is_let_go(serve):
    closed = []

    class Endless:
        def __iter__(self):
            return self

        def __next__(self):
            return b"x" * 16_384

        def close(self):
            closed.append(True)

    def application(environ, start_response):
        start_response("200 OK", [])
        return Endless()

    config = EngineConfig(threads=1, send_timeout_seconds=SOON, high_water_bytes=65_536)
    serving = serve(application, config)
    with serving.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/"))
        assert serving.line().outcome == "timeout"
        assert closed == [True]
        client.read_until_closed()


def test_who_does_not_close_after_the_last_answer_is_closed(serve):
    """And the worker lives: a client that lingers for ever ends nothing but its own connection."""
    serving = serve(plain, EngineConfig(linger_seconds=SOON))
    with serving.client() as refused, serving.client() as ended, serving.client() as other:
        refused.send(b"nonsense\r\n\r\n")
        assert refused.read_answer().status == 400
        ended.send(request_head("GET", "/", "Connection: close") + b"one byte too many")
        assert ended.read_answer().status == 200
        assert other.get("/a").status == 200
        eventually(lambda: serving.connections() == 1, "both are closed")
        assert other.get("/b").status == 200


def test_a_client_that_never_stops_sending_after_a_refusal_is_closed(serve):
    serving = serve(plain, EngineConfig(linger_seconds=SOON))
    with serving.client() as client, serving.client() as other:
        client.send(b"nonsense\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                client.send(b"x" * 100_000)
                assert other.get("/quick").status == 200
        assert other.get("/still").status == 200


def test_time_goes_on_while_the_only_thread_is_inside_a_call(serve):
    gate = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/stuck":
            gate.pass_through()
        return plain(environ, start_response)

    config = EngineConfig(
        threads=1,
        header_timeout_seconds=SOON,
        body_timeout_seconds=SOON,
        keep_alive_seconds=SOON,
        linger_seconds=SOON,
    )
    serving = serve(application, config)
    with serving.client() as kept, serving.client() as stuck:
        assert kept.get("/").status == 200
        stuck.send(request_head("GET", "/stuck"))
        gate.wait_for()
        assert kept.read_until_closed() == b"", "the idle one is closed"
        with serving.client() as slow_head:
            slow_head.send(b"GET / HT")
            assert slow_head.read_answer().status == 408
        with serving.client() as slow_body:
            slow_body.send(request_head("POST", "/", "Content-Length: 5"))
            assert slow_body.read_answer().status == 408
        with serving.client() as silent:
            assert silent.read_until_closed() == b""
        before = serving.slot.heartbeat_ns
        eventually(lambda: serving.slot.heartbeat_ns > before, "the heart beats")
        gate.open()
        assert stuck.read_answer().body == b"/stuck"
