"""Connections that were answered once and then say nothing."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from types import TracebackType
from typing import Self

from benchmarks import probe
from benchmarks.scenarios import Request

OPENED_WITHIN_SECONDS = 45.0
SPARE_DESCRIPTORS = 1000


def allow_descriptors(count: int) -> None:
    """Let this process and those it starts have `count` descriptors and some more.

    Raises ValueError or OSError where the system's hard limit is lower.
    """
    wanted = count + SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    unlimited = hard == resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard if unlimited else max(hard, wanted)))


class IdleConnections:
    """Up to `count` kept connections; a server that refuses or closes some leaves fewer."""

    def __init__(self, port: int, count: int, request: Request) -> None:
        self._connections: list[socket.socket] = []
        sent = probe.request_bytes(port, request)
        give_up = time.monotonic() + OPENED_WITHIN_SECONDS
        with contextlib.suppress(OSError, probe.ProbeError):
            while len(self._connections) < count and time.monotonic() < give_up:
                connection = socket.create_connection(
                    ("127.0.0.1", port), probe.ANSWER_WITHIN_SECONDS
                )
                self._connections.append(connection)
                connection.sendall(sent)
                probe.read_answer(connection)

    def open_count(self) -> int:
        """How many the server has not closed."""
        return sum(map(_is_open, self._connections))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for connection in self._connections:
            connection.close()


def _is_open(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False
