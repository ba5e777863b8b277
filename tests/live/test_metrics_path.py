"""Metrics at a path of the main address: for the whole server, whichever worker is asked."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.live.harness import PLAIN, children
from tests.live.load import Load
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Server, Start

pytest.importorskip("prometheus_client")


def figure(server: Server, name: str) -> float:
    """One sample's value; -1 where it is not there yet."""
    answer = server.get("/metrics")
    found = re.search(rf"^{re.escape(name)} (\S+)$", answer.body.decode(), re.MULTILINE)
    return float(found[1]) if found else -1


@pytest.mark.parametrize("preload", [(), ("--preload",)])
def test_every_worker_answers_for_all_also_after_a_death_and_a_reload(
    start: Start, preload: tuple[str, ...]
):
    server = start(PLAIN, "--workers", "2", "--metrics-path", "/metrics", *preload)
    pids = {it["pid"] for it in server.status()[0]["workers"]}
    for _ in range(4):
        server.get("/hello")
    os.kill(min(pids), signal.SIGKILL)
    eventually(
        lambda: figure(server, 'canter_worker_exits_total{cause="sigkill"}') == 1, "it is counted"
    )
    assert figure(server, 'canter_requests_total{method="GET",status="2xx"}') >= 4
    with Load(server.address, connections=2) as load:
        server.signal(signal.SIGHUP)
        eventually(lambda: figure(server, "canter_generation") == 2, "the second generation", 30)
    load.report.assert_flawless(server.access_lines)
    answer = server.get("/metrics", method="HEAD")
    assert answer.status == 200
    assert answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    assert server.post("/metrics", b"x").status == 405


def test_it_is_answered_while_every_thread_is_busy(start: Start):
    server = start(PLAIN, "--threads", "1", "--metrics-path", "/metrics")
    with server.client() as client:
        client.send(request_head("GET", "/sleeps_in_one_call?seconds=60"))
        eventually(lambda: figure(server, "canter_threads_busy") == 1, "the call is seen")
        assert figure(server, "canter_utilization") == 1
        (worker,) = [it["pid"] for it in server.status()[0]["workers"]]
        os.kill(worker, signal.SIGKILL)


def test_who_may_not_see_them_gets_to_the_application(start: Start):
    server = start(
        PLAIN,
        "--metrics-path",
        "/metrics",
        "--metrics-allow-from",
        "127.0.0.0/24",
        "--threads",
        "2",
    )
    eventually(lambda: server.get("/metrics").status == 200, "there are figures")
    with server.client(source="127.0.1.1") as stranger:
        assert stranger.get("/metrics").status == 404
    # A web server that is one of those peers has clients that are not.
    for field in ("X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1", "Via: 1.1 front"):
        assert server.get("/metrics", field).status == 404
    assert server.get("/metrics/").status == 404


def test_a_dead_observer_comes_back_and_the_last_figures_stay_meanwhile(start: Start):
    server = start(PLAIN, "--metrics-path", "/metrics")
    eventually(lambda: server.get("/metrics").status == 200, "there are figures")
    workers = {it["pid"] for it in server.status()[0]["workers"]}
    (observer,) = set(children(server.pid)) - workers
    os.kill(observer, signal.SIGKILL)
    assert server.get("/metrics").status == 200
    stood = figure(server, "canter_snapshot_time_seconds")
    eventually(lambda: figure(server, "canter_snapshot_time_seconds") > stood + 1, "they go on", 30)


def test_without_the_library_the_start_says_what_to_install(start: Start, site: Path):
    (site / "prometheus_client.py").write_text("raise ImportError('not here')\n")
    server = start(PLAIN, "--metrics-path", "/metrics", ready=False)
    assert server.wait_for_exit() == 1
    assert "pip install 'canter[metrics]'" in server.output()
