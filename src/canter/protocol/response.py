"""What an application may answer: its status and headers, judged once for every wire format.

The rules are PEP 3333's ("The start_response() Callable") and RFC 9110's. A judgement raises
`InvalidResponse` in the application's own call of start_response, so that the traceback names the
line that is wrong. Hop-by-hop fields belong to the server and are left out (PEP 3333 forbids them);
`Connection: close` is honoured.
"""

from __future__ import annotations

import re
from typing import Any

from canter.protocol.octets import is_plain

# Facts about a head, one bit each.
HAS_DATE = 1
HAS_SERVER = 2
WANTS_CLOSE = 4
HAS_LENGTH = 8
_HAS_LENGTH = HAS_LENGTH  # a C int where compiled

_ORDINARY = 0
_DATE = 1
_SERVER = 2
_CONTENT_LENGTH = 3
_CONNECTION = 4
_HOP_BY_HOP = 5

_SPECIAL = {
    "date": _DATE,
    "server": _SERVER,
    "content-length": _CONTENT_LENGTH,
    "connection": _CONNECTION,
    "keep-alive": _HOP_BY_HOP,
    "proxy-authenticate": _HOP_BY_HOP,
    "proxy-connection": _HOP_BY_HOP,
    "te": _HOP_BY_HOP,
    "trailer": _HOP_BY_HOP,
    "transfer-encoding": _HOP_BY_HOP,
    "upgrade": _HOP_BY_HOP,
}

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
# PEP 3333 wants a reason after the number; a bare number is let pass, as HTTP allows an empty one.
_STATUS = re.compile(r"[1-9][0-9][0-9](?: [\t\x20-\x7e\xa0-\xff]*)?").fullmatch
# RFC 9110 5.5: a field value holds visible characters, spaces and tabs; obs-text passes as latin-1.
_BAD_IN_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\xff]").search
_LENGTH_DIGITS = 18  # fewer than 63 bits

# Header names repeat from response to response: each is judged once, then remembered. The bound
# keeps an application that invents names from growing this without end.
_KNOWN_NAMES_MAXIMUM = 1024
_known_names: dict[str, int] = {}
_KNOWN_STATUSES_MAXIMUM = 256
_known_statuses: dict[str, int] = {}


class InvalidResponse(ValueError):
    """The application's status or headers cannot be sent; the message says which and why."""


class ResponseHead:
    """One judged response head.

    status: as the application gave it, "200 OK". code: its number.
    declared: (name, value) pairs as the application gave them.
    fields: those to send as they are: without hop-by-hop fields.
    content_length: what the application declared, or -1; it is among the fields where facts has
    HAS_LENGTH.
    facts: HAS_DATE, HAS_SERVER, WANTS_CLOSE, HAS_LENGTH.
    dropped: names of hop-by-hop fields that were left out.
    """

    __slots__ = (
        "code",
        "content_length",
        "declared",
        "dropped",
        "facts",
        "fields",
        "status",
    )

    def __init__(self, status: str, code: int, fields: list[tuple[str, str]]) -> None:
        self.status = status
        self.code = code
        self.declared = fields
        self.fields = fields
        self.content_length = -1
        self.facts = 0
        self.dropped: tuple[str, ...] = ()


def judge_status(status: object) -> int:
    """The number of an application's status line, "404 Not Found"; raises InvalidResponse."""
    if type(status) is not str:
        raise InvalidResponse(f"the status must be a str, not {type(status).__name__}: {status!r}")
    if _STATUS(status) is None:
        raise InvalidResponse(f"the status must be three digits, a space and a reason: {status!r}")
    code = int(status[:3])
    if code < 200:
        # An interim status would leave the client waiting for the real one (RFC 9110 15.2).
        raise InvalidResponse(f"a final status is wanted, not {status!r}")
    if len(_known_statuses) < _KNOWN_STATUSES_MAXIMUM:
        _known_statuses[status] = code
    return code


def _plain_field(field: Any) -> tuple[str, str]:
    """A field in plain str, where an application has a subclass of it; raises InvalidResponse.

    Frameworks mark text as safe for HTML by such a class. Its methods are not asked.
    """
    try:
        name, value = field
    except (TypeError, ValueError):
        raise InvalidResponse(f"a header must be a tuple of two str: {field!r}") from None
    if not isinstance(name, str):
        raise InvalidResponse(f"a header name must be a str, not {type(name).__name__}: {name!r}")
    if not isinstance(value, str):
        raise InvalidResponse(
            f"the value of header {name!r} must be a str, not {type(value).__name__}: {value!r}"
        )
    return str.__str__(name), str.__str__(value)


def _judge_name(name: str) -> int:
    """The kind of a field name never met before; raises InvalidResponse."""
    if _TOKEN(name) is None:
        raise InvalidResponse(f"not a header name: {name!r}")
    kind = _SPECIAL.get(name.lower(), _ORDINARY)
    if len(_known_names) < _KNOWN_NAMES_MAXIMUM:
        _known_names[name] = kind
    return kind


def judge_response(status: object, headers: object) -> ResponseHead:
    """Judge what an application gave to start_response; raises InvalidResponse."""
    if type(status) is not str and isinstance(status, str):
        status = str.__str__(status)
    code = _known_statuses.get(status) if type(status) is str else None
    if code is None:
        code = judge_status(status)
    # A copy: the application may change its list after the call, and what was judged is sent.
    try:
        fields = list(headers)  # type: ignore[call-overload]  # judged by trying
    except TypeError:
        raise InvalidResponse(f"the headers must be a list, not {type(headers).__name__}") from None
    head = ResponseHead(status, code, fields)  # type: ignore[arg-type]  # judged above
    ordinary = True
    for field in fields:
        if type(field) is not tuple or len(field) != 2:
            return judge_response(status, [_plain_field(field) for field in fields])
        name, value = field
        if type(value) is not str or type(name) is not str:
            return judge_response(status, [_plain_field(field) for field in fields])
        known = _known_names.get(name)
        kind = _judge_name(name) if known is None else known
        # Nearly every value passes the first question, which costs next to nothing.
        if not is_plain(value) and _BAD_IN_VALUE(value) is not None:
            raise InvalidResponse(f"the value of header {name!r} has a character that HTTP forbids")
        if kind != _ORDINARY:
            ordinary = _note_special(head, kind, value) and ordinary
    if not ordinary:
        _take_out(head)
    return head


def _note_special(head: ResponseHead, kind: int, value: str) -> bool:
    """Note a field that means something to the server; False when it cannot stay as it is."""
    if kind == _DATE:
        head.facts |= HAS_DATE
    elif kind == _SERVER:
        head.facts |= HAS_SERVER
    elif kind == _CONTENT_LENGTH and head.content_length < 0:
        _declare_length(head, value)
        head.facts |= _HAS_LENGTH
    else:
        return False
    return True


def _take_out(head: ResponseHead) -> None:
    """Take the hop-by-hop fields, and a second Content-Length, out and note what they said."""
    fields: list[tuple[str, str]] = []
    dropped = []
    for name, value in head.fields:
        kind = _SPECIAL.get(name.lower(), _ORDINARY)
        if kind == _CONTENT_LENGTH:
            _declare_length(head, value)
            if not any(before[0].lower() == "content-length" for before in fields):
                fields.append((name, value))
        elif kind == _CONNECTION:
            tokens = [token.strip().lower() for token in value.split(",")]
            if "close" in tokens:
                head.facts |= WANTS_CLOSE
            if any(token not in ("close", "keep-alive", "") for token in tokens):
                dropped.append(name)
        elif kind == _HOP_BY_HOP:
            dropped.append(name)
        else:
            fields.append((name, value))
    head.fields = fields
    head.dropped = tuple(dropped)


def _declare_length(head: ResponseHead, value: str) -> None:
    if not 0 < len(value) <= _LENGTH_DIGITS:
        raise InvalidResponse(f"not a Content-Length: {value!r}")
    length = 0
    for digit in value:
        if not "0" <= digit <= "9":
            raise InvalidResponse(f"not a Content-Length: {value!r}")
        length = length * 10 + ord(digit) - 48
    if head.content_length not in (-1, length):
        raise InvalidResponse(f"two Content-Length: {head.content_length} and {length}")
    head.content_length = length
