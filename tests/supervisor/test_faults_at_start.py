"""A first start that fails: its exit status, its one message, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from tests.live.harness import PLAIN, Start
from tests.live.waiting import eventually

FAULTS = {
    "a missing module inside": ("import not_there_at_all", 3, "not_there_at_all"),
    "a syntax error": ("def (", 3, "SyntaxError"),
    "an exception": ("1 / 0", 3, "ZeroDivisionError"),
    "an exit": ("import sys; sys.exit('no database')", 3, "no database"),
    "a quiet exit": ("import os; os._exit(0)", 3, "exited with status 0 before it served"),
    "a crash": ("import os; os.kill(os.getpid(), 11)", 3, "SIGSEGV"),
    "nothing to call": ("app = 5", 4, "not callable"),
    "no application": ("x = 1", 4, "neither 'application' nor 'app'"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_application_ends_the_start(start: Start, site: Path, fault: str):
    source, status, part = FAULTS[fault]
    (site / "shop.py").write_text(source)
    server = start("shop", "--workers", "2", "--pid", "canter.pid", bind="unix:a.sock", ready=False)
    assert server.wait_for_exit() == status
    assert part in server.log()
    assert server.log().count("Traceback") <= 1
    assert f"leaving with status {status}" in server.log()
    assert "canter: error: " in server.output()
    assert not (site / "a.sock").exists()
    assert not (site / "canter.pid").exists()


def test_a_start_that_takes_too_long_is_ended_and_told_where_it_was(start: Start, site: Path):
    (site / "shop.py").write_text("import threading\nthreading.Event().wait()")
    server = start("shop", "--boot-timeout", "0.5", ready=False)
    assert server.wait_for_exit() == 3
    assert "not ready within 0.5 s (boot_timeout)" in server.log()
    assert 'shop.py", line 2' in server.log()


def test_a_pid_file_of_a_live_server_is_refused(start: Start, site: Path):
    pid_file = site / "canter.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    server = start(PLAIN, "--pid", str(pid_file), bind="unix:a.sock", ready=False)
    assert server.wait_for_exit() == 1
    assert f"names process {os.getpid()}, which is running" in server.output()
    assert pid_file.read_text() == f"{os.getpid()}\n"
    assert not (site / "a.sock").exists()


def test_a_port_in_use_is_refused_before_anything_else(start: Start, site: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start(bind=f"127.0.0.1:{port}", ready=False)
        assert server.wait_for_exit() == 1
    assert f"canter: error: cannot listen on 127.0.0.1:{port}" in server.output()
    assert "Traceback" not in server.output()


def test_a_log_that_cannot_be_opened_is_one_clear_message(start: Start):
    server = start(PLAIN, "--access-logfile", "/nowhere/a.log", logs=False, ready=False)
    assert server.wait_for_exit() == 1
    assert "canter: error: accesslog: /nowhere/a.log cannot be opened" in server.output()
    assert "Traceback" not in server.output()


def test_the_interrupt_of_a_terminal_during_the_start_is_an_ordinary_end(start: Start, site: Path):
    (site / "shop.py").write_text(
        "import pathlib, threading\npathlib.Path('booting').touch()\nthreading.Event().wait()"
    )
    server = start("shop", "--workers", "2", ready=False)
    eventually((site / "booting").exists, "the application is being imported")
    os.killpg(server.pid, signal.SIGINT)
    assert server.wait_for_exit() == 0
