"""One round of the loop, without a crew: news is of the connection that it was told of."""

from __future__ import annotations

import contextlib
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
    return Connection(sock.detach(), Reader(CONFIG.limits, CONFIG.leniency), {}, CONFIG, loop)


def test_the_end_of_a_connection_is_not_taken_for_that_of_the_next_one_with_its_number(loop):
    """A thread closes one while a round is under way, and the next one to come gets its number."""
    server, client = socket.socketpair()
    number = server.fileno()
    old = connection(loop, server)
    loop.adopt(old)
    waiting, knock = os.pipe()
    arrived: list[Connection] = []
    other_server, other_client = socket.socketpair()

    def opened(door: int) -> None:
        os.read(door, 1)
        loop.connections.pop(number)
        old.close()
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


@pytest.fixture
def two_that_wait(loop):
    """Two requests that came in one turn, and their clients."""
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(2):
            server, client = socket.socketpair()
            clients.append(stack.enter_context(client))
            client.sendall(request_head("GET", "/"))
            loop.adopt(connection(loop, server))
        yield clients


def test_what_is_answered_within_its_turn_is_not_watched(loop, two_that_wait):
    loop.turn()
    assert not any(waiting.watched for waiting in loop.ready)


def test_a_client_is_heard_to_leave_while_a_call_before_it_goes_on(loop, two_that_wait):
    """It was behind another request in its turn, when nobody knew how long that one takes."""
    waiting = list(loop.ready)
    loop.crowded = True
    loop.turn()
    two_that_wait[1].shutdown(socket.SHUT_RDWR)
    loop.turn()
    assert list(loop.ready) == waiting[:1]


def test_who_is_registered_twice_is_registered(loop, two_that_wait):
    """By the leader, and by the thread that gives the connection back at the same time."""
    one, _ = loop.ready
    one.watch()
    one.watched = False
    one.watch()


def test_a_socket_is_made_of_a_descriptor_once(loop):
    server, client = socket.socketpair()
    with client:
        made = connection(loop, server)
        assert made.sock is made.sock
        assert made.sock.fileno() == made.fd
        assert made.sock.gettimeout() == 0
        made.close()
        assert client.recv(1) == b""


@pytest.mark.parametrize("asked_before", [False, True])
def test_a_closed_connection_has_no_descriptor_and_shuts_nobodys(loop, asked_before):
    server, client = socket.socketpair()
    made = connection(loop, server)
    if asked_before:
        assert made.sock.fileno() == made.fd
    number = made.fd
    made.close()
    other, other_client = socket.socketpair()
    with client, other_client:
        if other.fileno() != number:
            os.dup2(other.fileno(), number)
        made.cut()
        made.shut()
        made.close()
        os.write(number, b"still open")
        assert other_client.recv(10) == b"still open"
        if other.fileno() != number:
            os.close(number)
        other.close()
