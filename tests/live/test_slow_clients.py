"""Slow clients: they cost a little memory and never a thread."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.live.apps import surface
from tests.live.harness import PLAIN
from tests.live.raw_http import chunked, request_head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.harness import Server, Start
    from tests.live.raw_http import Client

SLOW_CLIENTS = 50
BIG_MEGABYTES = 4
SMALL_BUFFER_BYTES = 4096


@pytest.fixture(scope="module")
def server(start_shared: Start) -> Iterator[Server]:
    """One worker with one thread: whatever holds that thread is seen at once."""
    started = start_shared(PLAIN, "--threads", "1", "--workers", "1")
    yield started
    started.assert_no_traceback()


@pytest.fixture
def slow(server: Server) -> Iterator[list[Client]]:
    """Many clients that have connected and sent nothing yet."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(server.client(receive_buffer_bytes=SMALL_BUFFER_BYTES))
            for _ in range(SLOW_CLIENTS)
        ]


def send_slowly(server: Server, slow: list[Client], request: bytes) -> None:
    """Send the request through every client byte by byte, with a quick client in between."""
    for position in range(len(request)):
        for client in slow:
            client.send(request[position : position + 1])
        if position < len(request) - 1:
            assert server.get("/hello").body == b"hello"


def test_a_quick_client_is_answered_while_many_send_their_head_slowly(
    server: Server, slow: list[Client]
) -> None:
    send_slowly(server, slow, request_head("GET", "/hello"))
    for client in slow:
        assert client.read_answer().body == b"hello"


def test_a_quick_client_is_answered_while_many_send_their_body_slowly(
    server: Server, slow: list[Client]
) -> None:
    body = b"a body that comes slowly"
    head = request_head("POST", "/echo", f"Content-Length: {len(body)}")
    for client in slow:
        client.send(head)
    send_slowly(server, slow, body)
    for client in slow:
        assert client.read_answer().json()["digest"] == surface.digest(body)


def test_a_quick_client_is_answered_while_many_send_chunks_slowly(
    server: Server, slow: list[Client]
) -> None:
    for client in slow:
        client.send(request_head("POST", "/echo", "Transfer-Encoding: chunked"))
    send_slowly(server, slow, chunked(b"abc", b"defg"))
    for client in slow:
        assert client.read_answer().json()["digest"] == surface.digest(b"abcdefg")


def test_a_quick_client_is_answered_while_many_read_a_file_slowly(
    server: Server, slow: list[Client]
) -> None:
    for client in slow:
        client.send(request_head("GET", f"/big_file?megabytes={BIG_MEGABYTES}"))
    started = [client.read_some() for client in slow]
    for _ in slow:
        assert server.get("/hello").body == b"hello"
    for client, first in list(zip(slow, started, strict=True))[:5]:
        answer = client.read_answer(already=first)
        assert (answer.whole, len(answer.body)) == (True, BIG_MEGABYTES * 1024 * 1024)


def test_a_quick_client_is_answered_while_many_read_one_big_answer_slowly(
    server: Server, slow: list[Client]
) -> None:
    for client in slow:
        client.send(request_head("GET", "/one_big_item?megabytes=1"))
    for client in slow:
        client.read_some()
    for _ in slow:
        assert server.get("/hello").body == b"hello"


def test_idle_connections_do_not_keep_others_out(server: Server, slow: list[Client]) -> None:
    for client in slow:
        assert client.get("/hello").body == b"hello"
    for _ in range(10):
        assert server.get("/hello").body == b"hello"
    for client in slow:
        assert client.get("/hello").body == b"hello"


def test_idle_connections_make_room_for_new_ones(start: Start) -> None:
    server = start(PLAIN, "--worker-connections", "4")
    with ExitStack() as stack:
        idle = [stack.enter_context(server.client()) for _ in range(4)]
        for client in idle:
            assert client.get("/hello").body == b"hello"
        for _ in range(3):
            assert server.get("/hello").body == b"hello"


def test_connections_that_never_spoke_make_room_for_new_ones(start: Start) -> None:
    server = start(PLAIN, "--worker-connections", "4", "--header-timeout", "60")
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(server.client())
        for _ in range(3):
            assert server.get("/hello").body == b"hello"


def test_a_download_of_200_megabytes_by_a_slow_reader_keeps_memory_flat(
    start: Start, mark: str
) -> None:
    server = start(PLAIN, "--threads", "2")
    before = server.get("/memory").json()["peak_kilobytes"]
    blocks = 200 * 16
    with server.client(receive_buffer_bytes=64 * 1024) as client:
        client.send(request_head("GET", f"/streams?blocks={blocks}&declare=yes&{mark}"))
        # A reader this slow lets the server run far ahead, if it wants to.
        first = client.read_some()
        for _ in range(20):
            assert server.get("/hello").body == b"hello"
        assert server.get("/memory").json()["peak_kilobytes"] - before < 20 * 1024
        answer = client.read_answer(already=first)
    assert (answer.whole, len(answer.body)) == (True, blocks * 64 * 1024)
    assert server.get("/memory").json()["peak_kilobytes"] - before < 20 * 1024
    assert server.wait_for_request(mark).outcome == "ok"
