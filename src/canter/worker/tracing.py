"""A span for each request, by OpenTelemetry (`canter[otel]`); see ADR 0032.

Attributes have the names of OpenTelemetry's stable conventions for HTTP servers. What a propagator
finds in the request (by default W3C `traceparent` and `baggage`) is the span's parent. The span is
the current one while the application runs, and the request's header fields name it from then on, so
that the application's own spans are its children, whichever of the two they look at, and the logs'
trace id is the span's.

Everything of OpenTelemetry is imported in the worker, after the fork: its exporter has a thread.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from canter import __version__
from canter.engine.contract import AroundCalls
from canter.errors import ConfigError
from canter.settings import Settings
from canter.wsgi.exchange import Application, Ending, Exchange

_NEEDED: Final = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
_METHODS: Final = frozenset(
    ("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "QUERY")
)
_PORTS: Final = {"http": 80, "https": 443}
# What the client did is no error of the server's.
_ERRORS: Final = {
    Ending.FAILED: "failed",
    Ending.CUT: "cut",
    Ending.ABANDONED: "timeout",
}


def check_tracing(settings: Settings) -> None:
    """Raises ConfigError where `tracing` is wanted and what it needs is not installed."""
    if not settings.tracing:
        return
    for name in _NEEDED:
        try:
            found = importlib.util.find_spec(name)
        except ImportError:
            found = None
        if found is None:
            where = settings.source("tracing").where("tracing")
            raise ConfigError(f"{where}: it needs OpenTelemetry's SDK: pip install 'canter[otel]'")


class Tracing:
    """What runs around each call of the application to make its span.

    service: the name of the service where neither OTEL_SERVICE_NAME nor OTEL_RESOURCE_ATTRIBUTES
    gives one. inner: what else runs around calls.
    """

    def __init__(self, service: str, log: logging.Logger, inner: AroundCalls | None) -> None:
        self._inner = inner
        self._log = log
        self._trace: Any = importlib.import_module("opentelemetry.trace")
        self._context: Any = importlib.import_module("opentelemetry.context")
        propagate: Any = importlib.import_module("opentelemetry.propagate")
        self._extract: Callable[..., Any] = propagate.extract
        self._inject: Callable[..., None] = propagate.inject
        self._fields = _Fields()
        self._provider: Any = _provider(self._trace, service)
        self._tracer = self._provider.get_tracer("canter", __version__)
        # Those whose call may never come back: they are ended when the worker leaves.
        self._open: set[Any] = set()

    def run(self, application: Application, exchange: Exchange) -> None:
        """Call the application within a span; raises nothing of its own."""
        try:
            span, context = self._begin(exchange.environ)
        except Exception as error:  # noqa: BLE001 - a propagator or sampler of somebody else's
            self._log.error("tracing: a request has no span", exc_info=error)
            self._call(application, exchange)
            return
        token = self._context.attach(context)
        try:
            self._call(application, exchange)
        except BaseException as problem:
            self._end(span, exchange, problem)
            raise
        else:
            self._end(span, exchange, exchange.problem)
        finally:
            self._context.detach(token)

    def _call(self, application: Application, exchange: Exchange) -> None:
        if self._inner is None:
            exchange.run(application)
        else:
            self._inner.run(application, exchange)

    def _begin(self, environ: dict[str, Any]) -> tuple[Any, Any]:
        """The span of a request, and the context that has it as the current one."""
        parent = self._extract(environ, getter=self._fields)
        method = environ["REQUEST_METHOD"]
        span = self._tracer.start_span(
            method if method in _METHODS else "HTTP",
            context=parent,
            kind=self._trace.SpanKind.SERVER,
            attributes=request_attributes(environ),
        )
        context = self._trace.set_span_in_context(span, parent)
        self._inject(environ, context=context, setter=self._fields)
        self._open.add(span)
        return span, context

    def _end(self, span: Any, exchange: Exchange, problem: BaseException | None) -> None:
        self._open.discard(span)
        if not span.is_recording():
            span.end()
            return
        code = exchange.code
        if code:
            span.set_attribute("http.response.status_code", code)
        error = error_type(exchange, problem)
        if error is not None:
            self._mark(span, error)
            if problem is not None:
                span.record_exception(problem)
        span.end()

    def _mark(self, span: Any, error: str) -> None:
        span.set_attribute("error.type", error)
        span.set_status(self._trace.Status(self._trace.StatusCode.ERROR))

    def close(self) -> None:
        """The worker leaves: end what never came back. The provider's exit function sends it."""
        for span in list(self._open):
            self._mark(span, "timeout")
            span.end()


def _provider(trace: Any, service: str) -> Any:
    """The application's provider of tracers, if it has set one; else one that exports by OTLP."""
    current = trace.get_tracer_provider()
    if hasattr(current, "add_span_processor"):
        return current
    sdk: Any = importlib.import_module("opentelemetry.sdk.trace")
    resources: Any = importlib.import_module("opentelemetry.sdk.resources")
    export: Any = importlib.import_module("opentelemetry.sdk.trace.export")
    otlp: Any = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    named = "OTEL_SERVICE_NAME" in os.environ or "service.name=" in os.environ.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    resource = resources.Resource.create({} if named else {"service.name": service})
    made = sdk.TracerProvider(resource=resource)
    made.add_span_processor(export.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    trace.set_tracer_provider(made)
    return made


class _Fields:
    """The environ's header fields, as a propagator gets and sets them."""

    @staticmethod
    def get(carrier: Mapping[str, Any], key: str) -> list[str] | None:
        """The values of one field."""
        value = carrier.get(_variable(key))
        return None if value is None else [value]

    @staticmethod
    def keys(carrier: Mapping[str, Any]) -> list[str]:
        """The names of all fields."""
        return [key[5:].replace("_", "-").lower() for key in carrier if key.startswith("HTTP_")]

    @staticmethod
    def set(carrier: dict[str, Any], key: str, value: str) -> None:
        """Put one field there."""
        carrier[_variable(key)] = value


def _variable(key: str) -> str:
    return f"HTTP_{key.upper().replace('-', '_')}"


def request_attributes(environ: Mapping[str, Any]) -> dict[str, Any]:
    """What the conventions want to know of a request.

    Without its query string, which may hold secrets.
    """
    method = environ["REQUEST_METHOD"]
    scheme = environ["wsgi.url_scheme"]
    host, port = _host(environ, scheme)
    found = {
        "http.request.method": method if method in _METHODS else "_OTHER",
        "url.scheme": scheme,
        "url.path": _path(environ),
        "server.address": host,
        "client.address": environ.get("REMOTE_ADDR"),
        "user_agent.original": environ.get("HTTP_USER_AGENT"),
        "network.protocol.version": _version(environ.get("SERVER_PROTOCOL", "")),
    }
    if port is not None:
        found["server.port"] = port
    if method not in _METHODS:
        found["http.request.method_original"] = method
    request_id = environ.get("canter.request_id")
    if request_id is not None:
        found["http.request.header.x-request-id"] = [request_id]
    return {name: value for name, value in found.items() if value}


def _path(environ: Mapping[str, Any]) -> str:
    """The path as it was sent, where that is known, else as it was decoded."""
    sent = str(environ.get("RAW_URI", "")).partition("?")[0]
    if sent.startswith("/"):
        return sent
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return path.encode("latin-1").decode("utf-8", "replace")


def _host(environ: Mapping[str, Any], scheme: str) -> tuple[str, int | None]:
    """The host that the client asked for, and its port where it is not the scheme's own."""
    host = environ.get("HTTP_HOST") or environ["SERVER_NAME"]
    name, colon, digits = host.rpartition(":")
    if not colon or not digits.isdecimal() or host.endswith("]"):
        name, digits = host, ""
        if "HTTP_HOST" not in environ:
            digits = str(environ.get("SERVER_PORT", ""))
    port = int(digits) if digits.isdecimal() else None
    return name.strip("[]"), None if port == _PORTS.get(scheme) else port


def _version(protocol: str) -> str:
    version = protocol.partition("/")[2]
    return version.removesuffix(".0") if version in {"2.0", "3.0"} else version


def error_type(exchange: Exchange, problem: BaseException | None) -> str | None:
    """One word for what went wrong at the server's side; None where nothing did."""
    if exchange.abandoned:
        return "timeout"
    if problem is not None and exchange.ending not in {Ending.ABORTED, Ending.STALLED}:
        kind = type(problem)
        return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    if exchange.code >= 500:
        return str(exchange.code)
    return _ERRORS.get(exchange.ending)
