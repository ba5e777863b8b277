"""SIGUSR2: a second supervisor beside the first, and either of them may be the one that stays."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.live.harness import PLAIN, Server, Start, children, clean_environment, group_members
from tests.live.load import Load
from tests.live.raw_http import Client
from tests.live.service_manager import ServiceManager, activated
from tests.live.waiting import eventually

PID = ("--pid", "canter.pid")
SUCCESSOR = r"the successor is process (\d+)"
BOTH_KINDS = pytest.mark.parametrize("bind", ["127.0.0.1:0", "unix:app.sock"])


def number_in(path: Path) -> int:
    """The number in a pid file; 0 = there is none."""
    return int(path.read_text()) if path.exists() else 0


def upgrade(server: Server) -> int:
    """Start a successor and wait until it serves beside the old one; its process number."""
    before = len(re.findall(SUCCESSOR, server.log()))
    server.signal(signal.SIGUSR2)
    found = eventually(lambda: re.findall(SUCCESSOR, server.log())[before:], "the successor starts")
    server.wait_for_log(rf"\[{found[0]}\] \[INFO\] generation 1 serves")
    return int(found[0])


def end(server: Server, pid: int) -> None:
    """Stop a supervisor that is not the first, and wait until all is over."""
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not group_members(server.pid), "every process is gone", 20)


def more_of(load: Load, count: int = 50) -> Callable[[], bool]:
    seen = load.count()
    return lambda: load.count() >= seen + count


def served_by(server: Server) -> int:
    """The supervisor of the worker that answers."""
    worker = server.get("/who").json()["pid"]
    stat = Path(f"/proc/{worker}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def control(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "canter", *words, *PID],
        cwd=server.directory,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@BOTH_KINDS
def test_an_upgrade_loses_no_request_and_the_successor_takes_every_place(
    start: Start, site: Path, bind: str
) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2", *PID, bind=bind)
    with Load(server.address, connections=4) as load:
        eventually(more_of(load), "the load runs")
        heir = upgrade(server)
        assert number_in(site / "canter.pid") == server.pid
        assert number_in(site / "canter.pid.2") == heir
        server.signal(signal.SIGWINCH)
        eventually(lambda: children(server.pid) == [heir], "the old workers leave")
        eventually(more_of(load), "the successor serves")
        server.stop_this_one()
        eventually(lambda: number_in(site / "canter.pid") == heir, "the pid file is taken over")
        eventually(more_of(load), "the successor serves alone")
    assert not (site / "canter.pid.2").exists()
    load.report.assert_flawless(server.access_lines)
    eventually(lambda: control(server, "status").returncode == 0, "the control socket, too")
    assert f"{heir}" in control(server, "status").stdout
    assert served_by(server) == heir
    end(server, heir)
    assert sorted(it.name for it in site.iterdir()) == ["access.log", "error.log", "output.txt"]


@BOTH_KINDS
def test_an_upgrade_can_be_taken_back_without_losing_a_request(
    start: Start, site: Path, bind: str
) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2", *PID, bind=bind)
    with Load(server.address, connections=4) as load:
        heir = upgrade(server)
        server.signal(signal.SIGWINCH)
        eventually(lambda: children(server.pid) == [heir], "the old workers leave")
        eventually(more_of(load), "the successor serves alone")
        server.signal(signal.SIGHUP)
        server.wait_for_log("generation 2 serves")
        os.kill(heir, signal.SIGTERM)
        eventually(lambda: not Path(f"/proc/{heir}").exists(), "the successor leaves")
        eventually(more_of(load), "the old one serves")
    load.report.assert_flawless(server.access_lines)
    assert number_in(site / "canter.pid") == server.pid
    assert not (site / "canter.pid.2").exists()
    assert served_by(server) == server.pid
    heir = upgrade(server)
    assert number_in(site / "canter.pid.2") == heir, "another upgrade may follow"
    os.kill(heir, signal.SIGTERM)
    server.wait_for_log(f"{heir}, exited with status 0; this one goes on")


def test_a_successor_that_dies_gives_the_old_one_its_workers_back(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", bind="unix:app.sock")
    heir = upgrade(server)
    server.signal(signal.SIGWINCH)
    eventually(lambda: children(server.pid) == [heir], "the old workers leave")
    os.kill(heir, signal.SIGKILL)
    server.wait_for_log("starting the workers again that SIGWINCH has stopped")
    eventually(lambda: len(children(server.pid)) == 2, "the workers are back")
    assert served_by(server) == server.pid


def test_when_the_old_one_is_killed_the_successor_takes_its_places(
    start: Start, site: Path
) -> None:
    (site / "gunicorn.conf.py").write_text("def pre_exec(server): open('executing', 'w').close()")
    server = start(PLAIN, *PID, bind="unix:app.sock")
    heir = upgrade(server)
    assert (site / "executing").exists()
    server.process.kill()
    server.process.wait(10)
    eventually(lambda: number_in(site / "canter.pid") == heir, "the pid file is taken over")
    eventually(lambda: control(server, "status").returncode == 0, "the control socket, too")
    eventually(lambda: served_by(server) == heir, "the old workers leave")
    end(server, heir)
    assert not (site / "app.sock").exists()


@pytest.mark.parametrize("by", ["the old one", "the successor"])
def test_while_two_are_there_no_third_is_started(start: Start, by: str) -> None:
    server = start(PLAIN)
    heir = upgrade(server)
    os.kill(server.pid if by == "the old one" else heir, signal.SIGUSR2)
    server.wait_for_log("SIGUSR2: no upgrade: the (successor|predecessor)[^\n]*, process")
    assert server.log().count("the successor is process") == 1
    os.kill(heir, signal.SIGTERM)
    server.wait_for_log("this one goes on")


def test_a_successor_that_cannot_start_leaves_everything_as_it_was(
    start: Start, site: Path
) -> None:
    app = site / "shop.py"
    app.write_text("from tests.live.apps.plain import application")
    server = start("shop", *PID, bind="unix:app.sock")
    workers = server.workers()
    for source in ("raise RuntimeError('no database')", "open('nowhere')"):
        app.write_text(source)
        server.signal(signal.SIGUSR2)
        server.wait_for_log(
            source.split("'")[1] + "[^\n]*\n.*exited with status 3; this one goes on"
        )
    assert "no database" in server.log()
    assert server.workers() == workers
    assert number_in(site / "canter.pid") == server.pid
    assert not (site / "canter.pid.2").exists()
    assert served_by(server) == server.pid
    app.write_text("from tests.live.apps.plain import application")
    heir = upgrade(server)
    server.stop_this_one()
    eventually(lambda: served_by(server) == heir, "the successor serves")
    end(server, heir)


SHOWS = """
import json, os, sys
def application(environ, start_response):
    seen = {"argv": sys.orig_argv[1:], "cwd": os.getcwd(), "environment": dict(os.environ)}
    body = json.dumps(seen).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


def test_the_successor_is_started_as_the_first_was(start: Start, site: Path) -> None:
    for release in ("one", "two"):
        (site / release).mkdir()
        (site / release / "shop.py").write_text(SHOWS)
    current = site / "current"
    current.symlink_to(site / "one")
    entering = ("sh", "-c", f'cd {current}; exec "$@"', "sh", sys.executable, "-m", "canter")
    server = start("shop", "--env", "SHOP=open", command=entering, environment={"FIRST": "1"})
    before = server.get("/").json()
    current.unlink()
    current.symlink_to(site / "two")
    heir = upgrade(server)
    server.stop_this_one()
    after = server.get("/").json()
    assert after["argv"] == before["argv"]
    assert (before["cwd"], after["cwd"]) == (str(site / "one"), str(site / "two"))
    changed = {
        name
        for name in before["environment"].keys() | after["environment"].keys()
        if before["environment"].get(name) != after["environment"].get(name)
    }
    assert changed <= {"WATCHDOG_PID"}
    end(server, heir)


def test_a_service_manager_is_told_who_the_service_is(start: Start, tmp_path: Path) -> None:
    with socket.socket() as web, ServiceManager.at(tmp_path) as manager:
        web.bind(("127.0.0.1", 0))
        web.listen()
        options = activated(web)
        options["environment"] = {
            **options["environment"],  # type: ignore[dict-item]
            "NOTIFY_SOCKET": manager.address,
            "WATCHDOG_USEC": "400000",
        }
        server = start(PLAIN, "--workers", "2", **options)
        manager.wait_for("READY=1")
        with Load(web.getsockname(), connections=2) as load:
            heir = upgrade(server)
            assert manager.count("READY=1") == 1, "the old one is the service"
            server.signal(signal.SIGTERM)
            place = manager.wait_for(f"MAINPID={heir}")
            assert server.process.wait(20) == 0
            place = manager.wait_for("READY=1", place)
            manager.wait_for("WATCHDOG=1", place)
            eventually(more_of(load), "the load goes on")
        assert load.report.failures == [], load.report.summary()
        assert manager.count("STOPPING=1") == 0
        end(server, heir)
        assert manager.count("STOPPING=1") == 1


LEAVES = """
import os, socket, subprocess, sys
web = socket.socket()
web.bind(("127.0.0.1", 0))
web.listen()
os.set_inheritable(web.fileno(), True)
host, port = web.getsockname()
os.environ |= {"GUNICORN_PID": str(os.getpid()), "GUNICORN_FD": str(web.fileno())}
command = [sys.executable, "-m", "canter", "--bind", f"{host}:{port}", *sys.argv[1:]]
sys.exit(subprocess.call(command, close_fds=False))
"""


def test_what_a_gunicorn_leaves_to_its_successor_is_taken_over(start: Start, site: Path) -> None:
    server = start(PLAIN, *PID, command=(sys.executable, "-c", LEAVES), bind=None)
    assert server.get("/hello").status == 200
    (canter,) = children(server.pid)
    assert number_in(site / "canter.pid.2") == canter
    with Client(server.address) as client:
        assert client.get("/hello").status == 200
    os.kill(canter, signal.SIGTERM)
    assert server.wait_for_exit() == 0
