"""Taking, reading, writing and closing a non-blocking socket, without waiting.

This is the plain build's version; `wire.pyx` beside it is the same in C, which neither lets go of
the interpreter lock for a call that cannot wait, nor makes a buffer larger than what arrived.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket


def accept(listener: socket.socket) -> tuple[int, str, str] | None:
    """Who waits at a non-blocking listening socket: a descriptor, host and port; None for nobody.

    The descriptor is the caller's, non-blocking, and programs do not inherit it. Host and port are
    of the client, "" on a unix socket. Raises OSError.
    """
    try:
        sock, peer = listener.accept()
    except BlockingIOError:
        return None
    sock.setblocking(False)
    if isinstance(peer, tuple):
        return sock.detach(), str(peer[0]), str(peer[1])
    return sock.detach(), "", ""


def close_socket(fd: int) -> None:
    """Close a socket. It is gone whatever the kernel says, so nothing is raised."""
    with contextlib.suppress(OSError):
        os.close(fd)


def receive(fd: int, maximum_bytes: int) -> bytes | None:
    """What has arrived, at most maximum_bytes; b"" at the end; None when there is nothing now.

    Raises OSError.
    """
    try:
        return os.read(fd, maximum_bytes)
    except BlockingIOError:
        return None


def transmit(fd: int, data: bytes) -> int:
    """Send as much as the socket takes: the number of bytes, 0 when it takes none now.

    Raises OSError; Python ignores SIGPIPE, so a client that is gone is an error like any other.
    """
    try:
        return os.write(fd, data)
    except BlockingIOError:
        return 0
    except OSError as error:
        if error.errno == errno.ENOBUFS:  # as good as a full socket; macOS says it so
            return 0
        raise


def transmit_parts(fd: int, before: bytes, data: bytes, behind: bytes) -> int:
    """As `transmit`, three pieces in a row, none of them copied."""
    try:
        return os.writev(fd, (before, data, behind))
    except BlockingIOError:
        return 0
    except OSError as error:
        if error.errno == errno.ENOBUFS:
            return 0
        raise


def transmit_file(fd: int, descriptor: int, offset: int, count: int) -> int:
    """Send of a file: the number of bytes, 0 where it ends, -1 when the socket takes none now.

    Raises OSError. It may wait for the disk, and lets go of the interpreter lock.
    """
    try:
        return os.sendfile(fd, descriptor, offset, count)
    except BlockingIOError:
        return -1
