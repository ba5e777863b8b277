"""Answers that the engine gives by itself, in the place of the application."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack

import pytest

from canter.engine.answers import Answer, FileRange
from canter.engine.contract import BodyMode, EngineConfig
from canter.engine.threaded.backlog import Backlog, FilePart
from canter.observe.scoreboard import Field
from tests.engine.serving import Gate, plain
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

FIELDS = (("Content-Type", "text/plain"), ("X-By", "responder"))


def respond(request):
    """Answers what begins with /own."""
    path = request.environ["PATH_INFO"]
    if path == "/own/fails":
        raise RuntimeError("a responder that fails")
    if path == "/own/nothing":
        return Answer("204 No Content")
    return Answer("200 OK", FIELDS, (path.encode(),)) if path.startswith("/own") else None


OWN = EngineConfig(responders=(lambda request: None, respond))


def test_a_responder_answers_in_the_place_of_the_application(serve):
    serving = serve(plain, OWN)
    with serving.client() as client:
        answer = client.get("/own")
        assert (answer.status, answer.body, answer.header("X-By")) == (200, b"/own", "responder")
        assert not answer.closes
        assert client.get("/other").header("X-By") is None
        assert client.get("/own/2").body == b"/own/2"
    lines = serving.lines(3)
    assert [(line.path, line.status, line.body_bytes, line.outcome) for line in lines] == [
        ("/own", "200", 4, "ok"),
        ("/other", "200", 6, "ok"),
        ("/own/2", "200", 6, "ok"),
    ]
    eventually(lambda: serving.slot.requests == 3, "three requests are counted")
    assert serving.slot.words[Field.STATUS_2XX] == 3


def test_it_answers_while_every_thread_is_busy(serve):
    gate = Gate()

    def application(environ, start_response):
        gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=2, responders=(respond,)))
    with ExitStack() as opened:
        busy = [opened.enter_context(serving.client()) for _ in range(3)]
        for client in busy:
            client.send(request_head("GET", "/busy"))
        gate.wait_for(2)
        with serving.client() as client:
            for _ in range(3):
                assert client.get("/own").body == b"/own"
        gate.open()
        assert [client.read_answer().body for client in busy] == [b"/busy"] * 3


def test_head_gets_the_length_and_no_body(serve):
    serving = serve(plain, OWN)
    with serving.client() as client:
        answer = client.get("/own", method="HEAD")
        assert (answer.header("Content-Length"), answer.body) == ("4", b"")
        assert client.get("/own").body == b"/own"


def test_an_answer_without_a_body_has_no_length(serve):
    serving = serve(plain, OWN)
    with serving.client() as client:
        answer = client.get("/own/nothing")
        assert (answer.status, answer.body) == (204, b"")
        assert answer.header("Content-Length") is None
        assert client.get("/own").body == b"/own"


def test_pipelined_answers_keep_their_order_whoever_gives_them(serve):
    serving = serve(plain, OWN)
    paths = [f"/{'own' if n % 3 else 'app'}/{n}" for n in range(30)]
    with serving.client() as client:
        client.send(b"".join(request_head("GET", path) for path in paths))
        assert [client.read_answer().body for _ in paths] == [path.encode() for path in paths]


def test_any_number_of_pipelined_requests_is_answered(serve):
    serving = serve(plain, OWN)
    with serving.client() as client:
        client.send(request_head("GET", "/own") * 3000)
        assert {client.read_answer().body for _ in range(3000)} == {b"/own"}
    serving.lines(3000)


@pytest.mark.parametrize("cut", [1, 10, -3])
def test_a_request_that_comes_in_pieces_is_answered_like_any_other(serve, cut):
    serving = serve(plain, OWN)
    head = request_head("GET", "/own")
    with serving.client() as client:
        for _ in range(2):
            client.send(head[:cut])
            serving.wait_until_read(head[:cut])
            client.send(head[cut:])
            assert client.read_answer().body == b"/own"


def test_an_empty_line_that_comes_in_two_pieces_is_no_request(serve):
    serving = serve(plain, OWN)
    head = request_head("GET", "/own")
    sent = []
    with serving.client() as client:
        for piece in (head, b"\r", b"\n", head, b"\r", b"\n" + head):
            client.send(piece)
            sent.append(piece)
            serving.wait_until_read(*sent)
            if piece.endswith(head):
                assert client.read_answer().body == b"/own"


@pytest.mark.parametrize("mode", BodyMode)
def test_a_body_is_not_taken_for_the_next_request(serve, mode):
    serving = serve(plain, EngineConfig(responders=(respond,), request_body=mode))
    head = request_head("POST", "/own", "Content-Length: 300000")
    with serving.client() as client:
        client.send(head + request_head("GET", "/smuggled"))
        if mode is BodyMode.STREAM:
            assert client.read_answer("POST").closes
        else:
            client.send(b"x" * (300_000 - len(request_head("GET", "/smuggled"))))
            assert client.read_answer("POST").body == b"/own"
            assert client.get("/app").body == b"/app"
    assert [line.path for line in serving.lines_now() if "smuggled" in line.path] == []


def test_an_old_client_and_one_that_asks_for_the_end_get_it(serve):
    serving = serve(plain, OWN)
    for request in (
        b"GET /own HTTP/1.0\r\nHost: a\r\n\r\n",
        request_head("GET", "/own", "Connection: close"),
    ):
        with serving.client() as client:
            client.send(request)
            answer = client.read_answer()
            assert (answer.body, answer.closes) == (b"/own", True)
            assert client.read_until_closed() == b""


def test_a_half_closed_client_gets_its_answers(serve):
    serving = serve(plain, OWN)
    with serving.client() as client:
        client.send(request_head("GET", "/own") * 3)
        client.half_close()
        assert [client.read_answer().body for _ in range(3)] == [b"/own"] * 3
        assert client.read_until_closed() == b""


def test_a_responder_that_fails_leaves_the_request_to_the_application(serve):
    serving = serve(plain, OWN, expects_errors=True)
    with serving.client() as client:
        assert client.get("/own/fails").body == b"/own/fails"
    assert any("RuntimeError" in text for text in serving.errors())


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_a_stretch_of_a_file_is_sent(serve, tmp_path, size):
    path = tmp_path / "file"
    content = os.urandom(size)
    path.write_bytes(b"not this" + content + b"nor this")

    def file(request):
        return Answer("200 OK", FIELDS, (b"head,", FileRange(os.open(path, os.O_RDONLY), 8, size)))

    serving = serve(plain, EngineConfig(responders=(file,)))
    with serving.client() as client:
        assert client.get("/").body == b"head," + content
        assert client.get("/", method="HEAD").header("Content-Length") == str(size + 5)
        assert client.get("/").body == b"head," + content
    assert [line.body_bytes for line in serving.lines(3)] == [size + 5, 0, size + 5]


def test_bytes_and_stretches_are_sent_in_their_order(serve, tmp_path):
    path = tmp_path / "file"
    content = bytes(range(256)) * 10_000
    path.write_bytes(content)
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, 20_000_000)

    def stretch(offset, count):
        return FileRange(os.open(path, os.O_RDONLY), offset, count)

    def parts(request):
        if request.environ["PATH_INFO"] == "/large":
            opened = [os.open(large, os.O_RDONLY) for _ in range(3)]
            return Answer("200 OK", (), tuple(FileRange(it, 0, 20_000_000) for it in opened))
        both = (stretch(500_000, 200_000), b"and", stretch(5, 10), b"then", stretch(0, 1_000_000))
        return Answer("200 OK", FIELDS, (*both, b"end"))

    whole = content[500_000:700_000] + b"and" + content[5:15] + b"then" + content[:1_000_000]
    serving = serve(plain, EngineConfig(responders=(parts,)))
    with serving.client() as client:
        client.send(request_head("GET", "/") * 2)
        for _ in range(2):
            assert client.read_answer().body == whole + b"end"
        assert client.get("/", method="HEAD").body == b""
    # Who leaves in the middle leaves no descriptor behind: `Serving` looks.
    with serving.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/large"))
        client.read_some()
    assert [line.outcome for line in serving.lines(4)] == ["ok", "ok", "ok", "aborted"]


def test_a_client_that_takes_a_file_slowly_holds_nobody(serve, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 20_000_000)

    def file(request):
        if request.environ["PATH_INFO"] != "/file":
            return None
        return Answer("200 OK", (), (FileRange(os.open(path, os.O_RDONLY), 0, 20_000_000),))

    serving = serve(plain, EngineConfig(responders=(file,)))
    with serving.client(receive_buffer_bytes=4096) as slow, serving.client() as quick:
        slow.send(request_head("GET", "/file") + request_head("GET", "/behind"))
        first = slow.read_some()
        assert quick.get("/quick").body == b"/quick"
        assert len(slow.read_answer(already=first).body) == 20_000_000
        assert slow.read_answer().body == b"/behind"


def test_a_client_that_leaves_during_a_file_is_aborted(serve, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 20_000_000)

    def file(request):
        return Answer("200 OK", (), (FileRange(os.open(path, os.O_RDONLY), 0, 20_000_000),))

    serving = serve(plain, EngineConfig(responders=(file,)))
    with serving.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/file"))
        client.read_some()
    line = serving.line()
    assert (line.outcome, line.status) == ("aborted", "200")


def test_the_drain_ends_a_connection_with_its_answer(serve):
    gate = Gate()

    def application(environ, start_response):
        gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=1, responders=(respond,)))
    with serving.client() as busy, serving.client() as client:
        busy.send(request_head("GET", "/busy"))
        gate.wait_for()
        # What has begun to arrive is waited for; an idle connection could be closed any moment.
        head = request_head("GET", "/own")
        client.send(head[:5])
        serving.wait_until_read(request_head("GET", "/busy"), head[:5])
        serving.engine.drain(answer_backlog=False)
        eventually(lambda: not serving.slot.words[Field.OPEN], "it drains")
        client.send(head[5:])
        answer = client.read_answer()
        assert (answer.body, answer.closes) == (b"/own", True)
        gate.open()
        assert busy.read_answer().body == b"/busy"
        serving.wait_for_end()


def test_a_file_that_a_format_wraps_is_read_as_it_is_taken(tmp_path):
    path = tmp_path / "file"
    content = bytes(range(256)) * 80_000
    path.write_bytes(content)
    backlog = Backlog(0)
    with ExitStack() as opened:
        ours, theirs = (opened.enter_context(it) for it in socket.socketpair())
        ours.setblocking(False)
        theirs.settimeout(15)
        descriptor = os.open(path, os.O_RDONLY)
        with backlog.lock:
            backlog.append_file(FilePart(descriptor, 0, len(content), lambda block: b"<" + block))
            backlog.append(memoryview(b"end"))
        taken = b""
        while backlog:
            with backlog.lock:
                backlog.flush(ours)
            assert backlog.size < 100_000
            taken += theirs.recv(1 << 20)
        while not taken.endswith(b"end"):
            taken += theirs.recv(1 << 20)
    blocks = [content[at : at + 65536] for at in range(0, len(content), 65536)]
    assert taken == b"".join(b"<" + block for block in blocks) + b"end"
