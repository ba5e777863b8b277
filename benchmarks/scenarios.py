"""The scenarios: what is asked of a server, declared once. `rounds.py` and `loads.py` carry it out.

A scenario's `work` says which kind of load it is; its `columns` are what is shown of it, the first
one being what decides who is ahead.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from benchmarks.apps import plain
from benchmarks.apps.document import DOCUMENT
from benchmarks.metrics import (
    BESIDE_SHARE,
    CONNECTION_KIB,
    GROWTH_MIB,
    MEMORY_MIB,
    P50_MS,
    P99_MS,
    PROCESSOR_US,
    REQUESTS,
    SLOW_P99_MS,
    START_MS,
    Metric,
)

PLAIN = "benchmarks.apps.plain:application"
FLASK = "benchmarks.apps.flask_json:application"
DJANGO = "benchmarks.apps.django_json:application"

# The fields beside Host that a browser sends with a page's request; with Host they are nine.
BROWSER_FIELDS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Accept-Language: en-GB,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Referer: http://127.0.0.1/list?page=2&order=date",
    "Cookie: session=4f1c9e6a7b2d4e0f8a3b5c7d9e1f2a4b; theme=dark; csrftoken=Zr8kQ2mX7vB1nL5t",
    "Upgrade-Insecure-Requests: 1",
    "Cache-Control: max-age=0",
)

Check = Callable[[bytes], bool]


def is_exactly(body: bytes) -> Check:
    """A check that a response's body is `body`."""
    return lambda received: received == body


def is_json(value: object) -> Check:
    """A check that a response's body is JSON for `value`, however it is spaced."""

    def check(received: bytes) -> bool:
        try:
            return bool(json.loads(received) == value)
        except ValueError:
            return False

    return check


IS_SMALL = is_exactly(plain.SMALL)

FILES_FOLDER = "files"
FILES = {"10k.bin": plain.STREAM_PIECE[: 10 << 10], "10m.bin": plain.STREAM_PIECE * 640}
"""The files of a run, by name; `/file` sends the larger one."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the client sends it, and the check that its answer has to pass."""

    path: str = "/"
    method: str = "GET"
    fields: tuple[str, ...] = ()
    body_bytes: int = 0
    check: Check = IS_SMALL
    tls: bool = False
    http2: bool = False

    @property
    def closes(self) -> bool:
        """Whether the client asks for the connection to end with the answer."""
        return "Connection: close" in self.fields


class Duty(enum.Enum):
    """What PEP 3333 asks of a server and not every one does, by the error that a breach is."""

    CLOSE = "request never ended"
    """An answer's close() is called when the answer is done."""
    PIECES = "piece held back"
    """A piece is sent before the application is asked for the next one, or meanwhile."""


@dataclass(frozen=True, slots=True)
class Steady:
    """Each of `connections` clients asks again as soon as it is answered; one pinned worker.

    `pipelined`: how many requests a client has on their way at once; streams, in HTTP/2.
    `duty`: what a server could save this work by leaving out.
    """

    request: Request = Request()
    connections: int = 32
    pipelined: int = 1
    duty: Duty | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """Quick requests and slow ones, each kind at its own rate and on its own kept connections."""

    slow_path: str
    slow_per_second: int
    quick_per_second: int = 300
    connections: int = 16


@dataclass(frozen=True, slots=True)
class Idle:
    """Kept connections that say nothing, and the throughput of others beside them."""

    idle_connections: int
    steady: Steady = Steady()


@dataclass(frozen=True, slots=True)
class Start:
    """From the command to the first answer."""

    request: Request = Request()


@dataclass(frozen=True, slots=True)
class Memory:
    """What the whole process tree keeps in memory once every worker has answered."""

    request: Request = Request()


@dataclass(frozen=True, slots=True)
class BigBodies:
    """One upload and one download of `body_bytes`; how much the tree's peak memory grows."""

    body_bytes: int


Work = Steady | Beside | Idle | Start | Memory | BigBodies


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the comparison.

    `pinned`: server on one core and client on another. `logs`: the access log off, on, or each in
    turn. `stretch`: how many times longer than usual a round takes. `needs`: what not every server
    offers, "files" below /static sent by itself, a "front" before it, or "http2"; who does not
    offer it takes no part.
    """

    key: str
    title: str
    work: Work
    columns: tuple[Metric, ...]
    application: str = PLAIN
    workers: int = 1
    threads: int = 4
    pinned: bool = True
    logs: tuple[bool, ...] = (False,)
    most_rounds: int = 100
    stretch: int = 1
    remark: str = ""
    needs: str = ""

    @property
    def headline(self) -> Metric:
        """The metric that decides."""
        return self.columns[0]

    @property
    def first_request(self) -> Request:
        """What a server has to answer rightly before the scenario begins."""
        match self.work:
            case Steady(request) | Start(request) | Memory(request):
                return request
            case Idle(_, steady):
                return steady.request
            case Beside() | BigBodies():
                return Request()
            case _ as unreachable:
                assert_never(unreachable)

    @property
    def connections(self) -> int:
        """The most connections that the client keeps at once."""
        match self.work:
            case Steady(_, connections):
                return connections
            case Beside():
                return 2 * self.work.connections
            case Idle(idle_connections, steady):
                return idle_connections + steady.connections
            case Start() | Memory() | BigBodies():
                return 64
            case _ as unreachable:
                assert_never(unreachable)


COST = (PROCESSOR_US, REQUESTS, P50_MS, P99_MS)
PIPELINED = (PROCESSOR_US, REQUESTS)  # wrk's latencies mean nothing for a batch
BROWSER = Request(fields=BROWSER_FIELDS)
MEBIBYTE = 1 << 20

SCENARIOS = (
    Scenario("small-1", "Small request, one header", Steady(), COST),
    Scenario("small-9", "Small request, nine browser headers", Steady(BROWSER), COST),
    Scenario(
        "small-close",
        "Small request without keep-alive",
        Steady(Request(fields=(*BROWSER_FIELDS, "Connection: close"))),
        COST,
    ),
    Scenario(
        "small-pipelined",
        "Small requests, 16 pipelined",
        Steady(BROWSER, connections=8, pipelined=16),
        PIPELINED,
    ),
    Scenario(
        "access-log",
        "Small request, access log off and on",
        Steady(BROWSER),
        COST,
        logs=(False, True),
        remark="Only servers that write an access log themselves; to a file.",
    ),
    Scenario(
        "tls",
        "Small request over TLS, kept connections",
        Steady(Request(fields=BROWSER_FIELDS, tls=True)),
        COST,
        remark="A certificate of 256 bits (ECDSA) that the run makes itself.",
    ),
    Scenario(
        "http2",
        "Small request over HTTP/2, 8 connections of 8 streams",
        Steady(Request(fields=BROWSER_FIELDS, tls=True, http2=True), connections=8, pipelined=8),
        COST,
        needs="http2",
        remark="h2load, over TLS.",
    ),
    Scenario(
        "behind-nginx",
        "Small request through nginx, by a unix socket",
        Steady(Request(fields=BROWSER_FIELDS)),
        COST,
        needs="front",
        remark="nginx is part of the tree, and costs about the same in each row.",
    ),
    Scenario(
        "post-4k",
        "POST of 4 KiB",
        Steady(Request("/length", "POST", BROWSER_FIELDS, 4096, is_exactly(b"4096"))),
        COST,
    ),
    Scenario(
        "upload-1m",
        "Upload of 1 MiB",
        Steady(Request("/length", "POST", (), MEBIBYTE, is_exactly(b"1048576")), connections=8),
        COST,
    ),
    Scenario(
        "download-1m",
        "Download of 1 MiB",
        Steady(Request("/download", check=is_exactly(plain.DOWNLOAD)), connections=8),
        COST,
    ),
    Scenario(
        "stream",
        "Streamed answer, 64 pieces of 16 KiB",
        Steady(
            Request("/stream", check=is_exactly(plain.STREAM_PIECE * plain.STREAM_PIECES)),
            connections=8,
            duty=Duty.PIECES,
        ),
        COST,
        remark="PEP 3333 has a server send each piece before it asks for the next one, or "
        "meanwhile. One that holds pieces back to send several at once has an error.",
    ),
    Scenario(
        "file-10m",
        "File of 10 MiB",
        Steady(Request("/file", check=is_exactly(FILES["10m.bin"])), connections=4),
        COST,
    ),
    Scenario(
        "static-10k",
        "Static file of 10 KiB, sent by the server itself",
        Steady(
            Request("/static/10k.bin", fields=BROWSER_FIELDS, check=is_exactly(FILES["10k.bin"]))
        ),
        COST,
        needs="files",
    ),
    Scenario(
        "static-10m",
        "Static file of 10 MiB, sent by the server itself",
        Steady(Request("/static/10m.bin", check=is_exactly(FILES["10m.bin"])), connections=4),
        COST,
        needs="files",
    ),
    Scenario(
        "flask-json",
        "JSON from Flask",
        Steady(Request(fields=BROWSER_FIELDS, check=is_json(DOCUMENT))),
        COST,
        application=FLASK,
    ),
    Scenario(
        "django-json",
        "JSON from Django",
        Steady(Request(fields=BROWSER_FIELDS, check=is_json(DOCUMENT)), duty=Duty.CLOSE),
        COST,
        application=DJANGO,
        remark="Django ends a request when the server closes its answer, as PEP 3333 asks of it. "
        "A server that leaves this out does a fifth less work, and has an error for each.",
    ),
    Scenario(
        "blocking-10ms",
        "Application that waits 10 ms, 16 threads, 32 clients",
        Steady(Request("/sleep-10ms", fields=BROWSER_FIELDS)),
        (REQUESTS, PROCESSOR_US, P50_MS, P99_MS),
        threads=16,
        remark="Ideal for 16 threads: 1,600 requests/s, p99 20 ms. "
        "Threads that only sleep do not reach it: see the machine.",
    ),
    Scenario(
        "beside-slow",
        "Quick requests beside some that sleep 200 ms; two workers of four threads",
        Beside("/sleep-200ms", slow_per_second=12),
        (P99_MS, P50_MS, SLOW_P99_MS),
        workers=2,
        pinned=False,
        stretch=4,
        remark="300 quick and 12 slow requests a second, each timed from when it was due. "
        "The eight threads are seldom all busy; those of one worker often are.",
    ),
    Scenario(
        "beside-busy",
        "Quick requests beside some that compute 50 ms; two workers of four threads",
        Beside("/busy-50ms", slow_per_second=8),
        (P99_MS, P50_MS, SLOW_P99_MS),
        workers=2,
        pinned=False,
        stretch=4,
        remark="300 quick and 8 computing requests a second, each timed from when it was due.",
    ),
    Scenario(
        "idle-10000",
        "10,000 idle connections, and small requests beside them",
        Idle(10_000, Steady(BROWSER)),
        (CONNECTION_KIB, BESIDE_SHARE, REQUESTS, P99_MS),
        most_rounds=3,
    ),
    Scenario("start", "Start-up to the first answer", Start(), (START_MS,)),
    Scenario(
        "memory-4-workers",
        "Memory of four workers with a Django site",
        Memory(Request(fields=("Connection: close",), check=is_json(DOCUMENT))),
        (MEMORY_MIB,),
        application=DJANGO,
        workers=4,
        pinned=False,
        most_rounds=3,
        remark="Proportional set size of the whole tree: a shared page is counted once.",
    ),
    Scenario(
        "big-bodies",
        "Peak memory while 128 MiB go up and 128 MiB come down",
        BigBodies(128 * MEBIBYTE),
        (GROWTH_MIB,),
        pinned=False,
        most_rounds=2,
    ),
)


def scenarios_named(keys: list[str]) -> list[Scenario]:
    """The scenarios of these keys in the order of the table; all of them for no key.

    Raises KeyError for a key that is none.
    """
    known = {scenario.key: scenario for scenario in SCENARIOS}
    for key in keys:
        if key not in known:
            raise KeyError(key)
    return [scenario for scenario in SCENARIOS if not keys or scenario.key in keys]
