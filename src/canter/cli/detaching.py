"""`--daemon`: the server leaves the terminal, and the command stays until it knows how that went.

    the command ── fork ──> a session of its own ── fork ──> the server
         └───────────────── a pipe: what to say, and the status to leave with ──────┘

The second fork makes the server no leader of its session, so that no terminal can ever become its
own. Standard input, output and error are /dev/null from then on, unless they are to be inherited.
"""

from __future__ import annotations

import contextlib
import os
import sys

_READ_BYTES = 64 * 1024
# Before the status; no text has it.
_END = b"\0"
_LOST_STATUS = 1


class Starter:
    """The server's end of the pipe to the command that has started it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def say(self, text: str) -> None:
        """Have the command print `text` to its standard error."""
        self._write(text.encode("utf-8", "backslashreplace").replace(_END, b"\\x00"))

    def leave(self, status: int) -> None:
        """Have the command end with `status`; what comes later, nobody hears."""
        self._write(_END + str(status).encode())
        self.close()

    def close(self) -> None:
        """Give back the descriptor."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self, data: bytes) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.write(self._descriptor, data)


def detach(*, inherit_streams: bool) -> Starter | int:
    """In the server, its end of the pipe; in the command, the status to end with.

    Raises OSError when no process can be made.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        os.waitpid(child, 0)
        return _attend(read)
    os.close(read)
    os.setsid()
    if os.fork():
        os._exit(0)
    _let_go_of_streams(range(1) if inherit_streams else range(3))
    return Starter(write)


def _let_go_of_streams(descriptors: range) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in descriptors:
        os.dup2(null, descriptor)
    if null > 2:
        os.close(null)


def _attend(read: int) -> int:
    """Print what comes until the status comes; the status."""
    said = b""
    with os.fdopen(read, "rb", buffering=0) as pipe:
        while _END not in said and (data := pipe.read(_READ_BYTES)):
            said += data
    text, end, status = said.partition(_END)
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text.decode("utf-8", "replace"))
            if not end:
                sys.stderr.write("canter: error: the server ended before it served\n")
            sys.stderr.flush()
    return int(status) if status.isdigit() else _LOST_STATUS
