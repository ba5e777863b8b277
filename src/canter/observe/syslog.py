"""Syslog: one datagram, or one line of a stream, for each record; never waits, never raises.

A daemon that is away loses lines and is found again: datagrams are offered anew each time, a stream
is opened again a little later, in the background of the kernel. Each process has a socket of its
own, so that lines on a stream are not torn.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import socket
import time
from dataclasses import dataclass
from logging.handlers import SysLogHandler
from typing import TypeAlias

from canter.errors import ConfigError

FACILITIES = frozenset(SysLogHandler.facility_names)
TEXT_FORMAT = "[%(process)d] %(message)s"

_ADDRESS = re.compile(
    r"(?:(?P<kind>udp|tcp)://)?(?P<host>\[[^]]+\]|[^:/\[\]\s]*)(?::(?P<port>\d+))?"
)
_PORT = 514
_START_SECONDS = 1.0
_APART_SECONDS = 2.0
_STREAM_BACKLOG_BYTES = 256 * 1024
_DATAGRAM_BYTES = 8192
_SHORT_BYTES = 1024
_SEVERITIES = {"DEBUG": 7, "INFO": 6, "WARNING": 4, "ERROR": 3, "CRITICAL": 2}

SocketAddress: TypeAlias = "str | tuple[str, int]"


@dataclass(frozen=True, slots=True)
class SyslogAddress:
    """Where the daemon listens. is_stream None: whichever of the two a unix socket is."""

    is_stream: bool | None
    address: SocketAddress

    @property
    def is_unix(self) -> bool:
        """Whether it is a path."""
        return isinstance(self.address, str)


@dataclass(frozen=True, slots=True)
class SyslogPlan:
    """What is sent, and as whom. `tag` is followed by `.error` or `.access`."""

    address: SyslogAddress
    facility: str
    tag: str
    access: bool


def parse_syslog_address(text: str) -> SyslogAddress:
    """`unix://PATH[#stream|#dgram]`, `udp://HOST[:PORT]` or `tcp://...`. Raises ConfigError."""
    if text.startswith("unix://"):
        path, _, kind = text[7:].partition("#")
        if path and kind in {"", "dgram", "stream"}:
            return SyslogAddress(None if not kind else kind == "stream", path)
    else:
        found = _ADDRESS.fullmatch(text.lower())
        if found is not None and int(found["port"] or _PORT) < 65536:
            host = (found["host"] or "localhost").strip("[]")
            return SyslogAddress(found["kind"] == "tcp", (host, int(found["port"] or _PORT)))
    raise ConfigError(f"{text!r} is none of unix://PATH#TYPE, udp://HOST:PORT and tcp://HOST:PORT")


def check_facility(name: str) -> None:
    """Raises ConfigError where there is no such facility."""
    if name.lower() not in FACILITIES:
        raise ConfigError(f"{name!r} is none of {', '.join(sorted(FACILITIES))}")


class SyslogHandler(logging.Handler):
    """Sends records to the daemon. Raises ConfigError when it cannot be reached at the start."""

    def __init__(self, plan: SyslogPlan, name: str) -> None:
        super().__init__()
        self._plan = plan
        self._facility = SysLogHandler.facility_names[plan.facility.lower()] << 3
        self.setFormatter(logging.Formatter(f"{plan.tag}.{name}: {TEXT_FORMAT}"))
        self._socket: socket.socket | None = None
        self._is_stream = bool(plan.address.is_stream)
        self._backlog = b""
        self._pid = os.getpid()
        self._retry_at = 0.0
        try:
            self._target = self._resolve()
            self._open(_START_SECONDS)
        except OSError as error:
            where = plan.address.address
            raise ConfigError(f"syslog_addr: {where} cannot be used: {error.strerror}") from error

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record, as far as that is possible now."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - any caller's arguments may fail to format
            text = f"{self._plan.tag}: (this message could not be formatted) {record.msg!r}"
        severity = _SEVERITIES.get(record.levelname, 6)
        message = b"<%d>%s" % (self._facility | severity, text.encode("utf-8", "backslashreplace"))
        try:
            self._send(message)
        except OSError:
            self._give_up()

    def close(self) -> None:
        """Close the socket."""
        self._give_up()
        super().close()

    def _resolve(self) -> tuple[int, SocketAddress]:
        address = self._plan.address.address
        if isinstance(address, str):
            return socket.AF_UNIX, address
        kind = socket.SOCK_STREAM if self._is_stream else socket.SOCK_DGRAM
        family, *_, found = socket.getaddrinfo(*address, type=kind)[0]
        return family, (str(found[0]), int(found[1]))

    def _open(self, patience_seconds: float) -> None:
        kinds = [self._is_stream] if self._plan.address.is_stream is not None else [False, True]
        for is_stream in kinds:
            try:
                self._socket = self._connected(is_stream, patience_seconds)
            except OSError as error:
                if error.errno == errno.EPROTOTYPE and is_stream is not kinds[-1]:
                    continue
                raise
            self._is_stream = is_stream
            return

    def _connected(self, is_stream: bool, patience_seconds: float) -> socket.socket:  # noqa: FBT001
        family, address = self._target
        made = socket.socket(family, socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM)
        try:
            made.settimeout(patience_seconds)
            try:
                made.connect(address)
            except BlockingIOError:
                pass  # on its way; until then sending says that it would block
            made.setblocking(False)
        except OSError:
            made.close()
            raise
        return made

    def _send(self, message: bytes) -> None:
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._backlog = b""
            self._give_up()
            self._retry_at = 0.0
        if self._socket is None:
            now = time.monotonic()
            if now < self._retry_at:
                return
            self._retry_at = now + _APART_SECONDS
            self._open(0.0)
        if self._is_stream:
            self._send_line(message)
        else:
            self._send_datagram(message)

    def _send_datagram(self, message: bytes) -> None:
        assert self._socket is not None
        for size in (_DATAGRAM_BYTES, _SHORT_BYTES):
            try:
                self._socket.send(message[:size])
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise
            else:
                return

    def _send_line(self, message: bytes) -> None:
        assert self._socket is not None
        # A stream's messages end with a line; those of several lines are written as rsyslog does.
        line = message.replace(b"\n", b"#012") + b"\n"
        if len(self._backlog) + len(line) <= _STREAM_BACKLOG_BYTES:
            self._backlog += line
        try:
            sent = self._socket.send(self._backlog)
        except (BlockingIOError, InterruptedError):
            return
        self._backlog = self._backlog[sent:]

    def _give_up(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            # A half-sent line cannot be ended on another connection.
            self._backlog = self._backlog.partition(b"\n")[2]
