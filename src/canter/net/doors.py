"""Closing the door of a listening socket while those who wait behind it are still let in.

A listening socket that is closed resets whoever is in its queue. To empty the queue first is not
enough: between the last look and the close somebody may come. So newcomers are kept out before the
last look, for every process that shares the socket, and for good.

A unix socket is shut down for reading: connecting is refused from then on, and accepting goes on.
TCP has no such thing (there it is the close itself), but a filter: of the segments that come for
the listening socket it drops those that ask for a new connection. The client asks again after a
second, and by then is refused, or served by whoever has taken the port over. See ADR 0012.
"""

from __future__ import annotations

import array
import contextlib
import socket
import struct
import sys

_SO_ATTACH_FILTER = 26
_FLAGS_OFFSET = 13
_SYN, _SYN_OR_ACK = 0x02, 0x12
_WHOLE = 0xFFFFFFFF
# Classic BPF; the segment begins with the TCP header. (code, jump if true, if false, operand)
_PROGRAM = (
    (0x30, 0, 0, _FLAGS_OFFSET),  # load the byte of flags
    (0x54, 0, 0, _SYN_OR_ACK),  # and
    (0x15, 0, 1, _SYN),  # if it is SYN alone
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, _WHOLE),  # else take
)


def close_door(sock: socket.socket) -> bool:
    """Let no newcomer into the queue of a listening socket; whether the system can do that."""
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError):
        if sock.family == socket.AF_UNIX:
            sock.shutdown(socket.SHUT_RD)
        else:
            code = array.array("B", b"".join(struct.pack("=HBBI", *it) for it in _PROGRAM))
            address, _ = code.buffer_info()
            program = struct.pack("HP", len(_PROGRAM), address)
            sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
        return True
    return False
