"""OpenTelemetry's exporter has a thread, so it is set up in each worker."""

import os

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter


def post_fork(server, worker):
    server.log.info("Worker spawned (pid: %s)", worker.pid)
    resource = Resource.create({"service.name": "shop", "worker": str(worker.pid)})
    provider = TracerProvider(resource=resource)
    out = open(os.environ["SPANS"], "a")
    exporter = ConsoleSpanExporter(out=out, formatter=lambda span: f"{span.name}\n")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def worker_exit(server, worker):
    trace.get_tracer_provider().shutdown()
