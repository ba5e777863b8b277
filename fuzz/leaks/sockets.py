"""Traffic through a threaded engine over real sockets, well and badly behaved clients alike.

Engine and clients share this process, so that one measure covers both: it is flat only if both are.
"""

from __future__ import annotations

import io
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any, Self

from canter.engine.contract import BodyMode, EngineConfig, EngineEvent
from canter.engine.threaded.engine import ThreadedEngine
from canter.net.addresses import TcpAddress
from canter.net.listeners import open_listeners
from canter.observe.access import AccessLog
from canter.observe.scoreboard import Scoreboard
from canter.protocol.limits import Limits
from fuzz.leaks.core import CHUNKED, FAULTS, GET, HTTP_10, POST
from tests.live.raw_http import Client, chunked, request_head
from tests.live.waiting import eventually

_THREADS = 2
_ENDED_SECONDS = 30.0
# Bodies above this go to a temporary file, answers above it wait for the client.
_SPOOL_BYTES = 32 * 1024
_FORMAT = '%(h)s "%(r)s" %(s)s %(B)s %(outcome)s'


def _application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
    """Do what the path says."""
    path = environ["PATH_INFO"]
    if path == "/fail":
        raise ValueError("on purpose")
    received = len(environ["wsgi.input"].read())
    if path == "/unread":
        received = 0
    headers = [("Content-Type", "text/plain")]
    if path == "/file":
        start_response("200 OK", headers)
        return environ["wsgi.file_wrapper"](open(__file__, "rb"), 8192)
    if path == "/like-a-file":
        start_response("200 OK", headers)
        return environ["wsgi.file_wrapper"](io.BytesIO(b"z" * 20000), 8192)
    if path in ("/stream", "/fail-inside"):
        start_response("200 OK", headers)
        return _blocks(fails=path == "/fail-inside")
    if path == "/short":
        headers.append(("Content-Length", "1000000"))
    start_response("200 OK", headers)
    return [b"%d" % received]


def _blocks(*, fails: bool) -> Iterator[bytes]:
    for _ in range(8):
        yield b"s" * 4096
    if fails:
        raise ValueError("on purpose, inside")


class Engine:
    """A threaded engine in this process; leaving it proves that no thread stays."""

    def __init__(self, mode: BodyMode) -> None:
        # A log that goes nowhere, after everything that is done to write it.
        log = logging.Logger("leak check", logging.DEBUG)  # noqa: LOG001 - of its own
        self._nowhere = open(os.devnull, "w", encoding="ascii")  # noqa: SIM115 - until __exit__
        log.addHandler(logging.StreamHandler(self._nowhere))
        config = EngineConfig(
            threads=_THREADS,
            request_body=mode,
            body_memory_bytes=_SPOOL_BYTES,
            spool_directory=tempfile.gettempdir(),
            linger_seconds=0.2,
            limits=Limits(body=1 << 20),
        )
        self._finished = threading.Event()
        self._before = set(threading.enumerate())
        self._listeners = open_listeners([TcpAddress("127.0.0.1", 0)], 128)
        self.address = self._listeners[0].sock.getsockname()
        board = Scoreboard(1, _THREADS)
        self._access = AccessLog(_FORMAT, os.devnull, log)
        self.slot = board.slot(0)
        self._engine = ThreadedEngine(
            _application,
            self._listeners,
            config,
            self.slot,
            self._access,
            log,
            self._on_event,
        )

    def _on_event(self, event: EngineEvent) -> None:
        if event is EngineEvent.FINISHED:
            self._finished.set()

    def __enter__(self) -> Self:
        self._engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.stop()
        assert self._finished.wait(_ENDED_SECONDS), self._engine.stacks()
        for listener in self._listeners:
            listener.close()
        self._access.close()
        self._nowhere.close()
        eventually(lambda: set(threading.enumerate()) <= self._before, "all threads have ended")

    def settle(self) -> None:
        """Wait until the engine holds no connection."""
        eventually(lambda: self.slot.connections == 0, "every connection has ended")


def _kept(client: Client) -> int:
    """Well-behaved requests on one connection."""
    for path in ("/", "/a?b=c", "/stream", "/file", "/like-a-file", "/fail", "/"):
        assert client.get(path).whole
    for wire in (GET, POST, CHUNKED):
        client.send(wire)
        assert client.read_answer().status == 200
    client.send(GET * 5)
    for _ in range(5):
        assert client.read_answer().status == 200
    client.send(b"")
    assert client.post("/spooled", b"b" * 3 * _SPOOL_BYTES).body == b"%d" % (3 * _SPOOL_BYTES)
    client.send(request_head("POST", "/", "Transfer-Encoding: chunked"))
    client.send(chunked(b"c" * 2 * _SPOOL_BYTES, b"d"))
    assert client.read_answer("POST").whole
    client.send(request_head("POST", "/", "Content-Length: 5", "Expect: 100-continue"))
    assert client.read_interim().status == 100
    client.send(b"hello")
    assert client.read_answer("POST").body == b"5"
    client.send(HTTP_10)
    assert client.read_answer().whole
    return 19


def _ended_by_server(client: Client, wire: bytes) -> int:
    """A request after which the server closes."""
    client.send(wire)
    client.half_close()
    client.read_until_closed()
    return 1


def _left(client: Client, wire: bytes, *, rudely: bool) -> int:
    """A client that leaves in the middle."""
    client.send(wire)
    if rudely:
        client.reset()
    return 1


def turn(engine: Engine) -> int:
    """Every kind of client once; how many requests those were."""
    count = 0
    with Client(engine.address) as client:
        count += _kept(client)
    endings = (
        *FAULTS,
        request_head("GET", "/short"),
        request_head("GET", "/fail-inside"),
        request_head("GET", "/", "Connection: close"),
    )
    for wire in endings:
        with Client(engine.address) as client:
            count += _ended_by_server(client, wire)
    for rudely in (False, True):
        for wire in (GET[:40], POST[:-5], CHUNKED[:-30], request_head("GET", "/stream")):
            with Client(engine.address) as client:
                count += _left(client, wire, rudely=rudely)
    return count


def rounds_of(engine: Engine, requests: int) -> Callable[[int], int]:
    """What one round does, to make at least so many requests."""

    def one_round(number: int) -> int:
        del number
        count = 0
        while count < requests:
            count += turn(engine)
        engine.settle()
        return count

    return one_round
