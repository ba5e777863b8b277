"""GUNICORN_CMD_ARGS: a command line in a variable, weaker than the real one and than CANTER_*."""

from __future__ import annotations

import shlex

from canter.errors import ConfigError, UsageError
from canter.settings.layers import Layer
from canter.settings.options import parse_options
from canter.settings.provenance import SourceKind

VARIABLE = "GUNICORN_CMD_ARGS"


def gunicorn_arguments_layer(text: str) -> Layer:
    """What the options in the variable say; an application named there is ignored, as by Gunicorn.

    Raises ConfigError when they cannot be understood.
    """
    try:
        words = shlex.split(text)
        parsed = parse_options(words, SourceKind.ENVIRONMENT, prefix=f"{VARIABLE} ")
    except (UsageError, ValueError) as error:
        raise ConfigError(f"{VARIABLE}: {error}") from None
    entries = tuple(entry for entry in parsed.layer.entries if entry.name != "wsgi_app")
    return Layer(entries, (), parsed.layer.foreign)
