"""The reference scanner: the definition of what `scan` promises, in regular expressions.

It is what runs where nothing is compiled, because a regular expression beats a loop over bytes in
interpreted Python. Its expressions have no two ways to match a byte, so that none backtracks more
than once over a line.
"""

from __future__ import annotations

import re
from typing import Any

from canter.protocol.http1.scan import (
    AGAIN_SHIFT,
    COMMON_METHODS,
    COUNT_SHIFT,
    KNOWN_NAMES,
    SINGLE,
    Fact,
    LineFact,
    Outcome,
    Scan,
    describe_name,
    end_of_fields,
    end_of_line,
)

# RFC 9110 section 5.6.2, token.
_TCHAR = r"!#$%&'*+\-.^_`|~0-9A-Za-z"
# RFC 9112 section 3. The target is any of the printable characters of ASCII but '#': RFC 3986 has
# fewer, yet browsers send '|', '{', '"' and their like as they are. A fragment never comes.
_REQUEST_LINE = re.compile(rf"([{_TCHAR}]+) ([!-\"$-~]+) (HTTP/[0-9]\.[0-9])\r\n", re.ASCII).match
# RFC 9110 section 5.5: visible characters, spaces, tabs and obs-text.
# A line that is no field matches too, without a name, so that one findall goes over the lines
# one by one and leaves none out.
_FIELDS = re.compile(rf"([{_TCHAR}]+):([ -~\t\x80-\xff]*)\r\n|[^\n]*\n?", re.ASCII).findall
# RFC 9112 section 7.1.1. 16 digits are 64 bits.
_QUOTED = r"\"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+\""
_CHUNK_SIZE = re.compile(
    r"([0-9A-Fa-f]{1,16})"
    rf"(?:[ \t]*+;[ \t]*+[{_TCHAR}]++(?:[ \t]*+=[ \t]*+(?:[{_TCHAR}]++|{_QUOTED}))?+)*+\r\n",
    re.ASCII,
).match
_LARGEST_CHUNK = 2**63 - 1

# Plain numbers: members of enums are slow to combine.
_DONE = int(Outcome.DONE)
_MALFORMED = int(Outcome.MALFORMED)
_TOO_LONG = int(Outcome.TOO_LONG)
_TOO_MANY = int(Outcome.TOO_MANY)
_EMPTY = int(Outcome.EMPTY)
_METHODS = frozenset(COMMON_METHODS)
_VERSIONS = {"HTTP/1.1": 0, "HTTP/1.0": int(LineFact.HTTP_10)}
_ODD_VERSION = int(LineFact.ODD_VERSION)
_ODD_METHOD = int(LineFact.ODD_METHOD)
_ODD_TARGET = int(LineFact.ODD_TARGET)
_PERCENT = int(LineFact.PERCENT)
_ASIDE = int(Fact.ASIDE)
_SINGLE = int(SINGLE)
_ONE_FIELD = 1 << COUNT_SHIFT


class ReferenceScan(Scan):
    """The scanner by which the other is measured."""

    __slots__ = ()

    def request_line(
        self, data: bytes, pos: int, limit: int, environ: dict[str, Any]
    ) -> tuple[int, int, int]:
        """See `Scan`."""
        behind = data.find(b"\n", pos) + 1
        found = _REQUEST_LINE(data[pos:behind].decode("latin-1"))
        if found is None or behind - 2 - pos > limit:
            outcome = end_of_line(data, pos, limit)
            return outcome, pos + 2 if outcome == _EMPTY else pos, 0
        method, target, version = found.groups()
        facts = _VERSIONS.get(version, _ODD_VERSION)
        if method not in _METHODS:
            facts |= _ODD_METHOD
        path, _, query = target.partition("?")
        if target[0] != "/":
            path, query = target, ""
            facts |= _ODD_TARGET
        elif "%" in path:
            facts |= _PERCENT
        environ["REQUEST_METHOD"] = method
        environ["RAW_URI"] = environ["REQUEST_URI"] = target
        environ["PATH_INFO"] = path
        environ["QUERY_STRING"] = query
        environ["SERVER_PROTOCOL"] = version
        return _DONE, behind, facts

    def fields(
        self,
        data: bytes,
        pos: int,
        line_limit: int,
        block_end: int,
        count_limit: int,
        facts: int,
        environ: dict[str, Any],
        aside: list[tuple[str, str]],
    ) -> tuple[int, int, int]:
        """See `Scan`."""
        if data.startswith(b"\r\n", pos):
            return _DONE, pos + 2, facts
        end = data.find(b"\r\n\r\n", pos) + 2
        # Decoded once, as far as the block goes: what is behind may be a large body.
        text = data[pos : end if end > 1 else len(data)].decode("latin-1")
        start = 0
        for name, value in _FIELDS(text):
            if not name:
                break
            length = len(name) + 1 + len(value)
            behind = start + length + 2
            if length > line_limit or pos + behind > block_end:
                return _TOO_LONG, pos + start, facts
            if facts >> COUNT_SHIFT >= count_limit:
                return _TOO_MANY, pos + start, facts
            start = behind
            facts += _ONE_FIELD
            stripped = value.strip(" \t")
            known = KNOWN_NAMES.get(name)
            key, fact = known if known is not None else describe_name(name)
            if fact:
                if fact == _ASIDE:
                    aside.append((name, stripped))
                    facts |= _ASIDE
                    continue
                if key in environ:
                    facts |= (fact & _SINGLE) << AGAIN_SHIFT
                facts |= fact
            if key in environ:
                separator = "; " if key == "HTTP_COOKIE" else ","
                stripped = environ[key] + separator + stripped
            environ[key] = stripped
        at = pos + start
        if data.startswith(b"\r\n", at):
            return _DONE, at + 2, facts
        return end_of_fields(data, at, line_limit, block_end, count_limit, facts), at, facts

    def chunk_size(self, data: bytes, pos: int, limit: int) -> tuple[int, int, int]:
        """See `Scan`."""
        behind = data.find(b"\n", pos) + 1
        found = _CHUNK_SIZE(data[pos:behind].decode("latin-1"))
        if found is None or behind - 2 - pos > limit:
            outcome = end_of_line(data, pos, limit)
            return _MALFORMED if outcome == _EMPTY else outcome, pos, 0
        size = int(found.group(1), 16)
        return (_MALFORMED, pos, 0) if size > _LARGEST_CHUNK else (_DONE, behind, size)


REFERENCE = ReferenceScan()
