"""What the calls of `wire` promise about sockets that take little, or nothing any more."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.engine.wire import receive, transmit, transmit_file, transmit_parts


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends; the first does not wait, and soon takes nothing more."""
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with near, far:
        near.setblocking(False)
        yield near, far


def fill(sock: socket.socket) -> int:
    total = 0
    while count := transmit(sock.fileno(), b"z" * 65_536):
        total += count
    return total


@given(before=st.binary(max_size=100), size=st.integers(0, 300_000), behind=st.binary(max_size=100))
def test_of_three_parts_as_much_arrives_as_is_told(before, size, behind):
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        whole = before + b"x" * size + behind
        count = transmit_parts(
            near.fileno(), before, whole[len(before) : len(before) + size], behind
        )
        assert count <= len(whole)
        assert count or not whole
        arrived = b""
        while len(arrived) < count:
            arrived += receive(far.fileno(), 65_536) or b""
        assert arrived == whole[:count]
        assert receive(far.fileno(), 1) is None


def test_a_full_socket_takes_no_parts_and_no_file(pair):
    near, far = pair
    filled = fill(near)
    with tempfile.TemporaryFile() as file:
        file.write(b"content")
        file.flush()
        assert transmit_parts(near.fileno(), b"a", b"b", b"c") == 0
        assert transmit_file(near.fileno(), file.fileno(), 0, 7) == -1
        while filled:
            filled -= len(far.recv(filled))
        assert transmit_file(near.fileno(), file.fileno(), 3, 2) == 2
        assert far.recv(100) == b"te"
        assert transmit_file(near.fileno(), file.fileno(), 7, 100) == 0, "the file ends here"


def test_a_peer_that_is_gone_is_an_error(pair):
    near, far = pair
    far.close()
    with tempfile.TemporaryFile() as file:
        file.write(b"content")
        file.flush()
        with pytest.raises(BrokenPipeError):
            transmit_file(near.fileno(), file.fileno(), 0, 7)
    with pytest.raises(BrokenPipeError):
        transmit_parts(near.fileno(), b"a", b"b", b"c")
