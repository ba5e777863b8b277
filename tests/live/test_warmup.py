"""Warm-up requests: answered in each worker before anybody else is, or the start is given up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.live.waiting import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Start

REMEMBERS = """
import json, threading

SEEN = []

def application(environ, start_response):
    kept = ("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_HOST",
            "SERVER_PORT", "REMOTE_ADDR", "HTTP_USER_AGENT", "wsgi.multithread")
    SEEN.append({key: environ.get(key) for key in kept} | {
        "thread": threading.current_thread().name,
        "body": environ["wsgi.input"].read().decode(),
        "gone": environ["canter.client_disconnected"](),
    })
    status = "404 Not Found" if environ["PATH_INFO"] == "/none" else "200 OK"
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(SEEN).encode()]
"""
BROKEN = """
def application(environ, start_response):
    raise LookupError("no such table")
"""


def put(tmp_path: Path, code: str) -> None:
    (tmp_path / "server1").mkdir()
    (tmp_path / "server1" / "shop.py").write_text(code)


def test_each_worker_has_answered_the_paths_in_order_before_it_serves(
    start: Start, tmp_path: Path
) -> None:
    put(tmp_path, REMEMBERS)
    server = start("shop", "--threads", "2", "--warmup", "/a%20b?c=1", "--warmup", "/none")
    first, second, this = json.loads(server.get("/").body)
    port = server.url.rpartition(":")[2]
    assert first == {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "c=1",
        "HTTP_HOST": f"127.0.0.1:{port}",
        "SERVER_PORT": port,
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_USER_AGENT": "canter-warmup",
        "wsgi.multithread": True,
        "thread": "warm-up",
        "body": "",
        "gone": False,
    }
    assert (second["PATH_INFO"], this["PATH_INFO"]) == ("/none", "/")
    server.wait_for_log("WARNING. the warm-up request for /none was answered with 404 Not Found")
    assert server.access_lines("/none") == [], "nobody asked for it"


def test_a_start_whose_warm_up_fails_ends_with_3_and_the_traceback(
    start: Start, tmp_path: Path
) -> None:
    put(tmp_path, BROKEN)
    server = start("shop", "--warmup", "/shelf", "--workers", "2", ready=False)
    assert server.wait_for_exit() == 3
    text = r"the warm-up request for /shelf failed\n.*shop\.py.*LookupError: no such table"
    assert re.search(text, server.log(), re.DOTALL), server.show()


def test_a_warm_up_that_hangs_is_a_boot_that_takes_too_long(start: Start, tmp_path: Path) -> None:
    put(tmp_path, "import threading\ndef application(*_):\n    threading.Event().wait()\n")
    server = start("shop", "--warmup", "/", "--boot-timeout", "2", ready=False)
    eventually(lambda: server.process.poll() is not None, "it ends")
    assert server.wait_for_exit() == 3
    server.wait_for_log("a worker was not ready within 2 s")


def test_a_path_that_is_none_is_refused(start: Start, tmp_path: Path) -> None:
    server = start("shop", "--warmup", "shop", ready=False)
    assert server.wait_for_exit() == 2
    assert "'shop' is no path of a request" in server.output()
