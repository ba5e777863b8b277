"""Applications from PasteDeploy files: `paste:INI[#SECTION][?NAME=VALUE&...]`.

The names and values behind the question mark are the file's global configuration. The library is an
extra, and imported here only.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from canter.errors import ApplicationError, BootError

PREFIX = "paste:"


def load_paste(text: str) -> Callable[..., Any]:
    """The application that a text with PREFIX names.

    Raises BootError or ApplicationError; never lets SystemExit or KeyboardInterrupt pass.
    """
    where, _, query = text.removeprefix(PREFIX).partition("?")
    file, _, section = where.partition("#")
    path = os.path.abspath(file)
    if not os.path.isfile(path):
        raise BootError(f"there is no file {path}")
    try:
        deploy = importlib.import_module("paste.deploy")
    except ImportError:
        raise BootError(
            f"{text}: PasteDeploy is not installed; pip install 'canter[paste]' brings it"
        ) from None
    try:
        found = deploy.loadapp(
            f"config:{path}",
            name=section or None,
            relative_to=os.getcwd(),
            global_conf=dict(parse_qsl(query, keep_blank_values=True)),
        )
    except LookupError as error:
        raise ApplicationError(f"{text}: {error}") from error
    except BaseException as error:
        raise BootError(f"cannot load {text}: {type(error).__name__}: {error}") from error
    if not callable(found):
        raise ApplicationError(f"{text} is not callable: it is a {type(found).__name__}")
    application: Callable[..., Any] = found
    return application
