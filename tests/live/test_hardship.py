"""What a server lives through: crashes, orphans, no descriptors, logs that cannot be written."""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.live.harness import PLAIN, Server, Start, children
from tests.live.load import Load
from tests.live.raw_http import Ended
from tests.live.waiting import eventually

MISBEHAVING = "tests.live.apps.misbehaving"


def zombies_of(pid: int) -> list[int]:
    """Children of `pid` that have ended and that nobody has asked about."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(parent) == pid and state == "Z":
                    found.append(int(entry.name))
    return found


# ---- crashes


def test_a_crash_in_compiled_code_is_told_with_its_stack_and_its_request(start: Start) -> None:
    server = start(MISBEHAVING, "--workers", "2", "--threads", "2")
    with server.client() as client, pytest.raises(Ended):
        client.get("/crashes_in_compiled_code?who=me")
    server.wait_for_log(r"Fatal Python error: Segmentation fault.*in crashes_in_compiled_code")
    server.wait_for_log(
        r"was killed by SIGSEGV \(a crash in compiled code; its stacks are above\)\n"
        r"[^\n]*\n  it was running GET /crashes_in_compiled_code\?who=me"
    )
    server.wait_for_workers(2)
    assert server.get("/hello").status == 200


def test_a_kill_by_hand_is_not_blamed_on_the_memory(start: Start) -> None:
    server = start(PLAIN, "--workers", "2")
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    said = server.wait_for_log(rf"worker {victim} was killed by SIGKILL \(([^)]*)\)")[1]
    assert said.startswith(("not by canter, and not out of memory", "if nobody did that"))


def test_an_application_that_crashes_at_every_request_does_not_fill_the_log(start: Start) -> None:
    server = start(MISBEHAVING, "--workers", "2", "--threads", "2")
    deaths = 0
    while deaths < 14:
        with suppress(Ended, OSError), server.client() as client:
            client.get("/ends_the_process")
            continue
        deaths += 1
    server.wait_for_workers(2, within_seconds=10)
    assert server.get("/hello").status == 200
    assert "keep failing" not in server.log(), "starting works, so nothing waits"
    told = re.findall(r"worker \d+ exited with status 3", server.log())
    assert len(told) <= 10


# ---- a container's first process


ORPHANING = """
import os
def application(environ, start_response):
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            os.close(0)
        os._exit(0)
    os.waitpid(child, 0)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
BECOMES_SUBREAPER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def can_unshare() -> bool:
    if shutil.which("unshare") is None:
        return False
    tried = subprocess.run(
        ["unshare", "--pid", "--fork", "true"], capture_output=True, timeout=20, check=False
    )
    return tried.returncode == 0


@pytest.fixture
def first_process(start: Start, site: Path) -> Iterator[tuple[Server, int]]:
    """A server that is the first process of a PID namespace, and its number outside of it."""
    if not can_unshare():
        pytest.skip("this system does not allow PID namespaces")
    (site / "shop.py").write_text(ORPHANING)
    command = ("unshare", "--pid", "--fork", "--kill-child", sys.executable, "-m", "canter")
    server = start("shop", "--workers", "2", "--pid", "canter.pid", command=command)
    (pid,) = children(server.pid)
    yield server, pid
    if server.process.poll() is None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        assert server.wait_for_exit() == 0


def test_as_first_process_it_reaps_orphans_replaces_workers_and_stops(
    first_process: tuple[Server, int], site: Path
) -> None:
    server, pid = first_process
    assert (site / "canter.pid").read_text() == "1\n"
    workers = children(pid)
    for _ in range(10):
        assert server.get("/").body == b"ok"
    eventually(lambda: not zombies_of(pid) and children(pid) == workers, "orphans are reaped")
    os.kill(workers[0], signal.SIGKILL)
    eventually(lambda: len(now := children(pid)) == 2 and workers[0] not in now, "it is replaced")


def test_orphans_that_are_given_to_the_supervisor_are_reaped(start: Start, site: Path) -> None:
    (site / "shop.py").write_text(ORPHANING)
    command = (sys.executable, "-c", BECOMES_SUBREAPER, sys.executable, "-m", "canter")
    server = start("shop", "--workers", "2", command=command)
    workers = server.workers()
    for _ in range(10):
        assert server.get("/").body == b"ok"
    eventually(
        lambda: not zombies_of(server.pid) and server.workers() == workers, "orphans are reaped"
    )
    server.assert_no_traceback()


# ---- scarcity


def test_a_worker_without_descriptors_serves_again_when_it_has_some(start: Start) -> None:
    server = start(PLAIN, "--threads", "2")
    (worker,) = server.workers()
    before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    with server.client() as kept:
        assert kept.get("/hello").status == 200
        used = {int(it.name) for it in Path(f"/proc/{worker}/fd").iterdir()}
        limit = next(number for number in range(len(used) + 2) if number not in used)
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (limit, before[1]))
        with server.client() as waiting:
            waiting.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
            server.wait_for_log("no new connections for 0.5 s: Too many open files")
            assert kept.get("/hello").status == 200, "who is connected is served"
            resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
            assert waiting.read_answer().status == 200
    assert server.workers() == [worker]
    server.assert_no_traceback()


def test_logs_that_cannot_be_reopened_go_on_in_the_old_file(start: Start, site: Path) -> None:
    (site / "logs").mkdir()
    logs = ("--error-logfile", "logs/e.log", "--access-logfile", "logs/a.log")
    server = start(PLAIN, *logs, bind="unix:a.sock", logs=False, ready=False)
    eventually(server.is_listening, "it listens")
    assert server.get("/hello").status == 200
    (site / "logs").rename(site / "moved")
    old = site / "moved" / "e.log"
    server.signal(signal.SIGUSR1)
    eventually(lambda: "cannot be reopened" in old.read_text(), "it is said where it can be")
    assert server.get("/hello").status == 200
    (site / "logs").mkdir()
    server.signal(signal.SIGUSR1)
    eventually((site / "logs" / "e.log").exists, "the log is reopened")
    eventually((site / "logs" / "a.log").exists, "the worker's, too")
    assert server.get("/hello").status == 200


def test_a_stop_under_a_storm_of_connections_resets_nobody(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2")
    with Load(server.address, connections=12, path="/who") as load:
        eventually(lambda: load.count() > 200, "the load runs")
        server.signal(signal.SIGTERM)
        assert server.wait_for_exit() == 0
    wrong = [f for f in load.report.failures if "ConnectionRefused" not in f.reason]
    assert wrong == [], load.report.summary()


def test_every_connection_over_a_unix_socket_is_answered(start: Start) -> None:
    # A client that closes is news of its descriptor, which the next client may have by then.
    server = start(PLAIN, "--threads", "2", bind="unix:a.sock")
    with Load(server.address, connections=4) as load:
        eventually(lambda: load.count() > 4000, "the load runs", within_seconds=60)
    load.report.assert_flawless(server.access_lines)
