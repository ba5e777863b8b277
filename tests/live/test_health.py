"""Health checks of a running server, also while it has no thread to spare or is about to end."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.live.harness import PLAIN
from tests.live.load import Load
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Start

CHECKS = ("/health/livez", "/health/readyz", "/health/startupz", "/health")


def test_health_checks_are_answered_while_every_thread_is_stuck(
    start: Start, tmp_path: Path
) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2", "--health-path", "/health")
    gate = tmp_path / "gate"
    begun = [tmp_path / f"begun{number}" for number in range(4)]
    with ExitStack() as opened:
        clients = [opened.enter_context(server.client()) for _ in range(8)]
        for number, client in enumerate(clients):
            started = begun[number] if number < 4 else tmp_path / "waiting"
            client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
            if number < 4:
                eventually(started.exists, "one more thread is taken")
        for path in CHECKS:
            answer = server.get(path)
            assert (answer.status, answer.body) == (200, b"ok\n"), path
        assert server.get("/health/livez", method="HEAD").header("Content-Length") == "3"
        gate.touch()
        assert [client.read_answer().body for client in clients] == [b"opened"] * 8
    logged = server.wait_for_request("HEAD /health/livez")
    assert (logged.status, logged.outcome) == (200, "ok")


def test_without_a_health_path_the_application_has_every_path(start: Start) -> None:
    server = start("tests.live.apps.misbehaving")
    for path in CHECKS:
        assert server.get(path).status == 404


def test_a_drain_is_not_ready_but_alive(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--threads", "2", "--health-path", "/health")
    started, gate = tmp_path / "started", tmp_path / "gate"
    with ExitStack() as opened:
        busy = opened.enter_context(server.client())
        checks = [opened.enter_context(server.client()) for _ in CHECKS]
        busy.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
        eventually(started.exists, "the application runs")
        # A request that has begun to arrive is still answered; an idle connection may be closed.
        for check, path in zip(checks, CHECKS, strict=True):
            assert check.get(path).status == 200
            check.send(b"GET ")
        server.signal(signal.SIGTERM)
        server.wait_for_log("drain")
        for check, path in zip(checks, CHECKS, strict=True):
            check.send(request_head("GET", path).removeprefix(b"GET "))
        assert [check.read_answer().status for check in checks] == [200, 503, 200, 503]
        gate.touch()
        assert busy.read_answer().body == b"opened"
    assert server.wait_for_exit() == 0


def test_a_worker_that_makes_room_for_a_new_one_is_still_ready(
    start: Start, tmp_path: Path
) -> None:
    server = start(PLAIN, "--threads", "2", "--health-path", "/health")
    started, gate = tmp_path / "started", tmp_path / "gate"
    old = server.workers()
    with server.client() as busy, server.client() as check:
        busy.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
        eventually(started.exists, "the application runs")
        check.send(b"GET ")
        server.signal(signal.SIGHUP)
        server.wait_for_log(f"worker {old[0]} drains")
        check.send(request_head("GET", "/health/readyz").removeprefix(b"GET "))
        assert check.read_answer().status == 200
        gate.touch()
        assert busy.read_answer().body == b"opened"


def test_during_the_drain_delay_everything_is_served_and_readiness_says_no(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", "--health-path", "/health", "--drain-delay", "3")
    with Load(server.address, connections=4) as load:
        eventually(lambda: load.count() > 20, "the load runs")
        server.signal(signal.SIGTERM)
        eventually(lambda: server.get("/health/readyz").status == 503, "it is not ready")
        assert server.get("/health/livez").status == 200
        seen = load.count()
        eventually(lambda: load.count() > seen + 20, "the load goes on")
        assert server.wait_for_exit() == 0
    # Once it has drained new connections are refused; nothing else may go wrong.
    wrong = [f for f in load.report.failures if "ConnectionRefused" not in f.reason]
    assert wrong == [], load.report.summary()
    load.report.assert_logged_once(server.access_lines)


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGQUIT])
def test_a_second_signal_ends_the_drain_delay_at_once(start: Start, second: signal.Signals) -> None:
    server = start(PLAIN, "--health-path", "/health", "--drain-delay", "1h")
    server.signal(signal.SIGTERM)
    eventually(lambda: server.get("/health").status == 503, "it is not ready")
    server.signal(second)
    assert server.wait_for_exit() == 0


def test_a_worker_that_starts_during_the_drain_delay_is_not_ready_either(start: Start) -> None:
    server = start(PLAIN, "--health-path", "/health", "--drain-delay", "1h")
    old = server.workers()
    server.signal(signal.SIGTERM)
    eventually(lambda: server.get("/health").status == 503, "it is not ready")
    os.kill(old[0], signal.SIGKILL)
    server.wait_for_replacement(old[0], 1)
    assert server.get("/health/livez").status == 200
    assert server.get("/health/readyz").status == 503
    server.signal(signal.SIGTERM)
    assert server.wait_for_exit() == 0
