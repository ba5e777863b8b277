r"""The access-log format: Gunicorn's %-format, compiled once into one function.

`%(atom)s` is replaced by the atom's value, `%%` by a percent sign; flags and widths work as in
Python's own formatting (`%(D)8d`). The function is generated source: it looks up only the atoms
that the format names and joins them with one f-string, which is several times quicker than a
dictionary of all atoms. Nothing of a request reaches the source, only the operator's format, and
that only as quoted literals.

A line cannot be forged. All text that a client or an application can choose is escaped: `"` and
`\` with a backslash, control characters and everything outside ASCII as `\x..`. To keep this
cheap the text of all such atoms is tested at once, and only a line that fails the test is escaped
value by value.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from canter.errors import ConfigError

if TYPE_CHECKING:
    from canter.observe.outcomes import Outcome

DEFAULT_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(D)s %(outcome)s'


class Entry(Protocol):
    """What a line is made from; see `canter.observe.access.AccessEntry`."""

    environ: dict[str, Any] | None
    request_line: str
    client: str
    status: int
    headers: Iterable[tuple[str, str]] | None
    body_bytes: int
    started_at: float
    queue_ns: int
    app_ns: int
    total_ns: int
    outcome: Outcome


LineFunction = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class CompiledFormat:
    """A format made ready: `line(entry)` gives the whole line with its newline."""

    line: LineFunction
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Atom:
    """How one atom is computed.

    `expression` is Python over `e` (the entry) and `environ`; `number` says that the value is an
    int, `foreign` that somebody outside chose it, so that it has to be escaped.
    """

    expression: str
    number: bool = False
    foreign: bool = False


_MISSING = _Atom("'-'")

# As received for what never became a request, else from what was understood.
_REQUEST_LINE = (
    "f\"{environ['REQUEST_METHOD']} {environ['RAW_URI']} {environ['SERVER_PROTOCOL']}\""
    " if 'RAW_URI' in environ else e.request_line or '-'"
)

# When the line is made, as in Gunicorn, taken from the entry so that no clock has to be asked.
_TIME = (
    "clock.text if clock.start <= (now := e.started_at + e.total_ns * 1e-9) < clock.end"
    " else clock.advance(now)"
)

_ATOMS = {
    "h": _Atom("e.client or '-'", foreign=True),
    "l": _MISSING,
    "u": _Atom("user(environ) if 'HTTP_AUTHORIZATION' in environ else '-'"),
    "t": _Atom(_TIME),
    "r": _Atom(_REQUEST_LINE, foreign=True),
    "m": _Atom("environ.get('REQUEST_METHOD', '-')", foreign=True),
    "U": _Atom("environ.get('PATH_INFO', '-')", foreign=True),
    "q": _Atom("environ.get('QUERY_STRING', '-')", foreign=True),
    "H": _Atom("environ.get('SERVER_PROTOCOL', '-')", foreign=True),
    "s": _Atom("e.status or '-'"),
    "B": _Atom("e.body_bytes", number=True),
    "b": _Atom("e.body_bytes or '-'"),
    "f": _Atom("environ.get('HTTP_REFERER', '-')", foreign=True),
    "a": _Atom("environ.get('HTTP_USER_AGENT', '-')", foreign=True),
    "T": _Atom("e.total_ns // 1000000000", number=True),
    "M": _Atom("e.total_ns // 1000000", number=True),
    "D": _Atom("e.total_ns // 1000", number=True),
    "L": _Atom("decimal_seconds(e.total_ns)"),
    "p": _Atom("f'<{getpid()}>'"),
    "outcome": _Atom("e.outcome._value_"),
    "queue": _Atom("e.queue_ns // 1000", number=True),
    "app": _Atom("e.app_ns // 1000", number=True),
    "request_id": _Atom("environ.get('canter.request_id', '-')", foreign=True),
    "trace_id": _Atom("trace_id(environ.get('HTTP_TRACEPARENT', '')) or '-'"),
}

ATOM_NAMES = frozenset(_ATOMS)
"""The atoms that have a fixed name; `{NAME}i`, `{NAME}o` and `{NAME}e` come on top."""

_FIELD = re.compile(r"%(?:%|\((?P<name>[^()]*)\)(?P<flags>[-+ #0]*\d*(?:\.\d+)?)(?P<kind>[sdirx]))")
_TRACE_PARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"
).fullmatch
_UNSAFE = re.compile(r"[^ !#-\[\]-~]")
_UNSAFE_BYTES = bytes(code for code in range(256) if not 0x20 <= code < 0x7F) + b'"\\'


def compile_format(text: str) -> CompiledFormat:
    """Make the function that writes lines of this format.

    An atom that does not exist is written as `-` and named in `warnings`. Raises ConfigError where
    the text is no format at all.
    """
    source = _Source()
    warnings: list[str] = []
    end = 0
    for match in _fields(text):
        source.add_text(text[end : match.start()])
        end = match.end()
        name = match["name"]
        if name is None:
            source.add_text("%")
            continue
        atom = _atom(name)
        if atom is None:
            warnings.append(f"access log format: unknown atom %({name})s is written as '-'")
            atom = _MISSING
        source.add_field(name, atom, match["flags"], match["kind"])
    source.add_text(text[end:] + "\n")
    return CompiledFormat(source.function(), tuple(warnings))


def escape(value: object) -> str:
    """The value as printable ASCII without a bare quote, so that it cannot end its place."""
    return _UNSAFE.sub(_escaped_character, value if type(value) is str else str(value))


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
            return _Atom(f"response_header(e.headers, {inner.lower()!r})", foreign=True)
        if kind == "e":
            spellings = tuple(dict.fromkeys((inner, inner.upper(), inner.lower())))
            return _Atom(f"variable(environ, {spellings!r})", foreign=True)
        key = inner.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        return _Atom(f"environ.get({key!r}, '-')", foreign=True)
    return None


@dataclass(slots=True)
class _Source:
    """The source of a line function, grown field by field."""

    variables: dict[str, str] = field(default_factory=dict)  # atom's name: Python variable
    values: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    widened: list[str] = field(default_factory=list)
    body: str = ""

    def add_text(self, text: str) -> None:
        """Add literal text of the format."""
        self.body += text.replace("{", "{{").replace("}", "}}")

    def add_field(self, name: str, atom: _Atom, flags: str, kind: str) -> None:
        """Add one `%(name)flags kind` of the format."""
        if kind in "dix" and not atom.number:
            given = f"%({name}){flags}{kind}"
            raise ConfigError(f"{given} wants a number, {name} is text; write %({name})s")
        variable = self.variables.get(name)
        if variable is None:
            variable = self.variables[name] = f"v{len(self.variables)}"
            self.values.append(f"{variable} = {atom.expression}")
            if atom.foreign:
                self.foreign.append(variable)
        if flags or kind in "rx":
            wide = f"w{len(self.widened)}"
            self.widened.append(f"{wide} = {'%' + flags + kind!r} % ({variable},)")
            variable = wide
        self.body += f"{{{variable}}}"

    def function(self) -> LineFunction:
        """Compile what was gathered."""
        lines = ["environ = e.environ", "if environ is None:", "    environ = nothing"]
        lines += self.values
        if self.foreign:
            joined = "".join(f"{{{name}}}" for name in self.foreign)
            lines.append(f"text = f'{joined}'.encode('utf-8', 'backslashreplace')")
            lines.append("if len(text.translate(None, unsafe)) != len(text):")
            lines += [f"    {name} = escape({name})" for name in self.foreign]
        lines += self.widened
        lines.append(f"return f{self.body!r}")
        code = "def line(e):\n" + "".join(f"    {line}\n" for line in lines)
        scope: dict[str, Any] = {**_SCOPE, "clock": ClfClock()}
        # Generated from the fixed expressions above and the operator's format, quoted by repr.
        exec(compile(code, "<access log format>", "exec"), scope)  # noqa: S102
        function: LineFunction = scope["line"]
        return function


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


def _escaped_character(match: re.Match[str]) -> str:
    character = match[0]
    if character in '"\\':
        return "\\" + character
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_SCOPE: dict[str, Any] = {
    "decimal_seconds": _decimal_seconds,
    "escape": escape,
    "getpid": os.getpid,
    "nothing": {},
    "response_header": _response_header,
    "trace_id": trace_id,
    "unsafe": _UNSAFE_BYTES,
    "user": _user,
    "variable": _variable,
}
