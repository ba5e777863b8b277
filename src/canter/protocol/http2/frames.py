"""Frames as bytes (RFC 9113 sections 4 and 6)."""

from __future__ import annotations

import struct

# Types.
DATA = 0
HEADERS = 1
PRIORITY = 2
RST_STREAM = 3
SETTINGS = 4
PUSH_PROMISE = 5
PING = 6
GOAWAY = 7
WINDOW_UPDATE = 8
CONTINUATION = 9

# Flags.
END_STREAM = 0x1
ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
WITH_PRIORITY = 0x20

# Settings.
HEADER_TABLE_SIZE = 1
ENABLE_PUSH = 2
MAX_CONCURRENT_STREAMS = 3
INITIAL_WINDOW_SIZE = 4
MAX_FRAME_SIZE = 5
MAX_HEADER_LIST_SIZE = 6

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
SETTING_BYTES = 6
#: What both sides have until they say something else (6.5.2, 6.9.2).
WINDOW_BYTES = 65535
FRAME_BYTES = 16384
LARGEST_WINDOW = 2**31 - 1
LARGEST_FRAME = 2**24 - 1
HIGHEST_STREAM = 2**31 - 1

_HEAD = struct.Struct(">HBBBL").pack
_NUMBER = struct.Struct(">L").pack
_SETTING = struct.Struct(">HL").pack


def head(length: int, kind: int, flags: int, stream: int) -> bytes:
    """What stands before a frame's payload of `length` bytes (4.1)."""
    return _HEAD(length >> 8, length & 255, kind, flags, stream)


def settings(values: dict[int, int]) -> bytes:
    """SETTINGS (6.5)."""
    payload = b"".join([_SETTING(number, value) for number, value in values.items()])
    return head(len(payload), SETTINGS, 0, 0) + payload


def window_update(stream: int, count: int) -> bytes:
    """WINDOW_UPDATE (6.9)."""
    return head(4, WINDOW_UPDATE, 0, stream) + _NUMBER(count)


def reset(stream: int, code: int) -> bytes:
    """RST_STREAM (6.4)."""
    return head(4, RST_STREAM, 0, stream) + _NUMBER(code)


def go_away(last_stream: int, code: int) -> bytes:
    """GOAWAY (6.8)."""
    return head(8, GOAWAY, 0, 0) + _NUMBER(last_stream) + _NUMBER(code)


def number_at(data: bytes, pos: int) -> int:
    """The four bytes at `pos` as a number."""
    value = data[pos]
    value = value << 8 | data[pos + 1]
    value = value << 8 | data[pos + 2]
    return value << 8 | data[pos + 3]
