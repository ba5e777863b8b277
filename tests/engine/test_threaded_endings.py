"""The end of requests that take too long, and of engines: expire, drain, stop."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Any

import pytest

from canter.engine.contract import BodyMode, EngineConfig, EngineEvent
from canter.observe.scoreboard import Field
from tests.engine.serving import Gate, Line, Serving, plain
from tests.live.raw_http import Ended, request_head
from tests.live.waiting import eventually, until


class Stuck:
    """An application whose requests to /stuck... wait at the gate and end as `then` says."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.closed = 0
        self.ended = threading.Semaphore(0)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if not path.startswith("/stuck"):
            return plain(environ, start_response)
        if path == "/stuck-stream":
            return self.stream(start_response)
        try:
            self.gate.pass_through()
        finally:
            self.ended.release()
        if path == "/stuck-fails":
            raise LookupError("because it was given up")
        return plain(environ, start_response)

    def stream(self, start_response: Any) -> Any:
        start_response("200 OK", [])
        try:
            yield b"begun"
            self.gate.pass_through()
            yield b"never seen"
            yield b"never seen either"
        finally:
            self.closed += 1
            self.ended.release()

    def wait_for_end(self) -> None:
        assert self.ended.acquire(timeout=15)


def expire(serving: Serving, thread: int = 0) -> str | None:
    """Give up what application thread `thread` runs now."""
    return serving.engine.expire(thread, serving.running(thread))


# -- requests that take too long -----------------------------------------------------------------


@pytest.mark.parametrize("path", ["/stuck", "/stuck-fails"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_that_is_given_up_before_its_head_is_504(serve, path, method):
    application = Stuck()
    serving = serve(application, EngineConfig(threads=1))
    with serving.client() as client:
        client.send(request_head(method, path + "?a=%0Ab"))
        application.gate.wait_for()
        told = expire(serving)
        answer = client.read_answer(method)
        assert (answer.status, answer.closes, answer.whole) == (504, True, True)
        assert client.read_until_closed() == b""
        line = serving.line()
        assert (line.path, line.status, line.outcome) == (path, "504", "timeout")
        assert told is not None
        assert f"{method} {path}?a=%0Ab from 127.0.0.1" in told
        assert "pass_through" in told, "the stack of its thread"
        application.gate.open()
        application.wait_for_end()
    with serving.client() as client:
        assert client.get("/next").body == b"/next", "its thread serves again"
    assert [line.status for line in serving.lines(2)] == ["504", "200"], "one line for each"
    assert serving.errors() == []
    eventually(lambda: serving.slot.words[Field.STATUS_5XX] == 1, "504 is counted")


def test_a_request_that_is_given_up_after_its_head_is_cut(serve):
    application = Stuck()
    serving = serve(application, EngineConfig(threads=1))
    with serving.client() as client:
        client.send(request_head("GET", "/stuck-stream"))
        application.gate.wait_for()
        assert expire(serving)
        answer = client.read_answer()
        assert (answer.status, answer.body, answer.whole) == (200, b"begun", False)
        application.gate.open()
        application.wait_for_end()
    assert application.closed == 1
    line = serving.line()
    assert (line.status, line.outcome, line.body_bytes) == ("200", "timeout", 5)
    eventually(lambda: serving.connections() == 0, "the connection is closed")


def test_the_time_that_a_call_waits_for_its_client_is_not_its_own(serve):
    """The board shows nothing to be given up; the client has time-outs of its own."""

    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", str(500 * 16_384))])
        for _ in range(500):
            yield b"x" * 16_384

    serving = serve(application, EngineConfig(threads=1, high_water_bytes=65_536))
    with serving.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/"))
        eventually(lambda: " in wait\n" in serving.engine.stacks(), "the producer waits")
        eventually(lambda: not serving.slot.running(), "its time stands still")
        assert len(client.read_answer().body) == 500 * 16_384
    assert serving.line().outcome == "ok"


def test_a_call_that_waits_for_its_body_is_not_timed_meanwhile(serve):
    gate = Gate()

    def application(environ, start_response):
        environ["wsgi.input"].read()
        gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=1, request_body=BodyMode.STREAM))
    with serving.client() as client:
        client.send(request_head("POST", "/", "Content-Length: 10") + b"abc")
        eventually(lambda: not serving.slot.running(), "its time stands still")
        sent_ns = time.monotonic_ns()
        client.send(b"defghij")
        gate.wait_for()
        assert serving.running() >= sent_ns, "its time begins anew"
        assert expire(serving)
        assert client.read_answer("POST").status == 504
        gate.open()
    assert serving.line().status == "504"


def test_a_response_that_flows_is_not_stuck_however_long_it_takes(serve):
    gates = [Gate(), Gate()]

    def application(environ, start_response):
        write = start_response("200 OK", [])
        for gate in gates:
            gate.pass_through()
            write(b"some more")
        gates[0].pass_through()
        return []

    serving = serve(application, EngineConfig(threads=1))
    with serving.client() as client:
        client.send(request_head("GET", "/"))
        gates[0].wait_for()
        began_ns = serving.running()
        until(time.monotonic() + 1.1)
        gates[0].open()
        gates[1].wait_for()
        assert serving.running() > began_ns + 1_000_000_000, "its time begins anew"
        gates[1].open()
        assert client.read_answer().body == b"some more" * 2


def test_what_has_ended_cannot_be_given_up(serve):
    application = Stuck()
    serving = serve(application, EngineConfig(threads=2))
    with serving.client() as client:
        client.send(request_head("GET", "/stuck"))
        application.gate.wait_for()
        started_ns = serving.running()
        assert serving.engine.expire(1, started_ns) is None, "another thread"
        assert serving.engine.expire(0, started_ns - 1) is None, "another request"
        application.gate.open()
        assert client.read_answer().status == 200
        eventually(lambda: not serving.slot.running(), "it has ended")
        assert serving.engine.expire(0, started_ns) is None
        assert client.get("/next").status == 200
    assert [line.outcome for line in serving.lines(2)] == ["ok", "ok"]


def test_nothing_is_given_up_twice(serve):
    application = Stuck()
    serving = serve(application, EngineConfig(threads=1))
    with serving.client() as client:
        client.send(request_head("GET", "/stuck"))
        application.gate.wait_for()
        started_ns = serving.running()
        assert serving.engine.expire(0, started_ns)
        assert serving.engine.expire(0, started_ns) is None
        assert client.read_answer().status == 504
        application.gate.open()
    assert serving.line().status == "504"


def test_giving_up_at_the_last_moment_is_answered_once(serve):
    """The call ends just when it is given up: one answer, one line, and both the same."""
    ready = threading.Barrier(2)

    def application(environ, start_response):
        if environ["PATH_INFO"] != "/next":
            ready.wait(timeout=15)
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=1))
    statuses: list[str] = []
    for number in range(150):
        with serving.client() as client:
            client.send(request_head("GET", f"/{number}"))
            started_ns = serving.running()
            ready.wait(timeout=15)
            told = serving.engine.expire(0, started_ns)
            try:
                answer = client.read_answer()
            except (Ended, ConnectionError):
                assert told, "only who is given up goes without an answer"
                statuses.append("")
            else:
                statuses.append(str(answer.status))
                assert answer.status == 200 or told
                if answer.status == 200 and answer.whole:
                    assert answer.body == f"/{number}".encode()
                if not told:
                    assert client.get("/next").body == b"/next"
            eventually(lambda: not serving.slot.running(), "the thread is free")
    eventually(lambda: len(lines_but_next(serving)) >= 150, "every request has its line")
    lines = lines_but_next(serving)
    assert [line.path for line in lines] == [f"/{number}" for number in range(150)]
    for line, status in zip(lines, statuses, strict=True):
        assert status in {"", line.status}


def lines_but_next(serving: Serving) -> list[Line]:
    return [line for line in serving.lines_now() if line.path != "/next"]


# -- asking for a replacement --------------------------------------------------------------------


def test_after_its_share_a_worker_asks_for_a_replacement_once_and_serves_on(serve):
    serving = serve(plain, EngineConfig(threads=2, max_requests=3))
    with serving.client() as client:
        for number in range(3):
            assert serving.events == []
            assert client.get(f"/{number}").status == 200
        assert serving.max_requests.wait(15)
        for number in range(20):
            assert client.get(f"/{number}").status == 200
    assert serving.events == [EngineEvent.MAX_REQUESTS]


def test_without_a_share_nobody_asks(serve):
    serving = serve(plain)
    with serving.client() as client:
        for _ in range(20):
            client.get("/")
    assert serving.events == []


# -- drain ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer_backlog", [False, True])
def test_an_idle_engine_drains_at_once(serve, answer_backlog):
    serving = serve(plain)
    serving.engine.drain(answer_backlog=answer_backlog)
    serving.wait_for_end()
    assert serving.events == [EngineEvent.FINISHED]
    assert serving.slot.words[Field.OPEN] == 0


def test_a_drain_finishes_what_runs_and_says_close(serve):
    application = Stuck()
    serving = serve(application, EngineConfig(threads=2))
    with serving.client() as running, serving.client() as waiting, serving.client() as another:
        running.send(request_head("GET", "/stuck"))
        another.send(request_head("GET", "/stuck-other"))
        application.gate.wait_for(2)
        waiting.send(request_head("GET", "/waiting"))
        eventually(lambda: serving.slot.queued == 1, "one waits")
        serving.engine.drain(answer_backlog=False)
        eventually(lambda: serving.slot.words[Field.OPEN] == 0, "it drains")
        assert not serving.finished.is_set()
        application.gate.open()
        for client, body in ((running, b"/stuck"), (another, b"/stuck-other")):
            answer = client.read_answer()
            assert (answer.body, answer.closes) == (body, True)
        answer = waiting.read_answer()
        assert (answer.body, answer.closes) == (b"/waiting", True)
        for client in (running, waiting, another):
            assert client.read_until_closed() == b""
    serving.wait_for_end()
    assert len(serving.lines_now()) == 3


def test_a_drain_lets_a_stream_come_to_its_end(serve):
    gate = Gate()

    def application(environ, start_response):
        start_response("200 OK", [])
        yield b"begun, "
        gate.pass_through()
        yield b"ended"

    serving = serve(application)
    with serving.client() as client:
        client.send(request_head("GET", "/"))
        gate.wait_for()
        serving.engine.drain(answer_backlog=False)
        gate.open()
        answer = client.read_answer()
        assert (answer.body, answer.whole) == (b"begun, ended", True)
        assert client.read_until_closed() == b""
    serving.wait_for_end()


def test_a_drain_sends_to_a_slow_client_what_is_left(serve):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [b"x" * 10_000_000]

    serving = serve(application)
    with serving.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/"))
        eventually(client.has_input, "the answer begins")
        serving.engine.drain(answer_backlog=False)
        answer = client.read_answer()
        assert answer.whole
        assert len(answer.body) == 10_000_000
        client.close()
    serving.wait_for_end()


def test_a_drain_closes_idle_connections_and_answers_what_was_on_its_way(serve):
    serving = serve(plain)
    with serving.client() as idle, serving.client() as half:
        assert idle.get("/a").status == 200
        half.send(request_head("GET", "/half")[:-1])
        serving.wait_until_read(request_head("GET", "/a"), request_head("GET", "/half")[:-1])
        serving.engine.drain(answer_backlog=False)
        eventually(lambda: serving.slot.words[Field.OPEN] == 0, "it drains")
        half.send(b"\n")
        answer = half.read_answer()
        assert (answer.body, answer.closes) == (b"/half", True)
        assert idle.read_until_closed() == b""
    serving.wait_for_end()


def test_after_a_drain_nobody_is_let_in(serve):
    serving = serve(plain)
    serving.engine.drain(answer_backlog=False)
    serving.wait_for_end()
    with pytest.raises(ConnectionRefusedError):
        serving.client()


@pytest.mark.parametrize("limit", [1000, 3])
def test_a_drain_with_backlog_answers_everybody_who_has_connected(serve, limit):
    """Also those beyond the connections that it would otherwise hold."""
    application = Stuck()
    config = EngineConfig(threads=1, worker_connections=limit)
    serving = serve(application, config)
    with contextlib.ExitStack() as stack:
        clients = []
        for number in range(12):
            client = stack.enter_context(serving.client())
            client.send(request_head("GET", "/stuck" if number == 0 else f"/{number}"))
            clients.append(client)
            if number == 0:
                application.gate.wait_for()
        serving.engine.drain(answer_backlog=True)
        eventually(lambda: serving.slot.words[Field.OPEN] == 0, "it drains")
        application.gate.open()
        bodies = [client.read_answer().body for client in clients]
        assert bodies == [b"/stuck", *[f"/{number}".encode() for number in range(1, 12)]]
    serving.wait_for_end()
    assert len(serving.lines_now()) == 12


def test_a_drain_without_backlog_leaves_the_queue_to_the_siblings(serve):
    application = Stuck()
    serving = serve(application, EngineConfig(threads=1, worker_connections=1))
    sibling = serving.listeners[0].sock.dup()
    with sibling, serving.client() as inside, contextlib.ExitStack() as stack:
        inside.send(request_head("GET", "/stuck"))
        application.gate.wait_for()
        outside = stack.enter_context(serving.client())
        outside.send(request_head("GET", "/outside"))
        serving.engine.drain(answer_backlog=False)
        application.gate.open()
        assert inside.read_answer().body == b"/stuck"
        inside.close()
        serving.wait_for_end()
        sibling.settimeout(15)
        taken, _ = sibling.accept()
        with taken:
            taken.settimeout(15)
            assert taken.recv(1000) == request_head("GET", "/outside")


def test_a_drain_does_not_wait_for_a_request_that_was_given_up(serve):
    application = Stuck()
    serving = serve(application, EngineConfig(threads=2))
    with serving.client() as client:
        client.send(request_head("GET", "/stuck"))
        application.gate.wait_for()
        assert expire(serving)
        assert client.read_answer().status == 504
        serving.engine.drain(answer_backlog=True)
        assert serving.finished.wait(15), "the stuck thread holds nothing back"
        application.gate.open()
    serving.wait_for_end()
    assert serving.events == [EngineEvent.FINISHED]


def test_draining_twice_is_like_once(serve):
    application = Stuck()
    serving = serve(application)
    with serving.client() as client:
        client.send(request_head("GET", "/stuck"))
        application.gate.wait_for()
        for answer_backlog in (False, True, False):
            serving.engine.drain(answer_backlog=answer_backlog)
        application.gate.open()
        assert client.read_answer().body == b"/stuck"
    serving.wait_for_end()
    assert serving.events == [EngineEvent.FINISHED]


# -- stop ----------------------------------------------------------------------------------------


def test_stop_ends_everything_at_once(serve):
    application = Stuck()
    serving = serve(application, EngineConfig(threads=1))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(serving.client()) for _ in range(4)]
        stuck, idle, waiting, half = clients
        idle.get("/idle")
        stuck.send(request_head("GET", "/stuck"))
        application.gate.wait_for()
        waiting.send(request_head("GET", "/waiting"))
        half.send(b"GET / HT")
        serving.wait_until_read(
            *(request_head("GET", path) for path in ("/idle", "/stuck", "/waiting")), b"GET / HT"
        )
        serving.engine.stop()
        assert serving.finished.wait(15), "a stuck thread holds nothing back"
        for client in clients:
            assert client.read_until_closed() == b""
        application.gate.open()
    serving.wait_for_end()
    serving.access.flush()
    lines = {line.path: line.outcome for line in serving.lines_now()}
    assert lines["/idle"] == "ok"
    assert lines["/stuck"] == lines["/waiting"] == "aborted"


def test_stop_cuts_a_stream_and_a_slow_answer(serve):
    blocks: list[int] = []

    def application(environ, start_response):
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/list":
            return [b"x" * 20_000_000]
        return endless()

    def endless():
        for _ in range(1_000_000):
            blocks.append(1)
            yield b"x" * 16_384

    serving = serve(application, EngineConfig(threads=2))
    with serving.client(receive_buffer_bytes=4096) as one, serving.client() as two:
        one.send(request_head("GET", "/list"))
        two.send(request_head("GET", "/stream"))
        assert one.read_some()
        assert two.read_some()
        serving.engine.stop()
        serving.wait_for_end()
        assert len(one.read_until_closed()) < 20_000_000
        two.read_until_closed()
    assert len(blocks) < 1_000_000
    serving.access.flush()
    assert {line.outcome for line in serving.lines_now()} == {"aborted"}


@pytest.mark.parametrize("before", ["drain", "stop", "nothing"])
def test_stop_after_anything_is_the_end(serve, before):
    application = Stuck()
    serving = serve(application)
    with serving.client() as client:
        client.send(request_head("GET", "/stuck"))
        application.gate.wait_for()
        if before == "drain":
            serving.engine.drain(answer_backlog=True)
        elif before == "stop":
            serving.engine.stop()
        serving.engine.stop()
        serving.engine.drain(answer_backlog=True)
        assert serving.finished.wait(15)
        application.gate.open()
    serving.wait_for_end()
    serving.engine.stop()
    serving.engine.drain(answer_backlog=False)
    assert serving.engine.stacks() == ""
    assert serving.events == [EngineEvent.FINISHED]


def test_calls_after_the_end_touch_no_descriptor_of_others(serve):
    """Descriptors are used again: what was the engine's pipe may be anybody's file now."""
    serving = serve(plain)
    serving.engine.stop()
    serving.wait_for_end()
    with contextlib.ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(20)]
        for pair in pairs:
            for end in pair:
                stack.enter_context(end)
                end.setblocking(False)
        serving.engine.stop()
        serving.engine.drain(answer_backlog=True)
        for pair in pairs:
            for end in pair:
                with pytest.raises(BlockingIOError):
                    end.recv(1)


@pytest.mark.parametrize("attempt", range(8))
def test_stop_under_load_leaves_nothing_behind(serve, attempt):
    serving = serve(plain, EngineConfig(threads=3))
    over = threading.Event()

    def load() -> None:
        while not over.is_set():
            with (
                contextlib.suppress(OSError, AssertionError, Exception),
                serving.client() as client,
            ):
                for _ in range(20):
                    client.send(request_head("GET", "/a") * 3)
                    for _ in range(3):
                        client.read_answer()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    eventually(lambda: serving.slot.requests > 20 * attempt, "there is load")
    serving.engine.stop()
    serving.wait_for_end()
    over.set()
    for thread in threads:
        thread.join()
