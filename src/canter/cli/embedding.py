"""`canter.run`: the same way in for a program instead of a command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from canter.cli.launch import Launch
from canter.errors import ApplicationError, ConfigError
from canter.settings import Surroundings, arguments_layer


def run_application(app: Callable[..., Any] | str, arguments: Mapping[str, object]) -> int:
    """Serve `app` with the settings in `arguments`; the contract is that of `canter.run`."""
    if "wsgi_app" in arguments:
        raise ConfigError("wsgi_app cannot be a keyword: the application is the first argument")
    if isinstance(app, str):
        layer = arguments_layer({"wsgi_app": app, **arguments})
        return Launch(Surroundings.here(), layer).run()
    if not callable(app):
        raise ApplicationError(f"the application is neither callable nor a path: {app!r}")
    return Launch(Surroundings.here(), arguments_layer(arguments), app).run()
