"""From the variables of a web server to a request: the one judge for uwsgi, SCGI and FastCGI.

The peer is a web server in the list of those that are believed, so what it says about its client is
taken. Much of it is still the client's own: names and values of fields, path and query. Hence:

- A variable is CGI's (RFC 3875 section 4.1) or one that the administrator named: letters, digits
  and underscores. Nothing else reaches the environ, so `wsgi.*` and `canter.*` cannot be set.
- Where the body ends is never left open: one length, or a refusal.
- A field that came twice is joined as in HTTP. Any other variable may come again, since that is how
  a line of a server's configuration overrides an included file: the last one counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from canter.protocol.faults import (
    BadField,
    BadFraming,
    BadHost,
    BadRequest,
    BadRequestLine,
    BodyTooLarge,
    FieldsTooLarge,
    MethodNotImplemented,
    RequestLineTooLong,
    TooManyFields,
    quoted,
)
from canter.protocol.fields import judge_host
from canter.protocol.framing import parse_length
from canter.protocol.gateway.paths import settle_path
from canter.protocol.http1.request_line import judge_method
from canter.protocol.http1.scan import UNLIMITED
from canter.protocol.limits import Leniency, Limits
from canter.protocol.octets import is_plain
from canter.protocol.request import Request

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_FIELD = re.compile(r"HTTP_[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_VERSION = re.compile(r"HTTP/[0-9](?:\.[0-9])?").fullmatch
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
_SECURE = frozenset({"on", "1", "true", "yes", "https"})

# Of a name: what it is of, and so what its value may hold.
_LEFT_ALONE = 0
_FIELD_OF_HTTP = 1
_NO_FIELD = 2
_TOLD = 3
_TOLD_PLAINLY = 4
# Names repeat from request to request: each is judged once, then remembered. The bounds keep
# clients that invent names from growing this without end.
_KNOWN_NAMES_MAXIMUM = 1024
_KNOWN_NAME_BYTES = 64
_known_names: dict[bytes, tuple[str, int]] = {}

_USUAL_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
_USUAL_VERSIONS = frozenset({"HTTP/1.1", "HTTP/1.0", "HTTP/2.0"})

# What ends up in other lines, heads or logs; a path or a certificate may hold anything.
_PLAIN = frozenset(
    {
        "AUTH_TYPE",
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "QUERY_STRING",
        "REMOTE_ADDR",
        "REMOTE_HOST",
        "REMOTE_PORT",
        "REMOTE_USER",
        "REQUEST_METHOD",
        "REQUEST_SCHEME",
        "REQUEST_URI",
        "SERVER_NAME",
        "SERVER_PORT",
        "SERVER_PROTOCOL",
    }
)
# CGI's own names stand for the first two, the third is the web server's affair, and what runs here
# is this server.
_LEFT_OUT = ("HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_TRANSFER_ENCODING")
_OURS = frozenset({"SERVER_SOFTWARE"})
# Empty ones mean the same as none.
_NEVER_EMPTY = ("SERVER_NAME", "SERVER_PORT", "REMOTE_ADDR", "REMOTE_PORT", "CONTENT_TYPE")


def request_from(
    base: dict[str, Any],
    variables: Iterable[tuple[bytes, bytes]],
    limits: Limits,
    leniency: Leniency,
) -> Request:
    """The request that these variables tell of, whose body has the length that they tell.

    body_length is -1 where they tell none: what that means is the format's affair. keep_alive is
    False. Raises Fault.
    """
    told = collect(variables, limits)
    environ = base.copy()
    transfer_encoding = told.pop("HTTP_TRANSFER_ENCODING", "")
    for name in _LEFT_OUT:
        told.pop(name, None)
    for name in _NEVER_EMPTY:
        if not told.get(name, "-"):
            del told[name]
    environ.update(told)
    request = Request()
    request.environ = environ
    request.http_10 = True
    request.keep_alive = False
    request.expect_continue = False
    request.upgrade = False
    request.names_client = "REMOTE_ADDR" in told
    _judge_line(request, told, leniency)
    settle_path(environ, told, base.get("SCRIPT_NAME", ""))
    _judge_target(request, limits)
    _judge_body(request, transfer_encoding, limits)
    if "HTTP_HOST" in told:
        judge_host(told["HTTP_HOST"])
    environ["wsgi.url_scheme"] = _scheme(told, environ["wsgi.url_scheme"])
    return request


def collect(variables: Iterable[tuple[bytes, bytes]], limits: Limits) -> dict[str, str]:
    """The variables by name, those left out that are none. Raises Fault."""
    told: dict[str, str] = {}
    fields = 0
    most_fields = limits.fields or UNLIMITED
    most_bytes = limits.field_size or UNLIMITED
    for name_bytes, value_bytes in variables:
        known = _known_names.get(name_bytes)
        name, kind = _judge_name(name_bytes) if known is None else known
        if kind == _LEFT_ALONE:
            continue
        value = value_bytes.decode("latin-1")
        if kind <= _NO_FIELD:
            fields += 1
            if fields > most_fields:
                raise TooManyFields(f"more than {limits.fields} fields")
            if len(name_bytes) + len(value_bytes) > most_bytes:
                raise FieldsTooLarge(f"a field over {limits.field_size} bytes: {quoted(name)}")
            if kind == _NO_FIELD:
                continue
        # Nearly every value passes the first question, which costs next to nothing.
        if kind != _TOLD and not is_plain(value) and _CONTROLS(value):
            raise BadField(f"a control character in the variable {quoted(name)}")
        if name in told:
            value = _again(name, kind, told[name], value)
        told[name] = value
    return told


def _judge_name(name_bytes: bytes) -> tuple[str, int]:
    """A name never met before, and what it is of."""
    name = name_bytes.decode("latin-1")
    if name.startswith("HTTP_"):
        kind = _FIELD_OF_HTTP if _FIELD(name) else _NO_FIELD
    elif not _NAME(name) or name in _OURS:
        kind = _LEFT_ALONE
    else:
        kind = _TOLD_PLAINLY if name in _PLAIN else _TOLD
    known = (name, kind)
    if len(name) <= _KNOWN_NAME_BYTES and len(_known_names) < _KNOWN_NAMES_MAXIMUM:
        _known_names[name_bytes] = known
    return known


def _again(name: str, kind: int, before: str, value: str) -> str:
    """The value of a variable that has come before."""
    if kind == _FIELD_OF_HTTP:
        return _joined(name, before, value)
    if name == "CONTENT_LENGTH" and before != value:
        raise BadFraming("two different CONTENT_LENGTH variables")
    return value


def _joined(name: str, before: str, value: str) -> str:
    if name == "HTTP_HOST":
        if before != value:
            raise BadHost("two different HTTP_HOST variables")
        return value
    return f"{before}; {value}" if name == "HTTP_COOKIE" else f"{before},{value}"


def _judge_line(request: Request, told: dict[str, str], leniency: Leniency) -> None:
    """The method and the version."""
    environ = request.environ
    method = told.get("REQUEST_METHOD", "")
    if method in _USUAL_METHODS:
        request.method = method
    else:
        request.method = environ["REQUEST_METHOD"] = _judge_unusual(method, leniency)
    version = environ.setdefault("SERVER_PROTOCOL", "HTTP/1.0")
    if version not in _USUAL_VERSIONS and not _VERSION(version):
        raise BadRequestLine(f"not a version: {quoted(version)}")


def _judge_unusual(method: str, leniency: Leniency) -> str:
    if not _METHOD(method):
        raise BadRequestLine(
            f"not a method: {quoted(method)}" if method else "no REQUEST_METHOD among the variables"
        )
    judged = judge_method(method, leniency)
    if judged == "CONNECT":
        raise MethodNotImplemented("CONNECT")
    return judged


def _judge_target(request: Request, limits: Limits) -> None:
    environ = request.environ
    target = environ["REQUEST_URI"]
    size = len(request.method) + len(target) + len(environ["SERVER_PROTOCOL"]) + 2
    if limits.request_line and size > limits.request_line:
        raise RequestLineTooLong(f"a request line over {limits.request_line} bytes")
    environ["RAW_URI"] = request.target = target


def _judge_body(request: Request, transfer_encoding: str, limits: Limits) -> None:
    environ = request.environ
    text = environ.get("CONTENT_LENGTH", "")
    if not text:
        environ.pop("CONTENT_LENGTH", None)
        request.body_length = -1
        if transfer_encoding and transfer_encoding.strip().lower() != "chunked":
            raise BadRequest(f"a transfer coding in variables: {quoted(transfer_encoding)}")
        return
    length = parse_length(text)
    environ["CONTENT_LENGTH"] = str(length)
    if limits.body and length > limits.body:
        raise BodyTooLarge(f"a body of {length} bytes, over {limits.body}")
    request.body_length = length


def _scheme(told: dict[str, str], before: str) -> str:
    """By the first variable that tells."""
    https = told.get("HTTPS", "")
    if https:
        return "https" if https.lower() in _SECURE else "http"
    scheme = (told.get("REQUEST_SCHEME") or told.get("UWSGI_SCHEME") or before).lower()
    return "https" if scheme == "https" else "http"


def needs_length(request: Request, *, had_coding: bool) -> None:
    """For formats in which only CONTENT_LENGTH tells where the body ends: none is no body.

    Raises BadFraming where a transfer coding says that there is one all the same.
    """
    if request.body_length < 0:
        if had_coding:
            raise BadFraming("a body without CONTENT_LENGTH")
        request.body_length = 0
