"""Writing header blocks: HPACK (RFC 7541).

What a connection says in one answer after the other goes into its table and costs a byte from then
on. Strings are written as they are: the table saves more than the Huffman code would, and the code
costs both ends.
"""

from __future__ import annotations

from collections import deque

from canter.protocol.http2.table import ENTRY_BYTES, FIRST_DYNAMIC, PAIRS, TABLE_BYTES

_FIRST_DYNAMIC = FIRST_DYNAMIC
_STATIC: dict[tuple[bytes, bytes], int] = {
    pair: number for number, pair in enumerate(PAIRS) if number and pair[1]
}
_STATIC_NAMES: dict[bytes, int] = {}
for _number, (_name, _) in enumerate(PAIRS[1:], 1):
    _STATIC_NAMES.setdefault(_name, _number)

# Values that hardly come twice, and would only push others out of the table.
_UNLIKE = frozenset(
    {
        b"age",
        b"content-length",
        b"content-range",
        b"etag",
        b"expires",
        b"last-modified",
        b"link",
        b"location",
        b"retry-after",
    }
)
# What must not be found out by guessing and looking at sizes; nor may proxies put it into a table
# (RFC 7541 7.1.3).
_SECRET = frozenset({b"authorization", b"proxy-authenticate", b"set-cookie", b"www-authenticate"})

# How a field that is spelled out begins, and the bits that are left for the number of its name.
_KEPT = 0x40
_KEPT_MASK = 63
_PLAIN = 0x00
_NEVER = 0x10
_MASK = 15


class Encoder:
    """What one connection's blocks are written with."""

    __slots__ = ("_added", "_limit", "_numbers", "_order", "_resized", "_size", "_smallest")

    def __init__(self) -> None:
        # The dynamic table: each field with how many had been added before it, the oldest first.
        self._numbers: dict[tuple[bytes, bytes], int] = {}
        self._order: deque[tuple[bytes, bytes]] = deque()
        self._added = 0
        self._size = 0
        self._limit = TABLE_BYTES
        # What the peer has to be told of the table's size: the smallest since the last block.
        self._resized = False
        self._smallest = TABLE_BYTES

    def resize(self, size: int) -> None:
        """The peer has room for a table of so many bytes (SETTINGS_HEADER_TABLE_SIZE)."""
        size = min(size, TABLE_BYTES)
        if size != self._limit:
            self._resized = True
            self._smallest = min(self._smallest, size)
            self._limit = size
            self._make_room(size)

    def encode(self, fields: list[tuple[bytes, bytes]]) -> bytes:
        """The block of these fields: names in lower case and values, both as they are to be."""
        block = bytearray()
        if self._resized:
            self._tell_size(block)
        numbers = self._numbers
        for field in fields:
            number = numbers.get(field)
            if number is not None:
                _put_integer(block, 0x80, 127, _FIRST_DYNAMIC + self._added - 1 - number)
                continue
            number = _STATIC.get(field)
            if number is not None:
                _put_integer(block, 0x80, 127, number)
            else:
                self._spell(block, field)
        return bytes(block)

    def _spell(self, block: bytearray, field: tuple[bytes, bytes]) -> None:
        name, value = field
        number = _STATIC_NAMES.get(name, 0)
        size = len(name) + len(value) + ENTRY_BYTES
        if name in _SECRET:
            _put_integer(block, _NEVER, _MASK, number)
        elif name in _UNLIKE or size * 2 > self._limit:
            _put_integer(block, _PLAIN, _MASK, number)
        else:
            _put_integer(block, _KEPT, _KEPT_MASK, number)
            self._add(field, size)
        if not number:
            _put_integer(block, 0, 127, len(name))
            block += name
        _put_integer(block, 0, 127, len(value))
        block += value

    def _tell_size(self, block: bytearray) -> None:
        """Say how large the table is (4.2): at its smallest, so that the peer forgets as we did."""
        if self._smallest < self._limit:
            _put_integer(block, 0x20, 31, self._smallest)
        _put_integer(block, 0x20, 31, self._limit)
        self._resized = False
        self._smallest = self._limit

    def _add(self, field: tuple[bytes, bytes], size: int) -> None:
        self._make_room(self._limit - size)
        self._numbers[field] = self._added
        self._order.append(field)
        self._added += 1
        self._size += size

    def _make_room(self, limit: int) -> None:
        while self._size > limit:
            field = self._order.popleft()
            del self._numbers[field]
            self._size -= len(field[0]) + len(field[1]) + ENTRY_BYTES


def _put_integer(block: bytearray, first: int, mask: int, value: int) -> None:
    """Append an integer with its beginning in the bits of `mask` (5.1)."""
    if value < mask:
        block.append(first | value)
        return
    block.append(first | mask)
    value -= mask
    while value >= 128:
        block.append(value & 127 | 128)
        value >>= 7
    block.append(value)
