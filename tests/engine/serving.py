"""A threaded engine in this process, served over real sockets, with everything it says kept.

`Serving` starts an engine without a supervisor and, at the end, proves that it left nothing behind:
no thread, no descriptor, no error log line that the test did not expect.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

from canter.engine.contract import EngineConfig, EngineEvent
from canter.engine.threaded.engine import ThreadedEngine
from canter.net.addresses import Address as BindAddress
from canter.net.addresses import TcpAddress
from canter.net.listeners import open_listeners
from canter.observe.access import AccessLog
from canter.observe.scoreboard import Field, Scoreboard
from tests.live.raw_http import Client
from tests.live.waiting import eventually

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]

LOOPBACK = TcpAddress("127.0.0.1", 0)
PATIENCE_SECONDS = 15.0
_FORMAT = "%(m)s %(U)s %(s)s %(B)s %(D)s %(queue)s %(app)s %(outcome)s"


class Line(NamedTuple):
    """One line of the access log."""

    method: str
    path: str
    status: str
    body_bytes: int
    total_us: int
    queue_us: int
    app_us: int
    outcome: str


class Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(record)

    def texts(self, level: int = logging.NOTSET) -> list[str]:
        """The messages of this level and above, each with its exception's type."""
        found = []
        for record in self.kept:
            if record.levelno >= level:
                kind = record.exc_info[0] if record.exc_info else None
                found.append(record.getMessage() + (f" [{kind.__name__}]" if kind else ""))
        return found


class Gate:
    """A door in an application: says that somebody has come, holds him until it is opened."""

    def __init__(self) -> None:
        self._come = threading.Semaphore(0)
        self._open = threading.Event()

    def pass_through(self) -> None:
        """Called by the application."""
        self._come.release()
        assert self._open.wait(60), "nobody opened the gate"

    def wait_for(self, callers: int = 1) -> None:
        """Wait until so many more have come."""
        for _ in range(callers):
            assert self._come.acquire(timeout=PATIENCE_SECONDS), "nobody came to the gate"

    def open(self) -> None:
        """Let everybody through, from now on."""
        self._open.set()


class Serving:
    """One engine and what it did. A context manager; leaving it stops the engine.

    address: for `tests.live.raw_http.Client`. expects_errors: lines at error level are no surprise.
    """

    def __init__(
        self,
        application: Application,
        folder: Path,
        config: EngineConfig | None = None,
        *,
        bind: BindAddress = LOOPBACK,
        backlog: int = 128,
        access: bool = True,
        make_log: type[AccessLog] = AccessLog,
        expects_errors: bool = False,
    ) -> None:
        self.config = config or EngineConfig()
        self.expects_errors = expects_errors
        self.events: list[EngineEvent] = []
        self.finished = threading.Event()
        self.max_requests = threading.Event()
        self.records = Records()
        self._threads_before = set(threading.enumerate())
        self.log = logging.Logger("engine under test", logging.DEBUG)  # noqa: LOG001 - of its own
        self.log.addHandler(self.records)
        self._access_path = folder / f"access-{id(self):x}.log"
        self._access_path.write_text("")
        self._descriptors_before = descriptors()
        self.listeners = open_listeners([bind], backlog)
        self.board = Scoreboard(1, self.config.threads)
        self.slot = self.board.slot(0)
        self.access: Any = None
        if access:
            self.access = make_log(_FORMAT, str(self._access_path), self.log)
        self.address = self.listeners[0].sock.getsockname()
        self.engine = ThreadedEngine(
            application,
            self.listeners,
            self.config,
            self.slot,
            self.access,
            self.log,
            self._on_event,
        )
        self.threads: list[threading.Thread] = []

    def failing(self, event: EngineEvent) -> None:
        """What a test puts in place of this may raise."""

    def _on_event(self, event: EngineEvent) -> None:
        self.events.append(event)
        self.failing(event)
        if event is EngineEvent.FINISHED:
            self.finished.set()
        else:
            self.max_requests.set()

    def __enter__(self) -> Self:
        self.engine.start()
        self.threads = [t for t in threading.enumerate() if t not in self._threads_before]
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if not self.finished.is_set():
            self.engine.stop()
        failed = kind is not None
        self.wait_for_end(check=not failed)
        self._release()
        if not failed:
            eventually(
                lambda: descriptors() == self._descriptors_before,
                f"no descriptor is left open: {descriptors() - self._descriptors_before}",
            )
            assert self.events.count(EngineEvent.FINISHED) == 1, self.events
            errors = [] if self.expects_errors else self.errors()
            assert not errors, errors

    def wait_for_end(self, *, check: bool = True) -> None:
        """Wait for FINISHED and for every thread."""
        finished = self.finished.wait(PATIENCE_SECONDS)
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS)
        if check:
            assert finished, "the engine did not finish\n" + self.engine.stacks()
            assert not [t for t in self.threads if t.is_alive()], "threads are left"

    def _release(self) -> None:
        for listener in self.listeners:
            listener.remove_file()
            listener.close()
        if self.access is not None:
            self.access.close()

    # -- what it did ------------------------------------------------------------------------------

    def client(self, **options: Any) -> Client:
        """A new connection."""
        return Client(self.address, **options)

    def lines(self, count: int) -> list[Line]:
        """The access log, once it has `count` lines; more is a failure."""
        eventually(lambda: len(self.lines_now()) >= count, f"{count} lines in the log")
        found = self.lines_now()
        assert len(found) == count, found
        return found

    def lines_now(self) -> list[Line]:
        """The access log as far as it was written."""
        lines = []
        for text in self._access_path.read_text().splitlines():
            method, path, status, size, total, queue, app, outcome = text.split(" ")
            lines.append(
                Line(method, path, status, int(size), int(total), int(queue), int(app), outcome)
            )
        return lines

    def line(self) -> Line:
        """The only line of the access log."""
        return self.lines(1)[0]

    def warnings(self) -> list[str]:
        """What was logged as a warning or worse."""
        return self.records.texts(logging.WARNING)

    def errors(self) -> list[str]:
        """What was logged as an error."""
        return self.records.texts(logging.ERROR)

    def connections(self) -> int:
        """How many connections the engine says it holds."""
        return self.slot.connections

    def wait_until_read(self, *sent: bytes) -> None:
        """Wait until the engine has read all of this, where it is all that it was sent."""
        size = sum(map(len, sent))
        eventually(lambda: self.slot.words[Field.BYTES_IN] >= size, f"{size} bytes are read")

    def running(self, thread: int = 0) -> int:
        """When the call that application thread runs began; waits until there is one."""
        slot = self.slot.thread(thread)
        return int(eventually(lambda: slot.started_ns, f"thread {thread} runs a request"))


def descriptors() -> set[str]:
    """The open descriptors of this process with what they are."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        try:
            found.add(f"{name} {os.readlink(f'/proc/self/fd/{name}')}")
        except FileNotFoundError:  # the listing's own, or closed meanwhile
            continue
    return {entry for entry in found if not entry.endswith(f"/proc/{os.getpid()}/fd")}


def plain(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """An application that answers at once with the path."""
    body = environ["PATH_INFO"].encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]
