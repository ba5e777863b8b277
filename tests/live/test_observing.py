"""Metrics and health from the observer: a process beside the workers that knows what they do."""

from __future__ import annotations

import json
import os
import re
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from tests.live.harness import PLAIN
from tests.live.load import Load
from tests.live.raw_http import Client, request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Server, Start

pytest.importorskip("prometheus_client")

SITES = ("--metrics-bind", "unix:metrics.sock", "--status-bind", "unix:status.sock")


def ask(server: Server, site: str, path: str, *fields: str) -> Any:
    with Client(str(server.directory / f"{site}.sock")) as client:
        return client.get(path, *fields)


def snapshot(server: Server) -> Any:
    answer = ask(server, "status", "/status.json")
    return json.loads(answer.body) if answer.body else {}


def observed(start: Start, *options: str, application: str = PLAIN) -> Server:
    server = start(application, *SITES, *options)
    eventually(lambda: is_ready(server), "the observer knows that the service is ready")
    return server


def is_ready(server: Server) -> bool:
    try:
        return bool(ask(server, "status", "/readyz").status == 200)
    except OSError:
        return False


def pids(server: Server) -> list[int]:
    """The workers, without the observer."""
    found = snapshot(server)["generations"]
    return [worker["pid"] for generation in found for worker in generation["workers"]]


def observer(server: Server) -> int:
    (pid,) = set(server.workers()) - set(pids(server))
    return pid


def metric(server: Server, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    text = ask(server, "metrics", "/metrics").body.decode()
    total = 0.0
    for found in re.finditer(rf"^{name}(?:\{{(.*)\}})? (\S+)$", text, re.MULTILINE):
        if all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            total += float(found[2])
    return total


def test_every_request_is_counted_with_its_method_status_and_times(start: Start):
    server = observed(start, "--threads", "2")
    for _ in range(3):
        assert server.get("/hello").status == 200
    server.post("/echo", b"four")
    with server.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
        assert client.read_answer().status == 400
    eventually(lambda: metric(server, "canter_requests_total") == 5, "five requests are counted")
    assert metric(server, "canter_requests_total", method="GET", status="2xx") == 3
    assert metric(server, "canter_requests_total", method="POST", status="2xx") == 1
    assert metric(server, "canter_requests_total", status="4xx") == 1
    for name in ("queue", "application", "first_byte", "write"):
        count = metric(server, f"canter_request_{name}_seconds_count")
        last = metric(server, f"canter_request_{name}_seconds_bucket", le="+Inf")
        assert count == last == 4, name


def test_recycling_resets_no_counter(start: Start):
    server = observed(start, "--workers", "2", "--threads", "2", "--max-requests", "40")
    with Load(server.address, connections=2) as load:
        eventually(
            lambda: metric(server, "canter_worker_exits_total", cause="recycled") >= 2,
            "two workers were recycled",
        )
    load.report.assert_flawless(server.access_lines)
    eventually(
        lambda: metric(server, "canter_requests_total") == len(server.access_lines()),
        "every request is counted",
    )


def test_what_a_crashed_worker_has_counted_stays_counted(start: Start):
    server = observed(start)
    victim = [server.get("/who?tag=x").json()["pid"] for _ in range(5)][-1]
    server.wait_for_access("/who", 5)
    os.kill(victim, signal.SIGKILL)
    eventually(
        lambda: metric(server, "canter_worker_exits_total", cause="sigkill") == 1,
        "the death is counted",
    )
    server.get("/who?tag=x")
    eventually(lambda: metric(server, "canter_requests_total") == 6, "all six are counted")
    (event,) = [e for e in snapshot(server)["events"] if e["kind"] == "death"]
    assert f"worker {victim} was killed by SIGKILL" in event["text"]


def test_a_scrape_is_answered_while_every_thread_of_every_worker_is_busy(start: Start):
    server = observed(start, "--threads", "1")
    with server.client() as client:
        client.send(request_head("GET", "/sleeps_in_one_call?seconds=60"))
        eventually(lambda: metric(server, "canter_threads_busy") == 1, "the call is seen")
        assert metric(server, "canter_utilization") == 1
        (running,) = snapshot(server)["generations"][0]["workers"][0]["running"]
        assert running["request"] == "GET /sleeps_in_one_call", (
            "a query string is nobody's business"
        )
        os.kill(pids(server)[0], signal.SIGKILL)


def test_openmetrics_is_spoken_to_those_who_ask_for_it(start: Start):
    server = observed(start)
    accept = "Accept: application/openmetrics-text; version=1.0.0"
    answer = ask(server, "metrics", "/metrics", accept)
    assert answer.header("Content-Type").startswith("application/openmetrics-text")
    assert answer.body.endswith(b"# EOF\n")


def test_health_follows_the_service(start: Start):
    server = observed(start, "--threads", "1", "--graceful-timeout", "30")
    for path in ("/livez", "/readyz", "/startupz"):
        assert ask(server, "metrics", path).status == 200
        assert ask(server, "status", path).status == 200
    with server.client() as client:
        client.send(request_head("GET", "/sleeps_in_one_call?seconds=60"))
        eventually(lambda: metric(server, "canter_threads_busy") == 1, "the call is seen")
        server.signal(signal.SIGTERM)
        eventually(lambda: ask(server, "metrics", "/readyz").status == 503, "not ready any more")
        assert ask(server, "metrics", "/livez").status == 200
        assert ask(server, "metrics", "/startupz").status == 200
        server.signal(signal.SIGTERM)
    assert server.wait_for_exit() == 0
    assert not (server.directory / "metrics.sock").exists()


def test_metrics_and_the_status_page_do_not_mix(start: Start):
    server = observed(start)
    assert ask(server, "metrics", "/status.json").status == 404
    assert ask(server, "status", "/metrics").status == 404
    with Client(str(server.directory / "metrics.sock")) as client:
        assert client.post("/metrics", b"x").status == 405


def test_a_dead_observer_is_replaced_and_nobody_else_notices(start: Start):
    server = observed(start, "--workers", "2")
    with Load(server.address, connections=2) as load:
        workers, victim = pids(server), observer(server)
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: is_ready(server) and observer(server) != victim, "another observer")
        assert pids(server) == workers
        before = load.count()
        eventually(lambda: load.count() > before + 20, "the load goes on")
    load.report.assert_flawless(server.access_lines)


def test_a_reload_is_counted_and_its_generation_shown(start: Start, site):
    server = observed(start)
    server.signal(signal.SIGHUP)
    eventually(lambda: metric(server, "canter_reloads_total", outcome="succeeded") == 1, "counted")
    eventually(lambda: metric(server, "canter_generation") == 2, "the second generation is live")
    assert any("generation 2 serves" in event["text"] for event in snapshot(server)["events"])


def test_the_status_page_needs_nothing_from_elsewhere(start: Start):
    answer = ask(observed(start), "status", "/")
    assert answer.status == 200
    assert answer.header("Content-Type") == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.header("Content-Security-Policy")
    page = answer.body.decode()
    assert "EventSource" in page
    # The one address in it is the name of a vocabulary, which nobody fetches.
    assert set(re.findall(r"https?://[^\s\"']+", page)) == {"http://www.w3.org/2000/svg"}


def test_viewers_are_sent_snapshots_and_let_go_at_the_end(start: Start):
    server = observed(start)
    with Client(str(server.directory / "status.sock")) as client:
        client.send(request_head("GET", "/events"))
        stream = b""
        while stream.count(b"data: {") < 2:
            stream += client.read_some()
        assert b"text/event-stream" in stream
        server.signal(signal.SIGTERM)
        stream += client.read_until_closed()
        assert b'"phase": "ended"' in stream
    assert server.wait_for_exit() == 0


def test_the_applications_own_metrics_are_merged(start: Start, site):
    (site / "counted.py").write_text(
        "from prometheus_client import Counter\n"
        "VISITS = Counter('visits', 'How often.')\n"
        "def application(environ, start_response):\n"
        "    VISITS.inc()\n"
        "    start_response('200 OK', [('Content-Length', '2')])\n"
        "    return [b'ok']\n"
    )
    (site / "shared").mkdir()
    server = start(
        "counted",
        *SITES,
        "--workers",
        "2",
        environment={"PROMETHEUS_MULTIPROC_DIR": str(site / "shared")},
    )
    eventually(lambda: is_ready(server), "it is ready")
    for _ in range(7):
        assert server.get("/").status == 200
    eventually(lambda: metric(server, "visits_total") == 7, "the visits to both workers")


def test_without_the_library_the_start_says_what_to_install(start: Start, site):
    (site / "prometheus_client.py").write_text("raise ImportError('not here')\n")
    server = start(PLAIN, "--metrics-bind", "unix:m.sock", ready=False)
    assert server.wait_for_exit() == 1
    assert "pip install 'canter[metrics]'" in server.output()


def test_a_successor_takes_over_the_observers_addresses(start: Start):
    server = observed(start, "--pid", "canter.pid")
    server.signal(signal.SIGUSR2)
    second = eventually(
        lambda: (path := server.directory / "canter.pid.2").exists() and int(path.read_text()),
        "a second supervisor",
    )
    server.wait_for_log("trying again until it is free")
    server.signal(signal.SIGQUIT)
    server.process.wait(30)
    try:
        eventually(lambda: is_ready(server), "the successor's observer answers")
        assert snapshot(server)["pid"] == second
    finally:
        os.kill(second, signal.SIGTERM)
        eventually(lambda: not os.path.exists(server.directory / "canter.pid"), "it has ended")


def test_a_signal_to_the_whole_group_is_for_the_supervisor_and_the_workers(start: Start):
    """As a terminal sends it at Ctrl-C: the observer stays until there is nothing to tell."""
    server = observed(start)
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait_for_exit() == 0
    assert "observer" not in server.log()


def test_when_a_certificate_expires_is_told_also_of_the_one_that_took_its_place(
    start: Start, site: Path
):
    authority, path = trustme.CA(), site / "shop.pem"

    def issue(year: int) -> float:
        until = datetime(year, 2, 3, tzinfo=UTC)
        made = authority.issue_cert("localhost", not_after=until)
        (site / "new.pem").write_bytes(made.private_key_and_cert_chain_pem.bytes())
        os.replace(site / "new.pem", path)
        return until.timestamp()

    def told() -> float:
        return metric(server, "canter_certificate_expiry_seconds", certificate=str(path))

    first = issue(2041)
    server = start(PLAIN, *SITES, "--certfile", str(path))
    eventually(lambda: is_ready(server), "it is ready")
    assert told() == first
    second = issue(2052)
    eventually(lambda: told() == second, "the new one is told of")
    server.wait_for_log("the certificates have changed and were loaded")
