"""One round of the loop, without a crew: news is of the connection that it was told of."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable

import pytest

from canter.engine.contract import EngineConfig
from canter.engine.phases import Phase
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.loop import Loop
from canter.engine.threaded.service import Service
from canter.observe.meter import Meter
from canter.observe.scoreboard import Scoreboard
from canter.protocol.http1.reader import Reader
from tests.live.raw_http import request_head

CONFIG = EngineConfig()


class Chores:
    """What the engine would do from time to time, and how soon it wants to be asked again."""

    def __init__(self) -> None:
        self.do: Callable[[], None] | None = None

    def __call__(self, now_ns: int, connections: int) -> float:
        if self.do is not None:
            self.do()
        return 1.0


@pytest.fixture
def chores():
    return Chores()


@pytest.fixture
def loop(chores):
    slot = Scoreboard(1, 1).slot(0)
    meter = Meter(slot.meter_words)
    log = logging.getLogger("test")
    service = Service(
        lambda environ, start_response: [], CONFIG, None, log, lambda: None, meter, slot.noted
    )
    ready: deque[Connection] = deque()
    loop = Loop(CONFIG, ready, service, chores)
    yield loop
    loop.close()


def connection(loop: Loop, sock: socket.socket) -> Connection:
    sock.setblocking(False)
    return Connection(sock, Reader(CONFIG.limits, CONFIG.leniency), {}, CONFIG, loop)


def test_the_end_of_a_connection_is_not_taken_for_that_of_the_next_one_with_its_number(loop):
    """A thread closes one while a round is under way, and the next one to come gets its number."""
    server, client = socket.socketpair()
    number = server.fileno()
    old = connection(loop, server)
    loop.adopt(old)
    loop.turn()  # it can be written to: that is news, once
    waiting, knock = os.pipe()
    arrived: list[Connection] = []
    other_server, other_client = socket.socketpair()

    def opened(door: int) -> None:
        os.read(door, 1)
        loop.connections.pop(number)
        old.sock.close()
        os.dup2(other_server.fileno(), number)
        arrived.append(connection(loop, socket.socket(fileno=number)))
        loop.adopt(arrived[0])

    loop.add_door(waiting, opened)
    other_client.sendall(request_head("GET", "/"))
    os.write(knock, b"x")  # first, so that the door is looked at before the end of the old one
    client.close()
    loop.turn()
    assert arrived[0].phase == Phase.READY
    assert list(loop.ready) == arrived
    for end in (other_server, other_client):
        end.close()
    loop.remove_door(waiting)
    os.close(waiting)
    os.close(knock)


def test_who_is_in_a_hurry_during_the_chores_is_heard(loop, chores):
    """A worker that has stopped listening asks for another look while the chores are done."""
    chores.do = lambda: loop.hurry(0.001)
    loop.hurry(0)
    loop.turn()
    assert loop.chores_at_ns <= time.monotonic_ns() + 1_000_000
