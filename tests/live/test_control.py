"""The commands for a running server, each against a real one, and bad company on its socket."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.harness import PLAIN, clean_environment
from tests.live.load import Load
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.live.harness import Server, Start

GOOD = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"""
BROKEN = "raise RuntimeError('no database')\n"
COMMAND_SECONDS = 60

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
NOBODY = 65534


def command(
    directory: Path, *words: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`canter WORDS`, run in `directory` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "canter", *words],
        cwd=directory,
        env=clean_environment(**(environment or {})),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )


def said(server: Server, *words: str) -> str:
    """What a command prints that succeeds."""
    done = command(server.directory, *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def asked(server: Server, *words: str) -> Any:
    """The data in the answer to a command that succeeds."""
    reply = json.loads(said(server, *words, "--json"))
    assert reply["ok"] is True
    return reply["data"]


@pytest.fixture(autouse=True)
def _own_runtime_directory(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is found here of a server that another test killed before it could tidy up."""
    with tempfile.TemporaryDirectory(prefix="canter-run-") as directory:
        monkeypatch.setenv("XDG_RUNTIME_DIR", directory)
        yield


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose path leaves room for the name of a socket."""
    with tempfile.TemporaryDirectory(prefix="canter-") as directory:
        yield Path(directory)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The working directory of the first server, with an application in it."""
    directory = tmp_path / "server1"
    directory.mkdir()
    (directory / "shop.py").write_text(GOOD)
    return directory


# ---- status


def test_status_shows_what_runs_and_for_how_long(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "3")
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={begun}&gate={gate}"))
        eventually(begun.exists, "the request runs")
        table = said(server, "status")
        report = asked(server, "status")
        gate.touch()
        assert client.read_answer().body == b"opened"
    assert f"pid {server.pid}, running" in table
    assert f"{PLAIN} at {server.url}" in table
    assert "generation 1: live, 2 workers wanted" in table
    assert re.search(r"thread 0: GET /waits_for_file\S* (HTTP/1.1 )?for \d+\.\d s\n", table)
    assert "\x1b" not in table
    (generation,) = report["generations"]
    assert sorted(worker["pid"] for worker in generation["workers"]) == server.workers()
    (running,) = [call for worker in generation["workers"] for call in worker["running"]]
    assert running["request"].startswith("GET /waits_for_file")
    assert 0 < running["age_seconds"] < report["age_seconds"]
    assert {worker["threads"] for worker in generation["workers"]} == {3}


def test_status_counts_requests_and_connections(start: Start) -> None:
    server = start(PLAIN)
    with server.client() as client:
        for _ in range(3):
            client.get("/hello")

        def counted() -> bool:
            (worker,) = asked(server, "status")["generations"][0]["workers"]
            return bool(worker["requests"] == 3 and worker["connections"] == 1)

        eventually(counted, "three requests and one connection")


def test_status_tells_of_a_drain_and_why(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN)
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={begun}&gate={gate}"))
        eventually(begun.exists, "the request runs")
        server.signal(signal.SIGTERM)
        server.wait_for_log("drains")
        report = asked(server, "status")
        assert (report["phase"], report["addresses"]) == ("stopping", [])
        (worker,) = report["generations"][0]["workers"]
        assert (worker["state"], worker["leaves_because"]) == ("draining", "the service stops")
        refused = command(server.directory, "reload")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert refused.stderr == "canter: error: the reload failed: the server is stopping\n"
        gate.touch()
        assert client.read_answer().body == b"opened"
    assert server.wait_for_exit() == 0


# ---- reload


def test_reload_waits_until_the_new_generation_serves(start: Start) -> None:
    server = start(PLAIN, "--workers", "2")
    with Load(server.address, connections=2) as load:
        text = said(server, "reload")
        assert re.fullmatch(r"generation 2 serves: workers \d+, \d+\n", text)
        pids = [int(number) for number in re.findall(r"\d+", text)[1:]]
        assert set(pids) <= set(server.workers())
    load.report.assert_flawless(server.access_lines)
    assert asked(server, "reload")["generation"] == 3


def test_a_broken_reload_prints_the_traceback_and_fails(start: Start, site: Path) -> None:
    server = start("shop")
    (worker,) = server.workers()
    (site / "shop.py").write_text(BROKEN)
    done = command(site, "reload")
    assert (done.returncode, done.stdout) == (1, "")
    *traceback, last = done.stderr.splitlines()
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-1] == "RuntimeError: no database"
    assert last.startswith("canter: error: the reload failed, generation 1 goes on serving: ")
    eventually(lambda: server.workers() == [worker], "only the old worker is there")
    for_machines = command(site, "reload", "--json")
    assert for_machines.returncode == 1
    reply = json.loads(for_machines.stdout)
    assert (reply["ok"], reply["generation"]) == (False, 1)
    assert "RuntimeError: no database" in reply["traceback"]
    (site / "shop.py").write_text(GOOD)
    assert said(server, "reload").startswith("generation 4 serves: ")
    assert server.get("/").body == b"ok"


def test_a_reload_with_broken_settings_fails_with_their_error(start: Start, site: Path) -> None:
    start("shop")
    (site / "canter.toml").write_text("threads = 'many'\n")
    # The command reads the same settings to find the socket, so it has to be told where that is.
    blind = command(site, "reload")
    assert (blind.returncode, "canter.toml:1: threads" in blind.stderr) == (1, True)
    (path,) = Path(os.environ["XDG_RUNTIME_DIR"], "canter").glob("server1-*.ctl")
    done = command(site, "reload", "--control-socket", str(path))
    assert done.returncode == 1
    assert "generation 1 goes on serving: canter.toml:1: threads" in done.stderr


def test_a_reload_asked_for_during_another_gets_an_outcome_of_its_own(
    start: Start, site: Path
) -> None:
    server = start("shop")
    waiting = "import pathlib, time\nwhile not pathlib.Path('gate').exists(): time.sleep(0.01)\n"
    (site / "shop.py").write_text(waiting + GOOD)
    commands = []
    try:
        for number in (2, 3):
            line = [sys.executable, "-m", "canter", "reload"]
            commands.append(
                subprocess.Popen(
                    line, cwd=site, env=clean_environment(), stdout=subprocess.PIPE, text=True
                )
            )
            server.wait_for_log("(canter reload: reloading.*)" * (number - 1))
        (site / "gate").touch()
        outputs = [process.communicate(timeout=COMMAND_SECONDS)[0] for process in commands]
    finally:
        for process in commands:
            process.kill()
            process.wait()
    assert [output[:19] for output in outputs] == ["generation 2 serves", "generation 3 serves"]


# ---- stop


def test_stop_answers_running_requests_and_returns_when_all_is_over(
    start: Start, tmp_path: Path
) -> None:
    server = start(PLAIN, "--pid", "site.pid")
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={begun}&gate={gate}"))
        eventually(begun.exists, "the request runs")
        words = [sys.executable, "-m", "canter", "stop", "--pid", "site.pid"]
        with subprocess.Popen(
            words, cwd=server.directory, env=clean_environment(), stdout=subprocess.PIPE, text=True
        ) as stop:
            server.wait_for_log("canter stop: draining")
            assert stop.poll() is None
            gate.touch()
            assert client.read_answer().body == b"opened"
            assert stop.communicate(timeout=COMMAND_SECONDS)[0] == "stopped\n"
        assert stop.returncode == 0
    assert not (server.directory / "site.pid").exists()
    assert server.wait_for_exit() == 0


def test_stop_now_cuts_running_requests_off(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN)
    begun = tmp_path / "begun"
    with server.client() as client:
        path = f"/waits_for_file?started={begun}&gate={tmp_path / 'never'}"
        client.send(request_head("GET", path))
        eventually(begun.exists, "the request runs")
        assert asked(server, "stop", "--now") == {"stopped": True}
    assert server.wait_for_exit() == 0
    server.wait_for_log("canter stop: stopping at once")
    gone = command(server.directory, "status")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.startswith("canter: error: no server answers at ")


# ---- scale


def test_scale_changes_the_number_of_workers_and_fails_no_request(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2")
    with Load(server.address, connections=4) as load:
        assert said(server, "scale", "4") == "4 workers wanted, 2 before\n"
        server.wait_for_workers(4)
        assert asked(server, "scale", "1") == {"before": 4, "workers": 1}
        server.wait_for_workers(1)
    load.report.assert_flawless(server.access_lines)


@pytest.mark.parametrize(
    ("number", "status", "error"),
    [("0", 1, "there is room for 1 to 5 workers, not 0"), ("many", 2, "invalid int value: 'many'")],
)
def test_scale_refuses_what_cannot_be(start: Start, number: str, status: int, error: str) -> None:
    server = start(PLAIN)
    done = command(server.directory, "scale", number)
    assert (done.returncode, done.stdout) == (status, "")
    assert error in done.stderr
    assert len(server.workers()) == 1


# ---- stacks


def test_stacks_name_the_function_that_runs(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2")
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={begun}&gate={gate}"))
        eventually(begun.exists, "the request runs")
        text = said(server, "stacks")
        replies = {pid: asked(server, "stacks", str(pid)) for pid in server.workers()}
        gate.touch()
        assert client.read_answer().body == b"opened"
    assert re.search(r"worker \d+\n  thread \d: GET /waits_for_file", text)
    assert "in waits_for_file" in text
    assert re.search(r"worker \d+: no thread is busy", text)
    assert [[told["pid"] for told in reply["workers"]] for reply in replies.values()] == [
        [pid] for pid in replies
    ]
    unknown = command(server.directory, "stacks", "1")
    assert (unknown.returncode, unknown.stderr) == (1, "canter: error: there is no worker 1\n")


def test_stacks_name_the_worker_that_does_not_answer(start: Start) -> None:
    server = start(PLAIN, "--workers", "2")
    silent, other = server.workers()
    os.kill(silent, signal.SIGSTOP)
    try:
        done = command(server.directory, "stacks")
    finally:
        os.kill(silent, signal.SIGCONT)
    assert done.returncode == 1
    assert done.stdout == f"worker {other}: no thread is busy\n"
    assert done.stderr == f"no answer in time from {silent}\n"
    assert asked(server, "stacks")["silent"] == []


# ---- log-level


def test_log_level_reaches_the_supervisor_and_the_workers(start: Start) -> None:
    server = start(PLAIN)
    assert said(server, "log-level", "WARNING") == "warning\n"
    (worker,) = server.workers()
    os.kill(worker, signal.SIGTERM)
    server.wait_for_new_workers([worker], 1)
    assert "draining" not in server.log(), "a worker would say so at info"
    assert said(server, "log-level", "info") == "info\n"
    (worker,) = server.workers()
    assert asked(server, "status")["log_level"] == "info"
    os.kill(worker, signal.SIGTERM)
    server.wait_for_log(rf"\[{worker}\] \[INFO\] worker told to stop: draining")
    wrong = command(server.directory, "log-level", "loud")
    assert (wrong.returncode, "'loud' is none of debug" in wrong.stderr) == (1, True)


# ---- the socket


def socket_of(server: Server) -> Path:
    """The control socket of the only server that works in this directory."""
    name = f"{server.directory.name}-*.ctl"
    places = [Path(os.environ["XDG_RUNTIME_DIR"], "canter"), server.directory]
    (path,) = [path for place in places for path in place.glob(name)]
    return path


def talk(path: Path, *pieces: bytes) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(30)
    client.connect(str(path))
    for piece in pieces:
        client.sendall(piece)
    return client


def test_garbage_silence_and_slowness_harm_nobody(start: Start, short: Path) -> None:
    path = short / "a.ctl"
    server = start(PLAIN, "--control-socket", str(path))
    (worker,) = server.workers()
    rubbish: Sequence[bytes] = [
        b"\x00\xff\xfe\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"[" * 4000 + b"\n",
        b'{"command": 5}\n',
        b"x" * 100_000,
    ]
    clients = [talk(path), talk(path, b'{"comm')]
    try:
        for data in rubbish:
            with talk(path) as client:
                try:
                    client.sendall(data)
                    reply = json.loads(client.makefile("rb").readline())
                except ConnectionError:
                    # It was let go before it had said it all.
                    continue
                assert reply["ok"] is False
        clients += [talk(path, b'{"command": "status"}\n' * 50) for _ in range(30)]
        assert server.get("/hello").status == 200
        assert asked(server, "status", "--control-socket", str(path))["phase"] == "running"
    finally:
        for client in clients:
            client.close()
    assert server.workers() == [worker]
    server.assert_no_traceback()


def test_a_client_that_stays_does_not_hold_the_end_up(start: Start, short: Path) -> None:
    path = short / "a.ctl"
    server = start(PLAIN, "--control-socket", str(path))
    with talk(path) as client:
        assert server.stop() == 0
        assert client.recv(100) == b""
    assert not path.exists()


def test_the_socket_is_private_by_default_and_has_the_mode_that_is_asked_for(
    start: Start, short: Path
) -> None:
    server = start(PLAIN)
    assert socket_of(server).stat().st_mode & 0o777 == 0o600
    assert socket_of(server).parent.stat().st_mode & 0o777 == 0o700
    path = short / "a.ctl"
    start(PLAIN, "--control-socket", str(path), "--control-socket-mode", "0660")
    assert path.stat().st_mode & 0o777 == 0o660


ASK_AS_NOBODY = """
import os, socket, sys
os.setgid({id})
os.setuid({id})
client = socket.socket(socket.AF_UNIX)
client.settimeout(30)
client.connect(sys.argv[1])
try:
    client.sendall(b'{{"command": "stop"}}\\n')
except BrokenPipeError:
    pass  # Refused already; why is still to be read.
print(client.makefile().readline())
"""


@needs_root
@pytest.mark.parametrize("mode", ["0600", "0666"])
def test_another_user_cannot_ask_whatever_the_mode(start: Start, short: Path, mode: str) -> None:
    short.chmod(0o755)
    path = short / "a.ctl"
    server = start(PLAIN, "--control-socket", str(path), "--control-socket-mode", mode)
    done = subprocess.run(
        [sys.executable, "-c", ASK_AS_NOBODY.format(id=NOBODY), str(path)],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    if mode == "0600":
        assert "PermissionError" in done.stderr
    else:
        assert "only the server's own user and root may ask" in done.stdout
    assert server.get("/hello").status == 200


def test_two_servers_in_two_directories_do_not_meet(start: Start) -> None:
    first, second = start(PLAIN), start(PLAIN)
    assert asked(first, "status")["pid"] == first.pid
    assert asked(second, "status")["pid"] == second.pid


def test_two_servers_in_one_directory_are_told_apart_by_their_pid_files(
    start: Start, tmp_path: Path
) -> None:
    place = str(tmp_path / "server1")
    first = start(PLAIN, "--pid", "one.pid")
    second = start(PLAIN, "--chdir", place, "--pid", "two.pid")
    assert asked(first, "status", "--pid", "one.pid")["pid"] == first.pid
    assert asked(first, "status", "--pid", "two.pid")["pid"] == second.pid


def test_the_second_server_in_a_directory_goes_without_and_says_so(
    start: Start, tmp_path: Path
) -> None:
    first = start(PLAIN)
    second = start(PLAIN, "--chdir", str(tmp_path / "server1"))
    second.wait_for_log("no control socket: another server has .*--pid would give this one its own")
    assert second.stop() == 0
    assert asked(first, "status")["pid"] == first.pid


def test_a_socket_that_was_left_behind_is_replaced(start: Start, short: Path) -> None:
    path = short / "a.ctl"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    server = start(PLAIN, "--control-socket", str(path))
    assert asked(server, "status", "--control-socket", str(path))["pid"] == server.pid


def test_a_supervisor_that_was_killed_leaves_nobody_listening(start: Start, short: Path) -> None:
    path = short / "a.ctl"
    server = start(PLAIN, "--control-socket", str(path))
    server.signal(signal.SIGKILL)
    server.wait_for_exit()
    again = start(PLAIN, "--control-socket", str(path))
    assert asked(again, "status", "--control-socket", str(path))["pid"] == again.pid


def test_without_a_place_for_it_the_server_serves_and_is_silent(start: Start) -> None:
    nowhere = {"XDG_RUNTIME_DIR": "", "HOME": "/proc/nowhere"}
    server = start(PLAIN, environment=nowhere)
    assert server.get("/hello").status == 200
    assert "control" not in server.log()
    talkative = start(PLAIN, "--log-level", "debug", environment=nowhere)
    assert talkative.log().count("no control socket at ") == 1


def test_a_socket_that_was_named_and_cannot_be_is_a_warning(start: Start) -> None:
    server = start(PLAIN, "--control-socket", "/proc/nowhere/a.ctl")
    server.wait_for_log(r"\[WARNING\] no control socket at /proc/nowhere/a.ctl: .*does not exist")
    assert server.get("/hello").status == 200


def test_who_wants_none_has_none(start: Start) -> None:
    server = start(PLAIN, "--no-control-socket")
    assert not list(Path(os.environ["XDG_RUNTIME_DIR"]).glob(f"canter/{server.directory.name}*"))
    done = command(
        server.directory, "status", environment={"CANTER_CONTROL_SOCKET_DISABLE": "true"}
    )
    assert (done.returncode, "the settings ask for no control socket" in done.stderr) == (1, True)
