"""Log lines as JSON objects, one a line.

With keys of the Elastic Common Schema, or as records of OpenTelemetry's log data model. Values keep
their types: numbers are numbers. Whatever a client sent is inside a JSON string, and everything
outside ASCII is escaped, so that no line can be forged and every reader can read it.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from canter.observe.access_entry import AccessEntry
from canter.observe.outcomes import Outcome
from canter.observe.present import present_marks
from canter.observe.request_marks import KEYS, REQUEST_ID, SPAN_ID, TRACE_ID, marks_of


class Shape(Enum):
    """What lines of a log look like."""

    TEXT = "text"
    JSON = "json"
    OTEL = "otel"


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=str).encode
# What a record has by itself; the rest was given with `extra`.
_SEVERITIES = ((50, "FATAL", 21), (40, "ERROR", 17), (30, "WARN", 13), (20, "INFO", 9))
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One record as one object; an exception becomes fields, and so does what `extra` gave."""

    def format(self, record: logging.LogRecord) -> str:
        """The object, without a line end."""
        found: dict[str, Any] = {
            "@timestamp": timestamp(record.created),
            "log.level": record.levelname.lower(),
            "message": record.getMessage(),
            "log.logger": record.name,
            "process.pid": record.process,
        }
        error = record.exc_info
        if error and error[1] is not None:
            found["error.type"] = type_name(type(error[1]))
            found["error.message"] = str(error[1])
            found["error.stack_trace"] = "".join(traceback.format_exception(error[1])).rstrip()
        if record.stack_info:
            found["log.origin.stack"] = record.stack_info
        found |= present_marks()
        found |= {name: value for name, value in vars(record).items() if name not in _OWN}
        return encoded(found)


class OtelFormatter(logging.Formatter):
    """One record as one of OpenTelemetry's; attributes have the names of its conventions."""

    def format(self, record: logging.LogRecord) -> str:
        """The object, without a line end."""
        attributes: dict[str, Any] = {"process.pid": record.process}
        error = record.exc_info
        if error and error[1] is not None:
            attributes["exception.type"] = type_name(type(error[1]))
            attributes["exception.message"] = str(error[1])
            attributes["exception.stacktrace"] = "".join(
                traceback.format_exception(error[1])
            ).rstrip()
        if record.stack_info:
            attributes["code.stacktrace"] = record.stack_info
        given = {name: value for name, value in vars(record).items() if name not in _OWN}
        marks = present_marks()
        marks |= {name: given.pop(name) for name in KEYS if name in given}
        return encoded(
            _otel(
                record.created,
                record.levelno,
                record.getMessage(),
                marks,
                record.name,
                attributes | given,
            )
        )


def type_name(kind: type) -> str:
    """A class by its module and name, as a reader of tracebacks knows it."""
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _otel(
    at: float,
    level: int,
    body: str,
    marks: Mapping[str, str],
    scope: str,
    attributes: dict[str, Any],
) -> dict[str, Any]:
    """A record of the log data model, its fields by the names that the model gives them."""
    text, number = next(
        ((text, number) for least, text, number in _SEVERITIES if level >= least), ("DEBUG", 5)
    )
    found: dict[str, Any] = {
        "Timestamp": timestamp(at),
        "SeverityText": text,
        "SeverityNumber": number,
        "Body": body,
    }
    if TRACE_ID in marks:
        found |= {"TraceId": marks[TRACE_ID], "SpanId": marks[SPAN_ID]}
    if REQUEST_ID in marks:
        attributes["http.request.header.x-request-id"] = [marks[REQUEST_ID]]
    return found | {"InstrumentationScope": {"Name": scope}, "Attributes": attributes}


def encoded(found: Mapping[str, Any]) -> str:
    """One object as one line of ASCII."""
    try:
        return _encode(found)
    except (TypeError, ValueError, RecursionError):
        return _encode({name: _plain(value) for name, value in found.items()})


def access_line(entry: AccessEntry) -> str:
    """The object for one request, with its line end."""
    environ: Mapping[str, Any] = entry.environ if entry.environ is not None else {}
    found: dict[str, Any] = {
        "@timestamp": timestamp(entry.started_at + entry.total_ns / 1e9),
        "event.outcome": "success" if _went_well(entry) else "failure",
        "canter.outcome": entry.outcome.value,
        "event.duration": entry.total_ns,
        "http.request.method": environ.get("REQUEST_METHOD"),
        "url.original": environ.get("RAW_URI"),
        "url.path": environ.get("PATH_INFO"),
        "url.query": environ.get("QUERY_STRING") or None,
        "http.version": str(environ.get("SERVER_PROTOCOL", ""))[5:] or None,
        "http.response.status_code": entry.status or None,
        "http.response.body.bytes": entry.body_bytes,
        "client.address": entry.client or None,
        "user_agent.original": environ.get("HTTP_USER_AGENT"),
        "http.request.referrer": environ.get("HTTP_REFERER"),
        **marks_of(environ),
        "canter.queue_us": entry.queue_ns // 1000,
        "canter.app_us": entry.app_ns // 1000,
        "process.pid": os.getpid(),
    }
    if not environ:
        found["http.request.line"] = entry.request_line or None
    return encoded({name: value for name, value in found.items() if value is not None}) + "\n"


def otel_access_line(entry: AccessEntry) -> str:
    """The record for one request, with its line end."""
    environ: Mapping[str, Any] = entry.environ if entry.environ is not None else {}
    referer = environ.get("HTTP_REFERER")
    attributes: dict[str, Any] = {
        "http.request.method": environ.get("REQUEST_METHOD"),
        "url.path": environ.get("PATH_INFO"),
        "url.query": environ.get("QUERY_STRING") or None,
        "url.scheme": environ.get("wsgi.url_scheme"),
        "network.protocol.version": str(environ.get("SERVER_PROTOCOL", ""))[5:] or None,
        "http.response.status_code": entry.status or None,
        "http.response.body.size": entry.body_bytes,
        "http.server.request.duration": entry.total_ns / 1e9,
        "client.address": entry.client or None,
        "user_agent.original": environ.get("HTTP_USER_AGENT"),
        "http.request.header.referer": [referer] if referer else None,
        "canter.outcome": entry.outcome.value,
        "canter.queue_us": entry.queue_ns // 1000,
        "canter.app_us": entry.app_ns // 1000,
        "process.pid": os.getpid(),
    }
    line = entry.request_line
    if environ:
        line = f"{environ.get('REQUEST_METHOD')} {environ.get('PATH_INFO')}"
    found = _otel(
        entry.started_at + entry.total_ns / 1e9,
        logging.INFO,
        f"{line} {entry.status or entry.outcome.value}".lstrip(),
        marks_of(environ),
        "canter.access",
        {name: value for name, value in attributes.items() if value is not None},
    )
    return encoded(found) + "\n"


def _went_well(entry: AccessEntry) -> bool:
    """The schema knows two ends; ours are in a field of their own."""
    return entry.outcome is Outcome.OK and entry.status < 500


def timestamp(epoch_seconds: float) -> str:
    """The moment in UTC, to the millisecond, as RFC 3339 writes it."""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float) else str(value)
