"""The access log through the logging module, where somebody wants it to go there.

For logging configurations, syslog, filters and loggers of one's own. Handlers may be slow, so a
thread of its own calls them: neither the loop nor an application thread waits. What that thread
cannot keep up with is dropped and counted.
"""

from __future__ import annotations

import logging
import queue
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

from canter.observe.access import AccessEntry
from canter.observe.logger import EntryResponse, Logger
from canter.observe.logs import LineHandler, reopen_handler
from canter.observe.request_view import RequestView

if TYPE_CHECKING:
    from canter.observe.sinks import LineSink

WAITING_AT_MOST = 10_000
_CLOSING_SECONDS = 1.0


class LoggedAccess:
    """The same contract as `AccessLog`. sink: the server's own destination, if it has one here."""

    waiting = 0

    def __init__(self, logger: Logger, sink: LineSink | None) -> None:
        self._logger = logger
        self._handler: LineHandler | None = None
        if sink is not None:
            self._handler = LineHandler(sink)
            self._handler.setFormatter(logging.Formatter("%(message)s"))
            logger.access_log.addHandler(self._handler)
        self._entries: queue.SimpleQueue[AccessEntry | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.dropped = 0

    def record(self, entry: AccessEntry) -> None:
        """Have the entry logged soon. Never raises, never waits."""
        if self._thread is None:
            self._start()
        if self._entries.qsize() >= WAITING_AT_MOST:
            self.dropped += 1
        else:
            self._entries.put(entry)

    def flush(self) -> None:
        """Nothing waits for the loop."""

    def reopen(self) -> None:
        """Go on in new files, for log rotation; the old ones stay where that fails."""
        for handler in self._logger.access_log.handlers:
            reopen_handler(handler)
        if self._handler is not None:
            try:
                self._handler.reopen()
            except OSError as error:
                name = self._handler.sink.name
                self._logger.error("access log: %s cannot be reopened: %s", name, error.strerror)

    def give_to(self, uid: int, gid: int) -> None:
        """Make the file belong to the user that workers run as."""
        if self._handler is not None:
            self._handler.sink.give_to(uid, gid)

    def close(self) -> None:
        """Log what is left, waiting a second at most."""
        thread = self._thread
        if thread is not None:
            self._entries.put(None)
            thread.join(_CLOSING_SECONDS)
        if self._handler is not None:
            self._logger.access_log.removeHandler(self._handler)
            self._handler.let_go()
        if self.dropped:
            self._logger.warning("access log: %d lines were lost: handlers are slow", self.dropped)

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="canter log", daemon=True)
                thread.start()
                self._thread = thread

    def _run(self) -> None:
        while (entry := self._entries.get()) is not None:
            environ = entry.environ if entry.environ is not None else {}
            took = timedelta(microseconds=entry.total_ns // 1000)
            try:
                self._logger.access(EntryResponse(entry), RequestView(environ), environ, took)
            except Exception as error:
                self._logger.error("the access log failed: %s", error, exc_info=error)
