"""What a client of the threaded engine can rely on, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any
from wsgiref.validate import validator

import pytest

from canter.engine.contract import EngineConfig
from canter.net.addresses import UnixAddress
from canter.observe.scoreboard import Field
from canter.protocol.limits import Limits
from tests.engine.serving import Gate, plain
from tests.live.raw_http import Client, Ended, chunked, request_head
from tests.live.waiting import eventually, until

SMALL = EngineConfig(threads=2, limits=Limits(body=1000))


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers with the body it was sent."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [body]


def failing(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    raise LookupError("on purpose")


# -- requests, one after the other ---------------------------------------------------------------


def test_a_kept_connection_answers_request_after_request(serve):
    serving = serve(plain)
    with serving.client() as client:
        for number in range(5):
            answer = client.get(f"/{number}")
            assert (answer.status, answer.body) == (200, b"/%d" % number)
            assert answer.header("Connection") is None
    lines = serving.lines(5)
    assert [line.path for line in lines] == [f"/{number}" for number in range(5)]
    assert {(line.status, line.body_bytes, line.outcome) for line in lines} == {("200", 2, "ok")}


def test_pipelined_requests_are_answered_in_order(serve):
    serving = serve(echo)
    bodies = [b"x" * size for size in (1, 0, 70_000, 3, 5)]
    requests = [
        request_head("POST", "/", f"Content-Length: {len(body)}") + body for body in bodies[:3]
    ]
    requests += [
        request_head("POST", "/", "Transfer-Encoding: chunked") + chunked(body)
        for body in bodies[3:]
    ]
    with serving.client() as client:
        client.send(b"".join(requests))
        assert [client.read_answer("POST").body for _ in bodies] == bodies
    assert len(serving.lines(5)) == 5


def test_pipelined_requests_are_answered_in_order_when_the_first_is_slow(serve):
    gate = Gate()
    calls = []

    def application(environ, start_response):
        calls.append(environ["PATH_INFO"])
        if environ["PATH_INFO"] == "/0":
            gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=4))
    with serving.client() as client:
        client.send(b"".join(request_head("GET", f"/{n}") for n in range(4)))
        gate.wait_for()
        with serving.client() as other:
            assert other.get("/other").body == b"/other"
        assert calls == ["/0", "/other"], "one call at a time for each connection"
        gate.open()
        assert [client.read_answer().body for _ in range(4)] == [b"/0", b"/1", b"/2", b"/3"]


def test_a_request_may_come_byte_by_byte(serve):
    serving = serve(echo)
    whole = request_head("POST", "/", "Content-Length: 5") + b"hello" + request_head("GET", "/")
    with serving.client() as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number in range(len(whole)):
            client.send(whole[number : number + 1])
        assert client.read_answer("POST").body == b"hello"
        assert client.read_answer().body == b""


def test_http_10_closes_unless_it_asks_to_stay(serve):
    serving = serve(plain)
    with serving.client() as client:
        client.send(b"GET /a HTTP/1.0\r\n\r\n")
        answer = client.read_answer()
        assert (answer.body, answer.closes) == (b"/a", True)
        assert client.read_until_closed() == b""
    with serving.client() as client:
        for path in ("/b", "/c"):
            client.send(f"GET {path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode())
            answer = client.read_answer()
            assert answer.body == path.encode()
            assert answer.header("Connection") == "keep-alive"


@pytest.mark.parametrize("by", ["client", "application"])
def test_either_side_may_ask_for_the_end(serve, by):
    def application(environ, start_response):
        start_response("200 OK", [("Connection", "close")] if by == "application" else [])
        return [b"bye"]

    serving = serve(application)
    with serving.client() as client:
        answer = client.get("/", *(["Connection: close"] if by == "client" else []))
        assert (answer.body, answer.closes) == (b"bye", True)
        assert client.read_until_closed() == b""
    eventually(lambda: serving.connections() == 0, "the connection is closed")


def test_head_is_answered_without_a_body_and_the_connection_goes_on(serve):
    serving = serve(plain)
    with serving.client() as client:
        assert client.get("/abc", method="HEAD").body == b""
        assert client.get("/abc").body == b"/abc"
    assert [line.body_bytes for line in serving.lines(2)] == [0, 4]


def test_a_unix_socket_is_served_alike(serve, tmp_path):
    seen = []

    def application(environ, start_response):
        seen.append((environ["REMOTE_ADDR"], environ["SERVER_NAME"], "REMOTE_PORT" in environ))
        return plain(environ, start_response)

    serving = serve(application, bind=UnixAddress(str(tmp_path / "socket")))
    with serving.client() as client:
        assert client.get("/a").body == b"/a"
        assert client.get("/b").body == b"/b"
    assert seen == [("", "localhost", False)] * 2


# -- 100-continue --------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"hello", b"", b"x" * 900])
def test_who_waits_for_100_continue_gets_it_and_then_an_answer(serve, body):
    serving = serve(echo, SMALL)
    head = request_head("POST", "/", "Expect: 100-continue", f"Content-Length: {len(body)}")
    with serving.client() as client:
        for _ in range(2):
            client.send(head)
            assert client.read_interim().status == 100
            client.send(body)
            answer = client.read_answer("POST")
            assert (answer.status, answer.body) == (200, body)


def test_a_chunked_body_waits_for_100_continue_too(serve):
    serving = serve(echo)
    with serving.client() as client:
        client.send(request_head("POST", "/", "Expect: 100-continue", "Transfer-Encoding: chunked"))
        assert client.read_interim().status == 100
        client.send(chunked(b"he", b"llo"))
        assert client.read_answer("POST").body == b"hello"


def test_who_sends_at_once_is_not_told_to_go_on(serve):
    serving = serve(echo)
    with serving.client() as client:
        answer = client.post("/", b"hello", "Expect: 100-continue")
        assert answer.body == b"hello"
        assert answer.interim == []


def test_an_early_refusal_takes_the_place_of_100_continue(serve):
    serving = serve(echo, SMALL)
    with serving.client() as client:
        client.send(request_head("POST", "/", "Expect: 100-continue", "Content-Length: 1001"))
        answer = client.read_answer("POST")
        assert (answer.status, answer.interim, answer.closes) == (413, [], True)
        assert client.read_until_closed() == b""
    assert serving.line().outcome == "refused"


# -- half-closed clients -------------------------------------------------------------------------


def test_a_client_that_has_closed_its_sending_side_still_gets_its_answers(serve):
    gate = Gate()

    def application(environ, start_response):
        gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application)
    with serving.client() as client:
        client.send(b"".join(request_head("GET", f"/{n}") for n in range(3)))
        client.half_close()
        gate.wait_for()
        gate.open()
        assert [client.read_answer().body for _ in range(3)] == [b"/0", b"/1", b"/2"]
        assert client.read_until_closed() == b""
    assert [line.outcome for line in serving.lines(3)] == ["ok"] * 3


@pytest.mark.parametrize("size", [10, 40_000, 70_000, 300_000])
def test_a_half_closed_client_may_have_sent_a_body_of_any_size(serve, size):
    serving = serve(echo)
    with serving.client() as client:
        client.send(request_head("POST", "/", f"Content-Length: {size}") + b"x" * size)
        client.half_close()
        assert client.read_answer("POST").body == b"x" * size
        assert client.read_until_closed() == b""


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HT",
        request_head("GET", "/")[:-2],
        request_head("POST", "/", "Content-Length: 10") + b"half",
        request_head("POST", "/", "Transfer-Encoding: chunked") + b"5\r\nhel",
    ],
)
def test_a_request_that_is_cut_short_is_refused_and_never_run(serve, sent):
    serving = serve(failing)
    with serving.client() as client:
        client.send(sent)
        client.half_close()
        assert client.read_answer("POST").status == 400
        assert client.read_until_closed() == b""
    assert serving.line().outcome == "aborted"


def test_who_opens_and_leaves_without_a_word_has_no_line(serve):
    serving = serve(plain)
    with serving.client() as client:
        eventually(lambda: serving.slot.words[Field.ACCEPTED], "the connection is accepted")
    with serving.client() as client:
        client.get("/a")
        client.half_close()
        assert client.read_until_closed() == b""
    assert serving.line().path == "/a"


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "status", "outcome"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: b\r\n\r\n", 400, "malformed"),
        (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "refused"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431, "refused"),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "refused"),
        (request_head("POST", "/", "Content-Length: 1001"), 413, "refused"),
        (request_head("POST", "/", "Transfer-Encoding: gzip, chunked"), 501, "refused"),
        (request_head("POST", "/", "Transfer-Encoding: chunked") + b"zz\r\n", 400, "malformed"),
    ],
)
def test_what_cannot_be_served_is_refused_with_its_status_and_a_line(serve, sent, status, outcome):
    serving = serve(failing, SMALL)
    with serving.client() as client:
        client.send(sent)
        answer = client.read_answer()
        assert (answer.status, answer.closes, answer.whole) == (status, True, True)
        assert client.read_until_closed() == b""
    line = serving.line()
    assert (line.status, line.outcome) == (str(status), outcome)
    assert any(str(status) in text for text in serving.records.texts()), "written down first"
    eventually(lambda: serving.connections() == 0, "the connection is closed")


def test_what_stands_behind_a_refused_request_is_not_answered(serve):
    serving = serve(plain)
    with serving.client() as client:
        client.send(request_head("GET", "/first") + b"nonsense\r\n\r\n" + request_head("GET", "/x"))
        assert client.read_answer().body == b"/first"
        assert client.read_answer().status == 400
        assert client.read_until_closed() == b""
    assert [line.status for line in serving.lines(2)] == ["200", "400"]


@pytest.mark.parametrize("size", [100_000, 5_000_000])
def test_an_early_refusal_reaches_a_client_that_still_sends(serve, size):
    """RFC 9112 9.6: closing at once would send a reset, which takes the answer away."""
    serving = serve(failing, SMALL)
    with serving.client() as client:
        client.send(request_head("POST", "/", f"Content-Length: {size}"))
        sender = threading.Thread(target=send_until_refused, args=(client, size))
        sender.start()
        sender.join()
        answer = client.read_answer("POST")
        assert (answer.status, answer.whole) == (413, True)
    assert serving.line().status == "413"


def send_until_refused(client: Client, size: int) -> None:
    for _ in range(size // 50_000):
        try:
            client.send(b"x" * 50_000)
        except ConnectionError:
            return


def test_a_refused_head_request_gets_no_body(serve):
    config = EngineConfig(body_timeout_seconds=0.1)
    serving = serve(failing, config)
    with serving.client() as client:
        client.send(request_head("HEAD", "/", "Content-Length: 10"))
        assert client.read_answer("HEAD").status == 408
        assert client.read_until_closed() == b""


# -- applications that misbehave -----------------------------------------------------------------


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_call_that_raises_is_a_failed_request_and_nothing_else(serve, kind):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/fail":
            raise kind("on purpose")
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=1), expects_errors=True)
    with serving.client() as client:
        for _ in range(3):
            answer = client.get("/fail")
            assert (answer.status, answer.whole) == (500, True)
            assert client.get("/well").body == b"/well"
    lines = serving.lines(6)
    assert [(line.status, line.outcome) for line in lines[:2]] == [
        ("500", "failed"),
        ("200", "ok"),
    ]
    assert f"error in the application: GET /fail [{kind.__name__}]" in serving.errors()


@pytest.mark.parametrize("http_10", [False, True])
@pytest.mark.parametrize("length", [None, 100])
def test_a_response_that_breaks_off_never_looks_whole(serve, http_10, length):
    def application(environ, start_response):
        start_response("200 OK", [] if length is None else [("Content-Length", str(length))])
        yield b"begun"
        raise ValueError("on purpose")

    serving = serve(application, expects_errors=True)
    with serving.client() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n" if http_10 else request_head("GET", "/"))
        client.socket.settimeout(10)
        received = b""
        was_reset = False
        try:
            while data := client.socket.recv(65536):
                received += data
        except ConnectionResetError:
            was_reset = True
        if length is None and http_10:
            assert was_reset, "only a reset tells that the end is not the end"
        elif length is None:
            assert b"0\r\n\r\n" not in received
        else:
            assert received.endswith(b"begun")
    assert serving.line()[2:4] == ("200", 5)
    assert serving.line().outcome == "cut"


def test_hop_by_hop_headers_are_warned_about_with_the_request(serve):
    def application(environ, start_response):
        start_response("200 OK", [("Keep-Alive", "timeout=5")])
        return [b"x"]

    serving = serve(application)
    with serving.client() as client:
        assert client.get("/here").header("Keep-Alive") is None
    eventually(
        lambda: any("/here: hop" in text and "Keep-Alive" in text for text in serving.warnings()),
        "a warning that names request and header",
    )


# -- what the application sees -------------------------------------------------------------------


def test_wsgiref_validate_finds_nothing_around_an_application(serve):
    def application(environ, start_response):
        body = environ["wsgi.input"].read(3) + environ["wsgi.input"].read(1000)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [body]

    serving = serve(validator(application))
    with serving.client() as client:
        assert client.get("/").status == 200
        assert client.post("/", b"hello").body == b"hello"
        assert client.get("/x%20y?a=b", method="DELETE").status == 200


@pytest.mark.parametrize("threads", [1, 3])
def test_the_environ_tells_the_truth(serve, threads):
    seen: dict[str, Any] = {}

    def application(environ, start_response):
        seen.update(environ)
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=threads, multiprocess=threads == 3))
    with serving.client() as client:
        client.get("/a%20b?c=d")
        host, port = client.socket.getsockname()
    assert seen["REMOTE_ADDR"] == host
    assert seen["REMOTE_PORT"] == str(port)
    assert seen["SERVER_NAME"] == "127.0.0.1"
    assert seen["SERVER_PORT"] == str(serving.address[1])
    assert seen["PATH_INFO"] == "/a b"
    assert seen["QUERY_STRING"] == "c=d"
    assert seen["wsgi.multithread"] is (threads > 1)
    assert seen["wsgi.multiprocess"] is (threads == 3)


def test_one_requests_environ_is_not_anothers(serve):
    def application(environ, start_response):
        assert "mine" not in environ
        environ["mine"] = True
        return plain(environ, start_response)

    serving = serve(application)
    with serving.client() as client:
        assert [client.get("/").status for _ in range(3)] == [200] * 3


def test_the_application_may_ask_whether_the_client_is_still_there(serve):
    gate = Gate()
    seen = []

    def application(environ, start_response):
        gone = environ["canter.client_disconnected"]
        seen.append(gone())
        gate.pass_through()
        seen.append(eventually(gone, "the client's leaving is noticed"))
        return plain(environ, start_response)

    serving = serve(application)
    with serving.client() as client:
        client.send(request_head("GET", "/"))
        gate.wait_for()
    gate.open()
    serving.lines(1)
    assert seen == [False, True]


def test_early_hints_come_before_the_answer(serve):
    def application(environ, start_response):
        hint = environ["wsgi.early_hints"]
        hint([("Link", "</a.css>; rel=preload"), ("Content-Length", "7"), ("Connection", "close")])
        hint([("Link", "</b.css>; rel=preload")])
        start_response("200 OK", [])
        yield b"x"
        hint([("Link", "</too-late.css>")])

    serving = serve(application)
    with serving.client() as client:
        answer = client.get("/")
        assert [interim.headers for interim in answer.interim] == [
            [("Link", "</a.css>; rel=preload")],
            [("Link", "</b.css>; rel=preload")],
        ]
        assert answer.body == b"x"
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert client.read_answer().interim == []


def test_early_hints_that_cannot_be_sent_are_told_to_the_application(serve):
    def application(environ, start_response):
        with pytest.raises(ValueError, match="Link"):
            environ["wsgi.early_hints"]([("Link", "a\r\nb")])
        return plain(environ, start_response)

    serving = serve(application)
    with serving.client() as client:
        answer = client.get("/")
        assert (answer.status, answer.interim) == (200, [])


# -- the books -----------------------------------------------------------------------------------


def test_the_scoreboard_counts_what_happened(serve):
    def application(environ, start_response):
        start_response(environ["PATH_INFO"][1:] + " Status", [])
        return [b"12345"]

    serving = serve(application)
    words = serving.slot.words
    with serving.client() as client:
        for code in (200, 200, 301, 404, 503):
            client.get(f"/{code}")
        client.send(b"nonsense\r\n\r\n")
        client.read_answer()
        eventually(lambda: words[Field.REQUESTS] == 6, "six requests are counted")
    eventually(lambda: words[Field.CONNECTIONS] == 0, "no connection is counted")
    assert words[Field.ACCEPTED] == 1
    counts = [words[Field.STATUS_1XX + digit] for digit in range(5)]
    assert counts == [0, 2, 1, 2, 1]
    assert words[Field.BYTES_OUT] >= 25
    assert words[Field.BYTES_IN] > 5 * len(request_head("GET", "/200"))
    assert words[Field.RUNNING] == 0
    assert words[Field.OPEN] == 1


def test_the_scoreboard_shows_what_runs(serve):
    gate = Gate()

    def application(environ, start_response):
        gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=2))
    with serving.client() as client:
        client.send(request_head("GET", "/running?here"))
        gate.wait_for()
        (running,) = serving.slot.running()
        assert running.line == "GET /running?here HTTP/1.1"
        assert "/running?here" in serving.engine.stacks()
        assert "pass_through" in serving.engine.stacks()
        gate.open()
        client.read_answer()
    eventually(lambda: not serving.slot.running(), "nothing runs")


def test_no_access_log_is_no_obstacle(serve):
    serving = serve(plain, access=False)
    with serving.client() as client:
        assert client.get("/a").body == b"/a"
        client.send(b"nonsense\r\n\r\n")
        assert client.read_answer().status == 400
    assert serving.lines_now() == []


def test_a_line_never_counts_the_time_of_the_request_before(serve):
    gate = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=1))
    held_seconds = 0.3
    with serving.client() as client:
        client.get("/first")
        client.send(request_head("GET", "/slow"))
        gate.wait_for()
        client.send(request_head("GET", "/next"))  # arrives while the one before runs
        until(time.monotonic() + held_seconds)
        gate.open()
        opened = time.monotonic()
        assert client.read_answer().body == b"/slow"
        assert client.read_answer().body == b"/next"
        took_us = (time.monotonic() - opened) * 1e6
    _, slow, after = serving.lines(3)
    assert slow.app_us >= held_seconds * 1e6
    assert slow.total_us >= slow.app_us
    assert after.total_us <= took_us + held_seconds * 1e6 / 2
    assert 0 <= after.queue_us <= after.total_us
    assert 0 <= after.app_us <= after.total_us


def test_a_connection_that_ended_is_told_so(serve):
    serving = serve(plain)
    with serving.client() as client:
        client.send(b"nonsense\r\n\r\n")
        client.read_answer()
        client.read_until_closed()
        with pytest.raises((Ended, ConnectionError)):
            client.get("/")
