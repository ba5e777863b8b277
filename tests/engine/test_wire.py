"""Taking and closing sockets, in whichever build runs; on real sockets."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator

import pytest

from canter.engine.wire import accept, close_socket


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


FAMILIES = [
    (socket.AF_INET, "127.0.0.1"),
    pytest.param(
        socket.AF_INET6, "::1", marks=pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
    ),
]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.setblocking(False)
        yield made


@pytest.mark.parametrize(("family", "host"), FAMILIES)
def test_who_has_connected_is_told(family, host):
    with socket.create_server((host, 0), family=family) as listener:
        listener.setblocking(False)
        with socket.create_connection(listener.getsockname()[:2]) as client:
            taken = accept(listener)
            assert taken is not None
            fd, *peer = taken
            assert peer == [host, str(client.getsockname()[1])]
            close_socket(fd)


def test_an_ipv4_client_of_a_socket_for_both_families_is_told_as_python_tells_it():
    if not socket.has_dualstack_ipv6():
        pytest.skip("no socket for both families here")
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as listener:
        listener.setblocking(False)
        with socket.create_connection(("127.0.0.1", listener.getsockname()[1])):
            taken = accept(listener)
            assert taken is not None
            assert taken[1] == "::ffff:127.0.0.1"
            close_socket(taken[0])


def test_who_comes_by_a_unix_socket_has_no_address(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(tmp_path / "a"))
        listener.listen()
        listener.setblocking(False)
        client.connect(str(tmp_path / "a"))
        taken = accept(listener)
        assert taken is not None
        assert taken[1:] == ("", "")
        close_socket(taken[0])


def test_nobody_waits(listener):
    assert accept(listener) is None


def test_what_is_taken_is_neither_inherited_nor_waited_for(listener):
    with socket.create_connection(listener.getsockname()):
        taken = accept(listener)
        assert taken is not None
        assert not os.get_inheritable(taken[0])
        assert fcntl.fcntl(taken[0], fcntl.F_GETFL) & os.O_NONBLOCK
        close_socket(taken[0])


def test_what_cannot_be_taken_is_an_error():
    with socket.socket() as not_listening:
        not_listening.setblocking(False)
        with pytest.raises(OSError, match="Invalid argument"):
            accept(not_listening)


def test_a_closed_socket_is_the_end_for_its_client(listener):
    with socket.create_connection(listener.getsockname()) as client:
        taken = accept(listener)
        assert taken is not None
        close_socket(taken[0])
        assert client.recv(1) == b""
        close_socket(-1)
