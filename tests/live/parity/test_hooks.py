"""Server hooks: which are called, where, with what, and in which order."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.live.harness import Server

CONFIG = """\
import os

MASTER = os.getpid()

def note(name, *facts):
    where = "master" if os.getpid() == MASTER else "worker"
    with open({path!r}, "a") as file:
        file.write(" ".join([where, name, *map(str, facts)]) + "\\n")

def on_starting(server):
    note("on_starting", server.cfg.workers, server.pid == MASTER)

def on_reload(server):
    note("on_reload")

def when_ready(server):
    server.log.info("ready")
    note("when_ready", len(server.LISTENERS))

def pre_fork(server, worker):
    note("pre_fork", worker.age)

def post_fork(server, worker):
    note("post_fork", worker.age, worker.pid == os.getpid(), worker.cfg.threads)

def post_worker_init(worker):
    note("post_worker_init", worker.alive)

def pre_request(worker, req):
    note("pre_request", req.method, req.path, req.query, req.uri, dict(req.headers).get("X-A"))

def post_request(worker, req, environ, resp):
    note("post_request", environ["PATH_INFO"], resp.status, resp.response_length > 0)

def worker_int(worker):
    note("worker_int")

def worker_abort(worker):
    note("worker_abort", worker.pid == os.getpid())

def worker_exit(server, worker):
    note("worker_exit", worker.age)

def child_exit(server, worker):
    note("child_exit", worker.age)

def nworkers_changed(server, new, old):
    note("nworkers_changed", new, old)

def on_exit(server):
    note("on_exit")
"""


def configured(directory: Path) -> tuple[str, Path]:
    notes = directory / "notes"
    file = directory / "hooks.py"
    file.write_text(CONFIG.replace("{path!r}", repr(str(notes))))
    return str(file), notes


def test_hooks_are_called_in_this_order_from_start_to_end(
    launch: Callable[..., Server], tmp_path: Path
) -> None:
    file, notes = configured(tmp_path)
    server = launch("-c", file)
    eventually(lambda: "post_worker_init" in notes.read_text(), "the worker is ready")
    server.get("/path?a=1", "X-A: b")
    assert server.stop() == 0
    lines = notes.read_text().splitlines()
    assert lines == [
        "master nworkers_changed 1 None",
        "master on_starting 1 True",
        "master when_ready 1",
        "master pre_fork 1",
        "worker post_fork 1 True 1",
        "worker post_worker_init True",
        "worker pre_request GET /path a=1 /path?a=1 b",
        "worker post_request /path 200 OK True",
        "worker worker_exit 1",
        "master child_exit 1",
        "master on_exit",
    ]


def test_hooks_of_a_reload_and_of_a_worker_more(
    launch: Callable[..., Server], tmp_path: Path
) -> None:
    file, notes = configured(tmp_path)
    server = launch("-c", file)
    (old,) = server.workers()
    eventually(lambda: "post_worker_init" in notes.read_text(), "the worker is ready")
    before = len(notes.read_text().splitlines())
    server.signal(signal.SIGHUP)
    server.wait_for_new_workers([old], 1)
    eventually(lambda: "child_exit" in notes.read_text(), "the old worker has been missed")
    server.signal(signal.SIGTTIN)
    server.wait_for_workers(2)
    eventually(lambda: "post_fork 3" in notes.read_text(), "the third worker")
    lines = notes.read_text().splitlines()[before:]
    assert [line for line in lines if line.startswith("master")] == [
        "master nworkers_changed 1 1",
        "master on_reload",
        "master pre_fork 2",
        "master child_exit 1",
        "master nworkers_changed 2 1",
        "master pre_fork 3",
    ]
    assert {line for line in lines if line.startswith("worker")} == {
        "worker post_fork 2 True 1",
        "worker post_worker_init True",
        "worker worker_exit 1",
        "worker post_fork 3 True 1",
    }


def test_worker_abort_is_called_for_a_request_over_its_time_and_at_abrt(
    launch: Callable[..., Server], tmp_path: Path
) -> None:
    file, notes = configured(tmp_path)
    server = launch("-c", file, "--timeout", "1", "--graceful-timeout", "1")
    (worker,) = server.workers()
    with server.client() as client:
        client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        client.read_until_closed()
    server.wait_for_replacement(worker, 1)
    (worker,) = server.workers()
    os.kill(worker, signal.SIGABRT)
    server.wait_for_replacement(worker, 1)
    called = [it for it in notes.read_text().splitlines() if "worker_abort" in it]
    assert called == ["worker worker_abort True"] * 2
