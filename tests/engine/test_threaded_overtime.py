"""Calls that take too long are interrupted, and nothing else ever is."""

from __future__ import annotations

import threading
import time

import pytest

from canter import RequestTimeout
from canter.engine.contract import EngineConfig
from tests.engine.serving import Gate, plain
from tests.live.raw_http import Ended, request_head


def spin(seconds: float) -> None:
    """Run Python code for so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pass


def soft(seconds: float = 0.1, threads: int = 1) -> EngineConfig:
    return EngineConfig(threads=threads, soft_timeout_seconds=seconds)


def test_what_does_not_catch_it_is_answered_504_and_the_thread_goes_on(serve):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/spins":
            spin(30)
        return plain(environ, start_response)

    serving = serve(application, soft())
    with serving.client() as client:
        answer = client.get("/spins")
        assert (answer.status, answer.closes) == (504, False)
        assert client.get("/next").body == b"/next"
    assert [(line.path, line.status, line.outcome) for line in serving.lines(2)] == [
        ("/spins", "504", "timeout"),
        ("/next", "200", "ok"),
    ]
    (warning,) = serving.warnings()
    assert warning == "over its soft_timeout: GET /spins [RequestTimeout]"


def test_the_application_may_answer_in_its_own_way_and_is_not_interrupted_again(serve):
    def application(environ, start_response):
        try:
            spin(30)
        except RequestTimeout:
            spin(0.3)
            start_response("503 Sorry", [("Retry-After", "7")])
            return [b"too much"]

    serving = serve(application, soft())
    with serving.client() as client:
        answer = client.get("/")
        assert (answer.status, answer.header("Retry-After"), answer.body) == (503, "7", b"too much")
    assert serving.line().outcome == "ok"
    assert serving.warnings() == []


def test_what_catches_every_error_does_not_catch_it(serve):
    tries = []

    def application(environ, start_response):
        while True:
            try:
                tries.append(1)
                spin(30)
            except Exception:  # noqa: BLE001 - what must not help
                continue

    serving = serve(application, soft())
    with serving.client() as client:
        assert client.get("/").status == 504
    assert tries == [1]


def test_it_cleans_up_on_its_way(serve):
    done = []

    class Body:
        def __iter__(self):
            spin(30)
            yield b"never"

        def close(self):
            done.append("closed")

    def application(environ, start_response):
        start_response("200 OK", [])
        return Body()

    serving = serve(application, soft())
    with serving.client() as client:
        assert client.get("/").status == 504
    assert done == ["closed"]


def test_a_response_that_has_begun_is_cut(serve):
    def application(environ, start_response):
        start_response("200 OK", [])
        yield b"begun"
        spin(30)

    serving = serve(application, soft())
    with serving.client() as client:
        client.send(request_head("GET", "/"))
        try:
            answer = client.read_answer()
        except Ended:
            pass
        else:
            assert not answer.whole
    assert serving.line().outcome == "cut"


def test_a_call_that_waits_is_interrupted_when_it_comes_back(serve):
    gate = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/waits":
            gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, soft(threads=2))
    with serving.client() as client, serving.client() as other:
        client.send(request_head("GET", "/waits"))
        gate.wait_for()
        for _ in range(5):
            assert other.get("/beside").body == b"/beside"
        time_over = time.monotonic() + 0.3
        while time.monotonic() < time_over:
            assert other.get("/beside").body == b"/beside"
        gate.open()
        assert client.read_answer().status == 504
        assert client.get("/after").body == b"/after"


@pytest.mark.parametrize("threads", [1, 4])
def test_calls_that_end_just_then_are_hit_themselves_or_not_at_all(serve, threads):
    """What is aimed at one request never hits the next one in that thread, nor the engine."""
    limit = 0.02

    def application(environ, start_response):
        path = environ["PATH_INFO"]
        if path.startswith("/long"):
            # Some end before the limit, some at it, some after it.
            spin(limit * (0.8 + int(path.rpartition("/")[2]) % 20 / 40))
        return plain(environ, start_response)

    serving = serve(application, soft(limit, threads))
    wrong: list[str] = []

    def ask(name: str) -> None:
        with serving.client() as client:
            for number in range(40):
                for path in (f"/long/{name}/{number}", f"/short/{name}/{number}"):
                    answer = client.get(path)
                    right = answer.status == 504 or answer.body == path.encode()
                    if not right or (answer.closes and answer.status == 200):
                        wrong.append(f"{path}: {answer}")

    clients = [threading.Thread(target=ask, args=(f"{n}",)) for n in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(60)
    assert wrong == []
    assert {line.outcome for line in serving.lines(160)} <= {"ok", "timeout"}
    assert not serving.errors()


def test_without_the_limit_a_call_may_take_its_time(serve):
    def application(environ, start_response):
        spin(0.3)
        return plain(environ, start_response)

    serving = serve(application)
    with serving.client() as client:
        assert client.get("/").body == b"/"
