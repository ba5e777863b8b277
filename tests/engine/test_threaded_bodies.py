"""Request bodies: read whole before the call, or streamed into it (`--request-body stream`)."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import threading
from dataclasses import replace
from typing import Any

import pytest

from canter.engine.contract import BodyMode, EngineConfig
from canter.observe.scoreboard import Field
from canter.protocol.faults import BadChunk, BodyTooLarge, RequestTimeout, Truncated
from canter.protocol.limits import Limits
from tests.engine.serving import Gate, descriptors, plain
from tests.live.raw_http import Client, chunked, request_head
from tests.live.waiting import eventually

STREAM = EngineConfig(threads=2, request_body=BodyMode.STREAM, limits=Limits(body=1_000_000))


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answers with the body it was sent."""
    body = environ["wsgi.input"].read()
    start_response("200 OK", [])
    return [body]


# -- read whole ----------------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["length", "chunked"])
@pytest.mark.parametrize("size", [0, 1, 999, 1001, 300_000])
def test_a_body_is_whole_seekable_and_has_its_length(serve, tmp_path, coding, size):
    seen: dict[str, Any] = {}

    def application(environ, start_response):
        stream = environ["wsgi.input"]
        seen.update(environ)
        first = stream.read()
        stream.seek(0)
        assert stream.read() == first
        start_response("200 OK", [])
        return [first]

    config = EngineConfig(body_memory_bytes=1000, spool_directory=str(tmp_path))
    serving = serve(application, config)
    body = os.urandom(size)
    with serving.client() as client:
        if coding == "length":
            answer = client.post("/", body)
        else:
            client.send(request_head("POST", "/", "Transfer-Encoding: chunked"))
            client.send(chunked(*[body[at : at + 700] for at in range(0, size, 700)]))
            answer = client.read_answer("POST")
        assert answer.body == body
        assert seen["CONTENT_LENGTH"] == str(size)
        assert "HTTP_TRANSFER_ENCODING" not in seen
        assert isinstance(seen["wsgi.input"], io.BytesIO) == (size <= 1000)
        eventually(lambda: not spooled(tmp_path), "the spooled body is given back")
    assert [name for name in os.listdir(tmp_path) if not name.startswith("access")] == []


def spooled(folder) -> list[str]:
    return [entry for entry in descriptors() if f" {folder}/" in entry and "access-" not in entry]


def test_the_application_is_not_called_before_its_body_is_whole(serve):
    called = threading.Event()

    def application(environ, start_response):
        called.set()
        return echo(environ, start_response)

    serving = serve(application)
    with serving.client() as client, serving.client() as other:
        client.send(request_head("POST", "/", "Content-Length: 10") + b"12345")
        assert other.get("/").status == 200
        called.clear()
        client.send(b"678")
        assert other.get("/", method="OPTIONS").status == 200
        called.clear()
        client.send(b"90")
        assert client.read_answer("POST").body == b"1234567890"
        assert called.is_set()


@pytest.mark.parametrize("piece_bytes", [1000, 65_536, 1 << 20])
@pytest.mark.parametrize("size", [65_000, 200_000, 1 << 20, (1 << 20) + 1])
def test_a_body_of_known_length_and_what_stands_behind_it(serve, size, piece_bytes):
    """Most of it is read straight to where it is kept, and not a byte of the next request."""
    serving = serve(echo)
    body = random.Random(size).randbytes(size)
    stream = request_head("POST", "/", f"Content-Length: {size}") + body
    stream += request_head("POST", "/next", "Content-Length: 4") + b"next"
    with serving.client() as client:

        def send() -> None:
            for start in range(0, len(stream), piece_bytes):
                client.send(stream[start : start + piece_bytes])

        sender = threading.Thread(target=send)
        sender.start()
        assert client.read_answer("POST").body == body
        assert client.read_answer("POST").body == b"next"
        sender.join()
    assert [line.outcome for line in serving.lines(2)] == ["ok", "ok"]


def test_a_client_that_ends_its_side_behind_a_long_body_is_answered(serve):
    serving = serve(echo)
    body = b"x" * 300_000
    with serving.client() as client:
        head = request_head("POST", "/", f"Content-Length: {len(body)}")
        sender = threading.Thread(target=lambda: (client.send(head + body), client.half_close()))
        sender.start()
        assert client.read_answer("POST").body == body
        sender.join()
        assert client.read_until_closed() == b""


@pytest.mark.parametrize("how", ["half_close", "reset"])
def test_a_long_body_that_is_cut_short_never_reaches_the_application(serve, how):
    called = threading.Event()

    def application(environ, start_response):
        called.set()
        return plain(environ, start_response)

    serving = serve(application)
    with serving.client() as client:
        sent = request_head("POST", "/", "Content-Length: 300000") + b"x" * 200_000
        client.send(sent)
        serving.wait_until_read(sent)
        getattr(client, how)()
        assert serving.line().outcome == "aborted"
    assert not called.is_set()


def test_a_body_that_is_given_up_leaves_nothing_behind(serve, tmp_path):
    config = EngineConfig(body_memory_bytes=10, spool_directory=str(tmp_path))
    serving = serve(plain, config)
    with serving.client() as client:
        client.send(request_head("POST", "/", "Content-Length: 100000") + b"x" * 50_000)
        eventually(lambda: spooled(tmp_path), "the body is spooled")
        client.reset()
    eventually(lambda: not spooled(tmp_path), "the spooled body is given back")
    assert serving.line().outcome == "aborted"


@pytest.mark.parametrize("how", ["answered", "reset", "half_close"])
def test_what_bodies_take_of_memory_is_given_back(serve, how):
    """Else a worker would put every body on disk after some time."""
    config = EngineConfig(threads=1)
    serving = serve(echo, config)
    body = b"x" * 300_000
    head = request_head("POST", "/", f"Content-Length: {len(body)}")
    with serving.client() as client:
        if how == "answered":
            client.send(head + body)
            assert client.read_answer("POST").body == body
        else:
            client.send(head + body[:200_000])
            serving.wait_until_read(head + body[:200_000])
            assert not config.body_budget.take(config.body_budget.total_bytes), "it has some"
            getattr(client, how)()
        budget = config.body_budget
        eventually(lambda: budget.take(budget.total_bytes), "all of it is there again")


@pytest.mark.parametrize("behind", [b"", b"\r\n"])
def test_what_comes_right_behind_a_long_body_is_the_next_request(serve, behind):
    """It is found although nearly all of the body is read past the parser."""
    serving = serve(echo, EngineConfig(threads=1))
    bodies = [bytes([65 + number]) * (300_000 + number) for number in range(4)]
    wire = b"".join(
        request_head("POST", "/", f"Content-Length: {len(body)}") + body + behind for body in bodies
    )
    with serving.client() as client:
        sender = threading.Thread(target=client.send, args=(wire,))
        sender.start()
        for body in bodies:
            assert client.read_answer("POST").body == body
        sender.join()
        assert client.get("/next").status == 200


def test_a_folder_that_is_gone_is_507_and_the_next_request_is_served(serve, tmp_path):
    config = EngineConfig(body_memory_bytes=10, spool_directory=str(tmp_path / "missing"))
    serving = serve(echo, config)
    with serving.client() as client:
        assert client.post("/", b"x" * 100).status == 507
    with serving.client() as client:
        assert client.post("/", b"x" * 10).body == b"x" * 10


FULL_DISK = """
import pathlib, resource, sys
from canter.engine.contract import EngineConfig
from tests.engine.serving import Serving, plain
folder = pathlib.Path(sys.argv[1])
config = EngineConfig(body_memory_bytes=1000, spool_directory=str(folder))
with Serving(plain, folder, config) as serving:
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
    for size in (60_000, 52_000, 500_000, 50_001):
        with serving.client() as client:
            answer = client.post("/", b"x" * size)
            assert answer.status == 507, answer
        with serving.client() as client:
            assert client.post("/fits", b"x" * 40_000).status == 200
    statuses = [line.status for line in serving.lines(8)]
    assert sorted(statuses) == ["200"] * 4 + ["507"] * 4, serving.lines_now()
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print("done")
"""


def test_a_full_disk_is_507_and_the_next_request_is_served(tmp_path):
    assert run(FULL_DISK, tmp_path) == "done\n"


def run(program: str, *arguments: object) -> str:
    ended = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "src:."},
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_fast_upload_leaves_the_others_their_turns(serve):
    serving = serve(echo, EngineConfig(threads=1, body_memory_bytes=100_000))
    size = 40_000_000
    with serving.client() as client, serving.client() as other:
        client.send(request_head("POST", "/", f"Content-Length: {size}"))
        sender = threading.Thread(target=client.send, args=(b"x" * size,))
        sender.start()
        while sender.is_alive():
            assert other.get("/").status == 200
        sender.join()
        assert len(client.read_answer("POST").body) == size


# -- streamed ------------------------------------------------------------------------------------


def test_a_streamed_body_is_read_while_it_arrives(serve):
    pieces: list[bytes] = []
    read = threading.Semaphore(0)

    def application(environ, start_response):
        while piece := environ["wsgi.input"].read(5):
            pieces.append(piece)
            read.release()
        start_response("200 OK", [])
        return [b"".join(pieces)]

    serving = serve(application, STREAM)
    with serving.client() as client:
        client.send(request_head("POST", "/", "Content-Length: 12"))
        for piece in (b"first", b"secon"):
            client.send(piece)
            assert read.acquire(timeout=10), "the application reads before the body is whole"
        assert pieces == [b"first", b"secon"]
        client.send(b"d!")
        assert client.read_answer("POST").body == b"firstsecond!"
        assert client.get("/next").status == 200, "the connection goes on"


@pytest.mark.parametrize("coding", ["length", "chunked"])
@pytest.mark.parametrize("size", [0, 1, 70_000, 400_000])
def test_a_streamed_body_arrives_whole_and_the_connection_goes_on(serve, coding, size):
    serving = serve(echo, STREAM)
    body = os.urandom(size)
    with serving.client() as client:
        for _ in range(2):
            if coding == "length":
                assert client.post("/", body).body == body
            else:
                client.send(request_head("POST", "/", "Transfer-Encoding: chunked"))
                client.send(chunked(*[body[at : at + 7000] for at in range(0, size, 7000)]))
                assert client.read_answer("POST").body == body
    assert [line.status for line in serving.lines(2)] == ["200"] * 2


def test_what_stands_behind_a_streamed_body_is_the_next_request(serve):
    serving = serve(echo, STREAM)
    with serving.client() as client:
        first = request_head("POST", "/", "Content-Length: 5") + b"hello"
        client.send(first + request_head("GET", "/") + first)
        assert [client.read_answer().body for _ in range(3)] == [b"hello", b"", b"hello"]


def test_a_streamed_body_that_nobody_reads_does_not_become_a_request(serve):
    smuggled = request_head("GET", "/smuggled")
    serving = serve(plain, STREAM)
    with serving.client() as client:
        answer = client.post("/", smuggled)
        assert answer.body == b"/"
        assert client.get("/next").body == b"/next"
    assert [line.path for line in serving.lines(2)] == ["/", "/next"]


def test_an_unread_body_that_is_still_to_come_ends_the_connection(serve):
    serving = serve(plain, STREAM)
    with serving.client() as client:
        client.send(request_head("POST", "/", "Content-Length: 500000") + b"x" * 1000)
        assert client.read_answer("POST").body == b"/"
        client.send(b"x" * 1000)
        assert client.read_until_closed() == b""
    assert serving.line().outcome == "ok"


def test_100_continue_is_sent_when_the_application_first_reads(serve):
    gate = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/reads":
            gate.pass_through()
            return echo(environ, start_response)
        return plain(environ, start_response)

    serving = serve(application, STREAM)
    fields = ("Expect: 100-continue", "Content-Length: 5")
    with serving.client() as client:
        client.send(request_head("POST", "/reads", *fields))
        gate.wait_for()
        assert not client.has_input()
        gate.open()
        assert client.read_interim().status == 100
        client.send(b"hello")
        assert client.read_answer("POST").body == b"hello"
        client.send(request_head("POST", "/does-not", *fields))
        answer = client.read_answer("POST")
        assert (answer.body, answer.interim) == (b"/does-not", [])
        assert client.read_until_closed() == b""


def test_no_100_continue_gets_into_a_response_that_has_begun(serve):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "10")])
        yield b"begun"
        yield environ["wsgi.input"].read()

    serving = serve(application, STREAM)
    with serving.client() as client:
        client.send(request_head("POST", "/", "Expect: 100-continue", "Content-Length: 5"))
        assert client.read_some().endswith(b"begun")
        client.send(b"hello")
        assert client.read_some() == b"hello"


@pytest.mark.parametrize(
    ("rest", "kind", "status", "outcome"),
    [
        (b"zz\r\n", BadChunk, 400, "malformed"),
        (b"3\r\nabcX", BadChunk, 400, "malformed"),
        (b"f42400\r\n", BodyTooLarge, 413, "refused"),
    ],
)
def test_a_streamed_body_that_goes_wrong_raises_in_the_application(
    serve, rest, kind, status, outcome
):
    raised: list[BaseException] = []

    def application(environ, start_response):
        for _ in range(2):
            try:
                environ["wsgi.input"].read()
            except Exception as error:
                raised.append(error)
                if len(raised) == 2:
                    raise
        return []

    serving = serve(application, STREAM)
    with serving.client() as client:
        client.send(request_head("POST", "/", "Transfer-Encoding: chunked"))
        client.send(b"5\r\nhello\r\n" + rest)
        answer = client.read_answer("POST")
        assert (answer.status, answer.closes) == (status, True)
        assert client.read_until_closed() == b""
    assert [type(error) for error in raised] == [kind] * 2, "it never looks complete"
    assert serving.line().outcome == outcome


@pytest.mark.parametrize("reads", [False, True])
def test_an_application_that_hides_a_broken_body_is_answered_for_and_ended(serve, reads):
    def application(environ, start_response):
        if reads and environ["REQUEST_METHOD"] == "POST":
            with pytest.raises(BadChunk):
                environ["wsgi.input"].read()
        return plain(environ, start_response)

    serving = serve(application, STREAM)
    with serving.client() as client:
        client.send(request_head("POST", "/", "Transfer-Encoding: chunked"))
        client.send(b"5\r\nhello\r\nzz\r\n")
        assert client.read_answer("POST").status == 200
        assert client.read_until_closed() == b""
    with serving.client() as client:
        assert client.get("/after").status == 200


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_streamed_body_that_is_cut_raises_and_is_an_aborted_request(serve, coding):
    raised: list[type] = []
    gate = Gate()

    def application(environ, start_response):
        try:
            gate.pass_through()
            environ["wsgi.input"].read()
        except BaseException as error:
            raised.append(type(error))
            raise
        return []

    serving = serve(application, STREAM)
    with serving.client() as client:
        field = "Content-Length: 10" if coding == "length" else "Transfer-Encoding: chunked"
        client.send(request_head("POST", "/", field) + b"5\r\nhel")
        gate.wait_for()
        client.half_close()
        gate.open()
        assert client.read_answer("POST").status == 400
        assert client.read_until_closed() == b""
    assert raised == [Truncated]
    assert serving.line().outcome == "aborted"


def test_a_streamed_body_that_is_too_slow_raises_and_is_408(serve):
    raised: list[type] = []

    def application(environ, start_response):
        try:
            environ["wsgi.input"].read()
        except BaseException as error:
            raised.append(type(error))
            raise
        return []

    serving = serve(application, replace(STREAM, body_timeout_seconds=0.1))
    with serving.client() as client:
        client.send(request_head("POST", "/", "Content-Length: 10") + b"12345")
        answer = client.read_answer("POST")
        assert (answer.status, answer.closes) == (408, True)
        assert client.read_until_closed() == b""
    assert raised == [RequestTimeout]
    assert serving.line().outcome == "timeout"


def test_a_response_cut_beside_an_unread_body_does_not_look_whole(serve):
    """HTTP/1.0 without a length: only a reset tells that the end is not the end."""

    def application(environ, start_response):
        start_response("200 OK", [])
        yield b"begun"
        raise ValueError("on purpose")

    serving = serve(application, STREAM, expects_errors=True)
    with serving.client() as client:
        client.send(b"POST / HTTP/1.0\r\nContent-Length: 100000\r\n\r\nxxx")
        client.socket.settimeout(10)
        with pytest.raises(ConnectionResetError):
            receive_all(client)
    assert serving.line().outcome == "cut"


def receive_all(client: Client) -> None:
    while client.socket.recv(65536):
        pass


def test_streamed_bytes_are_counted(serve):
    serving = serve(echo, STREAM)
    with serving.client() as client:
        client.post("/", b"x" * 200_000)
    eventually(
        lambda: serving.slot.words[Field.BYTES_IN] > 200_000, "the scoreboard counts the body"
    )


def test_a_stream_goes_both_ways_at_once(serve):
    """What is read is sent on before more is read."""

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "20")])
        while piece := environ["wsgi.input"].read(5):
            yield piece.upper()

    serving = serve(application, STREAM)
    with serving.client() as client:
        client.send(request_head("POST", "/", "Content-Length: 20") + b"aaaaa")
        received = client.read_some()
        while not received.endswith(b"AAAAA"):
            received += client.read_some()
        for letter in (b"b", b"c", b"d"):
            client.send(letter * 5)
            assert client.read_some() == letter.upper() * 5
