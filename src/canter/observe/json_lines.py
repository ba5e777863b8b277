"""Log lines as JSON objects, one a line, with keys of the Elastic Common Schema.

Values keep their types: numbers are numbers. Whatever a client sent is inside a JSON string, and
everything outside ASCII is escaped, so that no line can be forged and every reader can read it.
"""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from canter.observe.access_entry import AccessEntry
from canter.observe.access_format import trace_id
from canter.observe.outcomes import Outcome

_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=str).encode
# What a record has by itself; the rest was given with `extra`.
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
            kind = type(error[1])
            found["error.type"] = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
            found["error.message"] = str(error[1])
            found["error.stack_trace"] = "".join(traceback.format_exception(error[1])).rstrip()
        if record.stack_info:
            found["log.origin.stack"] = record.stack_info
        found |= {name: value for name, value in vars(record).items() if name not in _OWN}
        return encoded(found)


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
        "http.request.id": environ.get("canter.request_id"),
        "trace.id": trace_id(environ.get("HTTP_TRACEPARENT", "")) or None,
        "canter.queue_us": entry.queue_ns // 1000,
        "canter.app_us": entry.app_ns // 1000,
        "process.pid": os.getpid(),
    }
    if not environ:
        found["http.request.line"] = entry.request_line or None
    return encoded({name: value for name, value in found.items() if value is not None}) + "\n"


def _went_well(entry: AccessEntry) -> bool:
    """The schema knows two ends; ours are in a field of their own."""
    return entry.outcome is Outcome.OK and entry.status < 500


def timestamp(epoch_seconds: float) -> str:
    """The moment in UTC, to the millisecond, as RFC 3339 writes it."""
    moment = datetime.fromtimestamp(epoch_seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | float) else str(value)
