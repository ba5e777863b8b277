"""How many requests run at once, in which threads, and what goes on while all are busy."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.live.apps import surface
from tests.live.harness import PLAIN
from tests.live.load import Load
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start
    from tests.live.raw_http import Client

THREADS = 3


@pytest.fixture(scope="module")
def server(start_shared: Start) -> Iterator[Server]:
    started = start_shared(PLAIN, "--threads", str(THREADS), "--header-timeout", "1")
    yield started
    started.assert_no_traceback()


class Occupied:
    """Requests that hold every thread until `release`, and one more than there are threads."""

    def __init__(self, server: Server, directory: Path, stack: ExitStack) -> None:
        self._gate = directory / "gate"
        self._begun = [directory / f"begun{number}" for number in range(THREADS + 1)]
        self._clients: list[Client] = []
        for begun in self._begun:
            client = stack.enter_context(server.client())
            client.send(request_head("GET", f"/waits_for_file?started={begun}&gate={self._gate}"))
            self._clients.append(client)
        eventually(lambda: self.running() == THREADS, "every thread is busy")

    def running(self) -> int:
        """The requests that have begun."""
        return sum(begun.exists() for begun in self._begun)

    def release(self) -> None:
        """Let them all end, and see that each was answered."""
        self._gate.touch()
        for client in self._clients:
            assert client.read_answer().body == b"opened"


@pytest.fixture
def occupied(server: Server, tmp_path: Path) -> Iterator[Occupied]:
    with ExitStack() as stack:
        busy = Occupied(server, tmp_path, stack)
        yield busy
        busy.release()


def test_as_many_requests_run_at_once_as_there_are_threads(
    server: Server, occupied: Occupied, peer: str
) -> None:
    # A refusal that comes from the loop shows that it has gone round since the last request came.
    with server.client(source=peer) as client:
        client.send(b"nonsense\r\n\r\n")
        assert client.read_answer().status == 400
    assert occupied.running() == THREADS


def test_while_all_threads_are_busy_bad_requests_are_refused(
    server: Server, occupied: Occupied, peer: str
) -> None:
    with server.client(source=peer) as client:
        client.send(b"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        assert client.read_answer().status == 400
    assert server.wait_for_peer(peer).outcome == "malformed"


def test_while_all_threads_are_busy_slow_clients_are_timed_out(
    server: Server, occupied: Occupied, peer: str
) -> None:
    with server.client(source=peer) as client:
        client.send(b"GET /hello HTTP/1.1\r\n")
        assert client.read_answer().status == 408
    assert server.wait_for_peer(peer).outcome == "timeout"


def test_while_all_threads_are_busy_a_download_goes_on(server: Server, tmp_path: Path) -> None:
    with server.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/big_file?megabytes=8"))
        first = client.read_some()
        with ExitStack() as stack:
            busy = Occupied(server, tmp_path, stack)
            answer = client.read_answer(already=first)
            assert (answer.whole, len(answer.body)) == (True, 8 * 1024 * 1024)
            busy.release()


def test_a_thread_of_the_application_is_always_one_of_the_same_few(server: Server) -> None:
    threads = set()
    with Load(server.address, connections=8) as load:
        for _ in range(200):
            threads.add(server.get("/who").json()["thread"])
    assert load.report.failures == []
    assert 1 <= len(threads) <= THREADS


def test_with_one_thread_requests_run_one_after_the_other(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--threads", "1")
    gate, first, second = tmp_path / "gate", tmp_path / "first", tmp_path / "second"
    with server.client() as one, server.client() as other, server.client() as odd:
        one.send(request_head("GET", f"/waits_for_file?started={first}&gate={gate}"))
        eventually(first.exists, "the first runs")
        other.send(request_head("GET", f"/waits_for_file?started={second}&gate={gate}"))
        odd.send(b"nonsense\r\n\r\n")
        assert odd.read_answer().status == 400
        assert not second.exists()
        gate.touch()
        assert one.read_answer().body == b"opened"
        assert other.read_answer().body == b"opened"


def test_a_busy_worker_leaves_new_connections_to_an_idle_one(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "1")
    started, gate = tmp_path / "started", tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
        eventually(started.exists, "one worker is busy")
        pids = {server.get("/who").json()["pid"] for _ in range(50)}
        assert len(pids) == 1
        gate.touch()
        assert client.read_answer().body == b"opened"


class BusyWorker:
    """Two workers of one thread: one is inside a request until `release`, the other idles.

    `kept` are connections that the busy worker has answered on before; they are its own.
    """

    def __init__(self, server: Server, directory: Path, stack: ExitStack) -> None:
        by_pid: dict[int, list[Client]] = {}
        for _ in range(12):
            client = stack.enter_context(server.client())
            by_pid.setdefault(client.get("/who").json()["pid"], []).append(client)
        self.pid, (self._holder, *self.kept) = max(by_pid.items(), key=lambda item: len(item[1]))
        assert self.kept
        self._gate = directory / "gate"
        started = directory / "started"
        path = f"/waits_for_file?started={started}&gate={self._gate}"
        self._holder.send(request_head("GET", path))
        eventually(started.exists, "the worker is busy")

    def release(self) -> None:
        self._gate.touch()
        assert self._holder.read_answer().body == b"opened"


@pytest.fixture
def pair(start: Start) -> Server:
    return start(PLAIN, "--workers", "2", "--threads", "1")


def test_a_kept_connection_is_answered_by_a_sibling_while_its_own_worker_is_busy(
    pair: Server, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        busy = BusyWorker(pair, tmp_path, stack)
        for client in busy.kept:
            seen = client.get("/show_environ").json()
            host, port = client.socket.getsockname()
            assert (seen["REMOTE_ADDR"], seen["REMOTE_PORT"]) == (host, str(port))
            assert client.get("/who").json()["pid"] != busy.pid
        busy.release()


def test_a_connection_that_changes_hands_loses_nothing_of_what_was_sent(
    pair: Server, tmp_path: Path, mark: str
) -> None:
    body = bytes(range(256)) * 4096
    head = request_head("POST", f"/echo?{mark}", f"Content-Length: {len(body)}")
    with ExitStack() as stack:
        busy = BusyWorker(pair, tmp_path, stack)
        client = busy.kept[0]
        # Two whole requests and a half are there at once, when the first of them may move.
        client.send(request_head("GET", f"/who?tag=a&{mark}") * 2 + head + body[:1000])
        assert [client.read_answer().json()["tag"] for _ in range(2)] == ["a", "a"]
        client.send(body[1000:] + request_head("GET", f"/who?tag=b&{mark}"))
        assert client.read_answer().json()["digest"] == surface.digest(body)
        assert client.read_answer().json()["tag"] == "b"
        busy.release()
    pair.wait_for_access(mark, 4)


def test_a_half_sent_request_is_answered_although_its_worker_becomes_busy(
    pair: Server, tmp_path: Path
) -> None:
    request = request_head("POST", "/echo", "Content-Length: 6") + b"abcdef"
    with ExitStack() as stack:
        halves = [stack.enter_context(pair.client()) for _ in range(6)]
        for position, client in enumerate(halves):
            client.send(request[: 10 + position * 8])
        busy = BusyWorker(pair, tmp_path, stack)
        for position, client in enumerate(halves):
            client.send(request[10 + position * 8 :])
        busy.release()
        for client in halves:
            assert client.read_answer().json()["digest"] == surface.digest(b"abcdef")


def test_an_application_may_run_programs(server: Server) -> None:
    assert server.get("/runs_a_program").body == b"it ended with 7"


def test_both_workers_take_part_under_load(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2")
    with Load(server.address, connections=8) as load:
        eventually(lambda: len(load.report.pids) == 2, "both workers answer")
    load.report.assert_flawless(server.access_lines)
    assert set(load.report.pids) == set(server.workers())
    assert os.getpid() not in load.report.pids


@pytest.mark.parametrize("options", [(), ("--preload",)])
@pytest.mark.parametrize(
    ("threads", "chosen", "found"), [(1, "", 0.0005), (16, "", 0.001), (4, "0.02", 0.02)]
)
def test_a_computing_thread_gives_way_soon_unless_the_application_says_otherwise(
    start: Start, options: tuple[str, ...], threads: int, chosen: str, found: float
) -> None:
    server = start(
        "tests.live.apps.intervals:application",
        *options,
        "--threads",
        str(threads),
        environment={"INTERVAL": chosen},
    )
    with server.client() as client:
        assert float(client.get("/").body) == pytest.approx(found)
