"""The flight recorder: a worker that dies leaves a block in the log and for `canter status`."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.harness import PLAIN
from tests.live.raw_http import Ended, request_head
from tests.live.test_control import asked, said
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start

MISBEHAVING = "tests.live.apps.misbehaving"


@pytest.fixture(autouse=True)
def _own_runtime_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
        yield


def deaths(server: Server) -> list[Any]:
    found: list[Any] = asked(server, "status", "--last-deaths", "50")["deaths"]
    return found


def wait_for_death(server: Server, pid: int) -> Any:
    """The block of `pid`; the log has it too."""

    def find() -> Any:
        return next((it for it in deaths(server) if it["pid"] == pid), None)

    block = eventually(find, f"worker {pid} has a block")
    assert f"worker {pid} {block['cause']}" in server.log()
    assert str(pid) in said(server, "status", "--last-deaths", "50")
    return block


def runs(server: Server, pid: int, path: str) -> bool:
    """Whether worker `pid` runs a request for `path`."""
    return any(
        worker["pid"] == pid and any(path in call["request"] for call in worker["running"])
        for generation in server.status()
        for worker in generation["workers"]
    )


def test_without_a_death_there_is_none_to_tell(start: Start) -> None:
    server = start(PLAIN)
    assert said(server, "status", "--last-deaths").startswith("no worker has died")
    assert deaths(server) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_signal_is_told_with_what_ran_and_what_came_before(
    start: Start, number: signal.Signals
) -> None:
    server = start(PLAIN, "--threads", "2")
    (victim,) = server.wait_for_workers(1)
    assert server.get("/hello?secret=1").status == 200
    assert server.get("/status?line=404%20Not%20Found").status == 404
    with server.client() as client:
        client.send(request_head("GET", "/sleeps_in_one_call?seconds=60"))
        eventually(lambda: runs(server, victim, "/sleeps_in_one_call"), "it is seen to run")
        os.kill(victim, number)
        with pytest.raises(Ended):
            client.read_answer()
    block = wait_for_death(server, victim)
    assert block["cause"].startswith(f"was killed by {number.name} (")
    (running,) = block["unfinished"]
    assert running["request"].startswith("GET /sleeps_in_one_call?seconds=60")
    assert [(it["request"], it["status"]) for it in block["finished"]] == [
        ("GET /status", 404),
        ("GET /hello", 200),
    ]
    assert block["generation"] == 1
    assert server.get("/hello").status == 200


def test_an_exit_of_the_application_is_told_with_its_status(start: Start) -> None:
    server = start(MISBEHAVING)
    (victim,) = server.wait_for_workers(1)
    with server.client() as client, pytest.raises(Ended):
        client.get("/ends_the_process")
    block = wait_for_death(server, victim)
    assert block["cause"] == "exited with status 3"
    assert [it["request"] for it in block["unfinished"]] == ["GET /ends_the_process HTTP/1.1"]


def test_a_worker_replaced_for_its_memory_is_told_with_the_trend(start: Start) -> None:
    server = start(PLAIN, "--max-memory", "80M")
    (victim,) = server.wait_for_workers(1)
    with server.client() as client:
        for _ in range(100):
            client.get("/leaks")
    block = wait_for_death(server, victim)
    assert "of memory, over its max_memory" in block["cause"]
    assert block["memory"][-1]["resident_bytes"] > 0
    assert {it["request"] for it in block["finished"]} == {"GET /leaks"}
    assert "  memory: " in server.log()


def test_a_worker_replaced_for_a_request_over_its_time_is_told_with_its_stack(
    start: Start,
) -> None:
    server = start(PLAIN, "--threads", "2", "--timeout", "1")
    (victim,) = server.wait_for_workers(1)
    assert server.get("/sleeps_in_one_call?seconds=120").status == 504
    block = wait_for_death(server, victim)
    assert block["cause"].startswith("was replaced: a request outlived its time (timeout)")
    assert block["unfinished"][0]["request"].startswith("GET /sleeps_in_one_call")
    assert "in sleeps_in_one_call" in block["stacks"]


def test_a_reload_that_fails_is_told_and_generations_forget_nothing(
    start: Start, site: Path
) -> None:
    (site / "shop.py").write_text("from tests.live.apps.plain import application\n")
    server = start("shop")
    (first,) = server.wait_for_workers(1)
    os.kill(first, signal.SIGKILL)
    wait_for_death(server, first)
    (site / "shop.py").write_text("raise RuntimeError('no database')\n")
    server.signal(signal.SIGHUP)
    eventually(lambda: len(deaths(server)) == 2, "the failed start has its block")
    (site / "shop.py").write_text("from tests.live.apps.plain import application\n")
    said(server, "reload")
    killed, failed = deaths(server)
    assert killed["pid"] == first
    assert failed["cause"].startswith("could not start: ")
    assert "no database" in failed["cause"] + failed["stacks"]
    assert failed["stacks"].startswith("Traceback")
    shown = said(server, "status", "--last-deaths", "1")
    assert "could not start" in shown
    assert "SIGKILL" not in shown
    assert json.loads(said(server, "status", "--last-deaths", "1", "--json"))["ok"]


def test_an_ordinary_reload_and_recycling_leave_no_block(start: Start) -> None:
    server = start(PLAIN, "--max-requests", "5")
    old = server.wait_for_workers(1)
    for _ in range(8):
        server.get("/hello")
    said(server, "reload")
    server.wait_for_different_workers(old)
    assert deaths(server) == []
