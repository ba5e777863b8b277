"""The error log: what the server itself has to say, in the logger `canter.error`.

Lines look as Gunicorn's: `[2026-11-22 21:07:31 +0100] [4711] [INFO] message`. Writing one never
raises and never waits, whatever has become of the destination; see `canter.observe.sinks`.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from weakref import WeakSet

from canter.errors import ConfigError
from canter.observe.json_lines import JsonFormatter, OtelFormatter, Shape
from canter.observe.log_plan import LogPlan, apply_configuration, rules_over
from canter.observe.repeats import RepeatLimiter
from canter.observe.sinks import LineSink, open_sink
from canter.observe.statsd import LogCounter, Statsd
from canter.observe.syslog import SyslogHandler

LOGGER_NAME = "canter.error"
GUNICORN_LOGGER_NAME = "gunicorn.error"
"""Applications written for Gunicorn log to it, or take its handlers; so it writes to ours."""
LINE_FORMAT = "[%(asctime)s] [%(process)d] [%(levelname)s] %(message)s"
TIME_FORMAT = "%Y-%m-%d %H:%M:%S %z"
LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}

_PLAIN = LogPlan()
_CONFIGURED: WeakSet[logging.Handler] = WeakSet()
"""Handlers that a logging configuration has put there; another ErrorLog takes them away."""

# Tracebacks keep their lines and tabs; nothing else may move a terminal's cursor.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class LineHandler(logging.Handler):
    """Sends records to a sink; never raises and never prints on its own behalf.

    quiet: where what is less severe than a warning goes, if not there.

    A record that cannot be formatted is written as its bare format string, so that the fault of
    one call does not hide what it was about.
    """

    def __init__(self, sink: LineSink, quiet: LineSink | None = None) -> None:
        super().__init__()
        self.sink = sink
        self._quiet = sink if quiet is None else quiet
        self.setFormatter(logging.Formatter(LINE_FORMAT, TIME_FORMAT))

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, and first what became of lines that could not be written before."""
        try:
            text = self.format(record)
        except Exception:  # noqa: BLE001 - any caller's arguments may fail to format
            record = logging.makeLogRecord({**record.__dict__, "args": None, "exc_info": None})
            record.msg = f"(this message could not be formatted) {record.msg!r}"
            text = self.format(record)
        sink = self._quiet if record.levelno < logging.WARNING else self.sink
        sink.write(_line(text), 1)
        report = sink.take_report()
        if report is not None:
            sink.write(_line(self.format(_report(record, report))), 1)

    def flush(self) -> None:
        """Offer again what the destination did not take."""
        with self._held():
            for sink in {self.sink, self._quiet}:
                sink.push()

    def reopen(self) -> None:
        """Go on in a new file of the same name. Raises OSError; the old one then stays in use."""
        with self._held():
            self.sink.reopen()

    def close(self) -> None:
        """Flush only: an application that configures logging closes every handler there is."""
        self.flush()

    def let_go(self) -> None:
        """Write what is left, waiting a second at most for a slow reader."""
        with self._held():
            for sink in {self.sink, self._quiet}:
                sink.close()
        super().close()

    def _held(self) -> threading.RLock:
        assert self.lock is not None
        return self.lock


class ErrorLog:
    """The logger, its handlers, and the streams it captures.

    `destination` is `-` for stderr or a file's path; with `capture_output` and a file, what the
    application prints to stdout and stderr goes to the file too. What a logging configuration in
    `plan` names is left to it. Raises ConfigError when something of it cannot be had.

    Made once, before workers are forked; each process then writes for itself.
    """

    def __init__(
        self,
        destination: str,
        level: str,
        *,
        capture_output: bool = False,
        plan: LogPlan = _PLAIN,
    ) -> None:
        number = level_number(level)
        try:
            sink = open_sink(destination, standard_descriptor=2)
        except OSError as error:
            raise ConfigError(
                f"errorlog: {destination} cannot be opened: {error.strerror or error}"
            ) from error
        self._captures = capture_output and sink.follows_path
        splits = plan.splits and destination == "-"
        self._handler = LineHandler(sink, open_sink("-", standard_descriptor=1) if splits else None)
        if plan.shape is not Shape.TEXT:
            is_otel = plan.shape is Shape.OTEL
            self._handler.setFormatter(OtelFormatter() if is_otel else JsonFormatter())
        self.plan = plan
        self._loggers = (logging.getLogger(LOGGER_NAME), logging.getLogger(GUNICORN_LOGGER_NAME))
        for logger in self._loggers:
            _strip(logger)
            logger.setLevel(number)
        # The loggers that a configuration has named.
        before = {handler for logger in self._loggers for handler in logger.handlers}
        self.named = named = apply_configuration(plan)
        _CONFIGURED.update(
            handler
            for logger in self._loggers
            for handler in logger.handlers
            if handler not in before
        )
        own, gunicorn = self._loggers
        self.logger = own
        # Who configures Gunicorn's logger means this log; who names ours, knows us.
        if rules_over(named, GUNICORN_LOGGER_NAME) and not {LOGGER_NAME, "canter"} & named:
            self.logger = gunicorn
        self.is_ours = not rules_over(named, self.logger.name)
        self._set_up(self.logger, named)
        if plan.syslog is not None:
            self.logger.addHandler(SyslogHandler(plan.syslog, "error"))
        self.statsd = Statsd(plan.statsd) if plan.statsd is not None else None
        if self.statsd is not None:
            self.logger.addHandler(LogCounter(self.statsd))
        self._share()
        self._capture()

    def _set_up(self, logger: logging.Logger, named: frozenset[str]) -> None:
        if self.is_ours:
            logger.propagate = False
            logger.addHandler(self._handler)
        elif logger.name not in named:
            logger.propagate = True

    def _share(self) -> None:
        """Have the other logger write wherever the one that is used does."""
        for logger in self._loggers:
            if logger is not self.logger:
                logger.handlers[:] = self.logger.handlers
                logger.propagate = self.logger.propagate

    def stand_firm(self) -> None:
        """Undo what an application's own logging configuration did to a logger not named in it."""
        for logger in self._loggers:
            logger.disabled = False
        gunicorn = self._loggers[1]
        if self.is_ours and self._handler not in gunicorn.handlers:
            # It named Gunicorn's logger: that is where the server's messages were to go.
            self.logger.handlers[:] = gunicorn.handlers
            self.logger.propagate = gunicorn.propagate

    def give_way(self) -> None:
        """Leave Gunicorn's logger to whoever has put handlers of their own there."""
        self._loggers[1].removeHandler(self._handler)
        self.stand_firm()

    def set_level(self, level: str) -> None:
        """Change the level of a running server. Raises ConfigError for an unknown one."""
        for logger in self._loggers:
            logger.setLevel(level_number(level))

    @property
    def descriptor(self) -> int:
        """Where something that cannot log may write: the log's descriptor, else standard error."""
        return self._handler.sink.descriptor if self.is_ours else 2

    def reopen(self) -> None:
        """Go on in a new file of the same name, for log rotation; the old one stays if it fails."""
        for handler in self.logger.handlers:
            reopen_handler(handler)
        if not self.is_ours:
            return
        try:
            self._handler.reopen()
        except OSError as error:
            name = self._handler.sink.name
            self.logger.error("error log: %s cannot be reopened: %s", name, error.strerror)
            return
        self._capture()

    def give_to(self, uid: int, gid: int) -> None:
        """Make the file belong to the user that workers run as, so that they can reopen it."""
        self._handler.sink.give_to(uid, gid)

    def flush(self) -> None:
        """Offer again what the destination did not take."""
        self._handler.flush()

    def close(self) -> None:
        """Write what is left and let go; a process that leaves by os._exit has to call this."""
        for logger in self._loggers:
            logger.removeHandler(self._handler)
        self._handler.let_go()
        if self.statsd is not None:
            self.statsd.close()

    def _capture(self) -> None:
        if not self._captures:
            return
        for stream, descriptor in ((sys.stdout, 1), (sys.stderr, 2)):
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):
                pass  # closed or missing: the descriptor is set up all the same
            os.dup2(self._handler.sink.descriptor, descriptor)


def reopen_handler(handler: logging.Handler) -> None:
    """Have a file handler of the standard library go on in a new file at its next record."""
    if isinstance(handler, logging.FileHandler):
        handler.acquire()
        try:
            if handler.stream is not None:
                handler.stream.close()
                handler.stream = handler._open()  # noqa: SLF001 - as Gunicorn does it
        except OSError:
            handler.stream = None
        finally:
            handler.release()


def _strip(logger: logging.Logger) -> None:
    """Take away what an ErrorLog of before has put there."""
    for old in list(logger.handlers):
        if isinstance(old, LineHandler | SyslogHandler | LogCounter) or old in _CONFIGURED:
            logger.removeHandler(old)
        if isinstance(old, LineHandler):
            old.let_go()
        elif isinstance(old, SyslogHandler | LogCounter):
            old.close()


class ClientFaultLog:
    """What clients did wrong: one line each at info, the same kind not more than some times.

    Safe from several threads. Times are the caller's, in seconds of any steady clock.
    """

    def __init__(self, log: logging.Logger, limiter: RepeatLimiter | None = None) -> None:
        self._log = log
        self._limiter = limiter if limiter is not None else RepeatLimiter()
        self._lock = threading.Lock()

    def report(self, kind: str, client: str, detail: str, now_seconds: float) -> None:
        """Say that `client` did `kind`, in `detail`; `kind` names what counts as the same."""
        if not self._log.isEnabledFor(logging.INFO):
            return
        with self._lock:
            hidden = self._limiter.due(now_seconds)
            shown = self._limiter.admits(kind, now_seconds)
        self._say(hidden)
        if shown:
            self._log.info("%s from %s: %s", kind, client or "a local client", detail)

    def tick(self, now_seconds: float) -> None:
        """Say what was hidden once its window is over, also when no such line follows."""
        with self._lock:
            hidden = self._limiter.due(now_seconds)
        self._say(hidden)

    def close(self, now_seconds: float) -> None:
        """Say what was hidden and not yet said."""
        with self._lock:
            hidden = self._limiter.rest(now_seconds)
        self._say(hidden)

    def _say(self, sentences: list[str]) -> None:
        for sentence in sentences:
            self._log.info(sentence)


def level_number(level: str) -> int:
    """The logging level of this name. Raises ConfigError for one that does not exist."""
    number = LEVELS.get(level.lower())
    if number is None:
        raise ConfigError(f"loglevel: {level!r} is none of {', '.join(LEVELS)}")
    return number


def _line(text: str) -> bytes:
    text = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", text)
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _report(record: logging.LogRecord, sentence: str) -> logging.LogRecord:
    return logging.makeLogRecord(
        {
            "name": record.name,
            "levelno": logging.WARNING,
            "levelname": "WARNING",
            "msg": f"error log: {sentence}",
        }
    )
