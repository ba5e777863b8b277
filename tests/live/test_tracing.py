"""Spans of requests, as a collector receives them."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest

from tests.live.raw_http import request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start
    from tests.live.otlp import Collector

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
otlp = pytest.importorskip("tests.live.otlp")

APPLICATION = """
import time
from opentelemetry import trace
tracer = trace.get_tracer("shop")

def blocks():
    try:
        with tracer.start_as_current_span("first block"):
            yield b"one "
        yield b"two"
    finally:
        tracer.start_span("close").end()

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/fails":
        raise ValueError("no such item")
    if path == "/stuck":
        time.sleep(60)
    start_response("404 Not Found" if path == "/missing" else "200 OK", [])
    if path == "/streams":
        return blocks()
    with tracer.start_as_current_span("query"):
        return [environ["HTTP_TRACEPARENT"].encode()]
"""
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE, CALLER = PARENT.split("-")[1:3]


@pytest.fixture
def collector() -> Iterator[Collector]:
    with otlp.collecting() as found:
        yield found


def traced(start: Start, site: Path, collector: Collector, *options: str, **more: str) -> Server:
    (site / "shop.py").write_text(APPLICATION)
    environment = collector.environment | more
    return start("shop", "--tracing", *options, environment=environment)


@pytest.fixture(params=["threads", "gevent"])
def engine(request: pytest.FixtureRequest) -> str:
    if request.param == "gevent":
        pytest.importorskip("gevent")
    return str(request.param)


def test_a_request_is_a_span_and_the_applications_own_are_its_children(
    start: Start, site: Path, collector: Collector, engine: str
):
    server = traced(start, site, collector, "--worker-class", engine, "--log-format", "json")
    fields = (f"traceparent: {PARENT}", "Host: shop.example:8443", "User-Agent: test/1")
    with server.client() as client:
        head = request_head("GET", "/cart%20x?card=secret", *fields[:1], *fields[2:])
        client.send(head.replace(b"Host: 127.0.0.1", b"Host: shop.example:8443"))
        answer = client.read_answer()
    span = collector.wait_for("/cart%20x")
    host = span.attributes.pop("server.address")
    request_id = span.attributes.pop("http.request.header.x-request-id")
    span.attributes.pop("server.port", None)
    assert host
    assert span.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/cart%20x",
        "client.address": "127.0.0.1",
        "user_agent.original": "test/1",
        "network.protocol.version": "1.1",
        "http.response.status_code": 200,
    }
    assert (span.name, span.trace_id, span.parent_id, span.status) == ("GET", TRACE, CALLER, 0)
    assert span.resource["service.name"] == "shop"
    assert collector.wait_for_named("query").parent_id == span.span_id
    assert answer.body.decode() == f"00-{TRACE}-{span.span_id}-01"
    (line,) = server.wait_for_access("cart")
    assert json.loads(line)["trace.id"] == TRACE
    assert [json.loads(line)["http.request.id"]] == request_id
    assert set(collector.paths) == {"/v1/traces"}


def test_a_streamed_answer_s_span_ends_at_its_close(
    start: Start, site: Path, collector: Collector, engine: str
):
    server = traced(start, site, collector, "--worker-class", engine)
    assert server.get("/streams").body == b"one two"
    span = collector.wait_for("/streams")
    for name in ("first block", "close"):
        child = collector.wait_for_named(name)
        assert child.parent_id == span.span_id, name
        assert child.seconds <= span.seconds


def test_what_goes_wrong_or_takes_too_long_is_an_error_and_what_is_not_found_is_none(
    start: Start, site: Path, collector: Collector
):
    server = traced(start, site, collector, "--threads", "2", "--timeout", "2")
    assert server.get("/fails").status == 500
    assert server.get("/missing").status == 404
    failed = collector.wait_for("/fails")
    assert failed.status == otlp.ERROR_STATUS
    assert failed.attributes["error.type"] == "ValueError"
    assert failed.attributes["http.response.status_code"] == 500
    assert failed.events == ["exception"]
    missing = collector.wait_for("/missing")
    assert missing.status == 0
    assert "error.type" not in missing.attributes
    server.wait_for_log(rf"error in the application: GET /fails .*{failed.trace_id}")
    assert server.get("/stuck").status == 504
    stuck = collector.wait_for("/stuck")
    assert stuck.status == otlp.ERROR_STATUS
    assert stuck.attributes["error.type"] == "timeout"


def test_with_a_fork_server_each_worker_exports_for_itself(
    start: Start, site: Path, collector: Collector
):
    server = traced(start, site, collector, "--preload", "--workers", "2")
    for _ in range(4):
        assert server.get("/").status == 200
    eventually(lambda: len(collector.servers("/")) == 4, "four spans", 30)
    children = [it for it in collector.spans if it.name == "query"]
    assert {it.parent_id for it in children} == {it.span_id for it in collector.servers("/")}


def test_the_sdks_own_variables_count_and_spans_that_wait_are_sent_at_the_drain(
    start: Start, site: Path, collector: Collector
):
    server = traced(
        start,
        site,
        collector,
        OTEL_BSP_SCHEDULE_DELAY="600000",
        OTEL_SERVICE_NAME="checkout",
        OTEL_PROPAGATORS="none",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test",
    )
    # What comes from outside is not believed then, and the application is told nothing.
    server.get("/streams", f"traceparent: {PARENT}")
    assert server.stop() == 0
    span = collector.wait_for("/streams")
    assert span.resource["service.name"] == "checkout"
    assert span.resource["deployment.environment"] == "test"
    assert span.trace_id != TRACE


def test_a_collector_that_is_away_harms_nobody(start: Start, site: Path, collector: Collector):
    away = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
    }
    server = traced(start, site, collector, **away)
    for _ in range(3):
        assert server.get("/").status == 200
    assert server.stop() == 0


def test_without_the_extra_the_start_says_what_to_install(start: Start, site: Path):
    (site / "opentelemetry").mkdir()
    (site / "opentelemetry" / "__init__.py").write_text("")
    server = start("tests.live.apps.plain", "--tracing", ready=False)
    assert server.wait_for_exit() == 1
    assert "pip install 'canter[otel]'" in server.output()
    assert "Traceback" not in server.output()


def test_nothing_of_it_is_imported_where_it_is_off(start: Start, site: Path):
    (site / "told.py").write_text(
        "import sys\n"
        "def application(environ, start_response):\n"
        "    found = [name for name in sys.modules if 'opentelemetry' in name]\n"
        "    start_response('200 OK', [])\n"
        "    return [repr(found).encode()]\n"
    )
    server = start("told")
    assert server.get("/").body == b"[]"
    server.signal(signal.SIGTERM)
