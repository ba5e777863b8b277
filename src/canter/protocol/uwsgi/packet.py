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
    modifier1 = head[0]
    if modifier1 not in (REQUEST, MOUNTED_REQUEST) or head[3]:
        raise BadPacket(f"not a uwsgi request: it begins with {quoted(head)}")
    return head[1] | head[2] << 8


def read_variables(block: bytes) -> list[tuple[bytes, bytes]]:
    """Names and values. Raises BadPacket unless they fill `block` to its end."""
    found = []
    at = 0
    end = len(block)
    while at < end:
        name_end = _text_end(block, at, end)
        value_end = _text_end(block, name_end, end)
        if name_end == at + 2:
            raise BadPacket("a variable without a name")
        found.append((block[at + 2 : name_end], block[name_end + 2 : value_end]))
        at = value_end
    return found


def _text_end(block: bytes, at: int, end: int) -> int:
    """Where the text ends whose length stands at `at`."""
    begin = at + 2
    if begin <= end:
        behind = begin + (block[at] | block[at + 1] << 8)
        if behind <= end:
            return behind
    raise BadPacket("a variable reaches beyond the end of its packet")
