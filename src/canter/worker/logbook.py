"""From settings to logs: the one place that knows both.

The access log is written in batches by the loop, unless somebody wants it to go through the logging
module; then it does, at the cost of that.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

from canter.errors import ConfigError
from canter.observe.access import AccessLog, RequestLog
from canter.observe.json_lines import Shape
from canter.observe.log_plan import LogPlan, rules_over
from canter.observe.logged_access import LoggedAccess
from canter.observe.logger import Logger
from canter.observe.logs import ErrorLog
from canter.observe.statsd import MeteredRequests, StatsdPlan, parse_statsd_address
from canter.observe.syslog import SyslogHandler, SyslogPlan, parse_syslog_address
from canter.settings import Settings
from canter.worker.hooks.views import ConfigView

_ACCESS_NAMES = ("gunicorn.access", "canter.access")


class Untouched(logging.NullHandler):
    """A mark on a logger: a logging configuration that names the logger takes it away."""


def log_plan(settings: Settings) -> LogPlan:
    """What the settings ask for beside a destination and a level. Raises ConfigError."""
    syslog = None
    if settings.syslog:
        name = settings.syslog_prefix or (settings.proc_name or "canter").replace(":", ".")
        syslog = SyslogPlan(
            parse_syslog_address(settings.syslog_addr),
            settings.syslog_facility,
            f"gunicorn.{name}",
            access=not settings.disable_redirect_access_to_syslog,
        )
    return LogPlan(
        config=settings.logconfig_dict,
        config_json=settings.logconfig_json,
        config_file=settings.logconfig,
        syslog=syslog,
        shape=Shape(settings.log_format),
        splits=settings.log_split,
        statsd=_statsd_plan(settings),
    )


def _statsd_plan(settings: Settings) -> StatsdPlan | None:
    if settings.statsd_host is None:
        return None
    prefix = settings.statsd_prefix or ""
    return StatsdPlan(
        parse_statsd_address(settings.statsd_host),
        f"{prefix}." if prefix and not prefix.endswith(".") else prefix,
        settings.dogstatsd_tags or "",
    )


def metered(access: RequestLog | None, log: ErrorLog) -> RequestLog | None:
    """The log of requests as the engine is to use it: counted as well, where that is wanted."""
    return access if log.statsd is None else MeteredRequests(access, log.statsd)


def open_error_log(settings: Settings) -> ErrorLog:
    """The error log, with everything that is set up together with it. Raises ConfigError."""
    return ErrorLog(
        settings.errorlog,
        settings.loglevel,
        capture_output=settings.capture_output,
        plan=log_plan(settings),
    )


def make_logger(settings: Settings, log: ErrorLog) -> Logger:
    """What hooks log to: an object of `logger_class`, or of the usual one. Raises ConfigError."""
    access_log = logging.getLogger(_access_name(log))
    access_log.setLevel(logging.INFO)
    if not rules_over(log.named, access_log.name):
        access_log.propagate = False
        if not any(isinstance(it, Untouched) for it in access_log.handlers):
            access_log.addHandler(Untouched())
    chosen = settings.logger_class
    kind: Any = Logger if not chosen else _logger_class(chosen)
    if issubclass(kind, Logger):
        kind = kind.bound(log.logger, access_log, log.statsd)
    try:
        logger: Any = kind(ConfigView(settings))
    except Exception as error:
        raise ConfigError(f"logger_class: {chosen} failed: {error}") from error
    if not isinstance(logger, Logger):
        # Gunicorn's own class has set both logs up already.
        log.give_way()
    for old in [it for it in access_log.handlers if isinstance(it, SyslogHandler)]:
        access_log.removeHandler(old)
        old.close()
    if log.plan.syslog is not None and log.plan.syslog.access:
        access_log.addHandler(SyslogHandler(log.plan.syslog, "access"))
    found: Logger = logger
    return found


def open_access_log(
    settings: Settings, log: ErrorLog, logger: Logger
) -> AccessLog | LoggedAccess | None:
    """The access log, None when there is to be none. Raises ConfigError."""
    plan = log.plan
    is_ruled = rules_over(log.named, logger.access_log.name)
    to_syslog = plan.syslog is not None and plan.syslog.access
    if settings.accesslog is None:
        return LoggedAccess(logger, None) if is_ruled or to_syslog else None
    access = AccessLog(settings.access_log_format, settings.accesslog, log.logger, shape=plan.shape)
    if is_ruled or to_syslog or settings.logger_class:
        if is_ruled or not isinstance(logger, Logger):
            access.close()
            return LoggedAccess(logger, None)
        return LoggedAccess(logger, access.give_up_sink())
    return access


def settled(
    access: AccessLog | LoggedAccess | None, logger: Logger
) -> AccessLog | LoggedAccess | None:
    """The access log to use, now that the application and hooks have had their say.

    A filter or handler that somebody has put on the access log's logger is used.
    """
    loggers = [logging.getLogger(name) for name in _ACCESS_NAMES]
    for it in loggers:
        it.disabled = False
    if not isinstance(access, AccessLog):
        return access
    marks = [it for it in logger.access_log.handlers if isinstance(it, Untouched)]
    has_handlers = any(len(it.handlers) > len(marks) for it in loggers)
    if not marks and logger.access_log.handlers:
        # A configuration of the application's named it: it takes the place of the file.
        access.close()
        return LoggedAccess(logger, None)
    if has_handlers or any(it.filters for it in loggers):
        return LoggedAccess(logger, access.give_up_sink())
    return access


def check_access_log(settings: Settings) -> None:
    """Open the access log once, before there are workers to fail at it. Raises ConfigError."""
    if settings.accesslog is not None:
        log = logging.getLogger("canter.error")
        AccessLog(settings.access_log_format, settings.accesslog, log).close()


def _access_name(log: ErrorLog) -> str:
    return _ACCESS_NAMES[1] if {"canter.access", "canter"} & log.named else _ACCESS_NAMES[0]


def _logger_class(chosen: str | type) -> Any:
    if isinstance(chosen, type):
        return chosen
    module, _, name = chosen.replace(":", ".").rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "gunicorn":
            raise ConfigError(
                f"logger_class: {chosen} needs gunicorn, which is not installed; derive it from "
                "canter.observe.logger.Logger, which has the same methods"
            ) from None
        raise ConfigError(f"logger_class: {chosen} cannot be imported: {error}") from error
    except AttributeError:
        raise ConfigError(f"logger_class: there is no {name} in {module}") from None
    except Exception as error:
        raise ConfigError(f"logger_class: importing {chosen} failed: {error}") from error
    if not isinstance(found, type):
        raise ConfigError(f"logger_class: {chosen} is not a class")
    return found
