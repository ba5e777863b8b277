"""Connections on their way between workers: whole, in order, and nothing left behind."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from canter.net.handoff import LETTER_BYTES, Letter, LetterBox, LetterLost, collect, invite, post


@pytest.fixture
def box() -> Iterator[LetterBox]:
    made = LetterBox()
    yield made
    made.close()


def letter(data: bytes = b"GET / HTTP/1.1\r\n\r\n") -> Letter:
    return Letter(1, "192.0.2.7", "4711", 12345, data)


@pytest.mark.parametrize("size", [0, 1, LETTER_BYTES])
def test_a_letter_arrives_whole_with_its_connection(box, size):
    sent = letter(b"x" * size)
    here, there = socket.socketpair()
    with here, there:
        assert post(box.slot, here.fileno(), sent)
        here.close()
        found = collect(box.tray)
        assert found is not None
        descriptor, received = found
        assert received == sent
        assert not os.get_inheritable(descriptor)
        with socket.socket(fileno=descriptor) as moved:
            moved.sendall(b"hello")
            assert there.recv(10) == b"hello"
    assert collect(box.tray) is None


def test_invitations_are_passed_over(box):
    here, there = socket.socketpair()
    with here, there:
        invite(box.slot)
        assert post(box.slot, here.fileno(), letter())
        invite(box.slot)
        found = collect(box.tray)
        assert found is not None
        os.close(found[0])
        assert collect(box.tray) is None


def test_a_full_box_is_said_and_takes_no_invitation(box):
    here, there = socket.socketpair()
    with here, there:
        count = 0
        while post(box.slot, here.fileno(), letter()):
            count += 1
        invite(box.slot)
        for _ in range(count):
            found = collect(box.tray)
            assert found is not None
            os.close(found[0])
        assert collect(box.tray) is None


def test_what_is_no_letter_is_told_and_its_descriptor_closed(box):
    here, there = socket.socketpair()
    with here, there:
        socket.send_fds(box.slot, [b"\0\4nope"], [here.fileno()])
        here.close()
        with pytest.raises(LetterLost):
            collect(box.tray)
        assert there.recv(1) == b"", "nobody has it any more"
