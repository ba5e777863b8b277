"""`gunicorn.socket`: applications that take a connection over, through Flask-Sock and by hand."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from typing import TYPE_CHECKING, Any, Self

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from tests.certificates import Authority
from tests.live.apps.sockets import GREETING
from tests.live.harness import Server, Start
from tests.live.raw_http import Client, request_head
from tests.live.tls_client import TlsClient
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Coroutine

SOCKETS = "tests.live.apps.sockets"
UPGRADE = ("Connection: upgrade", "Upgrade: echo")
KINDS = {
    "threads": ("--threads", "8"),
    "gevent": ("--worker-class", "gevent"),
    "threads over TLS": ("--threads", "8"),
}
MEGABYTE = 1 << 20


class WebSocket:
    """A client of the websockets package.

    Not that of its `sync` module, which reads in a thread of its own: Python's TLS may lose what
    one thread writes while another reads.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection = self._run(connect_to(url, **options))

    def _run(self, awaited: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(awaited)

    def send(self, message: str | bytes) -> None:
        self._run(self._connection.send(message))

    def recv(self) -> str | bytes:
        message: str | bytes = self._run(self._connection.recv())
        return message

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._connection.close())
        self._loop.close()


async def connect_to(url: str, **options: Any) -> Any:
    return await connect(url, proxy=None, max_size=None, **options)


class Side:
    """A server of one kind, and how it is spoken to."""

    def __init__(self, start: Start, authority: Authority, kind: str, *options: str) -> None:
        self.context: ssl.SSLContext | None = None
        options = (*KINDS[kind], *options)
        if kind.endswith("TLS"):
            self.context = authority.client_context()
            options = (*options, *authority.issue("localhost", "127.0.0.1", into=kind).options())
        self.server: Server = start(SOCKETS, *options)

    def client(self) -> Client:
        if self.context is None:
            return self.server.client()
        return TlsClient(self.server.address, self.context)

    def websocket(self, path: str) -> WebSocket:
        port = self.server.url.rpartition(":")[2]
        if self.context is None:
            return WebSocket(f"ws://127.0.0.1:{port}{path}")
        return WebSocket(f"wss://127.0.0.1:{port}{path}", ssl=self.context)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module", params=KINDS)
def side(start_shared: Start, authority: Authority, request: pytest.FixtureRequest) -> Side:
    if "gevent" in request.param:
        pytest.importorskip("gevent")
    return Side(start_shared, authority, request.param)


def greeted(client: Client, path: str, *, early: bytes = b"") -> None:
    """Ask for another protocol and read what the application greets with."""
    client.send(request_head("GET", path, *UPGRADE) + early)
    received = b""
    while len(received) < len(GREETING) + len(early):
        received += client.read_some()
    assert received == GREETING + early


def test_flask_sock_talks_to_a_websocket_client(side: Side) -> None:
    with side.websocket("/echo") as client:
        for message in ("hello", b"bytes", "x" * MEGABYTE, ""):
            client.send(message)
            assert client.recv() == message
    side.server.wait_for_access_at_least("GET /echo ", 1)
    assert {line.split()[-1] for line in side.server.access_lines("GET /echo ")} == {"taken"}
    assert "GET /echo" not in side.server.log()


def test_an_application_that_ends_the_talk_is_understood(side: Side) -> None:
    with side.websocket("/once") as client:
        client.send("one")
        assert client.recv() == "one"
        with pytest.raises(ConnectionClosedOK):
            client.recv()
    assert side.server.wait_for_request("GET /once ").status == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_taken_connection_has_no_time_limit(
    start: Start, authority: Authority, kind: str, mark: str
) -> None:
    if "gevent" in kind:
        pytest.importorskip("gevent")
    side = Side(start, authority, kind, "--timeout", "1")
    with side.client() as client:
        greeted(client, f"/raw?{mark}")
        # A request that is not taken is given up meanwhile, so the limit has passed.
        with side.client() as other:
            other.send(request_head("GET", "/sleep"))
            assert other.read_answer().status == 504
        client.send(b"still there")
        assert client.read_some() == b"still there"
        client.send(b"bye")
        assert client.read_until_closed() == b"bye"
    assert side.server.wait_for_request(mark).outcome == "taken"


def test_bytes_that_came_with_the_request_reach_the_application(side: Side, mark: str) -> None:
    with side.client() as client:
        greeted(client, f"/raw?{mark}", early=b"what came along")
        client.send(b"bye")
        assert client.read_until_closed() == b"bye"
    assert side.server.wait_for_request(mark).outcome == "taken"


def test_nothing_of_an_answer_follows_what_the_application_has_said(side: Side, mark: str) -> None:
    with side.client() as client:
        greeted(client, f"/raw?{mark}")
        client.send(b"bye")
        assert client.read_until_closed() == b"bye"


def test_an_application_that_fails_ends_its_connection_and_is_told_of(side: Side) -> None:
    with side.client() as client:
        greeted(client, "/raw/fails")
        assert client.read_until_closed() == b""
    assert side.server.wait_for_request("GET /raw/fails ").outcome == "cut"
    side.server.wait_for_log("error in the application: GET /raw/fails.*LookupError")


def test_a_request_that_only_looks_is_answered_and_kept_alive(side: Side) -> None:
    with side.client() as client:
        mine = client.socket.getsockname()[1]
        for _ in range(2):
            answer = client.get("/raw/look", *UPGRADE)
            assert answer.json() == [mine, "<the client's socket>"]
            assert not answer.closes


def test_a_plain_request_pays_nothing_for_it(side: Side) -> None:
    with side.client() as client:
        assert client.get("/raw/look").json() is None
        assert client.get("/raw/look", "Connection: keep-alive", "Upgrade: echo").json() is None


@pytest.mark.parametrize("kind", ["threads", "gevent"])
def test_a_duplicate_outlives_the_call(start: Start, authority: Authority, kind: str) -> None:
    side = Side(start, authority, kind)
    with side.client() as client:
        greeted(client, "/raw/kept")
        assert side.server.wait_for_request("GET /raw/kept ").outcome == "taken"
        client.send(b"still here")
        assert client.read_some() == b"still here"
        client.send(b"bye")
        assert client.read_until_closed() == b"bye"


@pytest.mark.parametrize("kind", ["threads", "gevent"])
def test_a_stop_waits_for_it_and_ends_it_after_the_graceful_timeout(
    start: Start, authority: Authority, kind: str, mark: str
) -> None:
    side = Side(start, authority, kind, "--graceful-timeout", "2")
    with side.client() as client:
        greeted(client, f"/raw?{mark}")
        (worker,) = side.server.status()[0]["workers"]
        side.server.signal(signal.SIGTERM)
        eventually(lambda: not side.server.is_listening(), "the door is closed")
        client.send(b"still there")
        assert client.read_some() == b"still there"
        assert client.read_until_closed() == b""
    side.server.wait_for_exit()
    with pytest.raises(ProcessLookupError):
        os.kill(worker["pid"], 0)


@pytest.mark.parametrize("kind", ["threads", "gevent"])
def test_a_worker_that_is_killed_is_noticed_by_its_clients(
    start: Start, authority: Authority, kind: str
) -> None:
    side = Side(start, authority, kind)
    with side.websocket("/echo") as client:
        client.send("hello")
        assert client.recv() == "hello"
        os.kill(side.server.workers()[0], signal.SIGKILL)
        with pytest.raises(ConnectionClosedError):
            client.recv()
