"""The access log: one line for every request, also aborted, refused and malformed ones.

The thread that finishes a request calls `record`, which formats the line at once and puts it on a
list: about half a microsecond and no system call. The loop calls `flush`, which writes what has
gathered in as few system calls as can be, and never waits for a reader (see `sinks`).

Compiled where a compiler is at hand (`access.pxd`); the same source either way.
"""

from __future__ import annotations

import logging
import threading
from typing import Protocol

from canter.errors import ConfigError
from canter.observe.access_entry import AccessEntry
from canter.observe.access_format import DEFAULT_FORMAT, compile_format
from canter.observe.json_lines import Shape, access_line, otel_access_line
from canter.observe.sinks import LineSink, open_sink

__all__ = ["DEFAULT_FORMAT", "AccessEntry", "AccessLog"]


class RequestLog(Protocol):
    """What an engine needs of the log of requests."""

    @property
    def waiting(self) -> int:
        """How many lines the next `flush` would write."""

    @property
    def dropped(self) -> int:
        """How many lines were lost and not yet told of."""

    def record(self, entry: AccessEntry) -> None:
        """Note one request. Never raises, never waits."""

    def flush(self) -> None:
        """Write what has gathered, without waiting."""


class AccessLog:
    """Lines of one format to one destination: `-` is stdout, anything else a file's path.

    `record` may be called from any thread: it ends in one `list.append`, which is atomic under the
    GIL and locked by the list itself in free-threaded builds. `flush`, `reopen` and `close` may be
    called from any thread too; a flush that finds another one running leaves the work to it.

    May be made before a fork or after it. Raises ConfigError when the format is none, or when the
    file cannot be opened.
    """

    def __init__(
        self, text: str, destination: str, log: logging.Logger, *, shape: Shape = Shape.TEXT
    ) -> None:
        compiled = compile_format(text)
        try:
            self._sink = open_sink(destination, standard_descriptor=1)
        except OSError as error:
            raise ConfigError(
                f"accesslog: {destination} cannot be opened: {error.strerror or error}"
            ) from error
        for warning in compiled.warnings:
            log.warning(warning)
        self._log = log
        lines = {Shape.JSON: access_line, Shape.OTEL: otel_access_line}
        self._line = lines.get(shape, compiled.line)
        self._pending: list[str] = []
        self._flushing = threading.Lock()

    def record(self, entry: AccessEntry) -> None:
        """Format the entry's line now; it is written by the next `flush`. Never raises."""
        try:
            line = self._line(entry)
        except Exception:  # noqa: BLE001 - an application may leave anything in its environ
            entry.environ = entry.headers = None
            line = self._line(entry)
        self._pending.append(line)

    @property
    def waiting(self) -> int:
        """How many lines the next `flush` would write, so that a loop can choose its moment."""
        return len(self._pending)

    @property
    def dropped(self) -> int:
        """How many lines were lost and not yet told of."""
        return self._sink.dropped

    def flush(self) -> None:
        """Write what has gathered, as far as the destination takes it without waiting."""
        if not self._pending and not self._sink.backlog_bytes:
            return
        if not self._flushing.acquire(blocking=False):
            return
        try:
            self._hand_over()
        finally:
            self._flushing.release()

    def reopen(self) -> None:
        """Go on in a new file of the same name, for log rotation; the old one stays if it fails."""
        with self._flushing:
            self._hand_over()
            try:
                self._sink.reopen()
            except OSError as error:
                self._log.error(
                    "access log: %s cannot be reopened: %s", self._sink.name, error.strerror
                )

    def give_up_sink(self) -> LineSink:
        """The destination, for somebody else to write to; nothing has been recorded yet."""
        return self._sink

    def give_to(self, uid: int, gid: int) -> None:
        """Make the file belong to the user that workers run as."""
        self._sink.give_to(uid, gid)

    def close(self) -> None:
        """Write everything that is left, waiting a second at most for a slow reader."""
        with self._flushing:
            self._hand_over()
            self._sink.close()
            if self._sink.dropped:
                self._log.warning(
                    "access log: %d lines were lost, %s could not be written",
                    self._sink.dropped,
                    self._sink.name,
                )

    def _hand_over(self) -> None:
        """Move the gathered lines to the sink.

        Lines appended meanwhile come after `count` and stay for the next time: the list is never
        replaced, so that no thread can append to one that nobody looks at any more.
        """
        count = len(self._pending)
        if count:
            lines = "".join(self._pending[:count])
            del self._pending[:count]
            self._sink.write(lines.encode("utf-8", "backslashreplace"), count)
        else:
            self._sink.push()
        report = self._sink.take_report()
        if report is not None:
            self._log.warning("access log: %s", report)
