"""The request that the present thread, or greenlet, is at work on.

An engine says once how it is found. It is looked for where a line is logged, so that requests which
log nothing pay nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from canter.observe.request_marks import REQUEST_ID, TRACE_ID, marks_of

_Environ = Mapping[str, Any]
_find: Callable[[], _Environ | None] | None = None


def found_by(find: Callable[[], _Environ | None]) -> None:
    """From now on the environ of the present request, None where there is none, is what it says."""
    global _find  # noqa: PLW0603 - a process has one engine
    _find = find


def present_marks() -> dict[str, str]:
    """The marks of the present request, none where there is none: see `marks_of`."""
    environ = None if _find is None else _find()
    return {} if environ is None else marks_of(environ)


class RequestIds(logging.Filter):
    """Gives every record `request_id` and `trace_id`, `-` where there is none; lets all pass.

    For handlers that are called in the thread, or the greenlet, which logs. Outside of requests,
    and where requests have no ids (`request_id`), both are `-`.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add them, unless the record has its own."""
        marks = present_marks()
        record.__dict__.setdefault("request_id", marks.get(REQUEST_ID, "-"))
        record.__dict__.setdefault("trace_id", marks.get(TRACE_ID, "-"))
        return True
