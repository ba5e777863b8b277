"""What is done to a server on purpose, many times over, while requests run: none is lost."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.live.load import Load
from tests.live.waiting import eventually, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Server, Start

GOOD = """
import json, os, urllib.parse

def application(environ, start_response):
    asked = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    body = json.dumps({{"tag": asked.get("tag"), "pid": os.getpid(), "version": {version}}})
    start_response("200 OK", [("Content-Type", "application/json")])
    return [body.encode()]
"""
BROKEN = (
    "def application(:\n",
    "import no_such_module\n",
    "raise RuntimeError('no database')\n",
    "import sys; sys.exit(5)\n",
    "import os; os.kill(os.getpid(), 9)\n",
    "import os; os._exit(0)\n",
    "def application(_, start):\n    raise LookupError('no table')\n",
    "def application(_, start):\n    start('500 No', [])\n    return []\n",
    "application = 7\n",
    "async def application(scope, receive, send): ...\n",
)
RELOADS = 20
HUPS = 100
FEW = 10
DEATHS = 8
HALF_A_SECOND = 0.5


@pytest.fixture(params=[(), ("--preload",)], ids=["each imports", "preload"])
def mode(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How workers come by their application."""
    if request.param and sys.platform != "linux":
        pytest.skip("fork servers are for Linux")
    chosen: tuple[str, ...] = request.param
    return chosen


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The working directory of the server, with the first version in it."""
    directory = tmp_path / "server1"
    directory.mkdir()
    put(directory, GOOD.format(version=1))
    return directory


def put(site: Path, code: str) -> None:
    """Put new code in place whole."""
    (site / "shop.new").write_text(code)
    (site / "shop.new").replace(site / "shop.py")


def live(server: Server) -> int:
    """The number of the generation that serves."""
    (number,) = (it["number"] for it in server.status() if it["state"] == "live")
    return int(number)


def version(server: Server) -> int:
    return int(server.get("/").json()["version"])


def settle(server: Server, workers: int) -> None:
    """Wait until one generation is left, with all its workers."""
    eventually(lambda: len(server.status()) == 1, "the old generations are gone")
    server.wait_for_workers(workers)


def test_twenty_reloads(start: Start, site: Path, mode: tuple[str, ...]) -> None:
    server = start("shop", *mode, "--workers", "2", "--threads", "2", "--warmup", "/")
    with Load(server.address, path="/") as load:
        for number in range(2, RELOADS + 2):
            put(site, GOOD.format(version=number))
            server.signal(signal.SIGHUP)
            eventually(lambda n=number: live(server) == n, f"generation {number} serves")  # type: ignore[misc]
        settle(server, 2)
        assert version(server) == RELOADS + 1
    load.report.assert_flawless(server.access_lines)


def test_ten_broken_reloads(start: Start, site: Path, mode: tuple[str, ...]) -> None:
    server = start("shop", *mode, "--workers", "2", "--threads", "2", "--warmup", "/")
    workers = server.wait_for_workers(2)
    with Load(server.address, path="/") as load:
        for number, code in enumerate(BROKEN, start=2):
            put(site, code)
            server.signal(signal.SIGHUP)
            server.wait_for_log(f"generation {number} is discarded; generation 1 goes on serving")
        settle(server, 2)
        assert server.workers() == workers
        put(site, GOOD.format(version=2))
        server.signal(signal.SIGHUP)
        server.wait_for_new_workers(workers, 2)
        assert version(server) == 2
    load.report.assert_flawless(server.access_lines)


def test_a_hundred_hups_in_a_row_are_a_few_reloads(
    start: Start, site: Path, mode: tuple[str, ...]
) -> None:
    server = start("shop", *mode, "--workers", "2", "--threads", "2")
    with Load(server.address, path="/") as load:
        for number in range(HUPS):
            if number == HUPS - 1:
                put(site, GOOD.format(version=2))
            server.signal(signal.SIGHUP)
        eventually(lambda: version(server) == 2, "the newest code is served", 30)
        settle(server, 2)
    load.report.assert_flawless(server.access_lines)
    assert len(re.findall(r"generation \d+ starts", server.log())) < FEW


def test_workers_that_are_killed_twice_a_second_lose_their_own_requests_only(
    start: Start, site: Path, mode: tuple[str, ...]
) -> None:
    server = start("shop", *mode, "--workers", "3", "--threads", "2")
    victims: set[int] = set()
    with Load(server.address, path="/") as load:
        for number in itertools.islice(itertools.cycle((signal.SIGKILL, signal.SIGSEGV)), DEATHS):
            began = time.monotonic()
            victim = random.choice(server.wait_for_workers(3))
            victims.add(victim)
            os.kill(victim, number)
            until(began + HALF_A_SECOND)
        server.wait_for_workers(3)
    # A connection that has had no answer yet may have been accepted by a victim, too.
    innocent = [f for f in load.report.failures if f.pid is not None and f.pid not in victims]
    assert innocent == [], load.report.summary()
    # Each victim had at most as many requests under way as there were connections.
    assert len(load.report.failures) <= DEATHS * 4, load.report.summary()
    assert set(load.report.pids) - victims, "survivors and replacements served"


def test_recycling_and_scaling_with_a_fork_server(start: Start, site: Path) -> None:
    server = start("shop", "--preload", "--workers", "2", "--threads", "2", "--max-requests", "80")
    with Load(server.address, path="/") as load:
        for number in (signal.SIGTTIN, signal.SIGTTIN, signal.SIGTTOU, signal.SIGTTOU):
            served = set(load.report.pids)
            server.signal(number)
            eventually(
                lambda before=served: len(set(load.report.pids) - before) >= 2,  # type: ignore[misc]
                "workers are recycled",
                30,
            )
    load.report.assert_flawless(server.access_lines)
    eventually(lambda: server.status()[0]["wanted"] == 2, "two are wanted")
