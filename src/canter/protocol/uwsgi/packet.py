"""A uwsgi packet: four bytes of head, then variables, each name and value behind its length.

    modifier1 (1 byte)   size (2 bytes)   modifier2 (1 byte)
    name length (2)  name  value length (2)  value  ...

All numbers are little-endian. Modifier 0 is a request; 30 is one whose PATH_INFO still begins with
SCRIPT_NAME. The others are commands to other programs.
"""

from __future__ import annotations

from canter.protocol.faults import BadPacket, quoted

HEAD_BYTES = 4
REQUEST = 0
MOUNTED_REQUEST = 30


def packet_size(head: bytes) -> int:
    """The size of the variables behind these four bytes. Raises BadPacket for no request."""
    modifier1, modifier2 = head[0], head[3]
    if modifier1 not in (REQUEST, MOUNTED_REQUEST) or modifier2:
        raise BadPacket(f"not a uwsgi request: it begins with {quoted(head)}")
    return int.from_bytes(head[1:3], "little")


def read_variables(block: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values. Raises BadPacket unless they fill `block` to its end."""
    found = []
    at = 0
    end = len(block)
    while at < end:
        name, at = _read_text(block, at, end)
        value, at = _read_text(block, at, end)
        if not name:
            raise BadPacket("a variable without a name")
        found.append((name, value))
    return found


def _read_text(block: bytes, at: int, end: int) -> tuple[bytes, int]:
    begin = at + 2
    behind = begin + int.from_bytes(block[at:begin], "little")
    if begin > end or behind > end:
        raise BadPacket("a variable reaches beyond the end of its packet")
    return block[begin:behind], behind
