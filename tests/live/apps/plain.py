"""Plain WSGI applications that behave: they show, echo, wait, stream and count.

`application` dispatches on the path: `/echo` is `echo` below, and so on. What they do is asked for
in the query string, so that one server serves many tests.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs
from wsgiref.validate import validator

from canter import RequestTimeout
from tests.live.apps import surface

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

TALLY: Counter[str] = Counter()
"""What happened in this process, by name; `/tally` tells."""

TEXT = [("Content-Type", "text/plain")]
BLOCK_BYTES = 64 * 1024
LONGEST_WAIT_SECONDS = 40.0


def asked(environ: WSGIEnvironment, name: str, default: str = "") -> str:
    """The value of one query parameter."""
    return parse_qs(environ["QUERY_STRING"], keep_blank_values=True).get(name, [default])[0]


def text_answer(start_response: StartResponse, text: str) -> list[bytes]:
    body = text.encode()
    start_response("200 OK", [*TEXT, ("Content-Length", str(len(body)))])
    return [body]


def json_answer(start_response: StartResponse, value: Any) -> list[bytes]:
    body = json.dumps(value).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


def hello(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return text_answer(start_response, "hello")


def who(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The process and thread that answer, and the tag of the request."""
    pause = float(asked(environ, "seconds", "0"))
    if pause:
        time.sleep(pause)
    answer = {
        "pid": os.getpid(),
        "thread": threading.get_ident(),
        "tag": asked(environ, "tag"),
    }
    return json_answer(start_response, answer)


def show_environ(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    plain = {k: v for k, v in environ.items() if isinstance(v, str | bool | int | tuple)}
    return json_answer(start_response, plain)


def tally(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return json_answer(start_response, dict(TALLY))


def echo(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The body's size and digest, read in the way that `by` names."""
    source = environ["wsgi.input"]
    by = asked(environ, "by", "read")
    if by == "read":
        body = source.read()
    elif by == "blocks":
        body = b"".join(iter(lambda: source.read(1000), b""))
    elif by == "readline":
        body = b"".join(iter(source.readline, b""))
    elif by == "readlines":
        body = b"".join(source.readlines())
    else:
        body = b"".join(source)
    answer = {
        "size": len(body),
        "digest": surface.digest(body),
        "content_length": environ.get("CONTENT_LENGTH"),
        "transfer_encoding": environ.get("HTTP_TRANSFER_ENCODING"),
        "after_the_end": len(source.read()),
    }
    return json_answer(start_response, answer)


def digest_in_blocks(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The size of an upload of any length, with this process's peak memory in kilobytes."""
    size = 0
    while block := environ["wsgi.input"].read(BLOCK_BYTES):
        size += len(block)
    return json_answer(start_response, {"size": size, "peak_kilobytes": _peak_kilobytes()})


def _peak_kilobytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0


LEAKED: list[bytearray] = []


def leaks(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """As `who`, and never gives back a megabyte."""
    block = bytearray(2**20)
    block[::4096] = b"x" * len(block[::4096])
    LEAKED.append(block)
    return who(environ, start_response)


def memory(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return json_answer(start_response, {"peak_kilobytes": _peak_kilobytes()})


def ignores_the_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return text_answer(start_response, "not read")


def reads_half_the_body(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    half = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]) // 2)
    return text_answer(start_response, str(len(half)))


def reads_the_first_line(
    environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Tells when the first line of the body was there, then counts the rest."""
    source = environ["wsgi.input"]
    first = source.readline()
    Path(asked(environ, "flag")).write_bytes(first)
    rest = sum(len(block) for block in iter(lambda: source.read(BLOCK_BYTES), b""))
    return json_answer(start_response, {"first": first.decode(), "rest": rest})


def waits_for_file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Says in `started` that it runs, then waits until the file `gate` exists."""
    started = asked(environ, "started")
    if started:
        Path(started).touch()
    gate = Path(asked(environ, "gate"))
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not gate.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    return text_answer(start_response, "opened" if gate.exists() else "waited in vain")


def sleeps_in_one_call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A request stuck in a call that nothing interrupts, as a dead database makes them."""
    time.sleep(float(asked(environ, "seconds")))
    return text_answer(start_response, "slept")


def spins(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Computes without ever waiting for anything."""
    deadline = time.monotonic() + float(asked(environ, "seconds"))
    rounds = 0
    while time.monotonic() < deadline:
        rounds += 1
    return text_answer(start_response, "spun")


def spins_until_told(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Computes until the server says that it is too long, and answers in its own way."""
    try:
        return spins(environ, start_response)
    except RequestTimeout:
        start_response("503 Too Much Work", [*TEXT, ("Content-Length", "4")])
        return [b"told"]


class CountedBody:
    """A response body that counts its `close()` calls under the name it was given."""

    def __init__(self, name: str, blocks: Iterable[bytes]) -> None:
        self._name = name
        self._blocks = iter(blocks)
        TALLY[f"{name}.made"] += 1

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._blocks)

    def close(self) -> None:
        TALLY[f"{self._name}.closed"] += 1


def counts_close(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Streams `blocks` blocks; `fails` says whether it raises `before`, `first` or `after`.

    declare: under a Content-Length of one block more.
    """
    name = asked(environ, "name")
    fails = asked(environ, "fails")
    blocks = int(asked(environ, "blocks", "3"))

    def body() -> Iterator[bytes]:
        if fails == "first":
            raise RuntimeError("the first block broke")
        for _ in range(blocks):
            yield b"x" * BLOCK_BYTES
        if fails == "after":
            raise RuntimeError("the stream broke")

    length = ("Content-Length", str((blocks + 1) * BLOCK_BYTES))
    start_response("200 OK", [*TEXT, length] if asked(environ, "declare") else TEXT)
    return CountedBody(name, body())


def disconnect_watch(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Works until the client is gone, and counts how that was noticed."""
    name = asked(environ, "name")
    is_gone: Callable[[], bool] = environ["canter.client_disconnected"]
    TALLY[f"{name}.connected"] += not is_gone()
    Path(asked(environ, "started")).touch()
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not is_gone() and time.monotonic() < deadline:
        time.sleep(0.01)
    TALLY[f"{name}.gone"] += is_gone()
    return text_answer(start_response, "nobody reads this")


def streams(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """`blocks` blocks of 64 KiB; with `declare`, under a Content-Length."""
    blocks = int(asked(environ, "blocks"))
    headers = list(TEXT)
    if asked(environ, "declare"):
        headers.append(("Content-Length", str(blocks * BLOCK_BYTES)))
    start_response("200 OK", headers)
    return (bytes([65 + number % 26]) * BLOCK_BYTES for number in range(blocks))


def gated_stream(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return surface.gated(asked(environ, "gate"))


def one_item(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A body whose length the server can see for itself."""
    start_response("200 OK", TEXT)
    return [b"one item"]


def one_big_item(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """`megabytes` in one piece, more than a socket takes at once."""
    start_response("200 OK", TEXT)
    return [b"x" * (int(asked(environ, "megabytes")) * 1024 * 1024)]


def cookies(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Two cookies in two fields."""
    fields = [("Set-Cookie", f"{name}; Path=/") for name in ("a=1", "b=2")]
    start_response("200 OK", [*TEXT, *fields])
    return [b"cookies"]


def nothing(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", TEXT)
    return []


def status(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answers with the status line in `line` and a body, which some statuses may not have."""
    start_response(asked(environ, "line"), TEXT)
    return [b"a body\n"]


def file_wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The download through wsgi.file_wrapper, as a file, a part of it, or a file-like object."""
    kind = asked(environ, "kind", "file")
    headers = [("Content-Type", "application/octet-stream")]
    if kind == "memory":
        start_response("200 OK", headers)
        wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](io.BytesIO(surface.DOWNLOAD))
        return wrapped
    opened = surface.download_path().open("rb")
    if kind == "part":
        opened.seek(1000)
        headers.append(("Content-Length", "5000"))
    start_response("200 OK", headers)
    part: Iterable[bytes] = environ["wsgi.file_wrapper"](opened, 8192)
    return part


def big_file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A sparse file of `megabytes`, through wsgi.file_wrapper."""
    size = int(asked(environ, "megabytes")) * 1024 * 1024
    opened = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes the wrapper, and so it
    opened.truncate(size)
    start_response("200 OK", [*TEXT, ("Content-Length", str(size))])
    wrapped: Iterable[bytes] = environ["wsgi.file_wrapper"](opened)
    return wrapped


def writes(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Uses the write() callable before it returns the rest."""
    write = start_response("200 OK", TEXT)
    write(b"written, ")
    write(b"written again, ")
    return [b"returned"]


def marks_its_environ(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    seen = environ.get("live.mark", "unmarked")
    environ["live.mark"] = "marked"
    environ["wsgi.url_scheme"] = "gopher"
    return text_answer(start_response, seen)


def clears_its_environ(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    environ.clear()
    return text_answer(start_response, "cleared")


def runs_a_program(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Starts a child process and waits for it, as applications do."""
    done = subprocess.run([sys.executable, "-c", "exit(7)"], check=False)
    return text_answer(start_response, f"it ended with {done.returncode}")


def starts_a_thread(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Leaves a thread behind that does not end by itself in time."""
    threading.Thread(target=time.sleep, args=(LONGEST_WAIT_SECONDS,)).start()
    return text_answer(start_response, "started")


def big_head(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """A head of about 100 KB."""
    start_response("200 OK", [*TEXT, *((f"X-Field-{n}", "v" * 1000) for n in range(100))])
    return [b"after a big head"]


def early_hints(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload; as=style")])
    return text_answer(start_response, "after the hint")


def replaces_the_head(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Changes its mind through exc_info before any byte was sent."""
    start_response("200 OK", [*TEXT, ("X-First", "yes")])
    try:
        raise ValueError("changed its mind")
    except ValueError:
        start_response("502 Bad Gateway", [*TEXT, ("X-Second", "yes")], sys.exc_info())
    return [b"the second head"]


def logs_an_error(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.errors"].write(f"application says {asked(environ, 'say')}\n")
    environ["wsgi.errors"].flush()
    print(f"printed {asked(environ, 'say')}", flush=True)  # noqa: T201 - captured by the server
    return text_answer(start_response, "said")


def _valid(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    source = environ["wsgi.input"]
    size = len(source.read(int(environ.get("CONTENT_LENGTH") or 0)))
    write = start_response("200 OK", TEXT)
    if asked(environ, "write"):
        write(b"written ")
    return [f"read {size}".encode()]


validated = validator(_valid)
"""wsgiref.validate around an application: it raises where the server breaks PEP 3333."""

VALIDATED_PATH = "/validated"


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Calls the application that the path names."""
    chosen = globals().get(environ["PATH_INFO"].strip("/"))
    if environ["PATH_INFO"] == "/":
        chosen = hello
    if environ["PATH_INFO"].startswith("/show_environ/"):
        chosen = show_environ
    if not callable(chosen) or chosen is application:
        start_response("404 Not Found", [*TEXT, ("Content-Length", "0")])
        return []
    named: WSGIApplication = chosen
    return named(environ, start_response)
