"""Settings become logs."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from canter.errors import ConfigError
from canter.observe.access import AccessLog
from canter.observe.logged_access import LoggedAccess
from canter.observe.logger import Logger
from canter.observe.logs import ErrorLog
from canter.settings import Settings, Surroundings, arguments_layer, load
from canter.worker.logbook import log_plan, make_logger, open_access_log, settled


@pytest.fixture(autouse=True)
def _loggers_are_left_as_they_were():
    loggers = [
        logging.getLogger(f"{a}.{b}") for a in ("canter", "gunicorn") for b in ("error", "access")
    ]
    before = [
        (it.handlers[:], it.filters[:], it.level, it.propagate, it.disabled) for it in loggers
    ]
    yield
    for it, (handlers, filters, level, propagate, disabled) in zip(loggers, before, strict=True):
        it.handlers[:], it.filters[:] = handlers, filters
        it.level, it.propagate, it.disabled = level, propagate, disabled


class Logs:
    """An error log in a file, and what belongs to it."""

    def __init__(self, directory: Path, **values: object) -> None:
        values.setdefault("errorlog", str(directory / "error.log"))
        self.settings: Settings = load(Surroundings(str(directory), {}), arguments_layer(values))
        self.log = ErrorLog(self.settings.errorlog, "info", plan=log_plan(self.settings))
        self.logger = make_logger(self.settings, self.log)

    def access(self):
        return open_access_log(self.settings, self.log, self.logger)


def test_there_is_an_access_log_only_where_one_is_wanted(tmp_path: Path):
    assert Logs(tmp_path).access() is None
    wanted = Logs(tmp_path, accesslog=str(tmp_path / "access.log")).access()
    assert isinstance(wanted, AccessLog)
    wanted.close()
    assert (tmp_path / "access.log").exists()


def test_the_access_log_goes_through_the_logging_module_only_where_that_is_wanted(tmp_path: Path):
    path = str(tmp_path / "access.log")

    class Own(Logger):
        pass

    named: dict[str, object] = {"loggers": {"gunicorn.access": {"handlers": []}}}
    others: dict[str, object] = {"loggers": {"shop": {"level": "INFO"}}}
    for values, is_logged in (
        ({"logger_class": Own}, True),
        ({"logconfig_dict": named}, True),
        ({"logconfig_dict": others}, False),
        ({"log_format": "json"}, False),
    ):
        access = Logs(tmp_path, accesslog=path, **values).access()
        assert isinstance(access, LoggedAccess) == is_logged, values
        assert access is not None
        access.close()


def test_a_filter_that_comes_later_is_heeded(tmp_path: Path):
    logs = Logs(tmp_path, accesslog=str(tmp_path / "access.log"))
    access = logs.access()
    assert settled(access, logs.logger) is access
    logging.getLogger("gunicorn.access").addFilter(lambda record: False)
    later = settled(access, logs.logger)
    assert isinstance(later, LoggedAccess)
    later.close()


def test_a_class_that_is_none_is_told_in_one_message(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"^logger_class: there is no Nothing in json$"):
        Logs(tmp_path, logger_class="json.Nothing")
    with pytest.raises(ConfigError, match=r"^logger_class: json.dumps is not a class$"):
        Logs(tmp_path, logger_class="json.dumps")
