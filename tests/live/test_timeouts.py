"""Time-outs: of clients that send or take too slowly, and of requests that run too long."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.live.harness import PLAIN
from tests.live.load import Load
from tests.live.raw_http import Ended, request_head
from tests.live.waiting import eventually, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start

BIG_MEGABYTES = 64


@pytest.fixture(scope="module")
def server(start_shared: Start) -> Iterator[Server]:
    """A server that waits for nobody longer than a second."""
    options = ["header-timeout", "body-timeout", "send-timeout", "keep-alive"]
    started = start_shared(
        PLAIN, "--threads", "2", *(part for name in options for part in (f"--{name}", "1"))
    )
    yield started
    started.assert_no_traceback()


def test_a_head_that_stops_is_answered_408(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        client.send(b"GET /hello HTTP/1.1\r\nHost:")
        answer = client.read_answer()
        assert (answer.status, answer.closes) == (408, True)
        assert client.read_until_closed() == b""
    logged = server.wait_for_peer(peer)
    assert (logged.status, logged.outcome) == (408, "timeout")


def test_a_head_that_drips_does_not_win_time(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        client.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Slow: ")

        def closed() -> bool:
            with suppress(ConnectionError):
                client.send(b"x")
            return client.has_input()

        eventually(closed, "the server gives up on a dripping head")
        assert client.read_answer().status == 408
    assert server.wait_for_peer(peer).outcome == "timeout"


def test_a_body_that_stops_is_answered_408(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        client.send(request_head("POST", "/echo", "Content-Length: 100") + b"half of it")
        answer = client.read_answer()
        assert (answer.status, answer.closes) == (408, True)
    logged = server.wait_for_peer(peer)
    assert (logged.status, logged.outcome) == (408, "timeout")


def test_a_body_that_drips_is_waited_for(server: Server) -> None:
    body = b"drip, drip"
    with server.client() as client:
        client.send(request_head("POST", "/echo", f"Content-Length: {len(body)}"))
        # In all this takes longer than the time-out, which is one without a byte.
        begin = time.monotonic()
        for sent in range(len(body)):
            until(begin + sent * 0.15)
            client.send(body[sent : sent + 1])
        assert client.read_answer().json()["size"] == len(body)


def test_an_idle_connection_is_closed_without_a_word(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        assert client.get("/hello").body == b"hello"
        assert client.read_until_closed() == b""
    server.wait_for_peer(peer)


def test_a_connection_that_never_speaks_is_closed_without_a_word(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        assert client.read_until_closed() == b""
    assert server.get("/hello").status == 200
    assert server.access_lines(f"{peer} - ") == []


def test_a_client_that_takes_nothing_is_cut_off(server: Server, peer: str) -> None:
    with server.client(source=peer, receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", f"/big_file?megabytes={BIG_MEGABYTES}"))
        logged = server.wait_for_peer(peer)
        assert (logged.status, logged.outcome) == (200, "timeout")
        assert logged.size < BIG_MEGABYTES * 1024 * 1024


def test_a_stream_whose_client_takes_nothing_is_cut_off_and_closed(
    server: Server, peer: str, mark: str
) -> None:
    with server.client(source=peer, receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", f"/counts_close?name={mark}&blocks=3000"))
        assert server.wait_for_peer(peer).outcome == "timeout"
        tally = server.get("/tally").json()
        assert (tally[f"{mark}.made"], tally[f"{mark}.closed"]) == (1, 1)


# ---- requests that run too long


def test_a_stuck_request_is_ended_named_and_hurts_nobody_else(
    start: Start, mark: str, peer: str
) -> None:
    server = start(PLAIN, "--threads", "4", "--workers", "1", "--timeout", "2")
    old = server.workers()
    with Load(server.address, connections=4) as load:
        begun = time.monotonic()
        with server.client(source=peer) as client:
            client.send(request_head("GET", f"/sleeps_in_one_call?seconds=30&{mark}"))
            try:
                assert client.read_answer().status == 504
            except Ended:
                pass
        assert time.monotonic() - begun < 15, "it was ended long before it would have been over"
        server.wait_for_new_workers(old, 1)
        seen = load.count()
        eventually(lambda: load.count() > seen + 100, "the replacement serves")
    load.report.assert_flawless(server.access_lines)
    logged = server.wait_for_peer(peer)
    assert logged.outcome == "timeout"
    named = server.wait_for_log(rf"/sleeps_in_one_call[^\n]*{mark}").start()
    assert "in sleeps_in_one_call" in server.log()[named:]
    assert "in who" not in server.log()[named:]


def test_several_stuck_requests_are_each_named(start: Start, mark: str) -> None:
    server = start(PLAIN, "--threads", "4", "--timeout", "1")
    old = server.workers()
    clients = [server.client() for _ in range(3)]
    try:
        for number, client in enumerate(clients):
            client.send(request_head("GET", f"/sleeps_in_one_call?seconds=30&{mark}-{number}"))
        for client in clients:
            with suppress(Ended):
                assert client.read_answer().status == 504
    finally:
        for client in clients:
            client.close()
    server.wait_for_new_workers(old, 1)
    for number in range(3):
        server.wait_for_log(f"{mark}-{number}")
        assert server.wait_for_request(f"{mark}-{number}").outcome == "timeout"


def test_a_neighbour_of_a_stuck_request_is_given_time_to_finish(
    start: Start, tmp_path: Path
) -> None:
    server = start(PLAIN, "--threads", "2", "--timeout", "2")
    started, gate = tmp_path / "started", tmp_path / "gate"
    with server.client() as stuck, server.client() as neighbour:
        stuck.send(request_head("GET", "/sleeps_in_one_call?seconds=30"))
        # The neighbour starts later, so its own time is not over when the stuck one's is.
        until(time.monotonic() + 1.2)
        neighbour.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
        eventually(started.exists, "the neighbour runs")
        server.wait_for_log("/sleeps_in_one_call")
        gate.touch()
        assert neighbour.read_answer().body == b"opened"


def test_a_request_that_only_computes_is_ended_too(start: Start, mark: str) -> None:
    server = start(PLAIN, "--threads", "2", "--timeout", "1")
    old = server.workers()
    with server.client() as client:
        client.send(request_head("GET", f"/spins?seconds=30&{mark}"))
        with suppress(Ended):
            assert client.read_answer().status == 504
    server.wait_for_new_workers(old, 1)
    named = server.wait_for_log(f"/spins[^\n]*{mark}").start()
    assert "in spins" in server.log()[named:]


def test_before_it_is_given_up_a_request_is_interrupted_and_its_worker_stays(
    start: Start, mark: str
) -> None:
    server = start(PLAIN, "--threads", "2", "--soft-timeout", "500ms", "--timeout", "30")
    workers = server.workers()
    with Load(server.address, connections=2) as load, server.client() as client:
        answer = client.get(f"/spins?seconds=60&{mark}")
        assert (answer.status, answer.closes) == (504, False)
        answer = client.get("/spins_until_told?seconds=60")
        assert (answer.status, answer.body) == (503, b"told")
    load.report.assert_flawless(server.access_lines)
    assert server.workers() == workers
    logged = server.wait_for_request(mark)
    assert (logged.status, logged.outcome) == (504, "timeout")
    named = server.wait_for_log(rf"over its soft_timeout: GET /spins[^\n]*{mark}").start()
    assert "in spins" in server.log()[named:]


def test_a_request_that_cannot_be_interrupted_is_given_up_in_the_end(start: Start) -> None:
    server = start(PLAIN, "--threads", "2", "--soft-timeout", "300ms", "--timeout", "1500ms")
    old = server.workers()
    with server.client() as client:
        client.send(request_head("GET", "/sleeps_in_one_call?seconds=30"))
        with suppress(Ended):
            assert client.read_answer().status == 504
    server.wait_for_new_workers(old, 1)
    server.wait_for_log("over its time of 1.5 s: GET /sleeps_in_one_call")


def test_without_a_timeout_a_request_may_take_its_time(start: Start) -> None:
    server = start(PLAIN, "--timeout", "0")
    assert server.get("/who?seconds=1.5&tag=slow").json()["tag"] == "slow"


def test_a_slow_stream_to_a_live_client_is_not_a_stuck_client(start: Start) -> None:
    server = start(PLAIN, "--threads", "2", "--send-timeout", "1")
    with server.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/big_file?megabytes=1"))
        first = b""
        begin = time.monotonic()
        for step in range(10):
            until(begin + step * 0.2)
            first += client.read_some()
        answer = client.read_answer(already=first)
        assert (answer.whole, len(answer.body)) == (True, 1024 * 1024)
