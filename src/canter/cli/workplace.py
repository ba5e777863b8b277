"""The process's directory, import path and environment, as the settings want them.

Entering again, for a reload, starts from the surroundings of the start: relative directories mean
the same, and variables that are no longer in `raw_env` have their first value again.
"""

from __future__ import annotations

import os
import sys

from canter import __version__
from canter.errors import ConfigError
from canter.settings import Settings, Surroundings


class Workplace:
    """What is changed of this process before the application is imported, and how it was."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings
        self._variables: dict[str, str] = {}

    def make_importable(self) -> None:
        """Put the directory of the start first on the import path."""
        _import_first(self._surroundings.directory)

    def enter(self, settings: Settings) -> None:
        """Change directory, put it and `pythonpath` first on the import path, set `raw_env`.

        Raises ConfigError when the directory cannot be entered; then nothing has changed.
        """
        directory = os.path.join(self._surroundings.directory, settings.chdir or "")
        directory = os.path.normpath(directory)
        try:
            os.chdir(directory)
        except OSError as error:
            place = settings.source("chdir").where("chdir")
            problem = f"cannot change to {directory}: {error.strerror}"
            raise ConfigError(f"{place}: {problem}") from None
        _import_first(directory)
        for path in reversed((settings.pythonpath or "").split(",")):
            if path.strip():
                _import_first(os.path.abspath(path.strip()))
        # As Gunicorn does: some applications look here whether a server runs them.
        variables = {"SERVER_SOFTWARE": f"canter/{__version__}"}
        variables |= dict(pair.split("=", 1) for pair in settings.raw_env)
        self._set_variables(variables)

    def _set_variables(self, variables: dict[str, str]) -> None:
        for name in self._variables.keys() - variables.keys():
            if name in self._surroundings.environment:
                os.environ[name] = self._surroundings.environment[name]
            else:
                os.environ.pop(name, None)
        os.environ.update(variables)
        self._variables = variables


def _import_first(directory: str) -> None:
    if directory in sys.path:
        sys.path.remove(directory)
    sys.path.insert(0, directory)
