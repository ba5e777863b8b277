"""HTTP/2 in the engine: each stream is a request like any other, and none harms its neighbours."""

from __future__ import annotations

import tempfile
import threading
from typing import Any

import pytest

from canter.engine.contract import BodyMode, EngineConfig
from canter.net.certificates import Keyring, Pair, TlsPlan
from canter.protocol.http2 import frames
from canter.protocol.http2.limits import Http2Limits
from canter.protocol.limits import Limits
from canter.protocol.trust import TrustPolicy
from tests.certificates import Authority
from tests.engine.serving import Gate, plain
from tests.live.h2_client import H2Client
from tests.live.raw_http import Client
from tests.live.waiting import eventually

MEGABYTE = 1024 * 1024
SPOKEN = Http2Limits(cleartext=True)
CALM = 11
REFUSED = 7


@pytest.fixture
def http2(serve):
    """Starts an engine that speaks HTTP/2 in the clear."""

    def start(application: Any, spoken: Http2Limits = SPOKEN, **config: Any) -> Any:
        config.setdefault("trust", TrustPolicy(allow="*"))
        config.setdefault("threads", 4)
        return serve(application, EngineConfig(http2=spoken, **config))

    return start


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Length", str(len(body)))])
    return [body]


def shown(environ, start_response):
    lines = [f"{key}={value}" for key, value in sorted(environ.items()) if isinstance(value, str)]
    start_response("200 OK", [])
    return ["\n".join(lines).encode("latin-1")]


# -- requests and answers ------------------------------------------------------------------------


def test_a_request_is_answered_and_logged(http2):
    serving = http2(plain)
    with H2Client(serving.address) as client:
        answer = client.get("/here?x=1")
    assert (answer.status, answer.body) == (200, b"/here")
    assert answer.headers["server"] == "canter"
    assert answer.headers["content-length"] == "5"
    assert "date" in answer.headers
    line = serving.line()
    assert (line.method, line.path, line.status, line.outcome) == ("GET", "/here", "200", "ok")


def test_the_environ_is_that_of_http1_but_for_the_version(http2):
    serving = http2(shown)
    fields = [
        ("x-twice", "1"),
        ("cookie", "a=1"),
        ("x-twice", "2"),
        ("cookie", "b=2"),
        ("content-type", "text/x"),
        ("x_under", "dropped"),
    ]
    with H2Client(serving.address) as client:
        text = client.get("/a%2Bb/%C3%A9?q=1", *fields).body.decode("latin-1")
    found = dict(line.split("=", 1) for line in text.splitlines())
    assert found["SERVER_PROTOCOL"] == "HTTP/2.0"
    assert found["PATH_INFO"] == "/a+b/Ã©"
    assert found["QUERY_STRING"] == "q=1"
    assert found["RAW_URI"] == "/a%2Bb/%C3%A9?q=1"
    assert found["HTTP_HOST"] == "localhost"
    assert found["HTTP_X_TWICE"] == "1,2"
    assert found["HTTP_COOKIE"] == "a=1; b=2"
    assert found["CONTENT_TYPE"] == "text/x"
    assert found["wsgi.url_scheme"] == "http"
    assert "HTTP_X_UNDER" not in found
    assert "HTTP_CONNECTION" not in found


@pytest.mark.parametrize("size", [0, 1, 16384, 65535, 65536, 3 * MEGABYTE])
def test_bodies_of_any_size_go_both_ways(http2, size):
    serving = http2(echo, body_memory_bytes=MEGABYTE)
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with H2Client(serving.address) as client:
        stream = client.request("/", method="POST", end=False)
        client.send_body(stream, body)
        answer = client.answer(stream)
    assert answer.body == body
    assert answer.headers["x-length"] == str(size)


def test_streams_of_one_connection_run_on_several_threads_at_once(http2):
    gate = Gate()
    idents = set()

    def application(environ, start_response):
        idents.add(threading.get_ident())
        gate.pass_through()
        return plain(environ, start_response)

    serving = http2(application)
    with H2Client(serving.address) as client:
        streams = [client.request(f"/{n}") for n in range(4)]
        gate.wait_for(4)
        gate.open()
        bodies = [client.answer(stream).body for stream in streams]
    assert bodies == [b"/0", b"/1", b"/2", b"/3"]
    assert len(idents) == 4


def test_a_quick_stream_is_answered_while_another_runs(http2):
    gate = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            gate.pass_through()
        return plain(environ, start_response)

    serving = http2(application)
    with H2Client(serving.address) as client:
        slow = client.request("/slow")
        gate.wait_for()
        for _ in range(10):
            assert client.get("/quick").body == b"/quick"
        gate.open()
        assert client.answer(slow).body == b"/slow"


@pytest.mark.parametrize("threads", [1, 2])
def test_an_answer_is_not_kept_back_for_a_slow_call_behind_it(http2, threads):
    # Answers of quick calls leave together; the call that comes next may not be quick.
    gate = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            gate.pass_through()
        return plain(environ, start_response)

    serving = http2(application, threads=threads)
    with H2Client(serving.address) as client:
        quick, slow = client.requests("/quick", "/slow")
        assert client.answer(quick).body == b"/quick"
        gate.wait_for()
        gate.open()
        assert client.answer(slow).body == b"/slow"


def test_answers_to_requests_that_came_together_arrive_whole(http2):
    serving = http2(plain)
    with H2Client(serving.address) as client:
        for turn in range(20):
            paths = [f"/{turn}/{n}" for n in range(30)]
            streams = client.requests(*paths)
            assert [client.answer(stream).body.decode() for stream in streams] == paths


def test_a_client_without_window_holds_no_thread_and_blocks_no_stream(http2):
    def application(environ, start_response):
        if environ["PATH_INFO"] != "/big":
            return plain(environ, start_response)
        start_response("200 OK", [])
        return [b"x" * MEGABYTE]

    serving = http2(application, threads=1)
    with H2Client(serving.address, opens_windows=False) as client:
        big = client.request("/big")
        eventually(
            lambda: client.receive() and len(client.answers[big].body) >= 65535, "the window"
        )
        with H2Client(serving.address) as other:
            assert other.get("/other").body == b"/other"
        client.h2.increment_flow_control_window(2 * MEGABYTE)
        client.h2.increment_flow_control_window(2 * MEGABYTE, big)
        client.flush()
        assert len(client.answer(big).body) == MEGABYTE


@pytest.mark.parametrize("kind", ["streamed", "file", "length"])
def test_every_kind_of_response_arrives_whole(http2, kind):
    size = 2 * MEGABYTE
    data = bytes(range(256)) * (size // 256)

    def application(environ, start_response):
        fields = [("Content-Length", str(size))] if kind == "length" else []
        start_response("200 OK", fields)
        if kind != "file":
            return (data[at : at + 50_000] for at in range(0, size, 50_000))
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the wrapper closes it
        file.write(data)
        file.seek(0)
        return environ["wsgi.file_wrapper"](file)

    serving = http2(application, high_water_bytes=128 * 1024)
    with H2Client(serving.address) as client:
        assert client.get("/").body == data
    assert serving.line().outcome == "ok"


def test_head_and_empty_answers_end_with_their_head(http2):
    def application(environ, start_response):
        status = environ["PATH_INFO"].strip("/")
        start_response(f"{status} Whatever", [("Content-Length", "5")] if status == "200" else [])
        return [b"hello"] if status == "200" else []

    serving = http2(application)
    with H2Client(serving.address) as client:
        head = client.get("/200", method="HEAD")
        assert (head.status, head.headers["content-length"], head.body) == (200, "5", b"")
        assert client.get("/204").status == 204
        assert "content-length" not in client.get("/204").headers
        assert client.get("/304").status == 304


def test_early_hints_come_before_the_answer(http2):
    def application(environ, start_response):
        environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
        return plain(environ, start_response)

    serving = http2(application)
    with H2Client(serving.address) as client:
        answer = client.get("/")
    assert answer.interim == [{":status": "103", "link": "</style.css>; rel=preload"}]
    assert answer.status == 200


def test_who_expects_100_gets_it(http2):
    serving = http2(echo)
    with H2Client(serving.address) as client:
        stream = client.request("/", ("expect", "100-continue"), method="POST", end=False)
        eventually(lambda: client.receive() and client.answers[stream].interim, "100")
        client.send_body(stream, b"now")
        assert client.answer(stream).body == b"now"


def test_a_streamed_body_is_read_while_it_comes(http2):
    gate = Gate()

    def application(environ, start_response):
        first = environ["wsgi.input"].read(5)
        gate.pass_through()
        start_response("200 OK", [])
        return [first + environ["wsgi.input"].read()]

    serving = http2(application, request_body=BodyMode.STREAM)
    with H2Client(serving.address) as client:
        stream = client.request("/", method="POST", end=False)
        client.send_body(stream, b"first", end=False)
        gate.wait_for()
        gate.open()
        client.send_body(stream, b"y" * 300_000)
        assert client.answer(stream).body == b"first" + b"y" * 300_000


def test_an_error_of_the_application_is_a_500_or_a_reset(http2):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/early":
            raise RuntimeError("early")
        start_response("200 OK", [])
        return late()

    def late():
        yield b"some"
        raise RuntimeError("late")

    serving = http2(application)
    serving.expects_errors = True
    with H2Client(serving.address) as client:
        assert client.get("/early").status == 500
        answer = client.get("/late")
        assert (answer.status, answer.reset) == (200, 2)
        assert not answer.ended
    assert [line.outcome for line in serving.lines(2)] == ["failed", "cut"]


def test_trailers_are_judged_and_dropped(http2):
    serving = http2(shown)
    with H2Client(serving.address) as client:
        stream = client.request("/", method="POST", end=False)
        client.send_body(stream, b"body", end=False)
        client.h2.send_headers(stream, [("x-trailer", "secret")], end_stream=True)
        client.flush()
        answer = client.answer(stream)
    assert answer.status == 200
    assert b"secret" not in answer.body


# -- what is refused -----------------------------------------------------------------------------

GET = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "x")]
BAD_HEADS = {
    "upper case": (GET, [("X-Upper", "1")]),
    "a connection field": (GET, [("connection", "close")]),
    "a transfer coding": (GET, [("transfer-encoding", "chunked")]),
    "te other than trailers": (GET, [("te", "gzip")]),
    "a line end in a value": (GET, [("x", "a\r\nb: c")]),
    "a NUL in a value": (GET, [("x", "a\0b")]),
    "a colon in a name": (GET, [("a:b", "c")]),
    "a space in a name": (GET, [("a b", "c")]),
    "no path": ([(":method", "GET"), (":scheme", "http"), (":authority", "x")], []),
    "a path that is none": (
        [(":method", "GET"), (":scheme", "http"), (":path", "x"), (":authority", "x")],
        [],
    ),
    "a space in the path": (
        [(":method", "GET"), (":scheme", "http"), (":path", "/ HTTP/1.1"), (":authority", "x")],
        [],
    ),
    "an unknown pseudo-field": ([*GET, (":protocol", "websocket")], []),
    "two paths": ([*GET, (":path", "/b")], []),
    "a host that differs": (GET, [("host", "y")]),
    "no host": (GET[:3], []),
    "two content types": (GET, [("content-type", "a/b"), ("content-type", "c/d")]),
    "a space at a value's end": (GET, [("x", "a ")]),
}


@pytest.mark.parametrize("kind", BAD_HEADS)
def test_a_malformed_head_is_refused_and_the_connection_goes_on(http2, kind):
    pseudo, more = BAD_HEADS[kind]
    serving = http2(plain)
    with H2Client(serving.address) as client:
        assert client.get("/", *more, pseudo=pseudo).status == 400
        assert client.get("/next").body == b"/next"
    assert [line.outcome for line in serving.lines(2)] == ["malformed", "ok"]


def test_limits_are_those_of_http1(http2):
    serving = http2(echo, limits=Limits(request_line=100, fields=5, field_size=50, body=10))
    with H2Client(serving.address) as client:
        assert client.get("/" + "x" * 200).status == 414
        assert client.get("/", *[(f"x-{n}", "1") for n in range(9)]).status == 431
        assert client.get("/", ("x", "y" * 60)).status == 431
        stream = client.request("/", ("content-length", "20"), method="POST", end=False)
        assert client.answer(stream).status == 413
        stream = client.request("/", method="POST", end=False)
        client.send_body(stream, b"z" * 20, end=False)
        assert client.answer(stream).status == 413


@pytest.mark.parametrize("mode", BodyMode)
@pytest.mark.parametrize("length", ["3", "5"])
def test_content_is_as_long_as_its_head_says(http2, length, mode):
    serving = http2(echo, request_body=mode)
    with H2Client(serving.address) as client:
        stream = client.request("/", ("content-length", length), method="POST", end=False)
        data, last = frames.head(4, 0, 0, stream) + b"four", frames.head(0, 0, 1, stream)
        client.socket.sendall(data + last)
        assert client.answer(stream).status == 400
        assert client.get("/", ("content-length", "4")).status == 400
        assert client.get("/next").status == 200


def test_a_request_that_waited_too_long_is_told_so(http2):
    # Whatever thread takes it finds that it has waited longer than a nanosecond.
    serving = http2(plain, queue_timeout_seconds=1e-9)
    with H2Client(serving.address) as client:
        assert client.get("/").status == 503
    assert serving.line().outcome == "shed"


def test_a_body_that_stops_is_refused_after_its_time(http2):
    serving = http2(echo, body_timeout_seconds=0.3)
    with H2Client(serving.address) as client:
        stream = client.request("/", method="POST", end=False)
        client.send_body(stream, b"some", end=False)
        assert client.answer(stream).status == 408
        assert client.get("/").status == 200


def test_a_response_that_is_not_taken_is_given_up_after_its_time(http2):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [b"x" * MEGABYTE]

    serving = http2(application, send_timeout_seconds=0.5)
    with H2Client(serving.address, opens_windows=False) as client:
        assert client.answer(client.request("/")).reset == 8
    assert serving.line().outcome == "timeout"


def test_a_producer_whose_client_takes_nothing_is_given_up(http2):
    def application(environ, start_response):
        start_response("200 OK", [])
        return (b"x" * 65536 for _ in range(100))

    serving = http2(application, send_timeout_seconds=0.5, high_water_bytes=65536)
    with H2Client(serving.address, opens_windows=False) as client:
        assert client.answer(client.request("/")).reset == 8
    assert serving.line().outcome == "timeout"


def test_a_connection_without_requests_is_closed_after_its_time(http2):
    serving = http2(plain, keep_alive_seconds=0.3)
    with H2Client(serving.address) as client:
        assert client.get("/").status == 200
        client.until_closed()
        assert client.goaways[-1] == (0, 1)


def test_a_request_that_its_client_gives_up_is_told_to_the_application(http2):
    gate = Gate()
    is_gone = []

    def application(environ, start_response):
        is_gone.append(environ["canter.client_disconnected"])
        gate.pass_through()
        return plain(environ, start_response)

    serving = http2(application)
    with H2Client(serving.address) as client:
        stream = client.request("/")
        gate.wait_for()
        client.h2.reset_stream(stream, 8)
        client.flush()
        eventually(is_gone[0], "the application is told")
        gate.open()
        assert client.get("/next").status == 200
    assert sorted(line.outcome for line in serving.lines(2)) == ["aborted", "ok"]


def test_a_connection_that_is_reset_ends_its_streams(http2):
    gate = Gate()
    is_gone = []

    def application(environ, start_response):
        is_gone.append(environ["canter.client_disconnected"])
        gate.pass_through()
        return plain(environ, start_response)

    serving = http2(application)
    with H2Client(serving.address) as client:
        for n in range(3):
            client.request(f"/{n}")
        gate.wait_for(3)
        client.socket.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER: a reset
    eventually(lambda: all(gone() for gone in is_gone), "the applications are told")
    gate.open()
    assert [line.outcome for line in serving.lines(3)] == ["aborted"] * 3


# -- ends, and who may speak it ------------------------------------------------------------------


def test_a_drain_finishes_streams_and_says_which_were_served(http2):
    gate = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            gate.pass_through()
        return plain(environ, start_response)

    serving = http2(application)
    with H2Client(serving.address) as client:
        slow = client.request("/slow")
        gate.wait_for()
        serving.engine.drain(answer_backlog=False)
        eventually(lambda: client.receive() and client.goaways, "the first notice")
        assert client.goaways[0] == (0, 2**31 - 1)
        # What was on its way is still served.
        assert client.get("/late").body == b"/late"
        gate.open()
        assert client.answer(slow).body == b"/slow"
        client.until_closed()
        assert client.goaways[-1] == (0, 3)
    serving.wait_for_end()


def test_http1_is_spoken_beside_it(http2):
    serving = http2(plain)
    with Client(serving.address) as client:
        assert client.get("/old").body == b"/old"
    with Client(serving.address) as client:
        client.send(b"P")
        client.send(b"OST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert client.read_answer("POST").status == 200


def test_a_peer_that_is_not_trusted_speaks_http1_only(http2):
    serving = http2(plain, trust=TrustPolicy())
    with Client(serving.address) as client:
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert client.read_answer().status in {400, 505}


def test_over_tls_it_is_chosen_by_alpn(serve, tmp_path):
    authority = Authority(tmp_path / "authority")
    files = authority.issue("localhost")
    pair = Pair(str(files.certificate), str(files.key))
    keyring = Keyring(TlsPlan(pair, protocols=("h2", "http/1.1")))
    serving = serve(shown, EngineConfig(keyring=keyring, http2=Http2Limits(), threads=2))
    with H2Client(serving.address, authority.client_context("h2")) as client:
        text = client.get("/").body.decode()
    assert "wsgi.url_scheme=https" in text
    assert "SSL_PROTOCOL=TLSv1.3" in text
    assert "SERVER_PROTOCOL=HTTP/2.0" in text
