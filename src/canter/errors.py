"""Errors that an operator sees, each with the exit status the command ends with.

These are about starting and running the server (a bad option, a port in use, an application that
cannot be imported). What a peer can send wrong is another family: `canter.protocol.faults`.

The statuses are Gunicorn's where it has one, so that scripts around the start command keep working.
"""

from __future__ import annotations

from typing import ClassVar


class CanterError(Exception):
    """An operator-facing error: one clear message, no traceback."""

    exit_status: ClassVar[int] = 1


class ConfigError(CanterError):
    """A setting, a configuration file or its value is wrong."""


class BindError(CanterError):
    """An address cannot be listened on."""


class UsageError(CanterError):
    """The command line cannot be understood."""

    exit_status = 2


class BootError(CanterError):
    """A worker could not start, or the application's module could not be imported."""

    exit_status = 3


class ApplicationError(CanterError):
    """The application path names nothing that can be called."""

    exit_status = 4
