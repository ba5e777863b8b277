"""One line of the access log, put together from an entry.

A format has been taken apart before (`canter.observe.access_format`): into the text between its
fields, and for each field where its value comes from. The values of the commonest fields are taken
here directly and put where the line grows; every other field has a function.

Compiled where a compiler is at hand (`access_line.pxd`); the same source either way.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from canter.observe.access_entry import AccessEntry
from canter.observe.page import Page

ValueOf = Callable[[AccessEntry, dict[str, Any]], Any]

# Where a value comes from.
GENERAL = 0  # the field's own function
ENVIRON = 1  # the environ, by the field's key
CLIENT = 2
TIME = 3
REQUEST_LINE = 4
STATUS = 5
BODY_BYTES = 6
MICROSECONDS = 7
OUTCOME = 8
USER = 9  # the field's own function where the environ has its key, else a dash

_GENERAL = GENERAL
_ENVIRON = ENVIRON
_CLIENT = CLIENT
_TIME = TIME
_REQUEST_LINE = REQUEST_LINE
_STATUS = STATUS
_BODY_BYTES = BODY_BYTES
_MICROSECONDS = MICROSECONDS
_OUTCOME = OUTCOME
_USER = USER

_UNSAFE = re.compile(r"[^ !#-\[\]-~]")
_NOTHING: dict[str, Any] = {}


class Field:
    """One field of a format.

    source: one of the numbers above. key: the environ's, for ENVIRON. value: the function, for
    GENERAL. foreign: somebody outside chose the value, so that it has to be escaped.
    """

    __slots__ = ("foreign", "key", "source", "value")

    def __init__(
        self, source: int, key: str = "", value: ValueOf | None = None, *, foreign: bool = False
    ) -> None:
        self.source = source
        self.key = key
        self.value = value
        self.foreign = foreign


class AccessLine:
    """Makes the lines of one format.

    texts: what stands before each field, and behind the last one.
    """

    __slots__ = ("_clock", "_fields", "_texts")

    def __init__(self, texts: Sequence[str], fields: Sequence[Field]) -> None:
        self._texts = list(texts)
        self._fields = list(fields)
        self._clock = ClfClock()

    def line(self, entry: AccessEntry) -> str:
        """The line of this entry, with its newline."""
        environ = entry.environ
        if environ is None:
            environ = _NOTHING
        page = Page()
        index = 0
        for field in self._fields:
            page.text(self._texts[index])
            index += 1
            self._write(page, field, entry, environ)
        page.text(self._texts[index])
        return page.whole()

    def _write(self, page: Page, field: Field, entry: AccessEntry, environ: dict[str, Any]) -> None:
        """Write the field's value."""
        source = field.source
        if source == _ENVIRON:
            _quote(page, environ.get(field.key, "-"))
        elif source == _CLIENT:
            _quote(page, entry.client or "-")
        elif source == _TIME:
            page.text(self._clock.at(entry.started_at + entry.total_ns * 1e-9))
        elif source == _REQUEST_LINE:
            _write_request_line(page, entry, environ)
        elif source == _MICROSECONDS:
            page.number(entry.total_ns // 1000)
        elif source == _OUTCOME:
            page.text(entry.outcome._value_)
        elif source == _STATUS and entry.status:
            page.number(entry.status)
        elif source == _BODY_BYTES and entry.body_bytes:
            page.number(entry.body_bytes)
        elif source == _GENERAL or (source == _USER and field.key in environ):
            assert field.value is not None
            value = field.value(entry, environ)
            if field.foreign:
                _quote(page, value)
            else:
                page.text(value if type(value) is str else str(value))
        else:
            page.text("-")


def _quote(page: Page, value: object) -> None:
    """Write what somebody outside chose."""
    text = value if type(value) is str else str(value)
    if not page.quoted(text):
        page.text(escape(text))


def _write_request_line(page: Page, entry: AccessEntry, environ: dict[str, Any]) -> None:
    """As received for what never became a request, else from what was understood."""
    target = environ.get("RAW_URI")
    if target is None:
        _quote(page, entry.request_line or "-")
        return
    _quote(page, environ["REQUEST_METHOD"])
    page.text(" ")
    _quote(page, target)
    page.text(" ")
    _quote(page, environ["SERVER_PROTOCOL"])


def escape(value: object) -> str:
    """The value as printable ASCII without a bare quote, so that it cannot end its place."""
    return _UNSAFE.sub(_escaped_character, value if type(value) is str else str(value))


class ClfClock:
    """Times in the common log format, `[22/Nov/2026:21:07:31 +0100]`, made once a second.

    Local time, with English month names whatever the locale. `text` holds for `start` up to `end`,
    in seconds since the epoch. Used by several threads without a lock: the worst that can happen
    is a line with its neighbour's second.
    """

    __slots__ = ("end", "start", "text")

    def __init__(self) -> None:
        self.start = self.end = 0
        self.text = ""

    def at(self, epoch_seconds: float) -> str:
        """The text of the second that holds this moment."""
        if self.start <= epoch_seconds < self.end:
            return self.text
        return self.advance(epoch_seconds)

    def advance(self, epoch_seconds: float) -> str:
        """Move to the second that holds this moment and return its text."""
        second = int(epoch_seconds)
        text = _clf(second)
        self.text, self.start, self.end = text, second, second + 1
        return text


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _clf(second: int) -> str:
    now = time.localtime(second)
    return time.strftime(f"[%d/{_MONTHS[now.tm_mon - 1]}/%Y:%H:%M:%S %z]", now)


def _escaped_character(match: re.Match[str]) -> str:
    character = match[0]
    if character in '"\\':
        return "\\" + character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
