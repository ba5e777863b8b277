"""Instructions for one request, counted by valgrind's callgrind over the server's whole tree.

The same server is run twice, for few requests and for many; the difference, divided by the
difference of the requests, is free of what start and end cost. Unlike time, such a count hardly
varies from run to run, so that a difference of a percent can be seen.

Under valgrind every call lasts so long that canter takes it for a slow one and hands it over: the
count is of that path, a quarter more than the one that quick requests take otherwise.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks import probe
from benchmarks.scenarios import Request
from benchmarks.server import Server, ServerError

FEW = 500
MANY = 4500
READY_WITHIN_SECONDS = 300.0  # valgrind makes a start some fifty times slower
STEADY_ENVIRONMENT = {"PYTHONHASHSEED": "0"}  # the same dict layouts in every run
_TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)


def is_available() -> bool:
    """Whether valgrind is installed."""
    return shutil.which("valgrind") is not None


def total_of(profile: str) -> int:
    """The instructions that one callgrind file counts: the sum over its parts."""
    found = _TOTALS.findall(profile)
    return int(found[-1]) if found else 0


def _ask_often(port: int, request: Request, count: int) -> None:
    sent = probe.request_bytes(port, request)
    connection = socket.create_connection(("127.0.0.1", port), probe.ANSWER_WITHIN_SECONDS)
    with connection:
        for _ in range(count):
            connection.sendall(sent)
            if not probe.read_answer(connection).is_right(request):
                raise ServerError("a wrong answer")


def _counted(
    command: Sequence[str],
    port: int,
    request: Request,
    count: int,
    directory: Path,
    environment: Mapping[str, str],
) -> int:
    directory.mkdir()
    valgrind = ["valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes"]
    valgrind += [f"--callgrind-out-file={directory}/profile.%p", "--"]
    log = directory / "log"
    whole = {**environment, **STEADY_ENVIRONMENT}
    with Server([*valgrind, *command], port, log, whole, core=None) as server:
        server.wait_ready(request, READY_WITHIN_SECONDS)
        _ask_often(port, request, count)
    profiles = [path for path in directory.iterdir() if path.name.startswith("profile.")]
    return sum(total_of(path.read_text(encoding="utf-8")) for path in profiles)


def per_request(
    command: Sequence[str],
    port: int,
    request: Request,
    directory: Path,
    environment: Mapping[str, str],
) -> float:
    """Instructions of one request. Raises ServerError, OSError or probe.ProbeError.

    `directory` must not exist; it is made for the profiles and left to the caller.
    """
    os.makedirs(directory)
    few, many = (
        _counted(command, port, request, count, directory / str(count), environment)
        for count in (FEW, MANY)
    )
    return (many - few) / (MANY - FEW)
