"""Where log lines go: a file, or a descriptor that was given to the process.

A sink takes whole lines and never makes its caller wait: what the destination cannot take now is
kept up to a bound, and lines over the bound are counted and dropped. It never raises for a
destination that fails (a full disk, a closed pipe); it tries again at the next write, and says
afterwards how many lines were lost.

Several processes write to the same destination, so lines must not be torn:
files are opened with O_APPEND and written in one call; pipes get whole lines in pieces of at most
PIPE_BUF bytes, which the kernel writes all or not at all.

A descriptor that was given (stdout, stderr) is shared with other processes, so its O_NONBLOCK flag
is not ours to set: it would break their output. Sockets are sent to with MSG_DONTWAIT, pipes and
terminals are opened a second time through /proc, and where that cannot be done they are asked
first whether they have room.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
import time
from collections.abc import Callable
from enum import Enum

BACKLOG_LIMIT_BYTES = 1 << 20
"""How much is kept for a destination that takes nothing."""

CLOSING_PATIENCE_SECONDS = 1.0
"""How long closing waits for a destination that is slow to take the last lines."""

_PIPE_BUF = select.PIPE_BUF
_FILE_PIECE_BYTES = 1 << 20
_LOOK_SECONDS = 1.0


class SinkState(Enum):
    """What the destination did with the last line it was offered."""

    TAKING = "taking"
    STALLED = "stalled"  # it has no room now: a full pipe, a stopped terminal
    FAILING = "failing"  # writing is an error: a full disk, a reader that is gone


class LineSink:
    """Whole lines to one destination, without waiting and without raising.

    Not thread-safe: its owner (a logging handler, an access log) holds a lock around each call.
    Made before or after a fork: a child starts with an empty backlog, the parent keeps its own.
    """

    __slots__ = (
        "_backlog",
        "_backlog_lines",
        "_descriptor",
        "_dropped",
        "_limit_bytes",
        "_look_at",
        "_path",
        "_pid",
        "_piece_bytes",
        "_reason",
        "_socket",
        "_write",
        "name",
        "state",
    )

    def __init__(self, path: str | None, name: str, limit_bytes: int = BACKLOG_LIMIT_BYTES) -> None:
        self.name = name
        self.state = SinkState.TAKING
        self._path = path
        self._limit_bytes = limit_bytes
        self._backlog = bytearray()
        self._backlog_lines = 0
        self._dropped = 0
        self._reason = ""
        self._pid = os.getpid()
        self._look_at = 0.0
        self._descriptor = -1
        self._socket: socket.socket | None = None
        self._write: Callable[[bytes], int] = self._write_nowhere
        self._piece_bytes = _FILE_PIECE_BYTES

    @classmethod
    def for_file(cls, path: str, limit_bytes: int = BACKLOG_LIMIT_BYTES) -> LineSink:
        """Append to the file at `path`, which is made if it does not exist.

        Raises OSError when it cannot be opened: at start that has to be said, not survived.
        """
        path = os.path.abspath(path)
        sink = cls(path, path, limit_bytes)
        sink._attach(_open_for_appending(path))
        return sink

    @classmethod
    def for_descriptor(
        cls, descriptor: int, name: str, limit_bytes: int = BACKLOG_LIMIT_BYTES
    ) -> LineSink:
        """Write to a duplicate of `descriptor`; one that is closed makes a sink that drops.

        A duplicate, because a number that is closed later is given to the next client's socket,
        and log lines must not be sent there.
        """
        sink = cls(None, name, limit_bytes)
        try:
            sink._attach(os.dup(descriptor))
        except OSError as error:
            sink._fail(error)
        return sink

    @property
    def backlog_bytes(self) -> int:
        """Bytes that were taken over from the caller and not yet written."""
        return len(self._backlog)

    @property
    def descriptor(self) -> int:
        """The open descriptor, or -1."""
        return self._descriptor

    @property
    def follows_path(self) -> bool:
        """Tell whether `reopen` has something to do."""
        return self._path is not None

    def write(self, lines: bytes, count: int) -> None:
        """Take `count` whole lines, write what can be written now and keep the rest if it fits."""
        self._forget_the_parent()
        self.follow()
        if self._backlog and len(self._backlog) + len(lines) > self._limit_bytes:
            self.push()
            if self._backlog and len(self._backlog) + len(lines) > self._limit_bytes:
                self._dropped += count
                return
        self._backlog += lines
        self._backlog_lines += count
        self.push()

    def push(self) -> None:
        """Write as much of the backlog as the destination takes without waiting."""
        self._forget_the_parent()
        written = 0
        try:
            while written < len(self._backlog):
                piece = bytes(self._backlog[written : self._end_of_piece(written)])
                done = self._write(piece)
                if not done:
                    self.state = SinkState.STALLED
                    self._reason = "it takes no more"
                    break
                written += done
            else:
                self.state = SinkState.TAKING
        except OSError as error:
            self._fail(error)
        if written:
            if written == len(self._backlog):
                self._backlog_lines = 0  # counting them costs more than writing them
            else:
                self._backlog_lines -= self._backlog.count(b"\n", 0, written)
            del self._backlog[:written]

    def follow(self) -> None:
        """Go on in the file that stands at the path now, where somebody has put another one there.

        So rotation needs no signal. Looked at once a second at most, and only before a write; where
        nothing stands at the path, or it cannot be opened, the old file stays in use.
        """
        now = time.monotonic()
        if self._path is None or now < self._look_at:
            return
        self._look_at = now + _LOOK_SECONDS
        try:
            found = os.stat(self._path)
            ours = os.fstat(self._descriptor)
            if (found.st_dev, found.st_ino) != (ours.st_dev, ours.st_ino):
                self.reopen()
        except OSError:
            pass  # moved away and not replaced yet

    def take_report(self) -> str | None:
        """Once, when lines were lost and the destination works again: a sentence that says so."""
        if not self._dropped or self.state is not SinkState.TAKING:
            return None
        dropped, self._dropped = self._dropped, 0
        lines = "line was" if dropped == 1 else "lines were"
        return f"{dropped} {lines} dropped while {self.name} could not be written: {self._reason}"

    @property
    def dropped(self) -> int:
        """Lines lost since the last report."""
        return self._dropped

    def reopen(self) -> None:
        """Go on in a new file of the same name (log rotation); nothing for a given descriptor.

        Raises OSError when it cannot be opened; the old file then stays in use.
        """
        if self._path is None:
            return
        descriptor = _open_for_appending(self._path)
        self.push()
        self._detach()
        self._attach(descriptor)

    def give_to(self, uid: int, gid: int) -> None:
        """Make a file belong to the user that workers run as, so that they can reopen it."""
        if self._path is not None and self._descriptor >= 0:
            os.fchown(self._descriptor, uid, gid)

    def close(self, patience_seconds: float = CLOSING_PATIENCE_SECONDS) -> None:
        """Write what is kept, waiting a little for a slow reader, and let go of the descriptor.

        What could not be written is dropped and stays counted in `dropped`.
        """
        self.push()
        deadline = time.monotonic() + patience_seconds
        while self._backlog and self.state is SinkState.STALLED:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not self._wait_for_room(remaining):
                break
            self.push()
        self._dropped += self._backlog_lines
        self._backlog.clear()
        self._backlog_lines = 0
        self._detach()

    def _wait_for_room(self, seconds: float) -> bool:
        poller = select.poll()
        poller.register(self._descriptor, select.POLLOUT)
        return bool(poller.poll(seconds * 1000))

    def _end_of_piece(self, start: int) -> int:
        """Where the next write ends: whole lines up to the piece size, or one line that is longer.

        A line over PIPE_BUF may be torn by another process's; nothing can be done about it.
        """
        limit = start + self._piece_bytes
        if limit >= len(self._backlog):
            return len(self._backlog)
        end = self._backlog.rfind(b"\n", start, limit) + 1
        return end or self._backlog.index(b"\n", limit) + 1

    def _forget_the_parent(self) -> None:
        """Leave lines that a fork copied to the process that took them."""
        pid = os.getpid()
        if pid != self._pid:
            self._pid = pid
            self._backlog = bytearray()
            self._backlog_lines = 0
            self._dropped = 0

    def _fail(self, error: OSError) -> None:
        self.state = SinkState.FAILING
        self._reason = os.strerror(error.errno) if error.errno else str(error)

    def _attach(self, descriptor: int) -> None:
        """Choose how to write to `descriptor` without waiting, and own it."""
        mode = os.fstat(descriptor).st_mode
        self._piece_bytes = _PIPE_BUF
        if stat.S_ISREG(mode):
            self._piece_bytes = _FILE_PIECE_BYTES
            self._write = self._write_at_once
        elif stat.S_ISSOCK(mode):
            self._socket = socket.socket(fileno=descriptor)
            self._write = self._send_at_once
        elif not os.get_blocking(descriptor):
            self._write = self._write_at_once
        else:
            private = _open_again_nonblocking(descriptor)
            if private is not None:
                os.close(descriptor)
                descriptor = private
                self._write = self._write_at_once
            else:
                self._write = self._write_when_ready
        self._descriptor = descriptor
        self.state = SinkState.TAKING

    def _detach(self) -> None:
        self._write = self._write_nowhere
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        elif self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _write_at_once(self, piece: bytes) -> int:
        try:
            return os.write(self._descriptor, piece)
        except BlockingIOError:
            return 0

    def _send_at_once(self, piece: bytes) -> int:
        assert self._socket is not None
        try:
            return self._socket.send(piece, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0

    def _write_when_ready(self, piece: bytes) -> int:
        """For a descriptor whose flags are others': with room for PIPE_BUF it does not wait."""
        if not self._wait_for_room(0):
            return 0
        return self._write_at_once(piece[:_PIPE_BUF])

    def _write_nowhere(self, piece: bytes) -> int:  # noqa: ARG002 - one of several writers
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def open_sink(destination: str, standard_descriptor: int) -> LineSink:
    """Open what a log setting names: `-` is the standard descriptor given, else a file's path.

    Raises OSError when the file cannot be opened.
    """
    if destination != "-":
        return LineSink.for_file(destination)
    name = {1: "stdout", 2: "stderr"}.get(standard_descriptor, f"descriptor {standard_descriptor}")
    return LineSink.for_descriptor(standard_descriptor, name)


def _open_for_appending(path: str) -> int:
    if _is_fifo(path):
        # A named pipe without a reader must not hold up the start; a reader may come later.
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY
    return os.open(path, flags, 0o644)


def _is_fifo(path: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(path).st_mode)
    except OSError:
        return False


def _open_again_nonblocking(descriptor: int) -> int | None:
    """Open the same pipe or terminal a second time, so that O_NONBLOCK is ours alone."""
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY
    try:
        return os.open(f"/proc/self/fd/{descriptor}", flags)
    except OSError:
        return None
