"""Metrics to a statsd daemon, under Gunicorn's names: datagrams that nobody waits for.

What one request adds is gathered, several metrics to a datagram, and sent by the loop with the
access log. A daemon that is away costs a failed system call now and then.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from canter.errors import ConfigError
from canter.observe.access import AccessEntry, RequestLog

_DATAGRAM_BYTES = 1432
_GATHERED_AT_MOST = 5000
_APART_SECONDS = 2.0
_TYPES = {"gauge": "g", "counter": "c", "histogram": "h", "timer": "ms"}
_HOST = re.compile(r"(?P<host>\[[^]]+\]|[^:/\[\]\s]+):(?P<port>\d{1,5})")
# What would end a metric's name, or its line.
_UNFIT = re.compile(r"[\s:|@]")


@dataclass(frozen=True, slots=True)
class StatsdPlan:
    """Where metrics go, what their names begin with, and the tags that follow them."""

    address: str | tuple[str, int]
    prefix: str = ""
    tags: str = ""


def parse_statsd_address(text: str) -> str | tuple[str, int]:
    """`HOST:PORT`, or `unix://PATH`. Raises ConfigError."""
    if text.startswith("unix://") and len(text) > 7:
        return text[7:]
    found = _HOST.fullmatch(text)
    if found is None or int(found["port"]) > 65535:
        raise ConfigError(f"{text!r} is neither HOST:PORT nor unix://PATH")
    return found["host"].strip("[]"), int(found["port"])


class Statsd:
    """One daemon. Safe from several threads, and after a fork."""

    def __init__(self, plan: StatsdPlan) -> None:
        self._prefix = plan.prefix
        self._suffix = f"|#{plan.tags}" if plan.tags else ""
        self._address = plan.address
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._pid = os.getpid()
        self._retry_at = 0.0

    def line(self, metric: str, value: float, kind: str) -> str:
        """One metric as it is sent; kind is statsd's: c, g, h, ms."""
        return f"{self._prefix}{metric}:{value:g}|{kind}{self._suffix}"

    def measure(self, metric: object, value: object, kind: object) -> None:
        """What a log call has asked for with `extra`; what makes no sense is left out."""
        sign = _TYPES.get(str(kind))
        if sign is not None and isinstance(value, int | float):
            self.send([self.line(_UNFIT.sub("_", str(metric)), value, sign)])

    def send(self, lines: Iterable[str]) -> None:
        """Send these, as far as that is possible without waiting. Raises nothing."""
        with self._lock, contextlib.suppress(OSError):
            self._renew_after_fork()
            packet = b""
            for text in lines:
                line = text.encode("utf-8", "backslashreplace")
                if packet and len(packet) + 1 + len(line) > _DATAGRAM_BYTES:
                    self._send(packet)
                    packet = b""
                packet += b"\n" + line if packet else line
            if packet:
                self._send(packet)

    def close(self) -> None:
        """Close the socket; another is opened should there be more to send."""
        with self._lock:
            self._close()

    def _send(self, packet: bytes) -> None:
        if self._socket is None:
            now = time.monotonic()
            if now < self._retry_at:
                return
            self._retry_at = now + _APART_SECONDS
            self._socket = self._connected()
        try:
            self._socket.send(packet)
        except BlockingIOError:
            pass
        except ConnectionRefusedError:
            # The daemon of a UDP address is away: the socket is still good.
            if isinstance(self._address, str):
                self._close()
        except OSError:
            self._close()
            raise

    def _connected(self) -> socket.socket:
        address: Any = self._address
        family = socket.AF_UNIX
        if not isinstance(address, str):
            host, port = address
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        made = socket.socket(family, socket.SOCK_DGRAM)
        try:
            made.setblocking(False)
            made.connect(address)
        except OSError:
            made.close()
            raise
        return made

    def _renew_after_fork(self) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._close()
            self._retry_at = 0.0

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class LogCounter(logging.Handler):
    """Counts what is logged, by its level."""

    def __init__(self, statsd: Statsd) -> None:
        super().__init__(logging.WARNING)
        self._statsd = statsd

    def close(self) -> None:
        """Close the daemon's socket; it is opened again should there be more to count."""
        self._statsd.close()
        super().close()

    def emit(self, record: logging.LogRecord) -> None:
        """Count one record."""
        name = record.levelname.lower()
        if record.levelno == logging.ERROR and record.exc_info:
            name = "exception"
        if name in {"critical", "error", "warning", "exception"}:
            self._statsd.send([self._statsd.line(f"gunicorn.log.{name}", 1, "c")])


class MeteredRequests:
    """A log of requests that counts them as well; `inner` is the access log, if there is one."""

    def __init__(self, inner: RequestLog | None, statsd: Statsd) -> None:
        self._inner = inner
        self._statsd = statsd
        self._ended: list[tuple[int, int]] = []
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """How much the next `flush` would send or write."""
        return len(self._ended) + (0 if self._inner is None else self._inner.waiting)

    def record(self, entry: AccessEntry) -> None:
        """Note one request. Never raises, never waits."""
        if len(self._ended) < _GATHERED_AT_MOST:
            self._ended.append((entry.status, entry.total_ns))
        else:
            self.dropped += 1
        if self._inner is not None:
            self._inner.record(entry)

    def flush(self) -> None:
        """Send and write what has gathered, without waiting."""
        count = len(self._ended)
        if count:
            ended = self._ended[:count]
            del self._ended[:count]
            self._statsd.send(self._lines(ended))
        if self._inner is not None:
            self._inner.flush()

    def _lines(self, ended: list[tuple[int, int]]) -> list[str]:
        line = self._statsd.line
        lines = [line("gunicorn.requests", len(ended), "c")]
        for status, count in Counter(status for status, _ in ended).items():
            if status:
                lines.append(line(f"gunicorn.request.status.{status}", count, "c"))
        lines += [line("gunicorn.request.duration", took / 1e6, "ms") for _, took in ended]
        return lines
