"""Starts the real command for a test, reads its logs, and leaves nothing of it behind.

A `Server` runs in its own working directory and its own process group, with its access and error
log in files there. Whatever a test does to it, the whole group is gone when the test is over.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import canter
from canter.net.control_path import control_paths
from tests.live.raw_http import PATIENCE_SECONDS, Address, Answer, Client, connect
from tests.live.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
PACKAGE_PARENT = Path(canter.__file__).resolve().parents[1]
START_SECONDS = 30.0
STOP_SECONDS = 20.0
PLAIN = "tests.live.apps.plain"

ACCESS_LINE = re.compile(
    r'(?P<peer>\S+) - \S+ \[[^]]+\] "(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}|-) '
    r'(?P<size>\d+|-) "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*" \d+ (?P<outcome>[a-z]+)'
)
"""A line in the default format."""

RUNNING: list[Server] = []
"""The servers whose logs are worth showing when a test fails."""


@dataclass(frozen=True)
class Access:
    """One line of the access log; a status or size that is not known is 0."""

    peer: str
    request: str
    status: int
    size: int
    outcome: str

    @classmethod
    def parse(cls, line: str) -> Access:
        found = ACCESS_LINE.fullmatch(line)
        assert found, f"not an access line: {line!r}"
        status, size = (0 if found[key] == "-" else int(found[key]) for key in ("status", "size"))
        return cls(found["peer"], found["request"], status, size, found["outcome"])


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without what would change a server's settings.

    The servers import the same canter as the tests, and the applications beside the tests. They
    write no byte code, so that a module changed twice in a second is not served from a stale file.
    """
    chosen = {"CANTER_EXTENSIONS", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"}
    foreign = ("CANTER_", "GUNICORN_", "DJANGO_")
    names = {"PORT", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "SENDFILE", "SCRIPT_NAME"}
    kept = {
        key: value
        for key, value in os.environ.items()
        if key in chosen or not (key.startswith(foreign) or key in names)
    }
    path = os.pathsep.join(dict.fromkeys((str(PACKAGE_PARENT), str(ROOT))))
    return kept | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"} | extra


def group_members(group: int) -> list[int]:
    """The live processes of a process group; those that only wait to be reaped do not count."""
    members = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, _parent, process_group = (
                    (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                )
                if int(process_group) == group and state not in "ZX":
                    members.append(int(entry.name))
    return sorted(members)


def children(pid: int) -> list[int]:
    """The live child processes of `pid`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(parent) == pid and state not in "ZX":
                    found.append(int(entry.name))
    return sorted(found)


class Server:
    """A running `canter` command."""

    def __init__(
        self,
        application: str | None,
        *options: str,
        directory: Path,
        bind: str | None = "127.0.0.1:0",
        environment: Mapping[str, str] | None = None,
        command: Sequence[str] = (sys.executable, "-m", "canter"),
        pass_fds: Sequence[int] = (),
        logs: bool = True,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.access_path = directory / "access.log"
        self.error_path = directory / "error.log"
        self.output_path = directory / "output.txt"
        self._bind = bind
        self._preloads = "--preload" in options
        # Kept once it is known, since a test may move the log away.
        self._url = ""
        arguments = [*command]
        if bind is not None:
            arguments += ["--bind", bind]
        if logs:
            arguments += ["--access-logfile", str(self.access_path)]
            arguments += ["--error-logfile", str(self.error_path)]
        arguments += options
        if application is not None:
            arguments.append(application)
        with self.output_path.open("wb") as output:
            self.process = subprocess.Popen(
                arguments,
                cwd=directory,
                env=clean_environment(**(environment or {})),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=pass_fds,
            )
        self.pid = self.process.pid
        RUNNING.append(self)

    # ---- where it listens

    @property
    def url(self) -> str:
        """The first TCP address that it says it serves, without a final slash."""
        if self._url:
            return self._url
        found = re.search(
            r"(?:https?|uwsgi|fastcgi|scgi)://[^\s/\"]+:\d+", self.log() + self.output()
        )
        assert found, f"no URL in the log of {self.process.args!r}"
        self._url = found[0]
        return self._url

    @property
    def address(self) -> Address:
        """Where a raw client connects to."""
        bind = re.sub(r"^[a-z]+\+", "", self._bind or "")
        if bind.startswith("unix:"):
            path = bind.removeprefix("unix:").removeprefix("//")
            return "\0" + path[1:] if path.startswith("@") else str(self.directory / path)
        host, port = self.url.rpartition("/")[2].rsplit(":", 1)
        return host.strip("[]"), int(port)

    def is_listening(self) -> bool:
        try:
            connect(self.address).close()
        except (OSError, AssertionError):
            return False
        return True

    def wait_until_ready(self) -> Server:
        """Wait until it listens and says that it is ready to serve."""

        def ready() -> bool:
            status = self.process.poll()
            assert status is None, f"the server ended with {status}: {self.output()}{self.log()}"
            return bool(READY.search(self.log() + self.output())) and self.is_listening()

        eventually(ready, "the server answers", START_SECONDS)
        return self

    # ---- talking to it

    def client(
        self,
        *,
        source: str | None = None,
        receive_buffer_bytes: int = 0,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Client:
        return Client(
            self.address,
            source=source,
            receive_buffer_bytes=receive_buffer_bytes,
            patience_seconds=patience_seconds,
        )

    def get(self, path: str, *fields: str, method: str = "GET") -> Answer:
        """One request on a connection of its own."""
        with self.client() as client:
            return client.get(path, *fields, method=method)

    def post(self, path: str, body: bytes, *fields: str) -> Answer:
        with self.client() as client:
            return client.post(path, body, *fields)

    # ---- its logs

    def log(self) -> str:
        """The error log so far."""
        return _text(self.error_path)

    def output(self) -> str:
        """What it wrote to its standard output and error."""
        return _text(self.output_path)

    def access_lines(self, part: str = "") -> list[str]:
        """The whole lines of the access log that contain `part`."""
        whole = self.access_path.read_bytes() if self.access_path.exists() else b""
        wanted, lines, position = part.encode(), [], 0
        # The log of a load test has very many lines: only those that are wanted are cut out.
        while (found := whole.find(wanted, position)) >= 0:
            start = whole.rfind(b"\n", 0, found) + 1
            position = whole.find(b"\n", found) + 1
            if not position:
                break
            lines.append(whole[start : position - 1].decode("utf-8", "backslashreplace"))
        return lines

    def wait_for_access(self, part: str, count: int = 1) -> list[str]:
        """Wait until `count` access lines contain `part`; more than that is an error."""
        lines = self.wait_for_access_at_least(part, count)
        assert len(lines) == count, lines
        return lines

    def wait_for_access_at_least(self, part: str, count: int) -> list[str]:
        """Wait until at least `count` access lines contain `part`."""
        return eventually(
            lambda: found if len(found := self.access_lines(part)) >= count else [],
            f"{count} access lines with {part!r}",
        )

    def wait_for_request(self, part: str) -> Access:
        """What the access log says of the one request whose line contains `part`."""
        return Access.parse(self.wait_for_access(part)[0])

    def wait_for_peer(self, peer: str) -> Access:
        """What the access log says of the one request that came from the address `peer`."""
        return self.wait_for_request(f"{peer} - ")

    def wait_for_log(self, pattern: str, within_seconds: float = 15.0) -> re.Match[str]:
        """Wait for a match in the error log, over all its lines."""
        found = eventually(
            lambda: re.search(pattern, self.log(), re.DOTALL),
            f"{pattern!r} in the error log",
            within_seconds,
        )
        assert found
        return found

    def show(self) -> str:
        """All that it has written, for the report of a failed test."""
        parts = [f"$ {' '.join(map(str, self.process.args))}"]  # type: ignore[arg-type]
        parts.append(f"exit status: {self.process.poll()}")
        for path in (self.output_path, self.error_path, self.access_path):
            text = _text(path)
            parts.append(f"--- {path.name}, the last of {len(text)} characters\n{text[-6000:]}")
        return "\n".join(parts)

    def assert_no_traceback(self) -> None:
        """Nothing that was sent has made the server itself stumble."""
        assert "Traceback" not in self.log() + self.output(), self.show()

    # ---- its processes

    def workers(self) -> list[int]:
        """The pids of its live worker processes."""
        if not self._preloads:
            return children(self.pid)
        workers = {w["pid"] for generation in self.status() for w in generation["workers"]}
        return [pid for pid in children(self.pid) if pid in workers]

    def fork_server(self) -> int | None:
        """The pid of the newest generation's fork server."""
        pid: int | None = self.status()[-1]["fork_server"]
        return pid

    def status(self) -> list[dict[str, Any]]:
        """Its generations, as `canter status` is told of them."""
        for path in control_paths(str(self.directory), os.environ, chosen=None, pid_file=None):
            with suppress(FileNotFoundError), socket.socket(socket.AF_UNIX) as client:
                client.settimeout(PATIENCE_SECONDS)
                client.connect(path)
                client.sendall(b'{"command": "status"}\n')
                with client.makefile("rb") as answer:
                    generations: list[dict[str, Any]]
                    generations = json.loads(answer.readline())["data"]["generations"]
                    return generations
        raise AssertionError("no control socket")

    def wait_for_workers(self, count: int, within_seconds: float = 15.0) -> list[int]:
        eventually(
            lambda: len(self.workers()) == count,
            f"{count} workers, not {len(self.workers())}",
            within_seconds,
        )
        return self.workers()

    def wait_for_new_workers(self, old: Sequence[int], count: int) -> list[int]:
        """Wait until `count` workers run and none of the `old` ones is among them."""
        eventually(
            lambda: len(now := self.workers()) == count and not set(now) & set(old),
            f"{count} workers beside the old {list(old)}",
        )
        return self.workers()

    def wait_for_different_workers(self, old: Sequence[int]) -> None:
        """Wait until as many workers run as there were `old` ones, and not all are the same."""
        eventually(
            lambda: len(now := self.workers()) == len(old) and now != sorted(old),
            f"other workers than {list(old)}",
        )

    def wait_for_replacement(self, victim: int, count: int) -> None:
        """Wait until `count` workers run and `victim` is not among them."""
        eventually(
            lambda: len(now := self.workers()) == count and victim not in now,
            f"{count} workers without {victim}",
        )

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait_for_exit(self, within_seconds: float = STOP_SECONDS) -> int:
        """The exit status of the command, once its whole process group is gone too."""
        status = self.process.wait(within_seconds)
        eventually(lambda: not group_members(self.pid), "every process of the group is gone", 10)
        return status

    def stop(self) -> int:
        """Ask it to stop and return its exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait_for_exit()

    def stop_this_one(self) -> None:
        """Ask the command to stop, and wait for it alone: it may leave a successor."""
        self.signal(signal.SIGTERM)
        assert self.process.wait(STOP_SECONDS) == 0

    def discard(self) -> None:
        """End whatever is left of it, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait(STOP_SECONDS)
        if self in RUNNING:
            RUNNING.remove(self)


READY = re.compile(r"generation 1 serves")


def _text(path: Path) -> str:
    return path.read_text("utf-8", "backslashreplace") if path.exists() else ""


Start = Callable[..., Server]
"""Starts a server as `Server` does, in the test's own directory, and waits until it is ready."""


@contextmanager
def starting(directory: Path) -> Iterator[Start]:
    """A function that starts servers; when it is left they are stopped, and must stop well.

    A server that was stopped by its test is left alone, whatever status it ended with.
    """
    started: list[Server] = []

    def start(application: str | None = PLAIN, *options: str, **more: object) -> Server:
        where = directory / f"server{len(started) + 1}"
        ready = more.pop("ready", True)
        server = Server(application, *options, directory=where, **more)  # type: ignore[arg-type]
        started.append(server)
        return server.wait_until_ready() if ready else server

    try:
        yield start
        for server in started:
            if server.process.poll() is None:
                assert server.stop() == 0, server.show()
    finally:
        for server in started:
            server.discard()
