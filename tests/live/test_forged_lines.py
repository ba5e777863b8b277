"""No client can write a line of its own into a log, or move the cursor of who reads it."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.live.harness import PLAIN
from tests.live.raw_http import Ended
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from tests.live.harness import Server, Start

# What a forger wants to see in the log as a line, or an effect, of its own.
FORGED = b"[2026-01-01 00:00:00 +0000] [1] [CRITICAL] forged"
NASTY = (
    b"\r",
    b"\n",
    b"\r\n",
    b"\x1b[2J\x1b[31m",
    b"\x00",
    b"\x7f",
    b"\x85",
    b"\xe2\x80\xa8",
    b'"',
)
SHAPES = (
    b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n",
    b"G%s / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1%s\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a%s\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX%s: 1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: %s\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: %s\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
)
ERROR_LINE = re.compile(r"\[\d{4}-\d\d-\d\d [^]]+\] \[\d+\] \[[A-Z]+\] .*")
PEER = "127.0.0.1"


def attack(server: Server) -> None:
    for shape in SHAPES:
        for nasty in NASTY:
            with server.client(source=PEER) as client, suppress(Ended, ConnectionError):
                client.send(shape % (b"x" + nasty + FORGED + nasty))
                client.half_close()
                client.read_answer()
    with suppress(Ended), server.client() as client:
        client.get("/the-end")
    server.wait_for_access_at_least("/the-end", 1)


def lines_of(data: bytes) -> list[bytes]:
    assert data.endswith(b"\n")
    return data[:-1].split(b"\n")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_neither_log_can_be_forged_by_what_clients_send(start: Start, log_format: str) -> None:
    server = start(PLAIN, "--log-level", "debug", "--log-format", log_format)
    attack(server)
    eventually(lambda: "more like it" in server.log(), "what was hidden is counted", 30.0)
    for path in (server.error_path, server.access_path):
        for line in lines_of(path.read_bytes()):
            assert line.isascii(), (path.name, line)
            assert line.decode().isprintable(), (path.name, line)
            if log_format == "json":
                assert isinstance(json.loads(line), dict)
            elif path is server.error_path:
                assert ERROR_LINE.fullmatch(line.decode()), line
            assert not line.startswith(FORGED), (path.name, line)
    refused = [it for it in server.log().splitlines() if "400" in it]
    assert refused, "faults were told at all"


def test_an_id_of_a_request_cannot_forge_a_line(start: Start) -> None:
    server = start(PLAIN, "--log-level", "debug", "--request-id", "on", "--slow-request", "0.05")
    with server.client() as client:
        client.get("/sleeps_in_one_call?seconds=1", 'X-Request-Id: [2026] a "b')
    found = server.wait_for_log(r"slow request: GET /sleeps_in_one_call \[(\S+)\]")
    assert re.fullmatch(r"[0-9a-f]{32}", found[1])
    assert "\x1b" not in server.log()
