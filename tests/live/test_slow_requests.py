"""Slow requests: told while they run, and kept, as failed ones are, for those who look later."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.harness import PLAIN
from tests.live.raw_http import Ended, request_head
from tests.live.test_control import asked
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Server, Start


def noted(server: Server) -> list[Any]:
    """What the status page is told of slow and failed requests, the newest first."""
    found: list[Any] = asked(server, "top", "--json")["noted"]
    return found


@pytest.mark.parametrize("engine", ["threads", "gevent"])
def test_a_slow_request_is_told_once_with_its_stack_while_it_runs(
    start: Start, tmp_path: Path, engine: str
) -> None:
    if engine == "gevent":
        pytest.importorskip("gevent")
    options = ["--slow-request", "0.2", "--request-id", "on", "--worker-class", engine]
    options += ["--threads", "2"] if engine == "threads" else []
    server = start(PLAIN, *options)
    (worker,) = server.wait_for_workers(1)
    gate = tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?secret=1&gate={gate}"))
        found = server.wait_for_log(
            r"\[WARNING\] slow request: GET /waits_for_file \[(\w{32})\], for (\d\.\d\d) s now, "
            rf"in thread 0 of worker {worker}:\n(.*), in waits_for_file\n"
        )
        assert float(found[2]) >= 0.2
        # Another one becomes slow meanwhile, and the first is not told again.
        with server.client() as another:
            another.send(request_head("GET", f"/waits_for_file/?gate={gate}"))
            server.wait_for_log(r"slow request: GET /waits_for_file/ ")
            gate.touch()
            assert client.read_answer().status == 200
            another.read_answer()
    assert server.log().count("slow request: GET /waits_for_file [") == 1
    assert "secret" not in server.log()


def test_quick_requests_are_not_told_and_nothing_is_without_the_setting(
    start: Start, tmp_path: Path
) -> None:
    server = start(PLAIN, "--slow-request", "60")
    gate = tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?gate={gate}"))
        gate.touch()
        assert client.read_answer().status == 200
    assert "slow request" not in server.log()


def test_many_slow_requests_are_counted_instead_of_told(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--slow-request", "0.2", "--threads", "16")
    gate = tmp_path / "gate"
    with contextlib.ExitStack() as clients:
        opened = [clients.enter_context(server.client()) for _ in range(14)]
        for client in opened:
            client.send(request_head("GET", f"/waits_for_file?gate={gate}"))
        server.wait_for_log(r"4 more like it in \d+s: slow request", 60.0)
        gate.touch()
        for client in opened:
            assert client.read_answer().status == 200
    assert len(re.findall("slow request: GET", server.log())) == 10


def test_failed_and_slow_requests_are_kept_also_of_workers_that_are_gone(start: Start) -> None:
    server = start("tests.live.apps.misbehaving", "--slow-request", "60")
    (victim,) = server.wait_for_workers(1)
    assert server.get("/hello").status == 200
    assert server.get("/raises_before_head?secret=1").status == 500
    with contextlib.suppress(Ended), server.client() as client:
        client.get("/raises_in_the_middle")
    eventually(lambda: len(noted(server)) == 2, "both are kept")
    cut, failed = noted(server)
    assert (failed["request"], failed["status"], failed["outcome"]) == (
        "GET /raises_before_head",
        500,
        "failed",
    )
    assert (cut["request"], cut["outcome"], cut["pid"]) == (
        "GET /raises_in_the_middle",
        "cut",
        victim,
    )
    assert failed["at"] <= cut["at"]
    os.kill(victim, signal.SIGKILL)
    server.wait_for_different_workers([victim])
    assert noted(server) == [cut, failed]


def test_a_request_that_was_given_up_is_kept_with_its_504(start: Start) -> None:
    server = start(PLAIN, "--threads", "2", "--timeout", "1")
    assert server.get("/sleeps_in_one_call?seconds=120").status == 504
    (late,) = noted(server)
    assert (late["request"], late["status"], late["outcome"]) == (
        "GET /sleeps_in_one_call",
        504,
        "timeout",
    )
    assert late["seconds"] >= 1
