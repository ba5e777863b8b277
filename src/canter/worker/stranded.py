"""What an application has started at its import and a fork leaves behind: threads, connections.

A thread exists only in the process that started it. A connection is in every copy of the process,
and what two of them write to it is mixed.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import threading
from collections.abc import Collection

_DESCRIPTORS = "/proc/self/fd" if os.path.isdir("/proc/self/fd") else "/dev/fd"


def open_descriptors() -> frozenset[int]:
    """The numbers of this process's open descriptors."""
    try:
        return frozenset(int(name) for name in os.listdir(_DESCRIPTORS))
    except OSError:
        return frozenset()


def stranded_threads() -> list[str]:
    """The names of all threads but this one."""
    this = threading.current_thread()
    return sorted(thread.name for thread in threading.enumerate() if thread is not this)


def stranded_connections(before: Collection[int]) -> list[str]:
    """Where the connected stream sockets lead that were not there `before`.

    Pairs of sockets without a name are left out: they lead nowhere but to this process.
    """
    found = (_peer_of(descriptor) for descriptor in sorted(open_descriptors().difference(before)))
    return [peer for peer in found if peer]


def _peer_of(descriptor: int) -> str:
    """The name of the other end, "" for what is no connected socket."""
    with contextlib.suppress(OSError):
        if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            with socket.socket(fileno=os.dup(descriptor)) as sock:
                if sock.type == socket.SOCK_STREAM:
                    return _written(sock.getpeername())
    return ""


def _written(peer: object) -> str:
    match peer:
        case (str(host), int(port), *_):
            return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        case bytes():
            return peer.decode("utf-8", "backslashreplace").replace("\0", "@")
        case _:
            return str(peer)
