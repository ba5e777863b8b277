"""Plays systemd for a server: a socket that hears what sd_notify sends, and sockets passed on."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.live.waiting import eventually

PASSING = """
import os, sys
sockets, *command = sys.argv[1:]
for number, source in enumerate(sockets.split(","), 3):
    os.dup2(int(source), number)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(command[0], command)
"""
"""Does what systemd does between fork and exec: descriptors from 3 on, and whom they are for."""


def activated(*sockets: socket.socket) -> dict[str, object]:
    """What `start` needs so that the server gets these sockets as from a .socket unit."""
    numbers = ",".join(str(sock.fileno()) for sock in sockets)
    return {
        "bind": None,
        "command": (sys.executable, "-c", PASSING, numbers, sys.executable, "-m", "canter"),
        "pass_fds": [sock.fileno() for sock in sockets],
        "environment": {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": "web:more"},
    }


class ServiceManager:
    """The other end of NOTIFY_SOCKET. `heard` has every line, in order, with its sender's order."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[str] = []
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind("\0" + address[1:] if address.startswith("@") else address)
        self._sock.setblocking(False)

    @classmethod
    def at(cls, directory: Path) -> Self:
        return cls(str(directory / "notify.sock"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._sock.close()

    def listen(self) -> list[str]:
        """Everything that was heard so far."""
        while True:
            try:
                message = self._sock.recv(4096)
            except BlockingIOError:
                return self.heard
            self.heard += message.decode().split("\n")

    def wait_for(self, line: str, after: int = 0, within_seconds: float = 15.0) -> int:
        """Wait for a line that begins so; its place, so that what follows it can be waited for."""

        def place() -> int:
            heard = self.listen()
            found = (n for n, it in enumerate(heard) if n >= after and it.startswith(line))
            return next(found, -1) + 1

        return eventually(place, f"{line} among {self.heard}", within_seconds) - 1

    def count(self, line: str) -> int:
        return sum(it.startswith(line) for it in self.listen())

    def times(self, line: str) -> Sequence[float]:
        """The values of a line that tells a time in microseconds, in seconds."""
        return [float(it.partition("=")[2]) / 1e6 for it in self.listen() if it.startswith(line)]


def monotonic() -> float:
    """The clock that MONOTONIC_USEC is read from."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)
