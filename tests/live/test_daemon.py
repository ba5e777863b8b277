"""`--daemon`: the command returns when the server serves, or with the reason why it does not."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.live.harness import PLAIN, Server, Start, children
from tests.live.raw_http import Client
from tests.live.waiting import eventually

DAEMON = ("--daemon", "--pid", "canter.pid")


@pytest.fixture
def daemons(site: Path) -> Iterator[None]:
    """Ends the daemon of the first server, which is in no process group that the harness knows."""
    yield
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        os.killpg(os.getsid(int((site / "canter.pid").read_text())), signal.SIGKILL)


pytestmark = pytest.mark.usefixtures("daemons")


def pid_of(server: Server) -> int:
    return int((server.directory / "canter.pid").read_text())


def get(server: Server, path: str) -> bytes:
    with Client(server.address) as client:
        return client.get(path).body


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    eventually(lambda: not Path(f"/proc/{pid}").exists(), "the daemon leaves")


def test_the_command_returns_when_the_server_serves(start: Start) -> None:
    server = start(PLAIN, *DAEMON, "--workers", "2", bind="unix:app.sock", ready=False)
    assert server.wait_for_exit() == 0
    assert get(server, "/hello") == b"hello", "without waiting any longer"
    assert server.output() == ""
    pid = pid_of(server)
    assert len(children(pid)) == 2
    stop(pid)
    assert not (server.directory / "app.sock").exists()
    assert not (server.directory / "canter.pid").exists()


def test_the_server_has_a_session_of_its_own_and_nothing_of_the_terminal(start: Start) -> None:
    server = start(PLAIN, *DAEMON, bind="unix:app.sock", ready=False)
    assert server.wait_for_exit() == 0
    supervisor = pid_of(server)
    output = str(server.output_path)
    for pid in (supervisor, *children(supervisor)):
        session = os.getsid(pid)
        assert session not in {pid, os.getsid(0), server.pid}, "it leads no session"
        held = [os.readlink(it) for it in Path(f"/proc/{pid}/fd").iterdir()]
        assert output not in held
        assert [os.readlink(f"/proc/{pid}/fd/{n}") for n in range(3)] == ["/dev/null"] * 3
    assert os.readlink(f"/proc/{supervisor}/cwd") == str(server.directory)
    stop(supervisor)


def test_streams_can_be_inherited(start: Start) -> None:
    server = start(PLAIN, *DAEMON, "-R", bind="unix:app.sock", logs=False, ready=False)
    assert server.process.wait(20) == 0
    assert "generation 1 serves" in server.output()
    stop(pid_of(server))
    assert "stopped" in server.output()


@pytest.mark.parametrize(
    ("source", "status", "part"),
    [
        ("raise RuntimeError('no database')", 3, "RuntimeError: no database"),
        ("import sys; sys.exit('no database')", 3, "no database"),
        ("app = 5", 4, "not callable"),
    ],
)
@pytest.mark.parametrize("log", ["error.log", "-"])
def test_a_broken_application_is_told_with_its_status(
    start: Start, site: Path, source: str, status: int, part: str, log: str
) -> None:
    (site / "shop.py").write_text(source)
    options = (*DAEMON, "--error-logfile", log)
    server = start("shop", *options, bind="unix:app.sock", ready=False, logs=False)
    assert server.wait_for_exit() == status
    assert "canter: error: " in server.output()
    assert part in server.output()
    assert sorted(it.name for it in site.iterdir() if it.suffix in {".pid", ".sock"}) == []


def test_an_address_in_use_is_told_with_its_status(start: Start, site: Path) -> None:
    (site / "precious").write_text("data")
    server = start(PLAIN, *DAEMON, bind="unix:precious", ready=False)
    assert server.wait_for_exit() == 1
    assert "canter: error: cannot listen on unix:precious" in server.output()


def test_a_server_that_is_killed_while_it_starts_is_told(start: Start, site: Path) -> None:
    (site / "shop.py").write_text(
        "import os, pathlib, threading\n"
        "pathlib.Path('booting').write_text(str(os.getppid()))\n"
        "threading.Event().wait()"
    )
    server = start("shop", *DAEMON, bind="unix:app.sock", ready=False)
    number = eventually(
        lambda: (site / "booting").exists() and (site / "booting").read_text(), "it boots"
    )
    os.kill(int(number), signal.SIGKILL)
    assert server.wait_for_exit() == 1
    assert "the server ended before it served" in server.output()


def test_winch_empties_a_daemon_and_ttin_fills_it_again(start: Start) -> None:
    server = start(PLAIN, *DAEMON, bind="unix:app.sock", ready=False)
    assert server.wait_for_exit() == 0
    pid = pid_of(server)
    os.kill(pid, signal.SIGWINCH)
    eventually(lambda: not children(pid), "the workers leave")
    os.kill(pid, signal.SIGTTIN)
    assert get(server, "/hello") == b"hello"
    stop(pid)


def test_an_upgrade_of_a_daemon_stays_one(start: Start) -> None:
    server = start(PLAIN, *DAEMON, bind="unix:app.sock", ready=False)
    assert server.wait_for_exit() == 0
    first = pid_of(server)
    os.kill(first, signal.SIGUSR2)
    second = server.directory / "canter.pid.2"
    eventually(second.exists, "a successor is there")
    server.wait_for_log("generation 1 serves.*generation 1 serves")
    stop(first)
    eventually(lambda: pid_of(server) != first, "the successor takes over")
    assert get(server, "/hello") == b"hello"
    stop(pid_of(server))
