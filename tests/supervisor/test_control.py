"""The control socket with real clients: the slow, the silent, the many."""

from __future__ import annotations

import json
import os
import selectors
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from canter.net.addresses import UnixAddress
from canter.net.listeners import UnixAccess, open_listeners
from canter.supervisor import control
from canter.supervisor.control import MAX_CLIENTS, MAX_LINE_BYTES, SILENCE_SECONDS, ControlSocket

PATIENCE_SECONDS = 20.0


class Site:
    """A control socket in a selector, and its clients. Time is what a test says."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        [self.listener] = open_listeners([UnixAddress(self.path)], 100, UnixAccess(mode=0o600))
        self.socket = ControlSocket(self.listener)
        self.selector = selectors.DefaultSelector()
        self.socket.watch(self.selector)
        self.clients: list[socket.socket] = []

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE_SECONDS)
        client.connect(self.path)
        self.clients.append(client)
        return client

    def has_something_to_do(self) -> bool:
        return bool(self.selector.select(0))

    def take_in(self, now: float = 0.0) -> list[tuple[int, bytes]]:
        return list(self.socket.take_in(now))

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.socket.unwatch()
        self.selector.close()
        self.socket.close()


@pytest.fixture
def site(tmp_path) -> Iterator[Site]:
    made = Site(tmp_path / "a.ctl")
    yield made
    made.close()


def test_a_line_is_asked_and_answered_and_another_may_follow(site):
    client = site.connect()
    for number in (b"1", b"2"):
        client.sendall(number + b"\n")
        [(ticket, line)] = site.take_in()
        assert line == number
        site.socket.reply(ticket, b"yes " + number + b"\n", 0.0)
        assert client.recv(100) == b"yes " + number + b"\n"
    assert not site.has_something_to_do()


def test_a_line_may_come_in_pieces(site):
    client = site.connect()
    client.sendall(b"sta")
    assert site.take_in() == []
    client.sendall(b"tus\n")
    assert [line for _, line in site.take_in()] == [b"status"]


def test_lines_sent_together_are_taken_one_after_the_other(site):
    client = site.connect()
    client.sendall(b"a\nb\n")
    lines = []
    for ticket, line in site.socket.take_in(0.0):
        lines.append(line)
        site.socket.reply(ticket, line + b"\n", 0.0)
    assert lines == [b"a", b"b"]
    assert client.recv(100) == b"a\nb\n"


def test_who_waits_for_an_answer_is_not_read_and_wakes_nobody(site):
    client = site.connect()
    client.sendall(b"reload\nmore and more")
    [(ticket, _)] = site.take_in()
    client.sendall(b" and more")
    assert not site.has_something_to_do()
    assert site.socket.next_deadline() is None
    assert site.take_in(10_000.0) == []
    site.socket.reply(ticket, b"done\n", 10_000.0)
    assert client.recv(100) == b"done\n"


def test_who_hangs_up_is_forgotten(site):
    client = site.connect()
    site.take_in()
    client.close()
    assert site.has_something_to_do()
    site.take_in()
    assert len(site.socket.copies()) == 1
    assert not site.has_something_to_do()


def test_who_hangs_up_while_it_waits_is_forgotten_with_its_answer(site):
    client = site.connect()
    client.sendall(b"reload\n")
    [(ticket, _)] = site.take_in()
    client.close()
    assert not site.has_something_to_do()
    site.socket.reply(ticket, b"done\n", 0.0)
    site.take_in()
    assert len(site.socket.copies()) == 1
    site.socket.reply(ticket, b"done\n", 0.0)


def test_a_client_that_stops_sending_still_gets_its_answer(site):
    client = site.connect()
    client.sendall(b"status\n")
    client.shutdown(socket.SHUT_WR)
    [(ticket, _)] = site.take_in()
    site.socket.reply(ticket, b"fine\n", 0.0)
    site.take_in()
    assert client.makefile("rb").read() == b"fine\n"


def test_a_line_that_is_too_long_is_refused_and_not_kept(site):
    client = site.connect()
    client.sendall(b"x" * (MAX_LINE_BYTES + 1))
    assert site.take_in() == []
    reply = client.recv(1000)
    assert json.loads(reply) == {
        "ok": False,
        "error": f"the line is longer than {MAX_LINE_BYTES} bytes",
    }
    assert client.recv(1000) == b""


def test_the_longest_line_is_taken(site):
    client = site.connect()
    client.sendall(b"x" * MAX_LINE_BYTES + b"\n")
    assert [len(line) for _, line in site.take_in()] == [MAX_LINE_BYTES]


def test_who_is_silent_is_let_go_in_time(site):
    client = site.connect()
    site.take_in(100.0)
    assert site.socket.next_deadline() == 100.0 + SILENCE_SECONDS
    site.take_in(100.0 + SILENCE_SECONDS - 0.1)
    client.sendall(b"half a line")
    site.take_in(100.0 + SILENCE_SECONDS)
    assert client.recv(100) == b""
    assert site.socket.next_deadline() is None


def test_who_does_not_take_its_answer_is_let_go_in_time(site):
    client = site.connect()
    client.sendall(b"status\n")
    [(ticket, _)] = site.take_in()
    site.socket.reply(ticket, b"x" * (8 << 20), 5.0)
    assert not site.has_something_to_do()
    assert site.socket.next_deadline() == 5.0 + SILENCE_SECONDS
    site.take_in(5.0 + SILENCE_SECONDS)
    assert len(site.socket.copies()) == 1
    assert len(client.makefile("rb").read()) < 8 << 20


def test_a_large_answer_goes_out_as_it_is_taken(site):
    client = site.connect()
    client.sendall(b"status\n")
    [(ticket, _)] = site.take_in()
    site.socket.reply(ticket, b"x" * (4 << 20) + b"\n", 0.0)
    taken = 0
    while taken < (4 << 20) + 1:
        taken += len(client.recv(1 << 20))
        site.take_in()
    client.sendall(b"again\n")
    assert [line for _, line in site.take_in()] == [b"again"]


def test_of_too_many_the_one_that_was_silent_for_longest_has_to_leave(site):
    first = site.connect()
    site.take_in(1.0)
    others = [site.connect() for _ in range(MAX_CLIENTS)]
    site.take_in(2.0)
    assert b"too many" in first.makefile("rb").read()
    others[-1].sendall(b"status\n")
    assert [line for _, line in site.take_in(3.0)] == [b"status"]


def test_another_user_is_refused(site, monkeypatch):
    monkeypatch.setattr(control, "is_ours", lambda sock: False)
    client = site.connect()
    client.sendall(b"stop\n")
    assert site.take_in() == []
    assert b"only the server's own user and root" in client.recv(1000)


def test_without_descriptors_it_pauses_instead_of_spinning(site, monkeypatch):
    def fails() -> None:
        raise OSError(24, "Too many open files")

    class Stub:
        accept = staticmethod(fails)

    real = site.listener.sock
    client = site.connect()
    site.listener.sock = Stub()
    try:
        site.take_in(1.0)
    finally:
        site.listener.sock = real
    assert not site.has_something_to_do()
    assert site.socket.next_deadline() == 2.0
    client.sendall(b"status\n")
    assert site.take_in(1.5) == []
    assert [line for _, line in site.take_in(2.0)] == [b"status"]


def test_the_file_is_private_and_leaves_with_the_socket(tmp_path):
    site = Site(tmp_path / "b.ctl")
    assert os.stat(site.path).st_mode & 0o777 == 0o600
    client = site.connect()
    site.take_in()
    site.close()
    assert not os.path.exists(site.path)
    assert client.fileno() == -1


def test_a_file_that_somebody_has_put_in_its_place_stays(tmp_path):
    site = Site(tmp_path / "b.ctl")
    os.unlink(site.path)
    Path(site.path).touch()
    site.close()
    assert os.path.exists(site.path)
