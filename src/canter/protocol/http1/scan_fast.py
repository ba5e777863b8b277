"""The byte loop: the same promise as `scan_ref`, kept in one pass over the bytes.

Made to be compiled (`scan_fast.pxd` gives the C types), and the same source runs interpreted, where
it is slow but can be debugged and measured for coverage. No objects are made but the strings that
go into the environ: a known field name is found by a hash of its bytes, whatever its case.

It looks for the ordinary line only. Any other, incomplete, over a limit or malformed, is left to
`end_of_line`, `end_of_fields` and, for chunk extensions, to the reference.
"""

from __future__ import annotations

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
from canter.protocol.http1.scan_ref import REFERENCE
from canter.protocol.octets import same_name, value_end

_DONE = int(Outcome.DONE)
_TOO_LONG = int(Outcome.TOO_LONG)
_TOO_MANY = int(Outcome.TOO_MANY)
_EMPTY = int(Outcome.EMPTY)
_HTTP_10 = int(LineFact.HTTP_10)
_ODD_VERSION = int(LineFact.ODD_VERSION)
_ODD_METHOD = int(LineFact.ODD_METHOD)
_ODD_TARGET = int(LineFact.ODD_TARGET)
_PERCENT = int(LineFact.PERCENT)
_ASIDE = int(Fact.ASIDE)
_SINGLE = int(SINGLE)
_AGAIN_SHIFT = AGAIN_SHIFT
_COUNT_SHIFT = COUNT_SHIFT
_ONE_FIELD = 1 << COUNT_SHIFT
_METHODS = frozenset(COMMON_METHODS)

# Tables with one entry for each byte.
# A token's character in lower case, else 0 (RFC 9110 section 5.6.2).
_LOWER = bytes(
    ord(chr(byte).lower())
    if byte < 128 and (chr(byte).isalnum() or byte in b"!#$%&'*+-.^_`|~")
    else 0
    for byte in range(256)
)
# 1 for a token's character.
_IN_NAME = bytes(letter != 0 for letter in _LOWER)
# What a target may hold: 1, and what its path ends or is encoded with: 2, 3.
_IN_QUERY = 1
_QUESTION = 2
_ENCODED = 3
_IN_TARGET = bytes(
    {35: 0, 63: _QUESTION, 37: _ENCODED}.get(byte, _IN_QUERY) if 33 <= byte <= 126 else 0
    for byte in range(256)
)
# The value of a hexadecimal digit, else 16.
_HEX = bytes(int(chr(byte), 16) if byte in b"0123456789abcdefABCDEF" else 16 for byte in range(256))

# The known names in an open hash table, in which a name in any case is found without making an
# object. A slot has its cell of bytes (the length of a name and the name in lower case; 0 where
# there is none), its environ key and its fact, in three tables beside each other.
_SLOTS_MASK = 1023
_CELL_BYTES = 32
_FILLING_CELLS = bytearray((_SLOTS_MASK + 1) * _CELL_BYTES)
_FILLING_FACTS = bytearray(_SLOTS_MASK + 1)
_KEYS = [""] * (_SLOTS_MASK + 1)


def _fill_slot(name: bytes, key: str, fact: int) -> None:
    """Put a name in lower case where `_slot_of` finds it."""
    length = len(name)
    slot = (name[0] + name[length - 1] * 9 + name[length >> 1] * 31 + length * 131) & _SLOTS_MASK
    while _KEYS[slot]:
        slot = (slot + 1) & _SLOTS_MASK
    start = slot * _CELL_BYTES
    _FILLING_CELLS[start : start + 1 + length] = bytes([length]) + name
    _FILLING_FACTS[slot] = fact
    _KEYS[slot] = key


for _name in sorted({name.lower() for name in KNOWN_NAMES}):
    _fill_slot(_name.encode(), *KNOWN_NAMES[_name])
_CELLS = bytes(_FILLING_CELLS)
_FACTS = bytes(_FILLING_FACTS)


def _slot_of(data: bytes, start: int, end: int) -> int:
    """The slot of the field name from `start` to `end`, or -1 if it is not known."""
    octets = data
    lower = _LOWER
    cells = _CELLS
    length = end - start
    slot = (
        lower[octets[start]]
        + lower[octets[end - 1]] * 9
        + lower[octets[start + (length >> 1)]] * 31
        + length * 131
    ) & _SLOTS_MASK
    while True:
        cell = slot * _CELL_BYTES
        if cells[cell] == 0:
            return -1
        if cells[cell] == length and same_name(data, start, _CELLS, cell + 1, length):
            return slot
        slot = (slot + 1) & _SLOTS_MASK


# Names met that are not known, as sent. Emptied when full, and long names are not kept, so that a
# peer who invents names can neither make it grow nor keep others out for long.
_LEARNED_MAXIMUM = 1024
_LEARNED_NAME_BYTES = 48
_learned: dict[bytes, tuple[str, int]] = {}


def _learn(name: bytes) -> tuple[str, int]:
    """The environ key and the fact of a name that has no slot."""
    described = _learned.get(name)
    if described is None:
        described = describe_name(name.decode("latin-1"))
        if len(name) <= _LEARNED_NAME_BYTES:
            if len(_learned) >= _LEARNED_MAXIMUM:
                _learned.clear()
            _learned[name] = described
    return described


def _is_version(data: bytes, pos: int) -> bool:
    """Whether " HTTP/d.d" and CRLF are at `pos`; there are bytes enough."""
    octets = data
    return (
        octets[pos] == 32
        and octets[pos + 1] == 72
        and octets[pos + 2] == 84
        and octets[pos + 3] == 84
        and octets[pos + 4] == 80
        and octets[pos + 5] == 47
        and 48 <= octets[pos + 6] <= 57
        and octets[pos + 7] == 46
        and 48 <= octets[pos + 8] <= 57
        and octets[pos + 9] == 13
        and octets[pos + 10] == 10
    )


class FastScan(Scan):
    """The scanner that is made to be compiled."""

    __slots__ = ()

    def request_line(
        self, data: bytes, pos: int, limit: int, environ: dict[str, Any]
    ) -> tuple[int, int, int]:
        """See `Scan`."""
        octets = data
        in_target = _IN_TARGET
        in_name = _IN_NAME
        end = len(data)
        facts = 0
        i = pos
        while i < end and in_name[octets[i]] != 0:
            i += 1
        method_end = i
        i += 1
        start = i
        while i < end and (in_target[octets[i]] & 1) != 0:
            if octets[i] == 37:
                facts = _PERCENT
            i += 1
        path_end = i
        while i < end and in_target[octets[i]] != 0:
            i += 1
        # " HTTP/d.d\r\n" is to follow, and there must be something of everything before.
        if (
            i + 11 > end
            or method_end == pos
            or octets[method_end] != 32
            or i == start
            or not _is_version(data, i)
            or i + 9 - pos > limit
        ):
            outcome = end_of_line(data, pos, limit)
            return outcome, pos + 2 if outcome == _EMPTY else pos, 0
        if (
            method_end - pos == 3
            and octets[pos] == 71
            and octets[pos + 1] == 69
            and octets[pos + 2] == 84
        ):
            method = "GET"
        else:
            method = data[pos:method_end].decode("latin-1")
            if method not in _METHODS:
                facts |= _ODD_METHOD
        target = data[start:i].decode("latin-1")
        path = target
        query = ""
        if octets[start] != 47:
            facts = (facts & ~_PERCENT) | _ODD_TARGET
        elif path_end < i:
            path = data[start:path_end].decode("latin-1")
            query = data[path_end + 1 : i].decode("latin-1")
        if octets[i + 6] == 49 and octets[i + 8] == 49:
            version = "HTTP/1.1"
        elif octets[i + 6] == 49 and octets[i + 8] == 48:
            version = "HTTP/1.0"
            facts |= _HTTP_10
        else:
            version = data[i + 1 : i + 9].decode("latin-1")
            facts |= _ODD_VERSION
        environ["REQUEST_METHOD"] = method
        environ["RAW_URI"] = target
        environ["REQUEST_URI"] = target
        environ["PATH_INFO"] = path
        environ["QUERY_STRING"] = query
        environ["SERVER_PROTOCOL"] = version
        return _DONE, i + 11, facts

    def fields(  # noqa: C901  # one loop over the bytes: a call would cost more than it reads
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
        octets = data
        in_name = _IN_NAME
        facts_of = _FACTS
        end = len(data)
        size = len(environ)
        while True:
            i = pos
            # By fours, because much of a head is names; where one ends is then found byte by byte.
            while (
                i + 4 <= end
                and (
                    in_name[octets[i]]
                    & in_name[octets[i + 1]]
                    & in_name[octets[i + 2]]
                    & in_name[octets[i + 3]]
                )
                != 0
            ):
                i += 4
            while i < end and in_name[octets[i]] != 0:
                i += 1
            colon = i
            if i + 1 >= end or octets[i] != 58 or i == pos:
                if i == pos and i + 1 < end and octets[i] == 13 and octets[i + 1] == 10:
                    return _DONE, i + 2, facts
                break
            i = value_end(data, i + 1, end)
            if i + 1 >= end or octets[i] != 13 or octets[i + 1] != 10:
                break
            if i - pos > line_limit or i + 2 > block_end:
                return _TOO_LONG, pos, facts
            if (facts >> _COUNT_SHIFT) >= count_limit:
                return _TOO_MANY, pos, facts
            slot = _slot_of(data, pos, colon)
            if slot >= 0:
                key = _KEYS[slot]
                fact = facts_of[slot]
            else:
                key, fact = _learn(data[pos:colon])
            behind = i + 2
            start = colon + 1
            while start < i and (octets[start] == 32 or octets[start] == 9):
                start += 1
            while i > start and (octets[i - 1] == 32 or octets[i - 1] == 9):
                i -= 1
            value = data[start:i].decode("latin-1")
            facts += _ONE_FIELD
            if fact == _ASIDE:
                aside.append((data[pos:colon].decode("latin-1"), value))
                facts |= _ASIDE
                pos = behind
                continue
            pos = behind
            size += 1
            environ.setdefault(key, value)
            if len(environ) != size:
                # It was there: the field is repeated.
                size -= 1
                facts |= (fact & _SINGLE) << _AGAIN_SHIFT
                environ[key] = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
            facts |= fact
        outcome = end_of_fields(data, pos, line_limit, block_end, count_limit, facts)
        return outcome, pos, facts

    def chunk_size(self, data: bytes, pos: int, limit: int) -> tuple[int, int, int]:
        """See `Scan`."""
        octets = data
        digits = _HEX
        end = len(data)
        size = 0
        i = pos
        # 15 digits are fewer than 63 bits.
        while i < end and i < pos + 15 and digits[octets[i]] < 16:
            size = size * 16 + digits[octets[i]]
            i += 1
        if i == pos or i + 1 >= end or octets[i] != 13 or octets[i + 1] != 10 or i - pos > limit:
            return REFERENCE.chunk_size(data, pos, limit)
        return _DONE, i + 2, size


FAST = FastScan()
