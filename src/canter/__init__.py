"""canter: a WSGI application server.

The command is `canter [OPTIONS] module:attribute`; a program that wants to serve by itself calls
`canter.run`; an application may catch `RequestTimeout`. Nothing else here is a promise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from canter.wsgi.overtime import RequestTimeout

__all__ = ["RequestTimeout", "__version__", "run"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Importing the package loads nothing else: every module of it does so first.
    if name == "RequestTimeout":
        from canter.wsgi.overtime import RequestTimeout

        return RequestTimeout
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def run(app: Callable[..., Any] | str, /, **settings: object) -> int:
    """Serve a WSGI application until a signal ends it; the exit status, 0 for an ordinary end.

    `app` is the application itself, or its path as the command takes it. Keywords are settings by
    their names (docs/settings.md) and win over the environment and the configuration file of the
    working directory, which hold as they do for the command. It has to be called in the main
    thread, and forks: start no thread before.

    Raises ConfigError for an unknown or wrong setting, BindError for an address that cannot be
    listened on, ApplicationError when `app` is neither callable nor a path; see `canter.errors`.
    """
    from canter.cli.embedding import run_application

    return run_application(app, settings)
