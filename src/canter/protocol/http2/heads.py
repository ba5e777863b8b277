"""Heads of HTTP/2 and what they are in the terms of HTTP/1 (RFC 9113 section 8).

What only HTTP/2 can get wrong is judged here (pseudo-fields, fields of the connection, upper case,
characters that would change meaning in another version, 8.2.1); all else, grammar, hosts, framing,
underscores and trust, by HTTP/1's judges, and the limits are the same. So an application cannot
tell the versions apart but by SERVER_PROTOCOL.
"""

from __future__ import annotations

from typing import Any

from canter.protocol.faults import (
    BadField,
    BadFraming,
    BadHost,
    BadRequestLine,
    BadTarget,
    BadTrailer,
    Fault,
    FieldsTooLarge,
    RequestLineTooLong,
    TooManyFields,
    quoted,
)
from canter.protocol.http1.reader import Reader
from canter.protocol.http1.scan import (
    AGAIN_SHIFT,
    COMMON_METHODS,
    SINGLE,
    UNLIMITED,
    Fact,
    LineFact,
)
from canter.protocol.http2.fields import (
    AUTHORITY,
    MALFORMED,
    METHOD,
    OF_CONNECTIONS,
    ORDINARY,
    PATH,
    SCHEME,
    TE,
    Field,
    Fields,
)
from canter.protocol.limits import Limits
from canter.protocol.request import CHUNKED, Request
from canter.protocol.response import HAS_DATE, HAS_LENGTH, HAS_SERVER, ResponseHead

Pairs = list[tuple[bytes, bytes]]

VERSION = "HTTP/2.0"

# C ints where compiled.
_ORDINARY = ORDINARY
_METHOD = METHOD
_SCHEME = SCHEME
_PATH = PATH
_AUTHORITY = AUTHORITY
_TE = TE
_MALFORMED = MALFORMED
_OF_CONNECTIONS = OF_CONNECTIONS
_ODD_METHOD = int(LineFact.ODD_METHOD)
_ODD_TARGET = int(LineFact.ODD_TARGET)
_PERCENT = int(LineFact.PERCENT)
_HOST = int(Fact.HOST)
_ASIDE = int(Fact.ASIDE)
_SINGLE = int(SINGLE)
_AGAIN_SHIFT = AGAIN_SHIFT
_HAS_DATE = HAS_DATE
_HAS_LENGTH = HAS_LENGTH
_HAS_SERVER = HAS_SERVER
_CHUNKED = CHUNKED
_METHODS = frozenset(COMMON_METHODS)
# "GET" and " HTTP/1.1" have spaces between them and the target.
_LINE_BYTES = 10
_HOST_BYTES = len("host: ")
_AROUND_BYTES = len(": ")
_LINE_END_BYTES = 2
_NOTHING: dict[str, Any] = {}


class HeadJudge:
    """Makes requests of the heads of one connection; `reader` is one that reads nothing."""

    __slots__ = (
        "_aside",
        "_authority",
        "_block_limit",
        "_count",
        "_count_limit",
        "_environ",
        "_facts",
        "_field_limit",
        "_left",
        "_line_limit",
        "_method",
        "_path",
        "_reader",
        "_scheme",
    )

    def __init__(self, reader: Reader, limits: Limits) -> None:
        self._reader = reader
        self._line_limit = limits.request_line or UNLIMITED
        self._count_limit = limits.fields or UNLIMITED
        self._field_limit = limits.field_size or UNLIMITED
        self._block_limit = limits.header_block or UNLIMITED
        self._begin({})

    def _begin(self, environ: dict[str, Any]) -> None:
        """What is known of a head of which nothing was looked at."""
        self._environ = environ
        self._aside: list[tuple[str, str]] = []
        self._facts = 0
        self._count = 0
        self._left = self._block_limit
        self._method: str | None = None
        self._scheme: str | None = None
        self._path: str | None = None
        self._authority: str | None = None

    def request(self, fields: Fields, base: dict[str, Any], ended: bool) -> Request:  # noqa: FBT001
        """The request of a head. ended: there is no body. Raises Fault."""
        environ = base.copy()
        self._begin(environ)
        for field in fields:
            kind = field.name.kind
            if kind == _ORDINARY or kind == _TE:
                self._take(field)
            else:
                self._take_pseudo(field)
        if self._authority is not None:
            self._settle_host(self._authority)
        line_facts = self._settle_line()
        aside = self._aside
        facts = self._facts
        self._begin(_NOTHING)
        request = self._reader.judge_head(environ, line_facts, facts, aside)
        if ended:
            if request.body_length > 0:
                raise BadFraming("a Content-Length, and no content")
            request.body_length = 0
            request.expect_continue = False
        elif "CONTENT_LENGTH" not in environ:
            request.body_length = _CHUNKED
        return request

    def _take(self, field: Field) -> None:
        """Write a field into the environ, as a scanner of HTTP/1 does."""
        if not field.good:
            raise _bad_field(field)
        name = field.name
        text = field.text
        size = len(name.raw) + _AROUND_BYTES + len(text)
        self._count += 1
        self._left -= size + _LINE_END_BYTES
        if size > self._field_limit or self._left < 0 or self._count > self._count_limit:
            raise self._too_much(self._count)
        fact = name.fact
        if fact == _ASIDE:
            self._aside.append((name.raw.decode("ascii"), text))
            self._facts |= _ASIDE
            return
        key = name.key
        environ = self._environ
        if key in environ:
            self._facts |= (fact & _SINGLE) << _AGAIN_SHIFT
            text = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + text
        environ[key] = text
        self._facts |= fact

    def _take_pseudo(self, field: Field) -> None:
        """Note a pseudo-field; each comes once, and before all others (8.3)."""
        kind = field.name.kind
        text = field.text
        if self._count:
            raise _bad_field(field)
        if kind == _METHOD and self._method is None:
            if not field.good:
                raise BadRequestLine(f"not a method: {quoted(text)}")
            self._method = text
        elif kind == _PATH and self._path is None:
            if not field.good:
                raise BadTarget(f"not a :path: {quoted(text)}")
            self._path = text
        elif kind == _SCHEME and self._scheme is None:
            if not field.good:
                raise BadTarget("a :scheme that is neither http nor https")
            self._scheme = text
        elif kind == _AUTHORITY and self._authority is None:
            self._authority = text
        else:
            raise _bad_field(field)

    def _too_much(self, count: int) -> Fault:
        """The fault of fields over their limits."""
        if count > self._count_limit:
            return TooManyFields(f"more than {self._count_limit} fields")
        return FieldsTooLarge(
            f"a field over {self._field_limit} bytes, or all of them over {self._block_limit}"
        )

    def _settle_host(self, authority: str) -> None:
        """:authority is the Host, and must not contradict one (8.3.1)."""
        environ = self._environ
        if self._facts & _HOST:
            if self._facts & (_HOST << _AGAIN_SHIFT) or environ["HTTP_HOST"] != authority:
                raise BadHost("Host and :authority differ")
            return
        size = _HOST_BYTES + len(authority)
        self._count += 1
        self._left -= size + _LINE_END_BYTES
        if size > self._field_limit or self._left < 0 or self._count > self._count_limit:
            raise self._too_much(self._count)
        environ["HTTP_HOST"] = authority
        self._facts |= _HOST

    def _settle_line(self) -> int:
        """Write what HTTP/1 has in its request line (8.3.1); the facts about it."""
        environ = self._environ
        method = self._method
        path = self._path
        if method is None:
            raise BadRequestLine("no :method")
        facts = 0
        if method != "GET" and method not in _METHODS:
            facts = _ODD_METHOD
        if method == "CONNECT":
            path = self._authority
        elif self._scheme is None:
            raise BadTarget("no :scheme")
        if not path:
            raise BadTarget("no :path")
        if len(method) + len(path) + _LINE_BYTES > self._line_limit:
            raise RequestLineTooLong(f"a :path over {self._line_limit} bytes")
        environ["REQUEST_METHOD"] = method
        environ["RAW_URI"] = path
        environ["REQUEST_URI"] = path
        environ["SERVER_PROTOCOL"] = VERSION
        if path[0] == "/":
            query = ""
            if "?" in path:
                path, _, query = path.partition("?")
            environ["QUERY_STRING"] = query
            if "%" in path:
                facts |= _PERCENT
        elif method != "CONNECT" and not (path == "*" and method == "OPTIONS"):
            raise BadTarget(f"not a :path: {quoted(path)}")
        else:
            facts |= _ODD_TARGET
        environ["PATH_INFO"] = path
        return facts


def _bad_field(field: Field) -> BadField:
    """Why a field may not be where it is (8.2 and 8.3)."""
    kind = field.name.kind
    shown = quoted(field.name.raw)
    if kind == _MALFORMED:
        return BadField(f"not a field name: {shown}")
    if kind == _OF_CONNECTIONS or kind == _TE:
        return BadField(f"a field that belongs to a connection: {shown}")
    if kind == _ORDINARY:
        return BadField(f"a character that may not be in the value of the field {shown}")
    return BadField(f"a pseudo-field that may not be here: {shown}")


def judge_request(
    fields: Fields,
    reader: Reader,
    base: dict[str, Any],
    limits: Limits,
    ended: bool,  # noqa: FBT001 - as the frame's flag
) -> Request:
    """One head by itself: `HeadJudge.request`."""
    return HeadJudge(reader, limits).request(fields, base, ended)


def judge_trailers(fields: Fields, limits: Limits) -> None:
    """Judge trailers, which are then dropped. Raises BadTrailer."""
    for count, field in enumerate(fields, 1):
        if (field.name.kind != _ORDINARY and field.name.kind != _TE) or not field.good:
            raise BadTrailer(_bad_field(field).detail)
        if limits.fields and count > limits.fields:
            raise BadTrailer(f"more than {limits.fields} trailers")


_STATUS = {code: (b":status", b"%d" % code) for code in range(100, 600)}
_SERVER = (b"server", b"canter")
# The names that applications use, in lower case; bounded, as they may invent some.
_LOWERED_MAXIMUM = 1024
_lowered: dict[str, bytes] = {}


def _lower(name: str) -> bytes:
    known = _lowered.get(name)
    if known is None:
        known = name.lower().encode("latin-1")
        if len(_lowered) < _LOWERED_MAXIMUM:
            _lowered[name] = known
    return known


def _status(code: int) -> tuple[bytes, bytes]:
    known = _STATUS.get(code)
    return (b":status", b"%d" % code) if known is None else known


def response_fields(head: ResponseHead, length: int, date: bytes) -> Pairs:
    """The fields of a response. length: of the body, where it is known and not declared, else -1.

    date: the Date line of HTTP/1.1.
    """
    fields: Pairs = [_status(head.code)]
    facts = head.facts
    if not facts & _HAS_SERVER:
        fields.append(_SERVER)
    if not facts & _HAS_DATE:
        fields.append((b"date", date[6 : len(date) - 2]))
    without_length = facts & _HAS_LENGTH and head.code == 204
    for name, value in head.fields:
        lowered = _lower(name)
        if without_length and lowered == b"content-length":
            continue
        fields.append((lowered, value.strip(" \t").encode("latin-1")))
    if length >= 0:
        fields.append((b"content-length", b"%d" % length))
    return fields


def interim_fields(status: int, fields: list[tuple[str, str]]) -> Pairs:
    """The head of an interim response with judged fields."""
    found = [_status(status)]
    found += [(_lower(n), v.strip(" \t").encode("latin-1")) for n, v in fields]
    return found


def refusal_fields(fault: Fault, date: bytes, size: int) -> Pairs:
    """The head of the answer to a request that was refused."""
    fields = [
        _status(fault.status),
        _SERVER,
        (b"date", date[6 : len(date) - 2]),
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % size),
    ]
    retry_after_seconds = getattr(fault, "retry_after_seconds", None)
    if retry_after_seconds is not None:
        fields.append((b"retry-after", b"%d" % retry_after_seconds))
    return fields
