"""Readiness from the kernel, on real sockets and pipes."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from canter.engine.poller import (
    FAILED,
    HANGUP,
    PEER_ENDED,
    READABLE,
    WRITABLE,
    Poller,
    make_poller,
)
from canter.engine.wire import receive, transmit

AT_MOST = 10.0


@pytest.fixture
def poller() -> Iterator[Poller]:
    """A poller, closed after the test."""
    made = make_poller()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Our side of a connection, non-blocking, and the client's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def bits_of(poller: Poller, fd: int, seconds: float = 0.0) -> int:
    return dict(poller.poll(seconds)).get(fd, 0)


def test_a_connection_tells_of_what_is_there_already(poller, pair):
    ours, theirs = pair
    theirs.send(b"early")
    poller.add_connection(ours.fileno())
    assert bits_of(poller, ours.fileno(), AT_MOST) == READABLE


def test_a_connection_tells_once_until_there_is_something_new(poller, pair):
    ours, theirs = pair
    poller.add_connection(ours.fileno())
    assert bits_of(poller, ours.fileno()) == 0
    theirs.send(b"a")
    assert bits_of(poller, ours.fileno(), AT_MOST) & READABLE
    assert bits_of(poller, ours.fileno()) == 0, "though nobody has read it"
    theirs.send(b"b")
    assert bits_of(poller, ours.fileno(), AT_MOST) & READABLE


def test_a_client_that_takes_what_it_was_sent_is_no_news(poller, pair):
    ours, theirs = pair
    poller.add_connection(ours.fileno())
    transmit(ours.fileno(), b"answer")
    assert receive(theirs.fileno(), 10) == b"answer"
    assert bits_of(poller, ours.fileno()) == 0


@pytest.mark.parametrize("already_watched", [True, False])
def test_who_asks_for_room_is_told_of_what_there_is_already(poller, pair, already_watched):
    """Not watched yet: another thread has begun to have it watched, and is not done."""
    ours, theirs = pair
    if already_watched:
        poller.add_connection(ours.fileno())
    poller.add_writing(ours.fileno())
    poller.add_connection(ours.fileno())
    assert bits_of(poller, ours.fileno(), AT_MOST) & WRITABLE
    theirs.send(b"a")
    assert bits_of(poller, ours.fileno(), AT_MOST) & READABLE


def test_a_connection_tells_of_the_end_of_the_clients_side(poller, pair):
    ours, theirs = pair
    poller.add_connection(ours.fileno())
    poller.poll(0)
    theirs.shutdown(socket.SHUT_WR)
    assert bits_of(poller, ours.fileno(), AT_MOST) & PEER_ENDED


def test_a_connection_tells_when_the_client_is_gone(poller, pair):
    ours, theirs = pair
    poller.add_connection(ours.fileno())
    poller.poll(0)
    theirs.close()
    assert bits_of(poller, ours.fileno(), AT_MOST) & (HANGUP | PEER_ENDED | FAILED)


def test_a_connection_tells_when_a_full_socket_takes_more_again(poller, pair):
    ours, theirs = pair
    poller.add_connection(ours.fileno())
    poller.poll(0)
    while transmit(ours.fileno(), b"x" * 65_536):
        pass
    poller.add_writing(ours.fileno())
    assert bits_of(poller, ours.fileno()) & WRITABLE == 0
    while receive(theirs.fileno(), 65_536) and bits_of(poller, ours.fileno()) & WRITABLE == 0:
        theirs.setblocking(False)
    assert transmit(ours.fileno(), b"x") == 1


def test_a_listener_tells_as_long_as_somebody_waits(poller):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        poller.add_listener(listener.fileno())
        with socket.create_connection(listener.getsockname()):
            for _ in range(3):
                assert bits_of(poller, listener.fileno(), AT_MOST) & READABLE
            listener.accept()[0].close()
            assert bits_of(poller, listener.fileno()) == 0
        poller.remove_listener(listener.fileno())
        with socket.create_connection(listener.getsockname()):
            assert bits_of(poller, listener.fileno()) == 0
            poller.add_listener(listener.fileno())
            assert bits_of(poller, listener.fileno(), AT_MOST) & READABLE, "at once"


@pytest.mark.parametrize("heeds_room", [False, True])
def test_a_connection_that_is_taken_out_tells_nothing_more(poller, pair, heeds_room):
    ours, theirs = pair
    poller.add_connection(ours.fileno())
    if heeds_room:
        poller.add_writing(ours.fileno())
    poller.poll(0)
    poller.remove_connection(ours.fileno())
    theirs.send(b"a")
    assert bits_of(poller, ours.fileno()) == 0


def test_nothing_is_waited_for_no_longer_than_asked(poller):
    assert poller.poll(0.0) == []
    assert poller.poll(0.01) == []


# -- reading and writing without waiting ---------------------------------------------------------


def test_what_is_there_is_received_and_no_more_is_waited_for(pair):
    ours, theirs = pair
    assert receive(ours.fileno(), 100) is None
    theirs.send(b"hello")
    assert receive(ours.fileno(), 3) == b"hel"
    assert receive(ours.fileno(), 100) == b"lo"
    assert receive(ours.fileno(), 100) is None
    theirs.close()
    assert receive(ours.fileno(), 100) == b""


def test_as_much_is_transmitted_as_the_socket_takes(pair):
    ours, theirs = pair
    assert transmit(ours.fileno(), b"") == 0
    assert transmit(ours.fileno(), b"hello") == 5
    assert theirs.recv(100) == b"hello"
    total = 0
    while count := transmit(ours.fileno(), b"x" * 1_000_000):
        total += count
    assert 0 < total < 50_000_000
    assert transmit(ours.fileno(), b"x") == 0


def test_a_client_that_is_gone_is_an_error_of_writing_and_never_a_signal(pair):
    ours, theirs = pair
    theirs.close()
    with pytest.raises(OSError, match="pipe"):
        transmit(ours.fileno(), b"hello")


def test_a_descriptor_that_is_closed_is_an_error():
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    for attempt in (lambda: receive(-1, 10), lambda: transmit(-1, b"x")):
        with pytest.raises(OSError, match="descriptor"):
            attempt()
