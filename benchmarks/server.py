"""A server of the comparison as a running process: started, probed, ended by its own pid."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import probe, process_tree
from benchmarks.scenarios import Request

READY_WITHIN_SECONDS = 30.0
ENDED_WITHIN_SECONDS = 10.0
POLL_SECONDS = 0.002
LOG_TAIL_LINES = 3


class ServerError(Exception):
    """A server did not start or does not answer as the scenario asks; the message is one line."""


def free_port() -> int:
    """A port of the loopback that nobody listens on just now."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


class Server:
    """One server process and its descendants. A context manager that ends them.

    `core`: the processor it is pinned to, None for any.
    """

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        log: Path,
        environment: Mapping[str, str],
        core: int | None,
    ) -> None:
        pinning = [] if core is None else ["taskset", "--cpu-list", str(core)]
        self.port = port
        self._log = log
        with log.open("ab") as output:
            self.started = time.monotonic()
            self._process = subprocess.Popen(
                [*pinning, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The root of the tree (taskset becomes the command it starts)."""
        return self._process.pid

    def wait_ready(self, request: Request, within_seconds: float = READY_WITHIN_SECONDS) -> None:
        """Return once `request` is answered rightly. Raises ServerError otherwise."""
        reason = "no answer"
        while time.monotonic() - self.started < within_seconds:
            if self._process.poll() is not None:
                raise ServerError(f"ended with status {self._process.returncode}: {self.tail()}")
            try:
                if probe.ask(self.port, request).is_right(request):
                    return
                reason = "a wrong answer"
            except OSError as error:
                reason = str(error)
            except probe.ProbeError as error:
                reason = str(error)
            time.sleep(POLL_SECONDS)
        raise ServerError(f"not ready within {within_seconds:.0f} s ({reason}): {self.tail()}")

    def processor_seconds(self) -> float:
        """Processor time of the whole tree so far."""
        return process_tree.processor_seconds(self.pid)

    def tail(self) -> str:
        """The last lines of its output, as one."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        return " | ".join(said[-LOG_TAIL_LINES:])

    def end(self) -> None:
        """Ask it to end, and end what has not after a while: only the processes of its own tree."""
        descendants = process_tree.tree(self.pid)[1:]
        self._process.terminate()
        try:
            self._process.wait(ENDED_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in descendants:
            if _is_of_session(pid, self.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()


def _is_of_session(pid: int, session: int) -> bool:
    """Whether `pid` still is a process of the session that the server began, and no later one's."""
    try:
        return os.getsid(pid) == session
    except ProcessLookupError:
        return False
