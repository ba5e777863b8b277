"""What a fork leaves behind or shares is found, and nothing else."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from canter.worker.stranded import open_descriptors, stranded_connections, stranded_threads


def test_threads_are_named():
    gate = threading.Event()
    thread = threading.Thread(target=gate.wait, name="the poller")
    assert "the poller" not in stranded_threads()
    thread.start()
    assert "the poller" in stranded_threads()
    assert threading.current_thread().name not in stranded_threads()
    gate.set()
    thread.join()


def test_connections_are_named_by_where_they_lead(tmp_path: Path):
    path = str(tmp_path / "db.sock")
    before = open_descriptors()
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.create_connection(tcp.getsockname()),
        socket.socket(socket.AF_UNIX) as client,
    ):
        unix.bind(path)
        unix.listen()
        client.connect(path)
        found = stranded_connections(before)
        assert found == [f"127.0.0.1:{tcp.getsockname()[1]}", path]
        assert stranded_connections(open_descriptors()) == [], "only what is new"
    assert stranded_connections(before) == []


def test_what_is_no_connection_is_left_out():
    before = open_descriptors()
    ours, theirs = socket.socketpair()
    with (
        ours,
        theirs,
        open(__file__, encoding="utf-8"),
        socket.socket(),
        socket.create_server(("127.0.0.1", 0)),
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
    ):
        datagrams.connect(("127.0.0.1", 9))
        assert stranded_connections(before) == []
