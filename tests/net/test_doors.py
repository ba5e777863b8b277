"""A door that is closed: who waits behind it is served, who comes is not reset."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from canter.net.doors import close_door

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems cannot")


def listening(kind: str, directory: Path) -> socket.socket:
    family = {"unix": socket.AF_UNIX, "tcp": socket.AF_INET, "tcp6": socket.AF_INET6}[kind]
    try:
        sock = socket.socket(family)
        hosts = {"tcp": ("127.0.0.1", 0), "tcp6": ("::1", 0)}
        sock.bind(hosts.get(kind) or str(directory / "a.sock"))
    except OSError:
        pytest.skip(f"this machine has no {kind}")
    sock.listen()
    sock.settimeout(10)
    return sock


@pytest.fixture(params=["unix", "tcp", "tcp6"])
def listener(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    with listening(request.param, tmp_path) as sock:
        yield sock


def connect(listener: socket.socket, patience_seconds: float = 10) -> socket.socket:
    sock = socket.socket(listener.family)
    sock.settimeout(patience_seconds)
    try:
        sock.connect(listener.getsockname())
    except BaseException:
        sock.close()
        raise
    return sock


def test_who_waits_is_let_in_and_talked_to(listener: socket.socket):
    with connect(listener) as client:
        client.sendall(b"question")
        assert close_door(listener)
        server, _ = listener.accept()
        with server:
            assert server.recv(100) == b"question"
            server.sendall(b"answer")
            client.sendall(b"more")
            assert server.recv(100) == b"more"
        assert client.recv(100) == b"answer"


def test_who_comes_is_not_let_in(listener: socket.socket):
    assert close_door(listener)
    with pytest.raises((ConnectionRefusedError, TimeoutError)):
        connect(listener, 0.2)


def test_who_came_to_a_closed_tcp_door_is_served_by_the_next_server(tmp_path: Path):
    with listening("tcp", tmp_path) as old:
        address = old.getsockname()
        close_door(old)
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex(address)
    with client, socket.socket() as new:
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        new.bind(address)
        new.listen()
        new.settimeout(10)
        server, _ = new.accept()
        server.close()


def test_closing_it_twice_and_of_a_closed_socket_does_no_harm(listener: socket.socket):
    close_door(listener)
    close_door(listener)
    listener.close()
    assert not close_door(listener)
