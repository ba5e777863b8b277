"""Gunicorn's hooks in a real server: when, where and with what they are called."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.harness import PLAIN, Server, Start, clean_environment
from tests.live.waiting import eventually

RECORDER = """
import json, os

def note(hook, *values):
    line = json.dumps([hook, os.getpid(), *values]) + "\\n"
    file = os.open(os.environ["HOOKS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)

def on_starting(server):
    note("on_starting", server.pid, server.LISTENERS)
    server.seen = "by every later hook"

def nworkers_changed(server, new_value, old_value):
    note("nworkers_changed", new_value, old_value)

def when_ready(server):
    names = [str(it.getsockname()[1]) in str(it) for it in server.LISTENERS]
    note("when_ready", names, server.address, server.num_workers, server.seen)

def pre_fork(server, worker):
    note("pre_fork", worker.pid, worker.age)

def post_fork(server, worker):
    server.log.info("forked %s by %s", worker.pid, server.pid)
    note("post_fork", worker.pid, worker.age, server.pid, worker.ppid)

def post_worker_init(worker):
    note("post_worker_init", worker.pid, callable(worker.wsgi), worker.app.wsgi() is worker.wsgi)

def pre_request(worker, req):
    worker.log.debug("%s %s", req.method, req.path)
    req.began = 17

def post_request(worker, req, environ, resp):
    note(
        "post_request", req.began, req.method, req.path, req.query, dict(req.headers)["X-MARK"],
        resp.status, dict(resp.headers)["Content-Type"], resp.sent, environ["PATH_INFO"],
    )

def worker_int(worker):
    note("worker_int", worker.pid, worker.alive)

def worker_abort(worker):
    note("worker_abort", worker.pid)

def worker_exit(server, worker):
    note("worker_exit", worker.pid, server.pid)

def child_exit(server, worker):
    note("child_exit", worker.pid, worker.pid in server.WORKERS)

def on_reload(server):
    note("on_reload", server.cfg.workers, server.cfg.settings["workers"].value)

def on_exit(server):
    note("on_exit", server.pid, server.seen)
"""


class Hooked:
    """A server whose hooks write down what they see."""

    def __init__(self, start: Start, directory: Path, *options: str, config: str = "") -> None:
        self.log = directory / "hooks.log"
        self.config = directory / "gunicorn.conf.py"
        self.config.write_text(RECORDER + config)
        environment = {"HOOKS_LOG": str(self.log)}
        self.server = start(PLAIN, "--config", str(self.config), *options, environment=environment)

    def calls(self, *names: str) -> list[list]:
        """The calls of these hooks, or of all, in order: [name, process, values...]."""
        text = self.log.read_text() if self.log.exists() else ""
        found = [json.loads(line) for line in text.splitlines()]
        return [call for call in found if not names or call[0] in names]

    def wait_for(self, name: str, count: int = 1) -> list[list]:
        return eventually(
            lambda: found if len(found := self.calls(name)) >= count else [], f"{count} {name}"
        )


@pytest.fixture
def hooked(start: Start, tmp_path: Path):
    return lambda *options, config="": Hooked(start, tmp_path, *options, config=config)


def test_every_hook_of_a_life_is_called_in_gunicorn_s_order_and_processes(hooked):
    it = hooked()
    server: Server = it.server
    (worker,) = server.workers()
    assert server.get("/hello?a=1", "X-Mark: m").status == 200
    it.wait_for("post_request")
    assert server.stop() == 0
    assert [call[:2] for call in it.calls()] == [
        ["nworkers_changed", server.pid],
        ["on_starting", server.pid],
        ["when_ready", server.pid],
        ["pre_fork", server.pid],
        ["post_fork", worker],
        ["post_worker_init", worker],
        ["post_request", worker],
        ["worker_exit", worker],
        ["child_exit", server.pid],
        ["on_exit", server.pid],
    ]
    told = {call[0]: call[2:] for call in it.calls()}
    assert told["nworkers_changed"] == [1, None]
    assert told["on_starting"] == [server.pid, []]
    assert told["when_ready"] == [[True], ["127.0.0.1:0"], 1, "by every later hook"]
    assert told["pre_fork"] == ["[booting]", 1]
    assert told["post_fork"] == [worker, 1, server.pid, server.pid]
    assert told["post_worker_init"] == [worker, True, True]
    assert told["post_request"] == [
        17, "GET", "/hello", "a=1", "m", "200 OK", "text/plain", 5, "/hello",
    ]  # fmt: skip
    assert told["worker_exit"] == [worker, server.pid]
    assert told["child_exit"] == [worker, False]
    assert told["on_exit"] == [server.pid, "by every later hook"]
    assert f"forked {worker} by {server.pid}" in server.log()


def test_a_reload_uses_the_hooks_of_the_new_file_and_keeps_those_of_the_old_for_its_workers(hooked):
    it = hooked()
    old = it.server.workers()
    it.config.write_text(RECORDER.replace('"worker_exit"', '"new_worker_exit"') + "workers = 2\n")
    it.server.signal(signal.SIGHUP)
    it.server.wait_for_new_workers(old, 2)
    assert [call[2:] for call in it.calls("on_reload")] == [[2, 2]]
    assert [call[2:] for call in it.calls("nworkers_changed")] == [[1, None], [2, 1]]
    assert [call[1] for call in it.wait_for("worker_exit")] == old
    assert it.server.stop() == 0
    assert len(it.wait_for("new_worker_exit", 2)) == 2


def test_a_number_of_workers_that_changes_is_told(hooked):
    it = hooked()
    it.server.signal(signal.SIGTTIN)
    it.server.wait_for_workers(2)
    it.server.signal(signal.SIGTTOU)
    it.server.wait_for_workers(1)
    assert [call[2:] for call in it.calls("nworkers_changed")] == [[1, None], [2, 1], [1, 2]]


@pytest.mark.parametrize("name", ["SIGINT", "SIGQUIT"])
def test_a_worker_told_to_stop_at_once_calls_worker_int_and_worker_exit(hooked, name):
    it = hooked()
    (worker,) = it.server.workers()
    os.kill(worker, signal.Signals[name])
    it.wait_for("child_exit")
    ends = it.calls("worker_int", "worker_exit", "child_exit")
    assert ends == [
        ["worker_int", worker, worker, False],
        ["worker_exit", worker, worker, it.server.pid],
        ["child_exit", it.server.pid, worker, False],
    ]


def test_a_request_over_its_time_calls_worker_abort_in_its_worker(hooked):
    it = hooked("--timeout", "0.5")
    (worker,) = it.server.workers()
    assert it.server.get("/waits_for_file?gate=/nowhere/at/all", "X-Mark: m").status == 504
    assert it.wait_for("worker_abort")[0] == ["worker_abort", worker, worker]


def test_abort_calls_worker_abort_and_still_prints_the_stacks(hooked):
    it = hooked()
    (worker,) = it.server.workers()
    os.kill(worker, signal.SIGABRT)
    it.wait_for("child_exit")
    assert [call[0] for call in it.calls("worker_abort", "worker_exit", "child_exit")] == [
        "worker_abort",
        "worker_exit",
        "child_exit",
    ]
    assert "most recent call first" in it.server.log()


def test_a_killed_worker_s_child_exit_is_called(hooked):
    it = hooked()
    (worker,) = it.server.workers()
    os.kill(worker, signal.SIGKILL)
    assert it.wait_for("child_exit")[0][2] == worker
    assert it.calls("worker_exit") == []


def test_what_pre_request_adds_to_the_headers_reaches_the_application(hooked):
    it = hooked(
        config="def pre_request(worker, req):\n    req.headers.append(('X-ADDED', 'by a hook'))\n"
        "post_request = None\n"
    )
    environ = it.server.get("/show_environ", "X-Mark: m").json()
    assert environ["HTTP_X_ADDED"] == "by a hook"
    assert environ["HTTP_X_MARK"] == "m"


def test_an_application_wrapped_in_post_worker_init_is_the_one_that_is_served(hooked):
    it = hooked(
        config="""
def post_worker_init(worker):
    inner = worker.app.callable
    def outer(environ, start_response):
        environ["HTTP_X_WRAPPED"] = "yes"
        return inner(environ, start_response)
    worker.app.callable = outer
post_request = None
"""
    )
    assert it.server.get("/show_environ").json()["HTTP_X_WRAPPED"] == "yes"


@pytest.mark.parametrize("parameters", ["worker, req", "worker, req, environ", "*all"])
def test_post_request_may_take_fewer_arguments(hooked, parameters):
    it = hooked(config=f"def post_request({parameters}): note('done', list(locals()))\n")
    assert it.server.get("/hello").status == 200
    it.wait_for("done")


# ---- hooks that raise


def raising(name: str, parameters: str) -> str:
    return f"def {name}({parameters}):\n    raise ValueError('no luck')\n"


@pytest.mark.parametrize(
    ("hook", "parameters", "status"),
    [
        ("on_starting", "server", 1),
        ("when_ready", "server", 1),
        ("nworkers_changed", "server, new, old", 1),
        ("pre_fork", "server, worker", 3),
        ("post_fork", "server, worker", 3),
        ("post_worker_init", "worker", 3),
    ],
)
def test_a_hook_that_raises_before_the_start_ends_it_with_a_clear_message(
    tmp_path: Path, hook, parameters, status
):
    (tmp_path / "gunicorn.conf.py").write_text(raising(hook, parameters))
    ended = subprocess.run(
        [sys.executable, "-m", "canter", "--bind", "127.0.0.1:0", PLAIN],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == status, ended.stderr
    assert f"the hook {hook} failed: ValueError: no luck" in ended.stderr
    assert "gunicorn.conf.py" in ended.stderr


@pytest.mark.parametrize(
    ("hook", "parameters"),
    [
        ("on_reload", "server"),
        ("child_exit", "server, worker"),
        ("worker_exit", "server, worker"),
        ("worker_int", "worker"),
        ("on_exit", "server"),
    ],
)
def test_a_hook_that_raises_later_is_logged_and_the_service_goes_on(hooked, hook, parameters):
    it = hooked(config=raising(hook, parameters))
    old = it.server.workers()
    os.kill(old[0], signal.SIGINT)
    it.server.wait_for_new_workers(old, 1)
    old = it.server.workers()
    it.server.signal(signal.SIGHUP)
    it.server.wait_for_new_workers(old, 1)
    assert it.server.get("/hello", "X-Mark: m").status == 200
    assert it.server.stop() == 0
    it.server.wait_for_log(f"the hook {hook} failed: ValueError: no luck.*Traceback.*no luck")


def test_a_worker_whose_hook_fails_at_a_reload_never_takes_the_place_of_the_old(hooked):
    it = hooked()
    old = it.server.workers()
    it.config.write_text(RECORDER + raising("post_fork", "server, worker"))
    it.server.signal(signal.SIGHUP)
    it.server.wait_for_log("the hook post_fork failed.*generation 2 is discarded")
    eventually(lambda: it.server.workers() == old, "only the old worker is there")
    assert it.server.get("/hello", "X-Mark: m").status == 200


def test_a_request_whose_pre_request_fails_is_answered_500_and_the_next_is_served(hooked):
    it = hooked(
        config="def pre_request(worker, req):\n    if req.query: raise SystemExit('no')\n"
        "post_request = None\n"
    )
    assert it.server.get("/hello?x").status == 500
    assert it.server.get("/hello").status == 200
    it.server.wait_for_log("the hook pre_request failed: SystemExit: no")


def test_a_post_request_that_fails_is_logged_and_harms_no_answer(hooked):
    it = hooked(config=raising("post_request", "worker, req"))
    with it.server.client() as client:
        assert client.get("/hello").status == 200
        assert client.get("/hello").status == 200
    it.server.wait_for_log("the hook post_request failed: ValueError: no luck.*Traceback")


def test_hooks_are_named_in_a_toml_file_as_module_and_function(start: Start, tmp_path: Path):
    (tmp_path / "ours.py").write_text(RECORDER)
    (tmp_path / "site.toml").write_text(
        f'pythonpath = "{tmp_path}"\npost_fork = "ours.post_fork"\non_exit = "ours:nothing"\n'
    )
    log = tmp_path / "hooks.log"
    server = start(
        PLAIN,
        "--config",
        str(tmp_path / "site.toml"),
        environment={"HOOKS_LOG": str(log)},
    )
    assert json.loads(log.read_text())[:2] == ["post_fork", *server.workers()]
    assert server.stop() == 0
    server.wait_for_log("the hook on_exit is not to be had: AttributeError: .*'nothing'")
