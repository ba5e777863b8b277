"""Requests that wait for a thread: for too long, too many, or for a client that has left."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager

import pytest

from canter.engine.answers import Answer
from canter.engine.contract import EngineConfig
from tests.engine.serving import Gate, plain
from tests.live.raw_http import request_head
from tests.live.waiting import eventually, until


class Held:
    """An application whose calls wait at a gate; `called` has the paths it was called with."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.called: list[str] = []

    def __call__(self, environ, start_response):
        self.called.append(environ["PATH_INFO"])
        self.gate.pass_through()
        return plain(environ, start_response)


@contextmanager
def waiting_clients(serving, held, count):
    """One client whose request runs, and so many whose requests wait."""
    with ExitStack() as opened:
        clients = [opened.enter_context(serving.client()) for _ in range(count + 1)]
        clients[0].send(request_head("GET", "/runs"))
        held.gate.wait_for()
        for number, client in enumerate(clients[1:]):
            client.send(request_head("GET", f"/waits/{number}"))
        yield clients


def test_a_request_that_waited_too_long_is_answered_without_the_application(serve):
    held = Held()
    serving = serve(held, EngineConfig(queue_timeout_seconds=0.2))
    with waiting_clients(serving, held, 3) as (runs, *waiting):
        answers = [client.read_answer() for client in waiting]
        assert [answer.status for answer in answers] == [503] * 3
        assert {answer.header("Retry-After") for answer in answers} == {"1"}
        assert not any(answer.closes for answer in answers), "the connections can be used again"
        held.gate.open()
        assert runs.read_answer().body == b"/runs"
        assert [client.get("/again").body for client in waiting] == [b"/again"] * 3
    assert held.called == ["/runs", *["/again"] * 3]
    shed = [line for line in serving.lines(7) if line.outcome == "shed"]
    assert [line.status for line in shed] == ["503"] * 3


def test_a_thread_that_comes_back_does_not_begin_what_is_too_late(serve):
    held = Held()
    serving = serve(held, EngineConfig(queue_timeout_seconds=0.2))
    with waiting_clients(serving, held, 1) as (runs, late):
        assert late.read_answer().status == 503
        late.send(request_head("GET", "/behind"))
        held.gate.open()
        assert (runs.read_answer().status, late.read_answer().status) == (200, 200)
    assert held.called == ["/runs", "/behind"]


def test_what_is_more_than_may_wait_is_turned_away_at_once(serve):
    held = Held()
    serving = serve(held, EngineConfig(max_queue=2))
    with waiting_clients(serving, held, 5) as (runs, *waiting):
        eventually(lambda: len(serving.lines_now()) == 3, "three are turned away")
        assert {line.outcome for line in serving.lines_now()} == {"shed"}
        held.gate.open()
        assert runs.read_answer().status == 200
        assert sorted(c.read_answer().status for c in waiting) == [200, 200, 503, 503, 503]
    assert len(held.called) == 3


def test_what_the_server_answers_by_itself_is_never_turned_away(serve):
    held = Held()

    def respond(request):
        return Answer("200 OK") if request.environ["PATH_INFO"] == "/own" else None

    config = EngineConfig(max_queue=1, queue_timeout_seconds=0.2, responders=(respond,))
    serving = serve(held, config)
    with waiting_clients(serving, held, 4) as (_runs, *waiting):
        assert [c.read_answer().status for c in waiting] == [503] * 4
        assert [c.get("/own").status for c in waiting] == [200] * 4
        held.gate.open()


def test_pipelined_requests_are_turned_away_one_by_one_and_in_order(serve):
    held = Held()
    serving = serve(held, EngineConfig(queue_timeout_seconds=0.1))
    with waiting_clients(serving, held, 0) as (runs,), serving.client() as client:
        client.send(b"".join(request_head("GET", f"/{n}") for n in range(3)))
        assert [client.read_answer().status for _ in range(3)] == [503] * 3
        held.gate.open()
        assert client.get("/after").body == b"/after"
        assert runs.read_answer().status == 200
    assert held.called == ["/runs", "/after"]


def test_a_client_that_left_while_its_request_waited_does_not_call_the_application(serve):
    held = Held()
    serving = serve(held)
    with waiting_clients(serving, held, 4) as (runs, *waiting):
        eventually(lambda: serving.slot.queued == 4, "four wait")
        until(time.monotonic() + 0.3)  # who closes at once may only have closed its sending side
        for client in waiting[:3]:
            client.close()
        assert {line.outcome for line in serving.lines(3)} == {"aborted"}
        held.gate.open()
        assert runs.read_answer().body == b"/runs"
        assert waiting[3].read_answer().body == b"/waits/3"
    assert held.called == ["/runs", "/waits/3"]


def test_a_client_that_closed_its_sending_side_at_once_waits_for_its_answer(serve):
    held = Held()
    serving = serve(held)
    with waiting_clients(serving, held, 0) as (runs,), serving.client() as client:
        client.send(request_head("GET", "/half"))
        client.half_close()
        eventually(lambda: serving.slot.queued == 1, "it waits")
        held.gate.open()
        assert runs.read_answer().status == 200
        assert client.read_answer().body == b"/half"


@pytest.mark.parametrize("threads", [1, 3])
def test_without_limits_everybody_is_served_in_the_end(serve, threads):
    held = Held()
    serving = serve(held, EngineConfig(threads=threads))
    with waiting_clients(serving, held, 20) as clients:
        eventually(lambda: serving.slot.queued == 21 - threads, "the others wait")
        held.gate.open()
        assert [client.read_answer().status for client in clients] == [200] * 21
