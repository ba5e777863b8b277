"""One worker's life, with the test in the supervisor's place."""

from __future__ import annotations

import os
import re
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from canter.engine.siblings import Siblings
from canter.net.addresses import parse_bind
from canter.net.listeners import open_listeners
from canter.observe.logs import ErrorLog
from canter.observe.scoreboard import Field, Scoreboard
from canter.settings import Surroundings, arguments_layer, load
from canter.worker.channel import Channel, make_channel
from canter.worker.identity import Identity
from canter.worker.messages import (
    BootFailed,
    Drain,
    Expire,
    Expired,
    Garbled,
    Leaving,
    Message,
    Ready,
    Serve,
    Serving,
    WantsReplacement,
    Watch,
)
from canter.worker.process import run_worker
from canter.worker.settling import HANDLED_SIGNALS
from canter.worker.states import WorkerState
from canter.worker.task import WorkerTask
from tests.live.waiting import eventually

PATIENCE_SECONDS = 20.0


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answers with its number; `/waits` once the file in the query is there."""
    if environ["PATH_INFO"] == "/waits":
        gate = Path(environ["QUERY_STRING"])
        gate.with_suffix(".begun").touch()
        eventually(gate.exists, "the gate", 60)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def rest_of(client: socket.socket) -> bytes:
    """All that comes until the end; the client is closed then."""
    with client:
        return b"".join(iter(lambda: client.recv(65536), b""))


class Forked:
    """A worker, its channel, and its slot of the board."""

    def __init__(self, directory: Path, app: Callable[..., Any] | None, **values: object) -> None:
        self.log_path = directory / "error.log"
        values.setdefault("bind", [f"unix:{directory}/a.sock"])
        settings = load(Surroundings(str(directory), {}), arguments_layer(values))
        self.board = Scoreboard(1, settings.threads)
        self.slot = self.board.slot(0)
        listeners = open_listeners([parse_bind(text) for text in settings.bind], 16)
        self.path = listeners[0].url.removeprefix("unix:")
        self.channel, theirs = make_channel()
        task = WorkerTask(
            generation=7,
            settings=settings,
            slot=self.slot,
            siblings=Siblings(),
            channel=theirs,
            listeners=tuple(listeners),
            application=app,
            identity=Identity(),
            multiprocess=False,
            not_ours=(self.channel,),
            log=ErrorLog(str(self.log_path), "info"),
        )
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
        self.pid = os.fork()
        if self.pid == 0:
            run_worker(task)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
        theirs.close()
        task.log.close()
        for listener in listeners:
            listener.close()
        self._heard: list[Message | Garbled] = []
        self._status: int | None = None

    def hear(self) -> Message | Garbled:
        """The next thing it says."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.channel, selectors.EVENT_READ)
            while not self._heard:
                assert selector.select(PATIENCE_SECONDS), "it says nothing"
                self._heard += self.channel.receive()
                assert self._heard or self.channel.is_open, "it has hung up"
        return self._heard.pop(0)

    def serve(self) -> Channel:
        """Bring it to serving."""
        assert self.hear() == Ready()
        assert self.slot.state == WorkerState.READY
        self.channel.send(Serve())
        assert self.hear() == Serving()
        assert self.slot.state == WorkerState.SERVING
        return self.channel

    def connect(self, request: bytes = b"GET / HTTP/1.0\r\n\r\n") -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE_SECONDS)
        client.connect(self.path)
        client.sendall(request)
        return client

    def get(self) -> bytes:
        return rest_of(self.connect())

    def start_waiting(self, gate: Path) -> socket.socket:
        """A request that runs until `gate` is there."""
        client = self.connect(f"GET /waits?{gate} HTTP/1.0\r\n\r\n".encode())
        eventually(gate.with_suffix(".begun").exists, "the request runs")
        return client

    def wait(self) -> int:
        """How it ended, as os.waitstatus_to_exitcode tells it."""

        def ended() -> bool:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
            return bool(pid)

        if self._status is None:
            eventually(ended, "the worker ends", PATIENCE_SECONDS)
        assert self._status is not None
        return self._status

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def log(self) -> str:
        return self.log_path.read_text() if self.log_path.exists() else ""

    def discard(self) -> None:
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait()
        self.channel.close()


Fork = Callable[..., Forked]


@pytest.fixture
def fork(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fork]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    forked: list[Forked] = []

    def start(app: Callable[..., Any] | None = application, **values: object) -> Forked:
        worker = Forked(tmp_path, app, **values)
        forked.append(worker)
        return worker

    yield start
    for worker in forked:
        worker.discard()


def test_a_worker_proves_itself_serves_when_told_to_drains_and_leaves(fork: Fork):
    worker = fork()
    channel = worker.serve()
    assert worker.slot.pid == worker.pid
    assert worker.slot.generation == 7
    assert worker.slot.started_ns > 0
    assert worker.get().endswith(str(worker.pid).encode())
    channel.send(Drain(answer_backlog=False, within_seconds=20))
    assert worker.wait() == 0
    assert worker.slot.state == WorkerState.GONE
    assert worker.slot.requests == 1


def test_from_the_moment_it_serves_its_silence_counts(fork: Fork):
    """Else one that freezes then would never be missed."""
    worker = fork()
    assert worker.hear() == Ready()
    worker.channel.send(Serve())
    assert worker.hear() == Serving()
    assert worker.slot.heartbeat_ns > 0


def test_before_it_is_told_to_serve_it_accepts_nothing(fork: Fork):
    worker = fork()
    assert worker.hear() == Ready()
    client = worker.connect()
    client.settimeout(0.2)
    with pytest.raises(TimeoutError):
        client.recv(1)
    client.settimeout(PATIENCE_SECONDS)
    worker.channel.send(Serve())
    assert rest_of(client).startswith(b"HTTP/1.1 200")


def test_a_ready_worker_that_is_told_to_leave_is_gone_at_once(fork: Fork):
    worker = fork()
    assert worker.hear() == Ready()
    worker.channel.send(Drain(answer_backlog=True, within_seconds=60))
    assert worker.wait() == 0


def test_an_application_is_loaded_by_its_name(fork: Fork, tmp_path: Path):
    (tmp_path / "by_name.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Length', '2')])\n"
        "    return [b'ok']\n"
    )
    worker = fork(None, wsgi_app="by_name")
    worker.serve()
    assert worker.get().endswith(b"ok")


@pytest.mark.parametrize(
    ("source", "target", "status", "message", "has_trace"),
    [
        (None, "absent_module", 3, "there is no module 'absent_module'", False),
        ("1 / 0", "failing", 3, "cannot import 'failing': ZeroDivisionError", True),
        ("raise SystemExit(5)", "failing", 3, "called sys.exit(5)", True),
        ("app = 1", "failing:app", 4, "is not callable", False),
        ("", "failing", 4, "neither 'application' nor 'app'", False),
    ],
)
def test_a_worker_that_cannot_boot_says_why_and_leaves_with_the_status(
    fork: Fork,
    tmp_path: Path,
    source: str | None,
    target: str,
    status: int,
    message: str,
    has_trace: bool,  # noqa: FBT001 - a column of the table
):
    if source is not None:
        (tmp_path / "failing.py").write_text(source)
    worker = fork(None, wsgi_app=target)
    failure = worker.hear()
    assert isinstance(failure, BootFailed)
    assert failure.exit_status == status
    assert message in failure.message
    assert bool(failure.traceback) is has_trace
    assert worker.wait() == status


def test_without_any_application_it_says_so(fork: Fork):
    failure = fork(None).hear()
    assert isinstance(failure, BootFailed)
    assert failure.message == "no application was given"


def test_a_log_that_cannot_be_opened_is_told_without_a_traceback(fork: Fork):
    failure = fork(accesslog="/nowhere/access.log").hear()
    assert isinstance(failure, BootFailed)
    assert failure.exit_status == 1
    assert "/nowhere/access.log cannot be opened" in failure.message
    assert failure.traceback == ""


@pytest.mark.parametrize("name", ["TERM", "INT", "QUIT"])
def test_while_it_boots_an_end_is_immediate(fork: Fork, tmp_path: Path, name: str):
    (tmp_path / "slow_boot.py").write_text(
        "import pathlib, threading\npathlib.Path('begun').touch()\nthreading.Event().wait()"
    )
    worker = fork(None, wsgi_app="slow_boot")
    eventually((tmp_path / "begun").exists, "the import has begun")
    worker.signal(signal.Signals[f"SIG{name}"])
    assert worker.wait() == 0


def test_a_signal_sent_right_after_the_fork_is_not_lost(fork: Fork):
    worker = fork()
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0


def test_term_drains_and_tells_the_supervisor(fork: Fork, tmp_path: Path):
    worker = fork()
    worker.serve()
    client = worker.start_waiting(tmp_path / "gate")
    worker.signal(signal.SIGTERM)
    assert worker.hear() == Leaving()
    assert worker.slot.state == WorkerState.DRAINING
    (tmp_path / "gate").touch()
    assert rest_of(client).endswith(str(worker.pid).encode())
    assert worker.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_int_and_quit_end_it_whatever_runs(fork: Fork, tmp_path: Path, number: signal.Signals):
    worker = fork()
    worker.serve()
    client = worker.start_waiting(tmp_path / "never")
    worker.signal(number)
    assert worker.wait() == 0
    assert rest_of(client) == b""
    assert re.search(r"cut off after \d+\.\d s: GET /waits\?", worker.log())


def test_a_drain_ends_with_its_time(fork: Fork, tmp_path: Path):
    worker = fork()
    worker.serve()
    client = worker.start_waiting(tmp_path / "never")
    worker.channel.send(Drain(answer_backlog=False, within_seconds=0.2))
    assert worker.wait() == 0
    assert "cut off after" in worker.log()
    client.close()


def test_a_shorter_drain_replaces_a_longer_one(fork: Fork, tmp_path: Path):
    worker = fork()
    worker.serve()
    client = worker.start_waiting(tmp_path / "never")
    worker.channel.send(Drain(answer_backlog=False, within_seconds=1000))
    worker.channel.send(Drain(answer_backlog=False, within_seconds=0.2))
    worker.channel.send(Drain(answer_backlog=False, within_seconds=1000))
    assert worker.wait() == 0
    client.close()


def test_without_its_supervisor_it_finishes_and_leaves(fork: Fork, tmp_path: Path):
    worker = fork()
    worker.serve()
    client = worker.start_waiting(tmp_path / "gate")
    worker.channel.close()
    eventually(lambda: worker.slot.state == WorkerState.DRAINING, "it drains")
    (tmp_path / "gate").touch()
    assert rest_of(client).endswith(str(worker.pid).encode())
    assert worker.wait() == 0
    assert "the supervisor is gone" in worker.log()


def test_it_asks_to_be_replaced_and_serves_on(fork: Fork):
    worker = fork(max_requests=2)
    worker.serve()
    worker.get()
    worker.get()
    assert worker.hear() == WantsReplacement()
    assert worker.get().endswith(str(worker.pid).encode())


def test_it_asks_to_be_replaced_when_it_is_old(fork: Fork):
    worker = fork(max_lifetime=0.2)
    worker.serve()
    assert worker.hear() == WantsReplacement("it has reached its max_lifetime")
    assert worker.slot.words[Field.RSS_BYTES] > 2**20


def test_a_request_is_ended_when_its_time_is_over(fork: Fork, tmp_path: Path):
    worker = fork(timeout=5, threads=2)
    worker.serve()
    client = worker.start_waiting(tmp_path / "never")
    (request,) = worker.slot.running()
    assert request.line.startswith("GET /waits?/")
    worker.channel.send(Expire(request.thread, request.started_ns + 1))
    assert worker.hear() == Expired(request.thread, request.started_ns + 1, was_running=False)
    worker.channel.send(Expire(request.thread, request.started_ns))
    answer = worker.hear()
    assert isinstance(answer, Expired)
    assert (answer.thread, answer.was_running) == (request.thread, True)
    assert "in application" in answer.stack
    assert rest_of(client).startswith(b"HTTP/1.1 504")
    assert "over its time of 5 s: GET /waits?" in worker.log()
    assert "in application" in worker.log()
    worker.channel.send(Drain(answer_backlog=False, within_seconds=60))
    began = time.monotonic()
    assert worker.wait() == 0
    assert time.monotonic() - began < 15, "the stuck thread is not waited for"


def test_usr1_reopens_the_logs(fork: Fork, tmp_path: Path):
    access = tmp_path / "access.log"
    worker = fork(accesslog=str(access))
    worker.serve()
    worker.get()
    eventually(access.read_text, "the line is written")
    access.rename(tmp_path / "old.log")
    worker.log_path.rename(tmp_path / "old-error.log")
    worker.signal(signal.SIGUSR1)
    eventually(access.exists, "the access log is there again")
    eventually(worker.log_path.exists, "the error log is there again")
    worker.get()
    eventually(access.read_text, "lines go to the new file")


def test_with_reload_it_tells_its_files_first(fork: Fork, tmp_path: Path):
    (tmp_path / "watched.py").write_text("def app(e, s): pass")
    worker = fork(None, wsgi_app="watched:app", reload=True)
    files: list[str] = []
    while isinstance(message := worker.hear(), Watch):
        files += message.files
    assert message == Ready()
    assert str(tmp_path / "watched.py") in files


def test_with_reload_a_failed_import_tells_its_files_too(fork: Fork, tmp_path: Path):
    (tmp_path / "unfinished.py").write_text("def (")
    worker = fork(None, wsgi_app="unfinished", reload=True)
    files: list[str] = []
    while isinstance(message := worker.hear(), Watch):
        files += message.files
    assert isinstance(message, BootFailed)
    assert str(tmp_path / "unfinished.py") in files


def test_with_reload_a_module_imported_by_a_request_is_told(fork: Fork, tmp_path: Path):
    (tmp_path / "lazily.py").write_text("")
    (tmp_path / "lazy_site.py").write_text(
        "def app(environ, start_response):\n"
        "    import lazily\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    return []\n"
    )
    worker = fork(None, wsgi_app="lazy_site:app", reload=True)
    while isinstance(message := worker.hear(), Watch):
        assert str(tmp_path / "lazily.py") not in message.files
    assert message == Ready()
    worker.channel.send(Serve())
    assert worker.hear() == Serving()
    worker.get()
    files: list[str] = []
    while str(tmp_path / "lazily.py") not in files:
        message = worker.hear()
        assert isinstance(message, Watch)
        files += message.files


def test_an_unintelligible_supervisor_is_told_and_survived(fork: Fork):
    worker = fork()
    worker.serve()
    worker.channel._sock.sendall(b"\x00\x00\x00\x02[]")
    worker.channel.send(Ready())
    eventually(lambda: "a worker's message" in worker.log(), "both are in the log")
    assert "something unintelligible" in worker.log()
    assert worker.get().endswith(str(worker.pid).encode())


def test_an_application_that_dies_by_a_signal_leaves_its_stacks(fork: Fork):
    def crashing(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        os.abort()

    worker = fork(crashing)
    worker.serve()
    assert rest_of(worker.connect()) == b""
    assert worker.wait() == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in worker.log()
    assert "in crashing" in worker.log()
