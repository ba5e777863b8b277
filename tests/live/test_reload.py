"""New code under load: HUP and --reload, with good code and with broken code."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.harness import PLAIN
from tests.live.load import Load
from tests.live.programs import needs, parse_wrk, wrk_command
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live.harness import Server, Start

GOOD = """
import json, os
from tests.live.apps.plain import asked

VERSION = {version!r}

def application(environ, start_response):
    body = json.dumps({{"tag": asked(environ, "tag"), "pid": os.getpid(), "version": VERSION}})
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body.encode()]
"""
BROKEN = {
    "syntax error": ("def application(:\n", "SyntaxError"),
    "import error": ("import no_such_module_anywhere\n", "no_such_module_anywhere"),
    "exception": ("raise RuntimeError('broken deploy')\n", "RuntimeError: broken deploy"),
    "exit": ("raise SystemExit(7)\n", "(?i)SystemExit|exit"),
    "no application": ("nothing = 1\n", "application"),
    "crash": ("import os\nos.kill(os.getpid(), 11)\n", "SIGSEGV before it served|SIGSEGV"),
    "slow": ("import threading\nthreading.Event().wait()\n", r"not ready within 1 s"),
    "warm-up raises": (
        "def application(environ, start_response):\n    raise RuntimeError('no table')\n",
        "warm-up request for /warm failed.*no table",
    ),
    "warm-up fails": (
        "def application(_, start):\n    start('503 Not Now', [])\n    return []\n",
        "warm-up request for /warm was answered with 503 Not Now",
    ),
}


@pytest.fixture(params=[(), ("--preload",)], ids=["each imports", "preload"])
def mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How workers come by their application."""
    if request.param and sys.platform != "linux":
        pytest.skip("fork servers are for Linux")
    chosen: tuple[str, ...] = request.param
    return chosen


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Where the code of the application is kept; its first version is there."""
    directory = tmp_path / "code"
    directory.mkdir()
    deploy(directory, GOOD.format(version="1"))
    return directory


def deploy(site: Path, code: str) -> None:
    """Put new code in place whole, as a deployment does."""
    new = site / "site_code.new"
    new.write_text(code)
    new.replace(site / "site_code.py")


def version_of(server: Server) -> str:
    version: str = server.get("/?tag=version").json()["version"]
    return version


def serves_only(server: Server, version: str) -> Callable[[], bool]:
    """Whether each of several new connections is answered by that version."""
    return lambda: {version_of(server) for _ in range(6)} == {version}


def test_hup_brings_new_code_and_fails_no_request(
    start: Start, site: Path, mode: tuple[str, ...]
) -> None:
    server = start(
        "site_code", *mode, "--workers", "2", "--threads", "2", "--pythonpath", str(site)
    )
    with Load(server.address, connections=4, path="/") as load:
        for version in "234":
            old = server.workers()
            deploy(site, GOOD.format(version=version))
            server.signal(signal.SIGHUP)
            eventually(serves_only(server, version), f"version {version} is served")
            server.wait_for_new_workers(old, 2)
    load.report.assert_flawless(server.access_lines)


@pytest.mark.parametrize(
    "limits",
    [("--max-surge", "1"), ("--max-surge", "0", "--max-unavailable", "50%")],
    ids=["one more", "half less"],
)
def test_a_reload_in_steps_fails_no_request_and_brings_new_code_to_all(
    start: Start, site: Path, limits: tuple[str, ...], mode: tuple[str, ...]
) -> None:
    server = start("site_code", *mode, *limits, "--workers", "3", "--pythonpath", str(site))
    with Load(server.address, connections=4, path="/") as load:
        for version in "23":
            old = server.workers()
            deploy(site, GOOD.format(version=version))
            server.signal(signal.SIGHUP)

            def is_over(old: list[int] = old) -> bool:
                now = server.workers()
                return len(now) == 3 and not set(now) & set(old)

            eventually(is_over, "other workers", 30)
            eventually(serves_only(server, version), f"version {version} is served")
    load.report.assert_flawless(server.access_lines)


@pytest.mark.parametrize("kind", BROKEN)
def test_hup_with_broken_code_leaves_the_old_workers_serving(
    start: Start, site: Path, tmp_path: Path, kind: str, mode: tuple[str, ...]
) -> None:
    code, expected = BROKEN[kind]
    config = tmp_path / "canter.toml"
    config.write_text("workers = 2\nwarmup = ['/warm']\n")
    server = start("site_code", *mode, "--config", str(config), "--pythonpath", str(site))
    old = server.wait_for_workers(2)
    with Load(server.address, connections=3, path="/") as load:
        deploy(site, code)
        if kind == "slow":
            config.write_text("workers = 2\nboot_timeout = 1\n")
        server.signal(signal.SIGHUP)
        server.wait_for_log(expected)
        server.wait_for_log("generation 2 is discarded; generation 1 goes on serving")
        eventually(lambda: server.workers() == old, "only the old workers are there")
        assert version_of(server) == "1"
        deploy(site, GOOD.format(version="2"))
        config.write_text("workers = 2\n")
        server.signal(signal.SIGHUP)
        eventually(serves_only(server, "2"), "the repaired code is served")
        server.wait_for_new_workers(old, 2)
    load.report.assert_flawless(server.access_lines)


@needs("wrk")
def test_wrk_sees_no_reload(start: Start, site: Path) -> None:
    server = start("site_code", "--workers", "2", "--threads", "2", "--pythonpath", str(site))
    command = wrk_command(server.url, seconds=3, connections=8)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
        for _ in range(2):
            old = server.workers()
            server.signal(signal.SIGHUP)
            server.wait_for_new_workers(old, 2)
        report = parse_wrk(wrk.communicate(timeout=30)[0])
    assert report.requests > 0
    assert report.failed == 0, report.text


def test_a_request_that_runs_during_a_reload_is_answered_by_the_old_code(
    start: Start, tmp_path: Path
) -> None:
    server = start(PLAIN, "--workers", "1", "--threads", "2")
    old = server.workers()
    started, gate = tmp_path / "started", tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
        eventually(started.exists, "the application runs")
        server.signal(signal.SIGHUP)
        eventually(lambda: server.get("/who").json()["pid"] not in old, "the new worker serves")
        gate.touch()
        answer = client.read_answer()
        assert (answer.status, answer.body, answer.closes) == (200, b"opened", True)
    server.wait_for_new_workers(old, 1)


def test_hup_reads_the_configuration_again(start: Start, site: Path, tmp_path: Path) -> None:
    config = tmp_path / "settings.py"
    config.write_text("workers = 1\n")
    server = start("site_code", "--config", str(config), "--pythonpath", str(site))
    old = server.wait_for_workers(1)
    config.write_text("workers = 3\n")
    server.signal(signal.SIGHUP)
    server.wait_for_new_workers(old, 3)
    config.write_text("workers = 'several'\n")
    server.signal(signal.SIGHUP)
    server.wait_for_log("several")
    assert version_of(server) == "1"
    assert len(server.workers()) == 3


def test_reload_follows_the_file(start: Start, site: Path) -> None:
    server = start("site_code", "--reload", "--pythonpath", str(site))
    assert version_of(server) == "1"
    deploy(site, GOOD.format(version="2"))
    eventually(serves_only(server, "2"), "the changed file is served")
    deploy(site, BROKEN["syntax error"][0])
    server.wait_for_log("SyntaxError")
    assert version_of(server) == "2"
    deploy(site, GOOD.format(version="3"))
    eventually(serves_only(server, "3"), "the repaired file is served")


def test_reload_follows_an_extra_file(start: Start, site: Path) -> None:
    template = site / "page.html"
    template.write_text("one")
    server = start(
        "site_code",
        "--reload",
        "--reload-extra-file",
        str(template),
        "--pythonpath",
        str(site),
    )
    old = server.wait_for_workers(1)
    template.write_text("two, and longer")
    server.wait_for_new_workers(old, 1)
