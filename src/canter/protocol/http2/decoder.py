"""Reading header blocks: HPACK (RFC 7541)."""

from __future__ import annotations

from canter.protocol.http2 import errors
from canter.protocol.http2.errors import ConnectionFailed
from canter.protocol.http2.fields import Field, Fields, Name, name_of
from canter.protocol.http2.huffman import decode as decode_huffman
from canter.protocol.http2.table import FIRST_DYNAMIC, STATIC, TABLE_BYTES

_STATIC = STATIC
_FIRST_DYNAMIC = FIRST_DYNAMIC
_TABLE_BYTES = TABLE_BYTES
# An integer has its prefix and at most so many bytes more: 28 bits, more than a frame is long.
_LONGEST_SHIFT = 28


class Decoder:
    """What one connection's blocks are read with. list_limit: bytes of a head, as HPACK counts."""

    __slots__ = (
        "_data",
        "_end",
        "_entries",
        "_from",
        "_list_limit",
        "_pos",
        "_size",
        "_string",
        "_table_limit",
        "_to",
    )

    def __init__(self, list_limit: int) -> None:
        self._list_limit = list_limit
        # The dynamic table, the newest entry last.
        self._entries: list[Field] = []
        self._size = 0
        self._table_limit = _TABLE_BYTES
        # The block that is being read, and the string that was read last.
        self._data = b""
        self._pos = 0
        self._end = 0
        self._string = b""
        self._from = 0
        self._to = 0

    def decode(self, data: bytes, start: int, end: int) -> Fields:
        """The fields of the block from `start` to `end`. Raises ConnectionFailed.

        After that nothing more can be read: the tables of the two ends may differ.
        """
        fields: list[Field] = []
        total = 0
        self._data = data
        self._pos = start
        self._end = end
        while self._pos < end:
            first = data[self._pos]
            if first >= 128:
                field = self._entry(self._integer(127))
            elif first >= 64:
                field = self._literal(63)
                self._add(field)
            elif first >= 32:
                if fields:
                    raise ConnectionFailed(errors.LATE_TABLE_SIZE)
                self._resize(self._integer(31))
                continue
            else:
                field = self._literal(15)
            total += field.size
            if total > self._list_limit:
                raise ConnectionFailed(errors.FIELDS_TOO_LARGE)
            fields.append(field)
        self._data = self._string = b""
        return fields

    def _literal(self, mask: int) -> Field:
        """A field whose value is spelled out (6.2)."""
        index = self._integer(mask)
        name: Name
        if index:
            name = self._entry(index).name
        else:
            self._read_string()
            name = name_of(self._string[self._from : self._to])
        self._read_string()
        return Field(name, self._string, self._from, self._to)

    def _entry(self, index: int) -> Field:
        """An entry of the tables (2.3.3)."""
        if 0 < index < _FIRST_DYNAMIC:
            return _STATIC[index]
        entries = self._entries
        at = len(entries) - 1 - (index - _FIRST_DYNAMIC)
        if index == 0 or at < 0:
            raise ConnectionFailed(errors.NO_SUCH_FIELD)
        return entries[at]

    def _integer(self, mask: int) -> int:
        """An integer with its beginning in the bits of `mask` (5.1)."""
        data = self._data
        pos = self._pos
        value = data[pos] & mask
        pos += 1
        if value == mask:
            shift = 0
            while True:
                if pos >= self._end:
                    raise ConnectionFailed(errors.BLOCK_CUT)
                if shift >= _LONGEST_SHIFT:
                    raise ConnectionFailed(errors.INTEGER_TOO_LARGE)
                octet = data[pos]
                pos += 1
                value += (octet & 127) << shift
                shift += 7
                if octet < 128:
                    break
        self._pos = pos
        return value

    def _read_string(self) -> None:
        """Read a string (5.2), and note where its bytes are."""
        if self._pos >= self._end:
            raise ConnectionFailed(errors.BLOCK_CUT)
        is_huffman = self._data[self._pos] >= 128
        length = self._integer(127)
        start = self._pos
        behind = start + length
        if behind > self._end:
            raise ConnectionFailed(errors.BLOCK_CUT)
        self._pos = behind
        if not is_huffman:
            self._string = self._data
            self._from = start
            self._to = behind
            return
        string = decode_huffman(self._data, start, behind)
        if string is None:
            raise ConnectionFailed(errors.BAD_HUFFMAN)
        self._string = string
        self._from = 0
        self._to = len(string)

    def _add(self, field: Field) -> None:
        """Put a field into the table, and out what has no room beside it (4.4)."""
        self._make_room(self._table_limit - field.size)
        if field.size <= self._table_limit:
            self._entries.append(field)
            self._size += field.size

    def _resize(self, size: int) -> None:
        """The peer uses a table of this size from here on (6.3)."""
        if size > _TABLE_BYTES:
            raise ConnectionFailed(errors.TABLE_TOO_LARGE)
        self._table_limit = size
        self._make_room(size)

    def _make_room(self, limit: int) -> None:
        """Put the oldest entries out until what is left has at most `limit` bytes."""
        entries = self._entries
        count = 0
        while self._size > limit and count < len(entries):
            self._size -= entries[count].size
            count += 1
        if count:
            del entries[:count]
