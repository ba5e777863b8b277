"""A real Prometheus: what it scrapes adds up, and its own tool takes the queries and the rules."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.live.fronts.wrapping import program
from tests.live.harness import PLAIN
from tests.live.load import Load
from tests.live.programs import needs
from tests.live.prometheus import RULES, scraping
from tests.live.waiting import eventually
from tests.observe.test_exposition import QUERIES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Start
    from tests.live.prometheus import Prometheus

pytest.importorskip("prometheus_client")

COUNTED = "sum(canter_requests_total)"


def promtool(*arguments: str) -> str:
    done = subprocess.run(
        [program("promtool"), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def reaches(prometheus: Prometheus, query: str, wanted: float) -> None:
    eventually(lambda: prometheus.value(query) == wanted, f"{query} is {wanted}", 30)


@needs("prometheus")
def test_prometheus_counts_what_was_sent_through_a_crash_and_a_reload(start: Start, tmp_path: Path):
    server = start(PLAIN, "--workers", "2", "--threads", "2", "--metrics-bind", "127.0.0.1:0")
    target = server.wait_for_log(r"metrics at http://(\S+:\d+)")[1]
    with scraping(tmp_path, target) as prometheus:
        for _ in range(5):
            assert server.get("/hello").status == 200
        reaches(prometheus, COUNTED, 5)
        assert prometheus.query('canter_requests_total{method="GET", status="2xx"} > 0')

        victim = server.get("/who?tag=x").json()["pid"]
        server.wait_for_access("GET /", 6)
        os.kill(victim, signal.SIGKILL)
        reaches(prometheus, 'canter_worker_exits_total{cause="sigkill"}', 1)
        server.wait_for_workers(3)
        with Load(server.address, connections=2) as load:
            server.signal(signal.SIGHUP)
            reaches(prometheus, "canter_generation", 2)
            reaches(prometheus, 'canter_workers{state="draining"}', 0)
        load.report.assert_flawless(server.access_lines)
        server.post("/echo", b"four")
        eventually(
            lambda: prometheus.value(COUNTED) == len(server.access_lines()),
            "every request that was answered is counted",
            30,
        )
        assert prometheus.value("max(resets(canter_requests_total[5m]))") == 0
        assert prometheus.value('increase(canter_reloads_total{outcome="succeeded"}[5m]) > 0')
        assert prometheus.value('increase(canter_worker_exits_total{cause="sigkill"}[5m]) > 0')
        assert prometheus.value("min(canter_utilization)") is not None
        assert prometheus.value("max_over_time(canter_threads_busy[5m])") is not None
        assert_every_query_is_answered(prometheus)


def assert_every_query_is_answered(prometheus: Prometheus) -> None:
    """The dashboard's queries and the rules', by the server that has our figures."""
    for query in QUERIES:
        prometheus.query(filled_in(query))
    (group,) = prometheus.ask("rules")["groups"]
    assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}, group


def filled_in(query: str) -> str:
    """A query of the dashboard, with what Grafana would put in the place of its variables."""
    return re.sub(r"\$(job|instance)", ".*", query).replace("$__rate_interval", "1m")


@needs("promtool")
def test_promtool_accepts_the_rules_and_their_own_tests_succeed():
    assert "12 rules found" in promtool("check", "rules", str(RULES))
    promtool("test", "rules", str(RULES.with_suffix(".test.yml")))


@needs("promtool")
def test_promtool_accepts_every_query_of_the_dashboard(tmp_path: Path):
    path = tmp_path / "queries.yml"
    rules = "".join(
        f"  - record: query:{number}\n    expr: '{filled_in(query)}'\n"
        for number, query in enumerate(QUERIES)
    )
    path.write_text(f"groups:\n- name: queries\n  rules:\n{rules}")
    assert f"{len(QUERIES)} rules found" in promtool("check", "rules", str(path))


@needs("promtool")
def test_promtool_finds_no_fault_in_a_scrape(start: Start):
    server = start(PLAIN, "--metrics-bind", "127.0.0.1:0")
    target = server.wait_for_log(r"metrics at http://(\S+:\d+)")[1]
    done = subprocess.run(
        ["bash", "-c", f"curl -sf --noproxy '*' {target}/metrics | promtool check metrics"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
