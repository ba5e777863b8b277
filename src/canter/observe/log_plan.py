"""How the logs are to be set up: a record from the settings, and what a logging configuration says.

A configuration of the standard library (a dictionary, JSON, or the old ini format) rules over the
loggers that it names; those that it does not name have the server's own handlers.
"""

from __future__ import annotations

import configparser
import json
import logging.config
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from canter.errors import ConfigError
from canter.observe.json_lines import Shape
from canter.observe.statsd import StatsdPlan
from canter.observe.syslog import SyslogPlan

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class LogPlan:
    """What is wanted beside a destination and a level.

    config, config_json, config_file: a logging configuration; of several the first counts.
    shape: what lines look like. splits: what is less than a warning goes to standard output, where
    the error log is standard error.
    """

    config: Mapping[str, Any] = field(default_factory=dict)
    config_json: str | None = None
    config_file: str | None = None
    syslog: SyslogPlan | None = None
    shape: Shape = Shape.TEXT
    splits: bool = False
    statsd: StatsdPlan | None = None

    @property
    def is_configured(self) -> bool:
        """Whether there is a logging configuration."""
        return bool(self.config or self.config_json or self.config_file)


def apply_configuration(plan: LogPlan) -> frozenset[str]:
    """Set logging up as the configuration says; the loggers that it names.

    "root" is among them where it has handlers. Raises ConfigError.
    """
    if plan.config:
        return _apply_dictionary(plan.config, "logconfig_dict")
    if plan.config_json:
        return _apply_dictionary(_read_json(plan.config_json), "logconfig_json")
    if plan.config_file:
        return _apply_file(plan.config_file)
    return frozenset()


def rules_over(named: frozenset[str], logger: str) -> bool:
    """Whether a configuration that names these loggers decides where `logger` writes."""
    parts = logger.split(".")
    return "root" in named or any(
        ".".join(parts[:count]) in named for count in range(1, len(parts) + 1)
    )


def _read_json(path: str) -> Mapping[str, Any]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except OSError as error:
        raise ConfigError(f"logconfig_json: cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"logconfig_json: {path} is not JSON: {error}") from None
    if not isinstance(found, Mapping):
        raise ConfigError(f"logconfig_json: {path} is not a JSON object")
    return found


def _apply_dictionary(config: Mapping[str, Any], name: str) -> frozenset[str]:
    whole = {"version": 1, "disable_existing_loggers": False, **config}
    try:
        logging.config.dictConfig(whole)
    except Exception as error:
        cause = f": {error.__cause__}" if error.__cause__ is not None else ""
        raise ConfigError(f"{name}: {error}{cause}") from error
    named = set(whole.get("loggers") or _NOTHING)
    root = whole.get("root") or _NOTHING
    if isinstance(root, Mapping) and root.get("handlers"):
        named.add("root")
    return frozenset(named)


def _apply_file(path: str) -> frozenset[str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
        logging.config.fileConfig(path, disable_existing_loggers=False)
    except OSError as error:
        raise ConfigError(f"logconfig: cannot read {path}: {error.strerror}") from None
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise ConfigError(f"logconfig: {path} cannot be used: {what}") from error
    named = {
        parser[section].get("qualname", "")
        for section in parser.sections()
        if section.startswith("logger_")
    } - {""}
    # The root logger is part of every such file, and has handlers mostly; ours count where named.
    return frozenset(named)
