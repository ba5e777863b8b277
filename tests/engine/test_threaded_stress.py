"""Everything at once, for some seconds: no wrong answer, and nothing left over.

Clients draw what they do from a seed, which a failure names. Every answer says which request it is
of, so that one that reaches the wrong client, or comes twice, is noticed.
"""

from __future__ import annotations

import collections
import contextlib
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from canter.engine.contract import BodyMode, EngineConfig
from tests.engine.serving import Serving
from tests.live.raw_http import Client, Ended, chunked, request_head
from tests.live.waiting import eventually

SECONDS = 2.5
CLIENTS = 6
FILE_BYTES = 400_000


class Body:
    """A streamed body of `count` blocks, whose closing is counted."""

    def __init__(self, block: bytes, count: int, application: Application) -> None:
        self._block = block
        self._left = count
        self._application = application

    def __iter__(self) -> Body:
        return self

    def __next__(self) -> bytes:
        if not self._left:
            raise StopIteration
        self._left -= 1
        return self._block

    def close(self) -> None:
        self._application.count("closed")


class Application:
    """Answers each path as its first word says; the rest of the path tells requests apart."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "file"
        self._file.write_bytes(b"f" * FILE_BYTES)
        self._lock = threading.Lock()
        self._never = threading.Event()
        self.counts: collections.Counter[str] = collections.Counter()

    def count(self, what: str, by: int = 1) -> None:
        with self._lock:
            self.counts[what] += by

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        with self._lock:
            self.counts["running"] += 1
            self.counts["most"] = max(self.counts["most"], self.counts["running"])
        try:
            return self._answer(environ, start_response)
        finally:
            self.count("running", -1)

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        word = environ["PATH_INFO"].split("/")[1]
        name = environ["PATH_INFO"].encode()
        if word == "fail":
            raise LookupError("on purpose")
        if word == "slow":
            self._never.wait(0.003)
        if word == "echo":
            body = environ["wsgi.input"].read()
            start_response("200 OK", [("X-Name", environ["PATH_INFO"])])
            return [body]
        start_response("200 OK", [("X-Name", environ["PATH_INFO"])])
        if word == "file":
            return environ["wsgi.file_wrapper"](self._file.open("rb"))
        if word == "stream":
            self.count("opened")
            count = int(environ["PATH_INFO"].rsplit("/", 1)[1])
            return Body(name * 50, count, self)
        if word == "large":
            return [name * 20_000]
        return [name]


class Visitor:
    """One client after another, doing what the dice say; remembers what it was answered."""

    def __init__(self, serving: Serving, seed: int) -> None:
        self._serving = serving
        self._dice = random.Random(seed)
        self._seed = seed
        self._number = 0
        self.answered = 0
        self.problem: BaseException | None = None

    def visit(self, until: float) -> None:
        try:
            while time.monotonic() < until:
                slow = self._dice.random() < 0.1
                options = {"receive_buffer_bytes": 4096} if slow else {}
                with self._serving.client(**options) as client:
                    for _ in range(self._dice.randrange(1, 12)):
                        if not self._dice.choices(self.DEEDS, self.WEIGHTS)[0](self, client):
                            break
        except BaseException as problem:  # noqa: BLE001 - told in the test's own thread
            problem.add_note(f"visitor with seed {self._seed}, request {self._number}")
            self.problem = problem

    def name(self, word: str) -> str:
        self._number += 1
        return f"/{word}/{self._seed}/{self._number}"

    def check(self, client: Client, path: str, body: bytes, method: str = "GET") -> None:
        answer = client.read_answer(method)
        assert answer.status == 200, (path, answer)
        assert answer.header("X-Name") == path
        assert answer.whole, path
        assert answer.body == body, (path, len(answer.body), len(body))
        self.answered += 1

    # Each of these returns whether the connection can be used again.

    def ask(self, client: Client) -> bool:
        path = self.name(self._dice.choice(["quick", "quick", "quick", "slow"]))
        client.send(request_head("GET", path))
        self.check(client, path, path.encode())
        return True

    def pipeline(self, client: Client) -> bool:
        paths = [
            self.name(self._dice.choice(["quick", "slow", "large"]))
            for _ in range(self._dice.randrange(2, 6))
        ]
        client.send(b"".join(request_head("GET", path) for path in paths))
        if ends := self._dice.random() < 0.3:
            client.half_close()
        for path in paths:
            self.check(client, path, path.encode() * (20_000 if "large" in path else 1))
        if ends:
            assert client.read_until_closed() == b""
        return not ends

    def post(self, client: Client) -> bool:
        path = self.name("echo")
        body = os.urandom(self._dice.choice([0, 1, 100, 5_000, 70_000, 200_000]))
        if self._dice.random() < 0.5:
            head = request_head("POST", path, f"Content-Length: {len(body)}")
            data = head + body
        else:
            head = request_head("POST", path, "Transfer-Encoding: chunked")
            data = head + chunked(*[body[at : at + 9000] for at in range(0, len(body), 9000)])
        while data:
            size = self._dice.randrange(1, len(data) + 1)
            client.send(data[:size])
            data = data[size:]
        self.check(client, path, body, "POST")
        return True

    def post_politely(self, client: Client) -> bool:
        path = self.name("echo")
        client.send(request_head("POST", path, "Expect: 100-continue", "Content-Length: 5"))
        assert client.read_interim().status == 100
        client.send(b"hello")
        self.check(client, path, b"hello", "POST")
        return True

    def stream(self, client: Client) -> bool:
        count = self._dice.choice([0, 1, 3, 300])
        path = self.name("stream") + f"/{count}"
        client.send(request_head("GET", path))
        self.check(client, path, path.encode() * 50 * count)
        return True

    def fetch_file(self, client: Client) -> bool:
        path = self.name("file")
        client.send(request_head("GET", path))
        self.check(client, path, b"f" * FILE_BYTES)
        return True

    def old_fashioned(self, client: Client) -> bool:
        path = self.name("stream") + "/3"
        client.send(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        self.check(client, path, path.encode() * 150)
        return False

    def fail(self, client: Client) -> bool:
        client.send(request_head("GET", self.name("fail")))
        assert client.read_answer().status == 500
        return True

    def speak_nonsense(self, client: Client) -> bool:
        client.send(b"nonsense\r\n\r\n")
        assert client.read_answer().status == 400
        assert client.read_until_closed() == b""
        return False

    def leave(self, client: Client) -> bool:
        """In the middle of something."""
        word = self._dice.choice(["quick", "slow", "large", "stream", "file", "echo"])
        path = self.name(word) + ("/2000" if word == "stream" else "")
        fields = ["Content-Length: 100000"] if word == "echo" else []
        data = request_head("POST" if word == "echo" else "GET", path, *fields)
        client.send(data[: self._dice.randrange(1, len(data) + 1)])
        if self._dice.random() < 0.5:
            with contextlib.suppress(TimeoutError, OSError):
                client.socket.settimeout(0.002)
                client.socket.recv(1000)
        if self._dice.random() < 0.5:
            client.reset()
        return False

    DEEDS: tuple[Callable[[Visitor, Client], bool], ...] = (
        ask,
        pipeline,
        post,
        post_politely,
        stream,
        fetch_file,
        old_fashioned,
        fail,
        speak_nonsense,
        leave,
    )
    WEIGHTS = (12, 4, 4, 2, 3, 2, 1, 1, 1, 4)


CONFIGS = {
    "one thread": EngineConfig(threads=1, body_memory_bytes=50_000),
    "some threads": EngineConfig(threads=3, body_memory_bytes=50_000, high_water_bytes=20_000),
    "bodies streamed": EngineConfig(threads=3, request_body=BodyMode.STREAM),
    "few connections": EngineConfig(threads=2, sendfile=False, worker_connections=4),
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS.keys())
def test_everything_at_once_gives_no_wrong_answer_and_leaves_nothing(serve, tmp_path, config):
    application = Application(tmp_path)
    serving = serve(application, config, expects_errors=True)
    seed = int.from_bytes(os.urandom(4))
    visitors = [Visitor(serving, seed + number) for number in range(CLIENTS)]
    end = time.monotonic() + SECONDS
    threads = [threading.Thread(target=visitor.visit, args=(end,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for visitor in visitors:
        if visitor.problem is not None:
            raise visitor.problem
    assert not [thread for thread in threads if thread.is_alive()], "a visitor is stuck"

    eventually(lambda: serving.connections() == 0, "every connection is closed")
    serving.engine.drain(answer_backlog=True)
    serving.wait_for_end()
    failures = [text for text in serving.errors() if "application" not in text]
    assert not failures
    counts = application.counts
    assert counts["running"] == 0
    assert counts["most"] <= config.threads
    assert counts["closed"] == counts["opened"]
    lines = serving.lines_now()
    answered = sum(visitor.answered for visitor in visitors)
    assert answered > 50
    whole = collections.Counter((line.path, line.outcome) for line in lines if line.path != "-")
    assert max(whole.values()) == 1, "a line for each request, and one only"
    assert sum(line.outcome == "ok" for line in lines) >= answered
    assert {line.outcome for line in lines} <= {"ok", "failed", "malformed", "aborted"}


def test_a_visitor_would_notice_a_wrong_answer(serve):
    """The test of the test."""

    def mistaken(environ, start_response):
        start_response("200 OK", [("X-Name", "/another")])
        return [b"not yours"]

    visitor = Visitor(serve(mistaken), 1)
    with visitor._serving.client() as client, pytest.raises((AssertionError, Ended)):
        visitor.ask(client)
