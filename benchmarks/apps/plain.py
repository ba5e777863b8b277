"""A WSGI application with one path for each kind of work, written as an application would be.

`benchmarks.apps.plain:application`. The file of `/file` is the one BENCHMARKS_FILE names.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

PLAIN = ("Content-Type", "text/plain")

SMALL = b"Hello, world!"
DOWNLOAD = bytes(range(256)) * 4096  # 1 MiB
STREAM_PIECE = b"0123456789abcdef" * 1024  # 16 KiB
STREAM_PIECES = 64
BLOCK_BYTES = 65536
DRIP_SECONDS = 0.5
DRIP_START, DRIP_END = b"the first piece", b"the last piece"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def small(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Thirteen bytes: what is left is the server's own work."""
    start_response("200 OK", [PLAIN, ("Content-Length", "13")])
    return [SMALL]


def length(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Read the body to its end in blocks and answer its length in decimal."""
    body = environ["wsgi.input"]
    left = int(environ["CONTENT_LENGTH"])
    total = 0
    while left > 0 and (block := body.read(min(left, BLOCK_BYTES))):
        total += len(block)
        left -= len(block)
    answer = str(total).encode()
    start_response("200 OK", [PLAIN, ("Content-Length", str(len(answer)))])
    return [answer]


def download(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """1 MiB in one piece."""
    start_response("200 OK", [PLAIN, ("Content-Length", str(len(DOWNLOAD)))])
    return [DOWNLOAD]


def stream(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """64 pieces of 16 KiB and no Content-Length."""
    start_response("200 OK", [PLAIN])
    for _ in range(STREAM_PIECES):
        yield STREAM_PIECE


def drip(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """Two pieces, the second one only after a while."""
    start_response("200 OK", [PLAIN])
    yield DRIP_START
    time.sleep(DRIP_SECONDS)
    yield DRIP_END


def endless_download(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    """As many bytes as the query string says, with their Content-Length, a block at a time."""
    left = int(environ["QUERY_STRING"])
    start_response("200 OK", [PLAIN, ("Content-Length", str(left))])
    block = STREAM_PIECE * 4
    while left > 0:
        yield block[:left]
        left -= len(block)


def file(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """A file by wsgi.file_wrapper where the server has one, else in blocks."""
    opened = open(os.environ["BENCHMARKS_FILE"], "rb")  # noqa: SIM115 - the server closes it
    size = os.fstat(opened.fileno()).st_size
    start_response("200 OK", [PLAIN, ("Content-Length", str(size))])
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is not None:
        wrapped: Iterable[bytes] = wrapper(opened, BLOCK_BYTES)
        return wrapped
    return _blocks(opened)


def _blocks(opened: BinaryIO) -> Iterator[bytes]:
    with opened:
        while block := opened.read(BLOCK_BYTES):
            yield block


def _sleeping(seconds: float) -> Callable[[Environ, StartResponse], Iterable[bytes]]:
    def sleep(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        time.sleep(seconds)
        return small(environ, start_response)

    return sleep


def busy(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """50 ms of this thread's processor time in Python code that holds the GIL."""
    end = time.thread_time() + 0.050
    while time.thread_time() < end:
        sum(range(2000))
    return small(environ, start_response)


PATHS = {
    "/": small,
    "/length": length,
    "/download": download,
    "/download-bytes": endless_download,
    "/stream": stream,
    "/drip": drip,
    "/file": file,
    "/sleep-10ms": _sleeping(0.010),
    "/sleep-200ms": _sleeping(0.200),
    "/busy-50ms": busy,
}


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer by path; an unknown one is a mistake of the benchmark and raises KeyError."""
    return PATHS[environ["PATH_INFO"]](environ, start_response)
