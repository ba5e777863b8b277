"""A deploy rehearsed without serving: the settings hold, so the application is imported."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from canter.cli.version import version_text
from canter.errors import CanterError
from canter.settings import Settings
from canter.worker.loader import describe_failure, load_application


class CheckFailed(CanterError):
    """The rehearsal failed, for whatever reason: exit status 1, as Gunicorn's."""


def check_application(settings: Settings, application: Callable[..., Any] | None) -> int:
    """Import what the settings name, and say so; the exit status 0.

    Raises CheckFailed, its traceback printed, when that fails.
    """
    if application is None:
        assert settings.wsgi_app is not None
        try:
            load_application(settings.wsgi_app)
        except CanterError as error:
            _, traceback = describe_failure(error)
            print(traceback, end="", file=sys.stderr)
            raise CheckFailed(str(error)) from error
    name = settings.wsgi_app if application is None else repr(application)
    print(f"{version_text()}: the configuration is right and {name} can be served")
    return 0
