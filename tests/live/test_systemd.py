"""Under a service manager that speaks as systemd: sockets passed, and what it is told and when."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.live.harness import PLAIN, ROOT, Start
from tests.live.load import Load
from tests.live.raw_http import Client, request_head
from tests.live.service_manager import ServiceManager, activated, monotonic
from tests.live.waiting import eventually

BOOTS_WHEN_TOLD = """
import pathlib, time
while not pathlib.Path('go').exists():
    time.sleep(0.01)
from tests.live.apps.plain import application
"""


def listening(path: Path | None = None) -> socket.socket:
    sock = socket.socket(socket.AF_INET if path is None else socket.AF_UNIX)
    sock.bind(("127.0.0.1", 0) if path is None else str(path))
    sock.listen()
    return sock


UNITS = ROOT / "deploy" / "systemd"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="this system has no systemd")
def test_the_units_that_come_with_canter_are_right(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/srv/site/venv/bin/canter", sys.executable)
        (tmp_path / unit.name).write_text(text.replace("/srv/site", str(tmp_path)))
    said = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # Other units of this machine are looked at too; what is said of ours names them.
    assert [line for line in said.stderr.splitlines() if "canter." in line] == []


# ---- sockets


def test_passed_sockets_are_served_all_of_them(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    with listening() as web, listening(path) as more:
        server = start(PLAIN, **activated(web, more))
        for address in (web.getsockname(), str(path)):
            with Client(address) as client:
                seen = client.get("/show_environ").json()
                assert "LISTEN_FDS" not in seen
        assert server.stop() == 0
        assert path.exists(), "the file is the manager's"


def test_passed_sockets_win_over_bind_and_that_is_said(start: Start, site: Path) -> None:
    with listening() as web:
        server = start(PLAIN, "--bind", f"unix:{site}/a.sock", **activated(web))
        server.wait_for_log("bind is not used: the service manager has passed its sockets")
        assert not (site / "a.sock").exists()
        with Client(web.getsockname()) as client:
            assert client.get("/hello").status == 200


def test_bind_may_choose_among_passed_sockets(start: Start) -> None:
    with listening() as web, listening() as unused:
        server = start(PLAIN, "--bind", "fd://4", **activated(unused, web))
        with Client(web.getsockname()) as client:
            assert client.get("/hello").status == 200
        assert "bind is not used" not in server.log()
        assert server.url.endswith(f":{web.getsockname()[1]}")


def test_sockets_that_were_passed_to_somebody_else_are_left_alone(start: Start) -> None:
    server = start(PLAIN, environment={"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})
    assert server.get("/hello").status == 200


def test_a_restart_on_passed_sockets_loses_no_request(start: Start) -> None:
    with listening() as web:
        first = start(PLAIN, "--workers", "2", **activated(web))
        with Load(web.getsockname(), connections=4) as load:
            eventually(lambda: load.count() > 50, "the load runs")
            assert first.stop() == 0
            second = start(PLAIN, "--workers", "2", **activated(web))
            so_far = load.count()
            eventually(lambda: load.count() > so_far + 50, "the load goes on")
        assert load.report.failures == [], load.report.summary()
        load.report.assert_logged_once(lambda: first.access_lines() + second.access_lines())


# ---- what the manager is told


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_ready_is_told_when_the_workers_serve_and_time_is_asked_for_before(
    start: Start, site: Path, tmp_path: Path, mark: str, kind: str
) -> None:
    (site / "slow.py").write_text(BOOTS_WHEN_TOLD)
    address = f"@canter-{mark}" if kind == "abstract" else str(tmp_path / "notify.sock")
    with ServiceManager(address) as manager:
        server = start(
            "slow", "--workers", "2", environment={"NOTIFY_SOCKET": address}, ready=False
        )
        manager.wait_for("STATUS=starting: 0 of 2 workers ready")
        manager.wait_for("EXTEND_TIMEOUT_USEC=20000000")
        assert manager.count("READY=1") == 0
        (site / "go").touch()
        manager.wait_for("READY=1")
        assert server.get("/hello").status == 200
        manager.wait_for("STATUS=serving: 2 of 2 workers ready, generation 1")
        assert server.stop() == 0
        manager.wait_for("STOPPING=1")
        assert [it for it in manager.listen() if it in {"READY=1", "STOPPING=1"}] == [
            "READY=1",
            "STOPPING=1",
        ]


def test_a_reload_is_told_from_its_beginning_to_its_end_good_or_bad(
    start: Start, site: Path, tmp_path: Path
) -> None:
    app = site / "shop.py"
    app.write_text("from tests.live.apps.plain import application")
    with ServiceManager.at(tmp_path) as manager:
        server = start("shop", environment={"NOTIFY_SOCKET": manager.address})
        place = manager.wait_for("READY=1")
        for source in ("1 / 0", "from tests.live.apps.plain import application"):
            app.write_text(source)
            asked = monotonic()
            server.signal(signal.SIGHUP)
            place = manager.wait_for("RELOADING=1", place)
            assert manager.heard[place + 1].startswith("MONOTONIC_USEC=")
            assert asked <= manager.times("MONOTONIC_USEC")[-1] <= monotonic()
            place = manager.wait_for("READY=1", place)
        server.wait_for_log("generation 2 is discarded.*generation 3 serves")


def test_the_watchdog_gets_its_signs_of_life_while_nothing_else_happens(
    start: Start, tmp_path: Path
) -> None:
    with ServiceManager.at(tmp_path) as manager:
        environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "400000"}
        start(PLAIN, "--timeout", "0", environment=environment)
        place = manager.wait_for("READY=1")
        for _ in range(3):
            place = manager.wait_for("WATCHDOG=1", place + 1)


def test_a_manager_that_does_not_listen_is_no_trouble(start: Start, tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": str(tmp_path / "nobody.sock"), "WATCHDOG_USEC": "100000"}
    server = start(PLAIN, environment=environment)
    assert server.get("/hello").status == 200
    server.assert_no_traceback()


def test_time_is_asked_for_while_requests_are_finished(start: Start, tmp_path: Path) -> None:
    with ServiceManager.at(tmp_path) as manager:
        server = start(PLAIN, environment={"NOTIFY_SOCKET": manager.address})
        started, gate = tmp_path / "started", tmp_path / "gate"
        with server.client() as client:
            client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
            eventually(started.exists, "the application runs")
            server.signal(signal.SIGTERM)
            place = manager.wait_for("STOPPING=1")
            manager.wait_for("EXTEND_TIMEOUT_USEC=", place)
            gate.touch()
            assert client.read_answer().status == 200
        assert server.wait_for_exit() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_workers_do_not_keep_the_managers_socket(start: Start, tmp_path: Path) -> None:
    with ServiceManager.at(tmp_path) as manager:
        server = start(PLAIN, environment={"NOTIFY_SOCKET": manager.address})
        (worker,) = server.workers()

        def datagram_sockets(pid: int) -> int:
            inodes = {
                line.split()[6]
                for line in Path("/proc/net/unix").read_text().splitlines()
                if line.split()[4] == "0002"
            }
            links = [os.readlink(it) for it in Path(f"/proc/{pid}/fd").iterdir()]
            return sum(f"socket:[{inode}]" in links for inode in inodes)

        # The letter boxes are datagram sockets too; only the supervisor has one more.
        assert datagram_sockets(server.pid) > datagram_sockets(worker)
