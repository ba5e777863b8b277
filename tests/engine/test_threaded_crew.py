"""Who runs what: N calls at most, none on the reserve, and the loop always has a thread."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import Any

import pytest

from canter.engine.contract import EngineConfig
from canter.observe.access import AccessLog
from canter.observe.scoreboard import Field
from tests.engine.serving import Gate, Serving, plain
from tests.live.raw_http import Client, request_head
from tests.live.waiting import eventually

SHORTLY = 0.003


class Watched:
    """An application that knows its callers; /stuck waits at the gate, /slow for some time."""

    def __init__(self) -> None:
        self.gate = Gate()
        self.threads: set[str] = set()
        self.locals = threading.local()
        self.locals_made = 0
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        self._never = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.threads.add(threading.current_thread().name)
            if not hasattr(self.locals, "made"):
                self.locals.made = True
                self.locals_made += 1
        try:
            if environ["PATH_INFO"].startswith("/stuck"):
                self.gate.pass_through()
            elif environ["PATH_INFO"].startswith("/slow"):
                self._never.wait(SHORTLY)
            return plain(environ, start_response)
        finally:
            with self._lock:
                self._now -= 1


def names(count: int) -> set[str]:
    """The names of that many application threads; the reserve is the next one."""
    return {f"canter-{number}" for number in range(count)}


def sending(stack: contextlib.ExitStack, serving: Serving, *paths: str) -> list[Client]:
    """One client for each path, with its request sent."""
    clients = [stack.enter_context(serving.client()) for _ in paths]
    for client, path in zip(clients, paths, strict=True):
        client.send(request_head("GET", path))
    return clients


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_n_calls_run_at_once_and_not_one_more(serve, threads):
    application = Watched()
    serving = serve(application, EngineConfig(threads=threads))
    count = 3 * threads
    with contextlib.ExitStack() as stack:
        clients = sending(stack, serving, *[f"/stuck{n}" for n in range(count)])
        application.gate.wait_for(threads)
        eventually(lambda: serving.slot.queued == count - threads, "the others wait")
        assert application.most == threads
        application.gate.open()
        for number, client in enumerate(clients):
            assert client.read_answer().body == f"/stuck{number}".encode()
    assert application.most == threads
    assert application.threads <= names(threads), "the reserve never calls the application"


@pytest.mark.parametrize("threads", [1, 3])
def test_however_it_goes_a_thread_local_exists_n_times_at_most(serve, threads):
    application = Watched()
    serving = serve(application, EngineConfig(threads=threads))
    for path in ("/quick", "/slow", "/quick", "/slow"):
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(serving.client()) for _ in range(2 * threads + 2)]
            for _ in range(15):
                for client in clients:
                    client.send(request_head("GET", path))
                for client in clients:
                    assert client.read_answer().body == path.encode()
    assert application.locals_made <= threads
    assert application.most <= threads
    assert application.threads <= names(threads)


def test_stuck_calls_leave_their_neighbours_alone(serve):
    application = Watched()
    serving = serve(application, EngineConfig(threads=4))
    with contextlib.ExitStack() as stack:
        stuck = sending(stack, serving, "/stuck", "/stuck", "/stuck")
        application.gate.wait_for(3)
        quick = [stack.enter_context(serving.client()) for _ in range(4)]
        for number in range(100):
            for client in quick:
                assert client.get(f"/{number}").body == f"/{number}".encode()
        application.gate.open()
        assert [client.read_answer().body for client in stuck] == [b"/stuck"] * 3


def test_while_all_threads_are_stuck_the_loop_goes_on(serve):
    application = Watched()
    serving = serve(application, EngineConfig(threads=2))
    with contextlib.ExitStack() as stack:
        stuck = sending(stack, serving, "/stuck", "/stuck")
        application.gate.wait_for(2)
        for _ in range(10):
            with serving.client() as client:
                client.send(b"nonsense\r\n\r\n")
                assert client.read_answer().status == 400
        (waiting,) = sending(stack, serving, "/waits")
        eventually(lambda: serving.slot.queued == 1, "it waits")
        assert serving.slot.words[Field.RUNNING] == 2, "both calls are told to the siblings"
        application.gate.open()
        assert waiting.read_answer().body == b"/waits"
        assert [client.read_answer().body for client in stuck] == [b"/stuck"] * 2


@pytest.mark.parametrize("attempt", range(10))
def test_a_call_that_comes_back_does_not_hide_another_that_blocks(serve, attempt):
    """One call has lost the lead and ends just when another has begun in the new leader."""
    first = Gate()
    second = Gate()

    def application(environ, start_response):
        if environ["PATH_INFO"] == "/first":
            first.pass_through()
        elif environ["PATH_INFO"] == "/second":
            first.open()
            second.pass_through()
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=3))
    with contextlib.ExitStack() as stack:
        (one,) = sending(stack, serving, "/first")
        first.wait_for()
        other = stack.enter_context(serving.client())
        assert other.get("/somebody-else-leads").status == 200
        (two,) = sending(stack, serving, "/second")
        second.wait_for()
        assert one.read_answer().body == b"/first"
        assert other.get("/third").body == b"/third", "the loop goes on"
        second.open()
        assert two.read_answer().body == b"/second"


@pytest.mark.parametrize("threads", [1, 2])
def test_a_call_that_blocks_after_a_long_silence_is_noticed(serve, threads):
    """The watcher sleeps soundly while there is nothing to watch."""
    application = Watched()
    serving = serve(application, EngineConfig(threads=threads))
    with serving.client() as client:
        client.get("/quick")
        before = serving.slot.heartbeat_ns
        eventually(
            lambda: serving.slot.heartbeat_ns > before + 600_000_000, "half a second of silence"
        )
        client.send(request_head("GET", "/stuck"))
        application.gate.wait_for()
        with serving.client() as other:
            other.send(b"nonsense\r\n\r\n")
            assert other.read_answer().status == 400
        application.gate.open()
        assert client.read_answer().body == b"/stuck"


def test_a_slow_application_that_becomes_quick_is_served_all_along(serve):
    application = Watched()
    serving = serve(application, EngineConfig(threads=4))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(serving.client()) for _ in range(8)]
        for path, rounds in (("/slow", 40), ("/quick", 100), ("/slow", 5)):
            for _ in range(rounds):
                for client in clients:
                    client.send(request_head("GET", path))
                for client in clients:
                    assert client.read_answer().body == path.encode()
    assert application.most <= 4
    assert len(serving.lines(8 * 145)) == 8 * 145


# -- nothing may end a thread of the crew --------------------------------------------------------


def failures(serving: Serving) -> list[str]:
    return [text for text in serving.errors() if "the engine failed" in text]


def still_serves(serving: Serving, requests: int = 20) -> None:
    for number in range(requests):
        with serving.client() as client:
            assert client.get(f"/{number}").body == f"/{number}".encode()


def test_a_callback_that_fails_costs_one_connection(serve, monkeypatch):
    serving = serve(plain, EngineConfig(threads=2, max_requests=3), expects_errors=True)

    def refuse(event: object) -> None:
        monkeypatch.undo()
        raise RuntimeError("nobody listens")

    monkeypatch.setattr(serving, "failing", refuse)
    for number in range(3):
        with serving.client() as client:
            client.send(request_head("GET", f"/{number}"))
            client.read_until_closed() if number == 2 else client.read_answer()
    still_serves(serving)
    assert len(failures(serving)) == 1
    eventually(lambda: serving.connections() == 0, "no connection is left over")
    assert not serving.slot.running()


class Fickle(AccessLog):
    """An access log that fails at what it is told to."""

    fails_at = ""

    def record(self, entry: Any) -> None:
        if self.fails_at == "record":
            raise RuntimeError("no line today")
        super().record(entry)

    def flush(self) -> None:
        if self.fails_at == "flush":
            raise OSError("no disk today")
        super().flush()


def test_an_access_log_that_cannot_record_costs_its_connections_only(serve):
    serving = serve(plain, EngineConfig(threads=1), make_log=Fickle, expects_errors=True)
    serving.access.fails_at = "record"
    for _ in range(5):
        with serving.client() as client:
            client.send(request_head("GET", "/"))
            client.read_until_closed()
        with serving.client() as client:
            client.send(b"nonsense\r\n\r\n")
            client.read_until_closed()
        with serving.client() as client:
            client.send(b"first half")
            eventually(lambda: serving.connections() > 0, "it is let in")
            client.send(b" and nonsense\r\n\r\n")
            client.read_until_closed()
        client = serving.client()
        client.send(b"GET / HT")
        eventually(lambda: serving.connections() > 0, "it is let in")
        client.reset()
    serving.access.fails_at = ""
    still_serves(serving)
    assert 1 <= len(failures(serving)) < 15, "told, and not each time"
    eventually(lambda: serving.connections() == 0, "no connection is left over")


def test_an_access_log_that_cannot_be_written_costs_nothing_but_its_lines(serve):
    serving = serve(plain, EngineConfig(threads=2), make_log=Fickle, expects_errors=True)
    serving.access.fails_at = "flush"
    still_serves(serving, 10)
    eventually(lambda: failures(serving), "it is told")
    serving.access.fails_at = ""
    assert len(serving.lines(10)) == 10


class Broken(logging.Handler):
    """A log handler that raises what it should have kept to itself."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("no log today")


def test_an_error_log_that_raises_costs_no_thread(serve):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/fail":
            raise ValueError("on purpose")
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=1), expects_errors=True)
    broken = Broken()
    serving.log.addHandler(broken)
    for _ in range(3):
        with serving.client() as client:
            client.send(request_head("GET", "/fail"))
            client.read_until_closed()
        with serving.client() as client:
            client.send(b"nonsense\r\n\r\n")
            client.read_until_closed()
    serving.log.removeHandler(broken)
    still_serves(serving)
