"""Several engines in as many processes on one listener: who takes what; too few descriptors."""

from __future__ import annotations

import contextlib
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Any

import pytest

from tests.live.raw_http import Client, request_head
from tests.live.waiting import eventually


class Team:
    """The program `tests.engine.workers`, running."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._input: IO[str] = process.stdin
        self._output: IO[str] = process.stdout
        said = json.loads(self._output.readline())
        self.pids: list[int] = said["pids"]
        self._address = ("127.0.0.1", said["port"])
        eventually(lambda: all(slot["HEARTBEAT_NS"] for slot in self.board()), "all of them serve")

    def client(self) -> Client:
        return Client(self._address)

    def tell(self, command: str) -> None:
        self._input.write(command + "\n")
        self._input.flush()

    def board(self) -> list[dict[str, int]]:
        """What each worker's slot says."""
        self.tell("board")
        found: list[dict[str, int]] = json.loads(self._output.readline())
        return found

    def get(self, client: Client, path: str = "/") -> int:
        """Ask over this connection; the worker that answered."""
        return answered_by(client, path, ask=True)

    def stuck(self) -> list[int]:
        """How many requests to /stuck each worker runs."""
        return [slot["STUCK"] for slot in self.board()]

    def stick(self, client: Client, behind: bytes = b"") -> int:
        """Have this client's request to /stuck run; in which worker it does.

        A worker's thread says by itself what it runs, its loop says a moment later how many do: by
        that its siblings go, so that is waited for.
        """
        before = self.stuck()
        client.send(request_head("GET", "/stuck") + behind)
        eventually(lambda: sum(self.stuck()) > sum(before), "it is stuck")
        (number,) = (n for n, stuck in enumerate(self.stuck()) if stuck > before[n])
        eventually(lambda: self.board()[number]["RUNNING"] > before[number], "its siblings know")
        return number

    def release(self, number: int) -> None:
        """Let one request to /stuck go on in this worker."""
        self.tell(f"open {number} 1")

    def held_by(self, stack: contextlib.ExitStack, pid: int) -> Client:
        """A kept connection that this worker holds."""
        for _ in range(200):
            client = stack.enter_context(self.client())
            if self.get(client) == pid:
                return client
        raise AssertionError(f"worker {pid} takes no connection")


def answered_by(client: Client, path: str, *, ask: bool = False) -> int:
    if ask:
        client.send(request_head("GET", path))
    answer = client.read_answer()
    assert answer.status == 200
    assert answer.header("X-Path") == path
    return int(answer.body)


@pytest.fixture
def team() -> Iterator[Callable[..., Team]]:
    """Start workers: (count, threads, descriptors)."""
    with contextlib.ExitStack() as stack:

        def start(count: int, threads: int, descriptors: int = 0) -> Team:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.engine.workers",
                    *map(str, (count, threads, descriptors)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": "src:."},
            )
            stack.callback(end, process)
            return Team(process)

        yield start


def end(process: subprocess.Popen[Any]) -> None:
    try:
        _, said = process.communicate(timeout=40)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert "Traceback" not in said, said


def test_kept_connections_are_spread_over_the_workers(team):
    workers = team(2, 2)
    with contextlib.ExitStack() as stack:
        held = Counter(workers.get(stack.enter_context(workers.client())) for _ in range(60))
    assert set(held) == set(workers.pids)
    assert min(held.values()) >= 15, held


def test_a_worker_with_all_threads_stuck_gets_no_new_connections(team):
    workers = team(2, 1)
    with contextlib.ExitStack() as stack:
        stuck = stack.enter_context(workers.client())
        where = workers.stick(stuck)
        quick: Counter[int] = Counter()
        for _ in range(60):
            with workers.client() as client:
                quick[workers.get(client)] += 1
        workers.release(where)
        assert answered_by(stuck, "/stuck") == workers.pids[where]
    assert set(quick) == {workers.pids[1 - where]}


def test_an_idle_worker_takes_connections_however_many_it_keeps(team):
    """The other one has far fewer, but every thread of it is stuck."""
    workers = team(2, 1)
    with contextlib.ExitStack() as stack:
        stuck = stack.enter_context(workers.client())
        where = workers.stick(stuck)
        for _ in range(60):
            client = stack.enter_context(workers.client())
            assert workers.get(client) == workers.pids[1 - where]
        workers.release(where)
        assert answered_by(stuck, "/stuck") == workers.pids[where]


def test_while_every_worker_is_stuck_new_clients_are_still_let_in(team):
    workers = team(2, 1)
    with contextlib.ExitStack() as stack:
        stuck = [stack.enter_context(workers.client()) for _ in range(2)]
        assert {workers.stick(client) for client in stuck} == {0, 1}
        for _ in range(20):
            with workers.client() as client:
                client.send(b"nonsense\r\n\r\n")
                assert client.read_answer().status == 400
        for where in range(2):
            workers.release(where)
        assert {answered_by(client, "/stuck") for client in stuck} == set(workers.pids)


def test_a_request_on_a_kept_connection_of_a_stuck_worker_is_answered_by_its_sibling(team):
    workers = team(2, 1)
    with contextlib.ExitStack() as stack:
        kept = [[workers.held_by(stack, pid) for _ in range(3)] for pid in workers.pids]
        stuck = stack.enter_context(workers.client())
        where = workers.stick(stuck)
        for client in kept[where]:
            for path in ("/moved", "/again"):
                assert workers.get(client, path) == workers.pids[1 - where]
        workers.release(where)
        assert answered_by(stuck, "/stuck") == workers.pids[where]


def test_siblings_see_at_once_that_nobody_waits_any_more(team):
    """The queue of a moment ago would keep them from moving requests there."""
    workers = team(2, 1)
    with contextlib.ExitStack() as stack:
        kept = [[workers.held_by(stack, pid) for _ in range(2)] for pid in workers.pids]
        stuck = stack.enter_context(workers.client())
        there = workers.stick(stuck)
        first, second = kept[1 - there]
        here = workers.stick(first)
        second.send(request_head("GET", "/waits"))
        eventually(lambda: workers.board()[here]["QUEUED"] == 1, "one waits")
        workers.release(here)
        assert answered_by(second, "/waits") == workers.pids[here]
        assert workers.board()[here]["QUEUED"] == 0
        assert answered_by(first, "/stuck") == workers.pids[here]
        workers.release(there)
        answered_by(stuck, "/stuck")


def test_what_waits_in_every_worker_is_run_by_the_first_that_has_a_thread(team):
    workers = team(3, 1)
    with contextlib.ExitStack() as stack:
        kept = [[workers.held_by(stack, pid) for _ in range(3)] for pid in workers.pids]
        stuck = [clients[0] for clients in kept]
        assert sorted(workers.stick(client) for client in stuck) == [0, 1, 2]
        waiting = [client for clients in kept for client in clients[1:]]
        for client in waiting:
            client.send(request_head("GET", "/waits"))
        eventually(lambda: sum(s["QUEUED"] for s in workers.board()) == 6, "all of them wait")
        workers.release(1)
        answerers = {answered_by(client, "/waits") for client in waiting}
        assert answerers == {workers.pids[1]}
        workers.release(0)
        workers.release(2)
        for client in stuck:
            answered_by(client, "/stuck")


def test_a_pipelined_request_that_waits_does_not_move_with_the_one_before(team):
    """That one has been answered, and must not be run again by a sibling."""
    workers = team(2, 1)
    with contextlib.ExitStack() as stack:
        kept = [[workers.held_by(stack, pid) for _ in range(2)] for pid in workers.pids]
        elsewhere = stack.enter_context(workers.client())
        there = workers.stick(elsewhere)
        here = 1 - there
        pipelined, second = kept[here]
        assert workers.stick(pipelined, request_head("GET", "/behind")) == here
        second.send(request_head("GET", "/stuck"))
        eventually(lambda: workers.board()[here]["QUEUED"] == 1, "one more waits")
        workers.release(here)
        assert answered_by(pipelined, "/stuck") == workers.pids[here]
        eventually(lambda: workers.board()[here]["QUEUED"] == 1, "what stands behind waits now")
        workers.release(there)
        assert answered_by(elsewhere, "/stuck") == workers.pids[there]
        workers.release(here)
        assert answered_by(second, "/stuck") == workers.pids[here]
        answered_by(pipelined, "/behind")
        workers.get(pipelined, "/next")


@pytest.mark.parametrize("number", [0, 1])
def test_no_request_is_lost_when_a_worker_drains(team, number):
    workers = team(2, 2)
    gone = workers.pids[number]
    seen: Counter[int] = Counter()
    with contextlib.ExitStack() as stack:
        kept = [workers.held_by(stack, pid) for pid in workers.pids]
        for _ in range(30):
            with workers.client() as client:
                seen[workers.get(client)] += 1
        kept[number].send(request_head("GET", "/on-its-way"))
        workers.tell(f"drain {number}")
        answer = kept[number].read_answer()
        assert answer.body == b"%d" % gone
        for _ in range(100):
            with workers.client() as client:
                seen[workers.get(client)] += 1
        eventually(lambda: workers.board()[number]["OPEN"] == 0, "it drains")
        for _ in range(50):
            with workers.client() as client:
                assert workers.get(client) != gone
        assert workers.get(kept[1 - number]) != gone
    assert sum(seen.values()) == 130


def visit(workers: Team, seed: int, end: float, answered: list[int]) -> None:
    """Ask for this and that until `end`, over connections that are kept for a while."""
    dice = random.Random(seed)
    number = 0
    while time.monotonic() < end:
        with workers.client() as client:
            for _ in range(dice.randrange(1, 20)):
                paths = []
                for _ in range(dice.choice([1, 1, 1, 3])):
                    number += 1
                    paths.append(f"/{dice.choice(['quick', 'slow'])}/{seed}/{number}")
                client.send(b"".join(request_head("GET", path) for path in paths))
                for path in paths:
                    answered_by(client, path)
                answered[0] += len(paths)


def test_however_busy_they_are_each_request_is_run_once_and_answered_to_its_client(team):
    workers = team(3, 2)
    answered = [[0] for _ in range(12)]
    end = time.monotonic() + 2.5
    with ThreadPoolExecutor(len(answered)) as pool:
        visits = [
            pool.submit(visit, workers, number, end, count) for number, count in enumerate(answered)
        ]
        for ended in visits:
            ended.result(60)
    total = sum(count for (count,) in answered)
    assert total > 200
    eventually(
        lambda: sum(slot["REQUESTS"] for slot in workers.board()) >= total,
        "all of them are counted",
    )
    assert sum(slot["REQUESTS"] for slot in workers.board()) == total


def test_clients_beyond_the_last_descriptor_wait_and_are_served(team):
    workers = team(1, 1, 48)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(workers.client()) for _ in range(90)]
        for number, client in enumerate(clients):
            client.send(request_head("GET", f"/{number}", "Connection: close"))
        for number, client in enumerate(clients):
            answer = client.read_answer()
            assert (answer.status, answer.header("X-Path")) == (200, f"/{number}")
            client.close()
        with workers.client() as client:
            assert workers.get(client) == workers.pids[0]


def test_clients_that_keep_every_descriptor_leave_the_loop_alone(team):
    workers = team(1, 1, 40)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(workers.client())
        workers.get(first)
        silent = [stack.enter_context(workers.client()) for _ in range(60)]
        for _ in range(20):
            assert workers.get(first) == workers.pids[0], "who is inside is served"
        before = workers.board()[0]["HEARTBEAT_NS"]
        eventually(lambda: workers.board()[0]["HEARTBEAT_NS"] > before, "the heart beats")
        for client in silent[:40]:
            client.close()
        assert workers.get(silent[-1]) == workers.pids[0], "there is room again"
