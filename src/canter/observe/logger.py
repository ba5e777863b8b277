"""The class behind `server.log`, and the one to derive a `logger_class` from.

Its methods are those of Gunicorn's logger, so that classes written for that one work here with
another base. The server itself logs to `error_log`; requests come through `access`.
"""

from __future__ import annotations

import http
import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, Self

from canter.errors import ConfigError
from canter.observe.access_entry import AccessEntry
from canter.observe.access_format import ATOM_NAMES, compile_format
from canter.observe.logs import LINE_FORMAT, TIME_FORMAT, LineHandler
from canter.observe.sinks import open_sink
from canter.observe.statsd import Statsd

_NUMBERS = frozenset({"B", "T", "M", "D", "queue", "app"})


class EntryAtoms(dict[str, Any]):
    """The atoms of one request; those of a name (`{NAME}i`) are made as they are asked for."""

    def __init__(self, entry: AccessEntry) -> None:
        super().__init__((name, _atom(name, entry)) for name in ATOM_NAMES)
        self._entry = entry

    def __missing__(self, name: str) -> Any:
        return _atom(name, self._entry)


class EntryResponse:
    """`resp`, as far as it is known when a request is logged."""

    def __init__(self, entry: AccessEntry) -> None:
        self.entry = entry
        self.status_code = entry.status
        self.sent = entry.body_bytes
        self.headers = list(entry.headers or ())
        try:
            self.status = f"{entry.status} {http.HTTPStatus(entry.status).phrase}"
        except ValueError:
            self.status = str(entry.status)


class Logger:
    """Error and access log by the methods that configurations call. cfg: the settings."""

    error_fmt = LINE_FORMAT
    datefmt = TIME_FORMAT
    access_fmt = "%(message)s"
    syslog_fmt = "[%(process)d] %(message)s"
    atoms_wrapper_class = dict

    error_log: logging.Logger = logging.getLogger("canter.error")
    access_log: logging.Logger = logging.getLogger("gunicorn.access")
    statsd: Statsd | None = None

    def __init__(self, cfg: Any) -> None:
        self.cfg = cfg
        self.loglevel = self.error_log.level
        self.setup(cfg)

    @classmethod
    def bound(
        cls, error_log: logging.Logger, access_log: logging.Logger, statsd: Statsd | None
    ) -> type[Self]:
        """The same class for these logs."""
        names = {"error_log": error_log, "access_log": access_log, "statsd": statsd}
        return type(cls.__name__, (cls,), {**names, "__module__": cls.__module__})

    def setup(self, cfg: Any) -> None:
        """Set the logs up; the server has done that already when this is called."""

    # ---- what is logged

    def critical(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self._tell(logging.CRITICAL, msg, args, more)

    def error(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self._tell(logging.ERROR, msg, args, more)

    def warning(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self._tell(logging.WARNING, msg, args, more)

    def info(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self._tell(logging.INFO, msg, args, more)

    def debug(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self._tell(logging.DEBUG, msg, args, more)

    def exception(self, msg: object, *args: object, **more: Any) -> None:
        """Log at error, with the exception that is being handled."""
        more.setdefault("exc_info", True)
        self._tell(logging.ERROR, msg, args, more)

    def log(self, lvl: int | str, msg: object, *args: object, **more: Any) -> None:
        """Log at a level that is a number or a name."""
        if isinstance(lvl, str):
            lvl = logging.getLevelNamesMapping().get(lvl.upper(), logging.INFO)
        self._tell(lvl, msg, args, more)

    def _tell(
        self, level: int, msg: object, args: tuple[object, ...], more: dict[str, Any]
    ) -> None:
        """Send what `extra` says is a metric, whatever the level; log what there is to say."""
        extra = more.get("extra")
        if extra and "metric" in extra:
            if self.statsd is not None:
                self.statsd.measure(extra["metric"], extra.get("value"), extra.get("mtype"))
            more["extra"] = {
                name: value
                for name, value in extra.items()
                if name not in {"metric", "value", "mtype"}
            }
            if not msg:
                return
        self.error_log.log(level, msg, *args, **more)

    # ---- requests

    def atoms(
        self,
        resp: Any,
        req: Any,  # noqa: ARG002 - the signature is Gunicorn's
        environ: Mapping[str, Any],  # noqa: ARG002 - the signature is Gunicorn's
        request_time: timedelta,  # noqa: ARG002 - the signature is Gunicorn's
    ) -> dict[str, Any]:
        """The atoms of a request, by name."""
        return EntryAtoms(resp.entry)

    def access(
        self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta
    ) -> None:
        """Log one request. Called from a thread of its own, after the answer was sent."""
        found = self.atoms(resp, req, environ, request_time)
        self.access_log.info(self.cfg.access_log_format, found)

    def now(self) -> str:
        """The time as the access log has it."""
        return time.strftime("[%d/%b/%Y:%H:%M:%S %z]")

    # ---- files

    def reopen_files(self) -> None:
        """Logs are to be reopened; the server does that with its own."""

    def close_on_exec(self) -> None:
        """Nothing is needed: no descriptor of a log is passed on to other programs."""

    def _set_handler(
        self, log: logging.Logger, output: str | None, fmt: logging.Formatter, stream: Any = None
    ) -> None:
        """Have `log` write to `output` in this format; in the place of the server's handler."""
        before = [handler for handler in log.handlers if isinstance(handler, LineHandler)]
        for handler in before:
            handler.setFormatter(fmt)
        if not before and output is not None:
            handler = LineHandler(open_sink(output, standard_descriptor=1 if stream else 2))
            handler.setFormatter(fmt)
            log.addHandler(handler)

    # ---- as the standard library's

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name of the standard logger's
        """Whether records of this level are written."""
        return self.error_log.isEnabledFor(level)

    def setLevel(self, level: int | str) -> None:  # noqa: N802 - the name of the standard logger's
        """Change the level."""
        self.error_log.setLevel(level)


@lru_cache(maxsize=256)
def _line_of(name: str) -> Any:
    try:
        return compile_format(f"%({name})s").line
    except ConfigError:
        return None


def _atom(name: str, entry: AccessEntry) -> Any:
    line = _line_of(name)
    if line is None:
        return "-"
    try:
        text = line(entry)[:-1]
    except Exception:  # noqa: BLE001 - an application may leave anything in its environ
        return "-"
    return int(text) if name in _NUMBERS else text
