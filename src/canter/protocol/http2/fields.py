"""One field of a head as HTTP/2 carries it, judged once (RFC 9113 sections 8.2 and 8.3).

A field that stays in the table of a connection's decoder comes again by its number, and what was
found out about it with it: its key in an environ, its value as text, whether both are allowed.
"""

from __future__ import annotations

import re

from canter.protocol.http1.scan import KNOWN_NAMES, describe_name
from canter.protocol.octets import value_end

# The kinds of names.
ORDINARY = 0
METHOD = 1
SCHEME = 2
PATH = 3
AUTHORITY = 4
#: A pseudo-field that requests do not have.
UNKNOWN = 5
#: A field that belongs to one connection of HTTP/1 (8.2.2).
OF_CONNECTIONS = 6
#: Of those the one that may say "trailers".
TE = 7
#: Not a field name in lower case (8.2.1).
MALFORMED = 8

_METHOD = METHOD
_SCHEME = SCHEME
_PATH = PATH
_TE = TE

_PSEUDO = {b":method": METHOD, b":scheme": SCHEME, b":path": PATH, b":authority": AUTHORITY}
_OF_CONNECTIONS = frozenset(
    {b"connection", b"proxy-connection", b"keep-alive", b"transfer-encoding", b"upgrade"}
)
_IS_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_IS_METHOD = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
# The characters of a target of HTTP/1 (`canter.protocol.http1.scan_ref`).
_IS_PATH = re.compile(r"[!-\"$-~]+").fullmatch


class Name:
    """The name of a field. kind: see above. key, fact: what a scanner of HTTP/1 makes of it."""

    __slots__ = ("fact", "key", "kind", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.key = ""
        self.fact = 0
        if raw.startswith(b":"):
            self.kind = _PSEUDO.get(raw, UNKNOWN)
        elif _IS_NAME(raw) is None:
            self.kind = MALFORMED
        else:
            if raw in _OF_CONNECTIONS:
                self.kind = OF_CONNECTIONS
            else:
                self.kind = TE if raw == b"te" else ORDINARY
            text = raw.decode("ascii")
            known = KNOWN_NAMES.get(text)
            self.key, self.fact = describe_name(text) if known is None else known


_KNOWN = {
    spelling.encode(): Name(spelling.encode())
    for spelling in KNOWN_NAMES
    if spelling == spelling.lower()
}
_KNOWN |= {raw: Name(raw) for raw in _PSEUDO}
# Names met that are not known. Emptied when full, and long names are not kept, so that a peer who
# invents names can neither make it grow nor keep others out for long.
_LEARNED_MAXIMUM = 1024
_LEARNED_NAME_BYTES = 48
_learned: dict[bytes, Name] = {}


def name_of(raw: bytes) -> Name:
    """The name that is spelled like this."""
    name = _KNOWN.get(raw)
    if name is None:
        name = _learned.get(raw)
    if name is None:
        name = Name(raw)
        if len(raw) <= _LEARNED_NAME_BYTES:
            if len(_learned) >= _LEARNED_MAXIMUM:
                _learned.clear()
            _learned[raw] = name
    return name


class Field:
    """A name and a value. text: the value as latin-1. good: whether it may have this value.

    size: as HPACK counts it, in bytes (RFC 7541 section 4.1).
    """

    __slots__ = ("good", "name", "size", "text")

    def __init__(self, name: Name, data: bytes, start: int, end: int) -> None:
        self.name = name
        self.text = text = data[start:end].decode("latin-1")
        self.size = len(name.raw) + end - start + 32
        good = value_end(data, start, end) == end
        if good and start < end:
            # 8.2.1: no white space at either end.
            first = data[start]
            last = data[end - 1]
            good = first != 32 and first != 9 and last != 32 and last != 9
        kind = name.kind
        if good and kind != ORDINARY:
            if kind == _METHOD:
                good = _IS_METHOD(text) is not None
            elif kind == _PATH:
                good = _IS_PATH(text) is not None
            elif kind == _SCHEME:
                good = text == "http" or text == "https"
            elif kind == _TE:
                good = text == "trailers"
        self.good = good


def field_of(name: bytes, value: bytes) -> Field:
    """A field of its bytes."""
    return Field(name_of(name), value, 0, len(value))


Fields = list[Field]
