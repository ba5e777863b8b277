"""Finds the hooks of one configuration and calls them.

What a hook raises never passes from here unless the caller asks for it: a hook on the way to a
worker is part of its start, and all others are logged while the service goes on.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any, TypeAlias

from canter.errors import CanterError, ConfigError
from canter.settings import Settings
from canter.settings.kinds.hooks import arguments_taken

Function: TypeAlias = Callable[..., Any]


class Hooks:
    """The hooks that some settings name."""

    __slots__ = ("_log", "_settings")

    def __init__(self, settings: Settings, log: logging.Logger) -> None:
        self._settings = settings
        self._log = log

    def find(self, name: str) -> Function | None:
        """The function of this hook, imported if it is named. Raises ConfigError."""
        value: Function | str | None = getattr(self._settings, name)
        if not isinstance(value, str):
            return value
        try:
            return _imported(value)
        except BaseException as error:
            raise ConfigError(f"the hook {name} is not to be had: {told(error)}") from error

    def call(self, name: str, *arguments: object) -> None:
        """Call the hook, if there is one; what it raises is logged."""
        try:
            function = self.find(name)
            if function is not None:
                function(*arguments)
        except BaseException as error:  # noqa: BLE001 - somebody else's code, also sys.exit()
            self._log.error("the hook %s failed: %s", name, told(error), exc_info=error)

    def demand(self, kind: type[CanterError], name: str, *arguments: object) -> None:
        """Call the hook, if there is one. Raises `kind` when it fails, caused by what it raised."""
        try:
            function = self.find(name)
            if function is not None:
                function(*arguments)
        except BaseException as error:
            raise kind(f"the hook {name} failed: {told(error)}{_place(error)}") from error

    def find_quietly(self, name: str, most: int, fewest: int) -> tuple[Function | None, int]:
        """A hook that is called often, and with how many arguments; trouble is logged at once."""
        try:
            function = self.find(name)
        except ConfigError as error:
            self._log.error("%s", error, exc_info=error.__cause__)
            return None, most
        if function is None:
            return None, most
        return function, arguments_taken(function, most, fewest) or most


def told(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _place(error: BaseException) -> str:
    """Where it was raised: the innermost frame's file and line."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})"


def _imported(text: str) -> Function:
    module, colon, path = text.partition(":")
    if not colon:
        module, _, path = text.rpartition(".")
    found: Any = importlib.import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    if not callable(found):
        raise TypeError(f"{text} is not callable")
    function: Function = found
    return function
