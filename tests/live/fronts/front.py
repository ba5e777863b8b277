"""Starts a real web server in front of a test's canter, from a configuration written for it.

`FRONTS` has a maker for each program: given a directory, a port and what stands behind, it writes
the files and says which command to run in the foreground. Everything of it lives in the directory.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.live.harness import group_members
from tests.live.programs import SEARCHED
from tests.live.raw_http import Client, connect
from tests.live.waiting import eventually

_START_SECONDS = 20.0
_TRIES = 5


@dataclass(frozen=True)
class Behind:
    """What a front passes requests on to: a wire format, and a unix socket or a host and port.

    prefix: the path below which it is mounted. proxy_protocol: the version that the front sends
    ahead of each connection, 0 for none. through: settings of a front's own, by name.
    """

    protocol: str
    path: Path | None = None
    address: tuple[str, int] | None = None
    prefix: str = ""
    proxy_protocol: int = 0

    @property
    def host_port(self) -> str:
        assert self.address is not None
        return f"{self.address[0]}:{self.address[1]}"


Make = Callable[[Path, int, Behind], list[str]]


class Front:
    """A running web server."""

    def __init__(self, command: list[str], directory: Path, port: int) -> None:
        self.address = ("127.0.0.1", port)
        self._output = directory / "output.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def client(self) -> Client:
        """One connection to it."""
        return Client(self.address)

    def comes_up(self) -> bool:
        """Whether it listens in the end; False when it has ended, as when the port was taken."""

        def settled() -> bool:
            if self.process.poll() is not None:
                return True
            try:
                connect(self.address).close()
            except OSError:
                return False
            return True

        eventually(settled, f"the front listens: {self.show()}", _START_SECONDS)
        return self.process.poll() is None

    def show(self) -> str:
        return self._output.read_text("utf-8", "backslashreplace")

    def stop(self) -> None:
        """End its whole process group."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait(10)
        eventually(lambda: not group_members(self.process.pid), "the front is gone", 10)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def running(make: Make, directory: Path, behind: Behind) -> Iterator[Front]:
    """A front that listens; another port is tried where somebody else has been quicker."""
    for attempt in range(_TRIES):
        folder = directory / f"front{attempt}"
        folder.mkdir(parents=True)
        port = free_port()
        front = Front(make(folder, port, behind), folder, port)
        try:
            if front.comes_up():
                yield front
                return
        finally:
            front.stop()
    raise AssertionError(f"the front does not start: {front.show()}")


def program(name: str) -> str:
    """The full path of a program that may be in /usr/sbin."""
    found = shutil.which(name, path=SEARCHED)
    assert found, name
    return found
