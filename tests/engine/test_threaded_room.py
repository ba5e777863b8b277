"""A worker that is full makes room at the cost of those who want nothing."""

from __future__ import annotations

import contextlib
import time

from canter.engine.contract import EngineConfig
from tests.engine.serving import Gate, plain
from tests.live.raw_http import request_head
from tests.live.waiting import until

FULL = EngineConfig(threads=2, worker_connections=3)
IDLE_SECONDS = 1.1


def test_a_full_worker_closes_the_longest_idle_connection_for_a_new_one(serve):
    serving = serve(plain, FULL)
    with contextlib.ExitStack() as stack:
        old, middle, young = (stack.enter_context(serving.client()) for _ in range(3))
        for client in (old, middle, young):
            assert client.get("/a").status == 200
        until(time.monotonic() + IDLE_SECONDS)
        assert stack.enter_context(serving.client()).get("/new").body == b"/new"
        assert old.read_until_closed() == b""
        for client in (middle, young):
            assert client.get("/still").body == b"/still"


def test_who_never_said_a_word_makes_room_too(serve):
    serving = serve(plain, FULL)
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(serving.client()) for _ in range(3)]
        until(time.monotonic() + IDLE_SECONDS)
        assert stack.enter_context(serving.client()).get("/new").body == b"/new"
        assert silent[0].read_until_closed() == b""


def test_who_is_served_makes_no_room_and_who_is_new_waits(serve):
    gate = Gate()

    def application(environ, start_response):
        gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, FULL)
    with contextlib.ExitStack() as stack:
        inside = [stack.enter_context(serving.client()) for _ in range(3)]
        for client in inside:
            client.send(request_head("GET", "/inside"))
        gate.wait_for(2)
        until(time.monotonic() + IDLE_SECONDS)
        outside = stack.enter_context(serving.client())
        outside.send(request_head("GET", "/outside"))
        until(time.monotonic() + IDLE_SECONDS / 10)
        assert not outside.has_input()
        gate.open()
        for client in inside:
            assert client.read_answer().body == b"/inside"
        assert outside.read_answer().body == b"/outside"


def test_a_burst_beyond_the_limit_loses_nobody(serve):
    serving = serve(plain, FULL)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(serving.client()) for _ in range(30)]
        for number, client in enumerate(clients):
            client.send(request_head("GET", f"/{number}", "Connection: close"))
        for number, client in enumerate(clients):
            assert client.read_answer().body == f"/{number}".encode()
