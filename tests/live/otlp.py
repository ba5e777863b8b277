"""A receiver of traces: OTLP over HTTP, as a collector takes it."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from tests.live.waiting import eventually

SERVER_KIND = 2
ERROR_STATUS = 2


@dataclass
class Span:
    """One span as it was received."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    status: int
    seconds: float
    attributes: dict[str, Any]
    events: list[str]
    resource: dict[str, Any]

    @property
    def is_servers(self) -> bool:
        return self.kind == SERVER_KIND


@dataclass
class Collector:
    """What has arrived so far."""

    port: int
    spans: list[Span] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What sends spans here, soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "NO_PROXY": "127.0.0.1",
        }

    def servers(self, path: str) -> list[Span]:
        """The server's spans for a path."""
        return [it for it in self.spans if it.is_servers and it.attributes["url.path"] == path]

    def wait_for(self, path: str) -> Span:
        """The one span of the server's for a path."""
        (span,) = eventually(lambda: self.servers(path), f"a span of {path}", 30)
        return span

    def wait_for_named(self, name: str) -> Span:
        """The one span of this name."""
        named = eventually(
            lambda: [it for it in self.spans if it.name == name], f"a span named {name}", 30
        )
        (span,) = named
        return span


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.paths.append(self.path)
            collector.spans += _spans(body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _spans(body: bytes) -> list[Span]:
    found = []
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            found += [
                Span(
                    name=span.name,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    kind=span.kind,
                    status=span.status.code,
                    seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                    attributes=_values(span.attributes),
                    events=[event.name for event in span.events],
                    resource=_values(resource.resource.attributes),
                )
                for span in scope.spans
            ]
    return found


def _values(attributes: Any) -> dict[str, Any]:
    found = {}
    for one in attributes:
        kind = one.value.WhichOneof("value")
        value = getattr(one.value, kind)
        found[one.key] = (
            [it.string_value for it in value.values] if kind == "array_value" else value
        )
    return found
