r"""The access-log format: Gunicorn's %-format, taken apart once.

`%(atom)s` is replaced by the atom's value, `%%` by a percent sign; flags and widths work as in
Python's own formatting (`%(D)8d`). What is left is a `canter.observe.access_line.AccessLine`, which
looks up only the atoms that the format names.

A line cannot be forged. All text that a client or an application can choose is escaped: `"` and
`\` with a backslash, control characters and everything outside ASCII as `\x..`.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from canter.errors import ConfigError
from canter.observe.access_entry import AccessEntry
from canter.observe.access_line import (
    BODY_BYTES,
    CLIENT,
    ENVIRON,
    GENERAL,
    MICROSECONDS,
    OUTCOME,
    REQUEST_LINE,
    STATUS,
    TIME,
    USER,
    AccessLine,
    Field,
    ValueOf,
    escape,
)

DEFAULT_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(D)s %(outcome)s'


@dataclass(frozen=True, slots=True)
class CompiledFormat:
    """A format made ready: `line(entry)` gives the whole line with its newline."""

    line: Callable[[AccessEntry], str]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Atom:
    """How one atom is computed: as `Field` says. number: the value is an int."""

    source: int = GENERAL
    key: str = ""
    value: ValueOf | None = None
    number: bool = False
    foreign: bool = False

    def field(self) -> Field:
        """The field of a plain `%(atom)s`."""
        return Field(self.source, self.key, self.value, foreign=self.foreign)


def _general(value: ValueOf, *, number: bool = False, foreign: bool = False) -> _Atom:
    return _Atom(GENERAL, "", value, number, foreign)


def _environ(key: str) -> _Atom:
    return _Atom(ENVIRON, key, foreign=True)


_MISSING = _general(lambda _entry, _environ: "-")

_ATOMS = {
    "h": _Atom(CLIENT, foreign=True),
    "l": _MISSING,
    "u": _Atom(USER, "HTTP_AUTHORIZATION", lambda _, environ: _user(environ)),
    # When the line is made, as in Gunicorn, taken from the entry so that no clock has to be asked.
    "t": _Atom(TIME),
    "r": _Atom(REQUEST_LINE, foreign=True),
    "m": _environ("REQUEST_METHOD"),
    "U": _environ("PATH_INFO"),
    "q": _environ("QUERY_STRING"),
    "H": _environ("SERVER_PROTOCOL"),
    "s": _Atom(STATUS),
    "B": _general(lambda entry, _: entry.body_bytes, number=True),
    "b": _Atom(BODY_BYTES),
    "f": _environ("HTTP_REFERER"),
    "a": _environ("HTTP_USER_AGENT"),
    "T": _general(lambda entry, _: entry.total_ns // 1_000_000_000, number=True),
    "M": _general(lambda entry, _: entry.total_ns // 1_000_000, number=True),
    "D": _Atom(MICROSECONDS, value=lambda entry, _: entry.total_ns // 1000, number=True),
    "L": _general(lambda entry, _: _decimal_seconds(entry.total_ns)),
    "p": _general(lambda _entry, _environ: f"<{os.getpid()}>"),
    "outcome": _Atom(OUTCOME),
    "queue": _general(lambda entry, _: entry.queue_ns // 1000, number=True),
    "app": _general(lambda entry, _: entry.app_ns // 1000, number=True),
    "request_id": _environ("canter.request_id"),
    "trace_id": _general(lambda _, environ: trace_id(environ.get("HTTP_TRACEPARENT", "")) or "-"),
}

ATOM_NAMES = frozenset(_ATOMS)
"""The atoms that have a fixed name; `{NAME}i`, `{NAME}o` and `{NAME}e` come on top."""

_FIELD = re.compile(r"%(?:%|\((?P<name>[^()]*)\)(?P<flags>[-+ #0]*\d*(?:\.\d+)?)(?P<kind>[sdirx]))")
_TRACE_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
).fullmatch


def compile_format(text: str) -> CompiledFormat:
    """Make what writes lines of this format.

    An atom that does not exist is written as `-` and named in `warnings`. Raises ConfigError where
    the text is no format at all.
    """
    texts = [""]
    fields: list[Field] = []
    warnings: list[str] = []
    end = 0
    for match in _fields(text):
        texts[-1] += text[end : match.start()]
        end = match.end()
        name = match["name"]
        if name is None:
            texts[-1] += "%"
            continue
        atom = _atom(name)
        if atom is None:
            warnings.append(f"access log format: unknown atom %({name})s is written as '-'")
            atom = _MISSING
        field = _field(name, atom, match["flags"], match["kind"])
        if field is None:
            texts[-1] += "-"
        else:
            fields.append(field)
            texts.append("")
    texts[-1] += text[end:] + "\n"
    return CompiledFormat(AccessLine(texts, fields).line, tuple(warnings))


def _fields(text: str) -> list[re.Match[str]]:
    fields = list(_FIELD.finditer(text))
    rest = _FIELD.sub("", text)
    if "%" in rest:
        near = rest[rest.index("%") :][:20]
        raise ConfigError(f"{near!r} is not a field; write %(atom)s, or %% for a percent sign")
    return fields


def _atom(name: str) -> _Atom | None:
    if name in _ATOMS:
        return _ATOMS[name]
    if len(name) > 3 and name.startswith("{") and name[-2:] in ("}i", "}o", "}e"):
        inner, kind = name[1:-2], name[-1]
        if kind == "o":
            header = inner.lower()
            return _general(lambda entry, _: _response_header(entry.headers, header), foreign=True)
        if kind == "e":
            spellings = tuple(dict.fromkeys((inner, inner.upper(), inner.lower())))
            return _general(lambda _, environ: _variable(environ, spellings), foreign=True)
        key = inner.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        return _environ(key)
    return None


def _field(name: str, atom: _Atom, flags: str, kind: str) -> Field | None:
    """One `%(name)flags kind` of the format; None for a dash that is always there."""
    if kind in "dix" and not atom.number:
        given = f"%({name}){flags}{kind}"
        raise ConfigError(f"{given} wants a number, {name} is text; write %({name})s")
    if not flags and kind not in "rx":
        return None if atom is _MISSING else atom.field()
    shape = f"%{flags}{kind}"
    value = atom.value
    if value is None or atom.source == USER:
        alone = AccessLine(["", ""], [atom.field()]).line
        return Field(GENERAL, "", lambda entry, _: shape % (alone(entry),))
    if atom.foreign:
        return Field(GENERAL, "", lambda entry, environ: shape % (escape(value(entry, environ)),))
    return Field(GENERAL, "", lambda entry, environ: shape % (value(entry, environ),))


def _decimal_seconds(duration_ns: int) -> str:
    return f"{duration_ns // 1_000_000_000}.{duration_ns // 1_000 % 1_000_000:06d}"


def trace_id(traceparent: str) -> str:
    """The trace's id in a field of W3C Trace Context, "" where it is none."""
    found = _TRACE_PARENT(traceparent)
    return found[1] if found is not None and found[1].strip("0") else ""


def _user(environ: dict[str, Any]) -> str:
    """The name in a Basic authorization (RFC 7617), escaped; `-` for any other.

    Its spaces are escaped too, since the place of `%(u)s` is between spaces.
    """
    credentials = environ["HTTP_AUTHORIZATION"]
    if credentials[:6].lower() != "basic ":
        return "-"
    try:
        name = base64.b64decode(credentials[6:].strip(), validate=True).partition(b":")[0]
    except (binascii.Error, ValueError):
        return "-"
    return escape(name.decode("latin-1")).replace(" ", "\\x20") or "-"


def _response_header(headers: Iterable[tuple[str, str]] | None, name: str) -> str:
    values = [value for key, value in headers or () if key.lower() == name]
    return ",".join(values) if values else "-"


def _variable(environ: dict[str, Any], spellings: tuple[str, ...]) -> str:
    for spelling in spellings:
        if spelling in environ:
            return str(environ[spelling])
    return "-"
