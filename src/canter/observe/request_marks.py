"""What a request is known by in every line that it causes: its id, and the trace it is part of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from canter.observe.access_format import trace_id

REQUEST_ID: Final = "http.request.id"
TRACE_ID: Final = "trace.id"
SPAN_ID: Final = "span.id"
KEYS: Final = frozenset((REQUEST_ID, TRACE_ID, SPAN_ID))


def marks_of(environ: Mapping[str, Any]) -> dict[str, str]:
    """The marks of a request, by the names that structured logs have for them.

    The trace is that of the field `traceparent` (W3C Trace Context), which with `tracing` is the
    request's own span.
    """
    found = {}
    request_id = environ.get("canter.request_id")
    if request_id is not None:
        found[REQUEST_ID] = str(request_id)
    parent = str(environ.get("HTTP_TRACEPARENT", ""))
    trace = trace_id(parent)
    if trace:
        found[TRACE_ID] = trace
        found[SPAN_ID] = parent.split("-")[2]
    return found


def in_words(marks: Mapping[str, str]) -> str:
    """The marks behind a request line in a text log: "" or " [ID] [trace ID]"."""
    words = ""
    if REQUEST_ID in marks:
        words = f" [{marks[REQUEST_ID]}]"
    if TRACE_ID in marks:
        words = f"{words} [trace {marks[TRACE_ID]}]"
    return words
