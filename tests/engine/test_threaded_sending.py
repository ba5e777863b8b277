"""Responses that the client takes slowly, partly, or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import tempfile
import threading
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from canter.engine.contract import EngineConfig
from canter.net.addresses import UnixAddress
from tests.engine.serving import Gate, Serving, plain
from tests.live.raw_http import Client, request_head
from tests.live.waiting import eventually

MEGABYTE = 1024 * 1024
SLOW = {"receive_buffer_bytes": 4096}
HIGH_WATER = EngineConfig(threads=2, high_water_bytes=64 * 1024)


class Blocks:
    """A streamed body that counts what it produced and how often it was closed."""

    def __init__(self, count: int, size: int = 16 * 1024) -> None:
        self.count = count
        self.size = size
        self._left = count
        self.produced_bytes = 0
        self.closed = 0

    def __iter__(self) -> Blocks:
        return self

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        self._left -= 1
        self.produced_bytes += self.size
        return b"x" * self.size

    def close(self) -> None:
        self.closed += 1


def answering(result: Any, *fields: tuple[str, str]) -> Any:
    """An application that answers /big with `result` and everything else at once."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] != "/big":
            return plain(environ, start_response)
        start_response("200 OK", list(fields))
        return result(environ) if callable(result) else result

    return application


def producer_waits(serving: Serving) -> None:
    """Wait until a producer is held back by its client."""
    eventually(lambda: " in wait\n" in serving.engine.stacks(), "the producer waits")


# -- slow clients --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["list", "several", "sized"])
def test_a_body_at_hand_leaves_the_only_thread_free_while_its_client_is_slow(serve, kind):
    size = 20 * MEGABYTE
    body = {"list": [b"x" * size], "several": [b"x" * (size // 4)] * 4, "sized": (b"x" * size,)}
    serving = serve(answering(body[kind]), EngineConfig(threads=1))
    with serving.client(**SLOW) as slow, serving.client() as other:
        slow.send(request_head("GET", "/big"))
        for _ in range(20):
            assert other.get("/quick").body == b"/quick"
        answer = slow.read_answer()
        assert answer.whole
        assert len(answer.body) == size
        assert slow.get("/next").body == b"/next"


def test_a_file_leaves_the_only_thread_free_while_its_client_is_slow(serve, tmp_path):
    path = tmp_path / "big"
    content = os.urandom(1000) * 12_000
    path.write_bytes(content)
    serving = serve(
        answering(lambda environ: environ["wsgi.file_wrapper"](path.open("rb"))),
        EngineConfig(threads=1),
    )
    with serving.client(**SLOW) as slow, serving.client() as other:
        slow.send(request_head("GET", "/big"))
        for _ in range(20):
            assert other.get("/quick").body == b"/quick"
        assert slow.read_answer().body == content
        assert slow.get("/next").body == b"/next"


def test_a_body_at_hand_is_not_copied_while_it_waits(serve):
    size = 30 * MEGABYTE
    body = b"x" * size
    serving = serve(answering([body]), EngineConfig(threads=1))
    tracemalloc.start()
    try:
        with serving.client(**SLOW) as slow, serving.client() as other:
            slow.send(request_head("GET", "/big"))
            assert other.get("/quick").body == b"/quick"
            eventually(slow.has_input, "the answer begins")
            _, peak = tracemalloc.get_traced_memory()
            assert peak < 10 * MEGABYTE
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("how", ["iterable", "write"])
def test_a_stream_is_held_back_by_its_own_client_only(serve, how):
    blocks = Blocks(4000)  # 62 MiB

    def application(environ, start_response):
        if environ["PATH_INFO"] != "/big":
            return plain(environ, start_response)
        length = str(blocks.count * blocks.size)
        write = start_response("200 OK", [("Content-Length", length)])
        if how == "iterable":
            return blocks
        for block in blocks:
            write(block)
        return []

    serving = serve(application, HIGH_WATER)
    with serving.client(**SLOW) as slow, serving.client() as other:
        slow.send(request_head("GET", "/big"))
        producer_waits(serving)
        produced = blocks.produced_bytes
        assert produced < 10 * MEGABYTE, "no more than the sockets' buffers and the high-water mark"
        for _ in range(10):
            assert other.get("/quick").body == b"/quick"
        assert blocks.produced_bytes == produced, "it waits"
        answer = slow.read_answer()
        assert answer.whole
        assert len(answer.body) == 4000 * 16 * 1024
    assert serving.lines(11)[-1][3:4] == (4000 * 16 * 1024,)


def test_what_was_pipelined_behind_a_slow_answer_is_answered_in_order(serve):
    serving = serve(answering([b"x" * 8 * MEGABYTE]), EngineConfig(threads=1))
    with serving.client(**SLOW) as client:
        client.send(b"".join(request_head("GET", path) for path in ("/big", "/a", "/big", "/b")))
        client.half_close()
        sizes = [len(client.read_answer().body) for _ in range(4)]
        assert sizes == [8 * MEGABYTE, 2, 8 * MEGABYTE, 2]
        assert client.read_until_closed() == b""


def test_a_stream_reaches_its_client_block_by_block(serve):
    gates = [Gate() for _ in range(3)]

    def application(environ, start_response):
        start_response("200 OK", [])
        for number, gate in enumerate(gates):
            yield b"block %d" % number
            gate.pass_through()

    serving = serve(application)
    with serving.client() as client:
        client.send(request_head("GET", "/", "Connection: close"))
        for number, gate in enumerate(gates):
            received = client.read_some()
            while b"block %d" % number not in received:
                received += client.read_some()
            gate.wait_for()
            gate.open()
        assert client.read_until_closed().endswith(b"0\r\n\r\n")
    assert serving.line().body_bytes == 21


# -- clients that leave --------------------------------------------------------------------------


class Closing(list):
    """A body at hand whose close() is counted."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_client_that_leaves_during_the_call_is_an_aborted_request(serve, how):
    gate = Gate()
    body = Closing([b"x" * 100_000] * 100)

    def application(environ, start_response):
        gate.pass_through()
        start_response("200 OK", [])
        return body

    serving = serve(application)
    client = serving.client()
    client.send(request_head("GET", "/"))
    gate.wait_for()
    getattr(client, how)()
    gate.open()
    line = serving.line()
    assert (line.outcome, line.status) == ("aborted", "200")
    assert line.body_bytes < 10_000_000
    eventually(lambda: body.closed == 1, "close() is called")
    eventually(lambda: serving.connections() == 0, "the connection is closed")


def test_a_client_that_leaves_while_its_request_waits_harms_nobody(serve):
    gate = Gate()

    def application(environ, start_response):
        gate.pass_through()
        return plain(environ, start_response)

    serving = serve(application, EngineConfig(threads=1))
    with serving.client() as first, serving.client() as third:
        first.send(request_head("GET", "/first"))
        gate.wait_for()
        second = serving.client()
        second.send(request_head("GET", "/second"))
        third.send(request_head("GET", "/third"))
        serving.wait_until_read(
            *(request_head("GET", path) for path in ("/first", "/second", "/third"))
        )
        second.reset()
        gate.open()
        assert first.read_answer().body == b"/first"
        assert third.read_answer().body == b"/third"
    outcomes = {line.path: line.outcome for line in serving.lines(3)}
    assert outcomes == {"/first": "ok", "/second": "aborted", "/third": "ok"}


def test_a_producer_whose_client_leaves_is_let_go(serve):
    blocks = Blocks(100_000)
    serving = serve(answering(blocks), HIGH_WATER)
    client = serving.client(**SLOW)
    client.send(request_head("GET", "/big"))
    producer_waits(serving)
    client.reset()
    line = serving.line()
    assert line.outcome == "aborted"
    assert line.body_bytes < 20 * MEGABYTE
    eventually(lambda: blocks.closed == 1, "close() is called")


@pytest.mark.parametrize("kind", ["list", "file"])
def test_a_client_that_leaves_while_the_loop_sends_is_an_aborted_request(serve, kind, tmp_path):
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(64 * MEGABYTE)

    def body(environ):
        if kind == "file":
            return environ["wsgi.file_wrapper"](path.open("rb"))
        return [b"x" * 64 * MEGABYTE]

    serving = serve(answering(body), EngineConfig(threads=1))
    with serving.client() as other:
        client = serving.client(**SLOW)
        client.send(request_head("GET", "/big"))
        assert other.get("/quick").status == 200
        assert client.read_some()
        client.reset()
        lines = {line.path: line for line in serving.lines(2)}
    assert lines["/big"].outcome == "aborted"
    assert lines["/big"].body_bytes < 16 * MEGABYTE, "what was not sent is not counted"


def test_a_client_that_leaves_after_its_answer_is_none_of_our_business(serve):
    serving = serve(plain)
    client = serving.client()
    client.get("/a")
    client.reset()
    assert serving.line().outcome == "ok"
    eventually(lambda: serving.connections() == 0, "the connection is closed")


def test_a_client_that_resets_between_two_requests_is_forgotten(serve):
    serving = serve(plain)
    for _ in range(20):
        client = serving.client()
        client.get("/a")
        client.send(b"GET /b HT")
        client.reset()
    eventually(lambda: serving.connections() == 0, "the connections are closed")
    with serving.client() as client:
        assert client.get("/still").body == b"/still"


# -- files ---------------------------------------------------------------------------------------

CONTENT = os.urandom(300_000)


def plain_file(folder: Path) -> Any:
    (folder / "file").write_bytes(CONTENT)
    return (folder / "file").open("rb")


def unbuffered(folder: Path) -> Any:
    (folder / "file").write_bytes(CONTENT)
    return (folder / "file").open("rb", buffering=0)


def partly_read(folder: Path) -> Any:
    file = plain_file(folder)
    file.read(1000)
    return file


def temporary(folder: Path) -> Any:
    file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by the server
    file.write(CONTENT)
    file.seek(0)
    return file


def named_temporary(folder: Path) -> Any:
    file = tempfile.NamedTemporaryFile(dir=folder)  # noqa: SIM115 - closed by the server
    file.write(CONTENT)
    file.seek(10)
    return file


def spooled(folder: Path) -> Any:
    file = tempfile.SpooledTemporaryFile(max_size=10, dir=str(folder))  # noqa: SIM115 - as above
    file.write(CONTENT)
    file.seek(0)
    return file


def compressed(folder: Path) -> Any:
    with gzip.open(folder / "file.gz", "wb") as file:
        file.write(CONTENT)
    return gzip.open(folder / "file.gz", "rb")


def zipped(folder: Path) -> Any:
    with zipfile.ZipFile(folder / "file.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member", CONTENT)
    with zipfile.ZipFile(folder / "file.zip") as archive:
        return archive.open("member")


def in_memory(folder: Path) -> Any:
    return io.BytesIO(CONTENT)


def empty(folder: Path) -> Any:
    (folder / "empty").write_bytes(b"")
    return (folder / "empty").open("rb")


def at_its_end(folder: Path) -> Any:
    file = plain_file(folder)
    file.seek(0, os.SEEK_END)
    return file


def of_unknown_size(folder: Path) -> Any:
    return open("/proc/self/limits", "rb")


FILES = [
    plain_file,
    unbuffered,
    partly_read,
    temporary,
    named_temporary,
    spooled,
    compressed,
    zipped,
    in_memory,
    empty,
    at_its_end,
    of_unknown_size,
]


@pytest.mark.parametrize("sendfile", [True, False])
@pytest.mark.parametrize("make", FILES, ids=lambda make: make.__name__)
def test_any_file_arrives_as_reading_it_would_give_it(serve, tmp_path, make, sendfile):
    with contextlib.closing(make(tmp_path)) as twin:
        expected = twin.read()
    opened = []

    def application(environ, start_response):
        opened.append(make(tmp_path))
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](opened[-1], 8192)

    serving = serve(application, EngineConfig(sendfile=sendfile))
    with serving.client() as client:
        for _ in range(2):
            answer = client.get("/")
            assert answer.whole
            assert answer.body == expected
            eventually(lambda: opened[-1].closed, "the file is closed")
    assert [line.body_bytes for line in serving.lines(2)] == [len(expected)] * 2


def test_a_file_that_shrinks_while_it_is_sent_never_looks_whole(serve, tmp_path):
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(64 * MEGABYTE)
    serving = serve(answering(lambda environ: environ["wsgi.file_wrapper"](path.open("rb"))))
    with serving.client(**SLOW) as client:
        client.send(request_head("GET", "/big"))
        begun = client.read_some()
        os.truncate(path, 1000)
        answer = client.read_answer(already=begun)
        assert not answer.whole
        assert len(answer.body) < 64 * MEGABYTE
    assert serving.line().outcome == "cut", "it was us, not the client"


def test_a_file_that_cannot_be_opened_for_us_is_read(serve, tmp_path):
    """No descriptor to spare: the application's own is enough."""
    limit_reached = threading.Event()
    hoard: list[int] = []

    def application(environ, start_response):
        file = plain_file(tmp_path)
        start_response("200 OK", [])
        with contextlib.suppress(OSError):
            while True:
                hoard.append(os.dup(0))
                if len(hoard) > 5000:
                    break
        limit_reached.set()
        return environ["wsgi.file_wrapper"](file)

    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    serving = serve(application)
    with serving.client() as client:
        client.send(request_head("GET", "/"))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        try:
            answer = client.read_answer()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            for descriptor in hoard:
                os.close(descriptor)
        assert limit_reached.is_set()
        assert answer.body == CONTENT


# -- a socket that is full to the last byte ------------------------------------------------------


class FullSocket:
    """A connection whose socket one answer fills exactly, so that nothing more fits behind it."""

    def __init__(self, serve: Any, folder: Path) -> None:
        self.serving: Serving = serve(self.application, bind=UnixAddress(str(folder / "socket")))
        self._read: list[bytes] = []
        low, high = 0, 8 * MEGABYTE
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.taken_at_once(middle) else (low, middle)
        self.size = low

    @staticmethod
    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("X-Name", "x" * 200)])
        return [body or b"x" * int(environ["PATH_INFO"][1:])]

    def send(self, client: Client, data: bytes) -> None:
        """Send and wait until the engine has read it."""
        client.send(data)
        self._read.append(data)
        self.serving.wait_until_read(*self._read)

    def taken_at_once(self, size: int) -> bool:
        """Whether the kernel takes an answer of this size while its client reads nothing."""
        before = len(self.serving.lines_now())
        with self.serving.client() as client, self.serving.client() as other:
            self.send(client, request_head("GET", f"/{size}"))
            self.send(other, request_head("GET", "/0"))
            assert other.read_answer().status == 200
            eventually(lambda: "/0" in self.paths(before), "the other one's line")
            taken = f"/{size}" in self.paths(before)
        eventually(lambda: len(self.paths(before)) == 2, "both lines are written")
        return taken

    def paths(self, before: int) -> list[str]:
        """The paths of the access lines after the first so many."""
        return [line.path for line in self.serving.lines_now()[before:]]

    def fill(self, client: Client) -> None:
        """Have the engine fill the socket of this client."""
        before = len(self.serving.lines_now())
        self.send(client, request_head("GET", f"/{self.size}"))
        eventually(lambda: self.paths(before), "all of it is taken")


def test_what_does_not_fit_behind_an_answer_is_sent_when_there_is_room(serve, tmp_path):
    full = FullSocket(serve, tmp_path)
    with full.serving.client() as client:
        full.fill(client)
        full.send(client, request_head("POST", "/", "Expect: 100-continue", "Content-Length: 5"))
        assert len(client.read_answer().body) == full.size
        assert client.read_interim().status == 100
        full.send(client, b"hello")
        assert client.read_answer("POST").body == b"hello"
    with full.serving.client() as client:
        full.fill(client)
        full.send(client, b"nonsense\r\n\r\n")
        assert len(client.read_answer().body) == full.size
        assert client.read_answer().status == 400
        assert client.read_until_closed() == b""
    with full.serving.client() as client:
        full.fill(client)
        full.send(client, request_head("POST", "/", "Expect: 100-continue", "Content-Length: 5"))
    eventually(lambda: full.serving.connections() == 0, "who leaves then is forgotten")
    with full.serving.client() as client:
        full.fill(client)
        full.send(client, request_head("GET", "/1"))
        assert len(client.read_answer().body) == full.size
        assert client.read_answer().body == b"x"


def test_a_request_that_comes_while_the_one_before_is_sent_is_answered_next(serve):
    serving = serve(answering([b"x" * 12 * MEGABYTE]), EngineConfig(threads=1))
    with serving.client(**SLOW) as client:
        client.send(request_head("GET", "/big"))
        begun = client.read_some()
        client.send(request_head("GET", "/next"))
        assert len(client.read_answer(already=begun).body) == 12 * MEGABYTE
        assert client.read_answer().body == b"/next"
        client.send(request_head("GET", "/big"))
        begun = client.read_some()
        client.half_close()
        assert len(client.read_answer(already=begun).body) == 12 * MEGABYTE
        assert client.read_until_closed() == b""


def test_many_slow_clients_cost_no_thread(serve):
    serving = serve(answering([b"x" * 4 * MEGABYTE]), EngineConfig(threads=1))
    with contextlib.ExitStack() as stack:
        clients: list[Client] = []
        for _ in range(30):
            client = stack.enter_context(serving.client(**SLOW))
            client.send(request_head("GET", "/big"))
            clients.append(client)
        other = stack.enter_context(serving.client())
        assert other.get("/quick").body == b"/quick"
        for client in clients[:5]:
            assert len(client.read_answer().body) == 4 * MEGABYTE
        assert other.get("/quick").body == b"/quick"
