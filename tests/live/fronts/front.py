"""Starts a real web server in front of a test's canter, as `canter front` says.

What the command prints is used as it is. Around it goes what belongs to a machine and not to a
site: where logs, pid files and temporary files are, which modules are loaded, which user is meant
(`tests.live.fronts.wrapping`). Everything lives in a directory of the test's, in the foreground.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from canter.cli import front as command
from tests.live.fronts.wrapping import WRAPPERS, Started
from tests.live.harness import group_members
from tests.live.raw_http import Client, connect
from tests.live.waiting import eventually

_START_SECONDS = 30.0
_TRIES = 5


class Front:
    """A running web server."""

    def __init__(self, started: Started, directory: Path, port: int) -> None:
        self.address = ("127.0.0.1", port)
        self._output = directory / "output.txt"
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                started.command,
                cwd=directory,
                env={**os.environ, **started.environment},
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


def configuration(name: str, *words: str) -> str:
    """What `canter front NAME WORDS` prints."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert command.run([name, *words]) == 0
    return printed.getvalue()


Make = Callable[[Path, int], Started]
"""Writes a program's files into a directory, and says how to start it at a port."""


@contextmanager
def listening(make: Make, directory: Path) -> Iterator[Front]:
    """A program that listens; another port is tried where somebody else has been quicker."""
    shown = ""
    for attempt in range(_TRIES):
        folder = directory / f"front{attempt}"
        folder.mkdir(parents=True)
        port = free_port()
        server = Front(make(folder, port), folder, port)
        try:
            if server.comes_up():
                yield server
                return
            shown = server.show()
        finally:
            server.stop()
    raise AssertionError(f"the front does not start: {shown}")


@contextmanager
def running(name: str, directory: Path, *words: str) -> Iterator[Front]:
    """A front with the configuration of `canter front NAME WORDS`."""

    def make(folder: Path, port: int) -> Started:
        text = configuration(name, "--listen", f"127.0.0.1:{port}", *words)
        return WRAPPERS[name](folder, port, text)

    with listening(make, directory) as front:
        yield front
