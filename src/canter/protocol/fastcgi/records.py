"""FastCGI's records: what they are called, and how they are written and taken apart.

    version (1)  type (1)  request id (2)  content length (2)  padding length (1)  reserved (1)
    content, padding

Numbers are big-endian. Request id 0 is for records about the connection ("management records").
"""

from __future__ import annotations

from enum import IntEnum

from canter.protocol.faults import BadPacket

VERSION = 1
HEAD_BYTES = 8
#: The most content of one record that keeps the whole a multiple of eight bytes.
CONTENT_MAXIMUM = 65528
RESPONDER = 1
KEEP_CONNECTION = 1
MANAGEMENT = 0


class Type(IntEnum):
    """The types of records."""

    BEGIN_REQUEST = 1
    ABORT_REQUEST = 2
    END_REQUEST = 3
    PARAMS = 4
    STDIN = 5
    STDOUT = 6
    STDERR = 7
    DATA = 8
    GET_VALUES = 9
    GET_VALUES_RESULT = 10
    UNKNOWN_TYPE = 11


class Status(IntEnum):
    """How a request ended, as far as the protocol is concerned."""

    REQUEST_COMPLETE = 0
    CANT_MPX_CONN = 1
    OVERLOADED = 2
    UNKNOWN_ROLE = 3


#: What GET_VALUES may ask for: how many connections and requests at once, and whether one
#: connection takes several requests at once.
VALUES = {b"FCGI_MPXS_CONNS": b"0"}


def record(kind: int, request_id: int, content: bytes) -> bytes:
    """One record; its content is at most CONTENT_MAXIMUM bytes."""
    padding = -len(content) % 8
    head = bytes((VERSION, kind)) + request_id.to_bytes(2, "big")
    size = len(content).to_bytes(2, "big") + bytes((padding, 0))
    return b"".join((head, size, content, bytes(padding)))


def stream(kind: int, request_id: int, data: bytes) -> bytes:
    """Records that carry `data`; none for no data, which would end the stream."""
    return b"".join(
        record(kind, request_id, data[at : at + CONTENT_MAXIMUM])
        for at in range(0, len(data), CONTENT_MAXIMUM)
    )


def end_request(request_id: int, status: Status, application_status: int = 0) -> bytes:
    """The record that ends a request."""
    content = application_status.to_bytes(4, "big") + bytes((status, 0, 0, 0))
    return record(Type.END_REQUEST, request_id, content)


def unknown_type(kind: int) -> bytes:
    """The answer to a management record of a type that is not known."""
    return record(Type.UNKNOWN_TYPE, MANAGEMENT, bytes((kind,)) + bytes(7))


def values_result(asked: list[tuple[bytes, bytes]]) -> bytes:
    """The answer to GET_VALUES: what is known of what was asked for."""
    names = dict.fromkeys(name for name, _ in asked)
    content = b"".join(
        bytes((len(name), len(VALUES[name]))) + name + VALUES[name]
        for name in names
        if name in VALUES
    )
    return record(Type.GET_VALUES_RESULT, MANAGEMENT, content)


def read_pairs(block: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values. Raises BadPacket unless they fill `block` to its end."""
    found = []
    at = 0
    end = len(block)
    while at < end:
        name_size, at = _read_size(block, at)
        value_size, at = _read_size(block, at)
        middle = at + name_size
        behind = middle + value_size
        if behind > end:
            raise BadPacket("a variable reaches beyond the end of its stream")
        if not name_size:
            raise BadPacket("a variable without a name")
        found.append((block[at:middle], block[middle:behind]))
        at = behind
    return found


def _read_size(block: bytes, at: int) -> tuple[int, int]:
    """A length in one byte, or in four where the first has its highest bit set."""
    if at < len(block) and block[at] < 128:
        return block[at], at + 1
    if at + 4 > len(block):
        raise BadPacket("the variables end within a length")
    return int.from_bytes(block[at : at + 4], "big") & 0x7FFFFFFF, at + 4
