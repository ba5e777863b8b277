"""A logger with the interface of Gunicorn's: what hooks find at `server.log` and `worker.log`."""

from __future__ import annotations

import logging
from typing import Any, Self


class Logger:
    """Error and access log by the methods that configurations call."""

    error_log: logging.Logger
    access_log: logging.Logger

    @classmethod
    def around(cls, error_log: logging.Logger) -> Self:
        """One that logs to `error_log`."""
        self = cls.__new__(cls)
        self.error_log = error_log
        self.access_log = logging.getLogger("gunicorn.access")
        return self

    def critical(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self.error_log.critical(msg, *args, **more)

    def error(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self.error_log.error(msg, *args, **more)

    def warning(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self.error_log.warning(msg, *args, **more)

    warn = warning

    def info(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self.error_log.info(msg, *args, **more)

    def debug(self, msg: object, *args: object, **more: Any) -> None:
        """Log at this level."""
        self.error_log.debug(msg, *args, **more)

    def exception(self, msg: object, *args: object, **more: Any) -> None:
        """Log at error, with the exception that is being handled."""
        more.setdefault("exc_info", True)
        self.error_log.error(msg, *args, **more)

    def log(self, level: int | str, msg: object, *args: object, **more: Any) -> None:
        """Log at a level that is a number or a name."""
        if isinstance(level, str):
            level = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
        self.error_log.log(level, msg, *args, **more)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name of the standard logger's
        """Whether records of this level are written."""
        return self.error_log.isEnabledFor(level)

    def setLevel(self, level: int | str) -> None:  # noqa: N802 - the name of the standard logger's
        """Change the level."""
        self.error_log.setLevel(level)
