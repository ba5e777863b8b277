"""A health check of the application's own, and what load balancers are told of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.live.raw_http import Client
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Server, Start

CHECKED = """
import os, time
WHERE = os.path.dirname(__file__)
def database():
    if os.path.exists(WHERE + "/down"):
        raise ConnectionError("the database does not answer")
    while os.path.exists(WHERE + "/slow"):
        time.sleep(0.05)
def application(environ, start_response):
    start_response("200 OK", [])
    return [b"served"]
"""
OFTEN = ("--health-check-interval", "0.1", "--health-check-timeout", "0.5")


def readiness(server: Server) -> tuple[int, bytes]:
    answer = server.get("/health/readyz")
    return answer.status, answer.body


def told(server: Server) -> tuple[int, bytes]:
    """What the observer says."""
    with Client(str(server.directory / "status.sock")) as client:
        answer = client.get("/readyz")
    return answer.status, answer.body


@pytest.mark.parametrize("engine", ["threads", "gevent"])
def test_readiness_follows_the_check_and_requests_do_not(start: Start, site: Path, engine: str):
    if engine == "gevent":
        pytest.importorskip("gevent")
    (site / "checked.py").write_text(CHECKED)
    watched = ("--health-path", "/health", "--status-bind", "unix:status.sock")
    server = start(
        "checked", "--health-check", "checked:database", *OFTEN, *watched, "--worker-class", engine
    )
    eventually(lambda: readiness(server) == (200, b"ok\n"), "it passes")
    eventually(lambda: told(server) == (200, b"ready\n"), "the observer says so")

    (site / "down").touch()
    eventually(lambda: readiness(server) == (503, b"the check fails\n"), "it fails")
    eventually(lambda: told(server) == (503, b"no worker's check passes\n"), "everywhere")
    server.wait_for_log("health check fails: ConnectionError: the database does not answer")
    assert server.get("/").body == b"served"
    assert server.get("/health/livez").status == 200

    (site / "slow").touch()
    os.unlink(site / "down")
    eventually(lambda: readiness(server) == (503, b"the check hangs\n"), "it hangs")
    server.wait_for_log("health check hangs: it takes over 0.5 s")
    assert server.get("/").body == b"served"

    os.unlink(site / "slow")
    eventually(lambda: readiness(server) == (200, b"ok\n"), "it passes again")
    eventually(lambda: told(server) == (200, b"ready\n"), "the observer says so again")


def test_a_check_that_is_not_there_is_a_failed_start_with_one_message(start: Start, site: Path):
    (site / "checked.py").write_text(CHECKED)
    server = start("checked", "--health-check", "checked:databse", ready=False)
    assert server.wait_for_exit() != 0
    assert "health_check" in server.log()
    assert "database" in server.log(), "the nearest name"
