"""What a server leaves out of its duties is found where that saves it work."""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest

from benchmarks.apps.plain import DRIP_END, DRIP_SECONDS, DRIP_START
from benchmarks.duties import breaches
from benchmarks.probe import ProbeError
from benchmarks.scenarios import Duty

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"


@contextlib.contextmanager
def server(*pieces):
    """Gives one request these pieces, as far apart as the application makes them; its port."""

    def answer():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            for number, piece in enumerate(pieces):
                over.wait(DRIP_SECONDS if number else 0)
                connection.sendall(piece)

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join(10)


def test_a_piece_that_waits_for_the_next_one_is_held_back():
    with server(HEAD + DRIP_START + DRIP_END) as port:
        assert breaches(Duty.PIECES, port, 8) == 1
    with server(HEAD + DRIP_START, DRIP_END) as port:
        assert breaches(Duty.PIECES, port, 8) == 0


def test_requests_under_way_when_the_load_ended_may_be_open():
    with server(HEAD + b"8") as port:
        assert breaches(Duty.CLOSE, port, 8) == 0
    with server(HEAD + b"9") as port:
        assert breaches(Duty.CLOSE, port, 8) == 9


@pytest.mark.parametrize("duty", Duty)
def test_no_answer_is_an_error(duty):
    with server() as port, pytest.raises(ProbeError):
        breaches(duty, port, 8)
