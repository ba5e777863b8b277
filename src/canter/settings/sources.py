"""Where settings are read from the world: the environment and files. Nothing else here does.

The order, weakest first: defaults, the variables of platforms (WEB_CONCURRENCY, PORT, ...), one
configuration file, GUNICORN_CMD_ARGS, the CANTER_* variables, the command line or the arguments of
an embedding program.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from canter.errors import ConfigError
from canter.settings.files import PYPROJECT_TABLE, has_table, toml_layer
from canter.settings.gunicorn.arguments import VARIABLE, gunicorn_arguments_layer
from canter.settings.gunicorn.files import DEFAULT_FILE, python_layer, run_file, run_module
from canter.settings.layers import Layer, merge, settle
from canter.settings.settings import Settings
from canter.settings.variables import canter_layer, platform_layer, raw_env_layer

_PYPROJECT = "pyproject.toml"
_USUAL_FILES = ("canter.toml", _PYPROJECT, DEFAULT_FILE)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a start finds around it: the working directory (absolute) and the environment.

    A reload reads the same files again, although the process may have changed its directory and its
    environment since.
    """

    directory: str
    environment: Mapping[str, str]

    @classmethod
    def here(cls) -> Surroundings:
        """Those of this process, now.

        Raises ConfigError when the working directory is gone.
        """
        try:
            return cls(_working_directory(), dict(os.environ))
        except OSError as error:
            raise ConfigError(f"the working directory cannot be used: {error.strerror}") from None


def _working_directory() -> str:
    """As the shell calls it: through a link that a deploy moves, where a reload then follows it."""
    real, called = os.getcwd(), os.environ.get("PWD", "")
    with contextlib.suppress(OSError):
        if os.path.isabs(called) and os.path.samefile(called, real):
            return called
    return real


def load(surroundings: Surroundings, top: Layer) -> Settings:
    """The settings that hold, from all sources; `top` is the strongest.

    Raises ConfigError, or UsageError where the command line is wrong.
    """
    return settle_layers(read_layers(surroundings, top))


def settle_layers(layers: Sequence[Layer]) -> Settings:
    """The settings that come of these layers, the weakest first.

    Raises ConfigError, or UsageError where the command line is wrong.
    """
    late = raw_env_layer(merge(layers))
    return settle(merge([*layers, late] if late.entries else layers))


def read_layers(surroundings: Surroundings, top: Layer) -> list[Layer]:
    """What each source says, the weakest first, not yet parsed; `top` is the last.

    Raises ConfigError when a source cannot be read or has an unknown name.
    """
    platform = platform_layer(surroundings.environment)
    gunicorn = gunicorn_arguments_layer(surroundings.environment.get(VARIABLE, ""))
    canter = canter_layer(surroundings.environment)
    chosen = next((found for it in (top, canter, gunicorn) if (found := it.find("config"))), None)
    if chosen is None or not chosen.value:
        file = _searched_file(surroundings.directory)
    else:
        try:
            file = read_file(surroundings.directory, str(chosen.value))
        except OSError as error:
            # A wrong option ends with 2; a file that is missing with 1, as Gunicorn's does.
            problem = f"cannot read {chosen.value}: {error.strerror}"
            raise ConfigError(f"{chosen.source.where('config')}: {problem}") from None
    return [platform, file, gunicorn, canter, top]


def read_text(path: str, label: str) -> str:
    """The text of a UTF-8 file; `label` names it in messages.

    Raises OSError when it cannot be read, ConfigError when it is not UTF-8.
    """
    with open(path, "rb") as file:
        raw = file.read()
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{label} is not in UTF-8") from None


def write_text(path: str, text: str) -> None:
    """Write a UTF-8 file; raises OSError when that fails."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def read_file(directory: str, name: str) -> Layer:
    """What the file says that `-c` names: by its ending a TOML file, else Python as Gunicorn's.

    Raises OSError when it cannot be read, ConfigError when it is wrong.
    """
    if name.startswith("python:"):
        return python_layer(run_module(name.removeprefix("python:")), name)
    name = name.removeprefix("file:")
    path = os.path.join(directory, name)
    if not name.endswith(".toml"):
        return _python_file(path, name)
    table = PYPROJECT_TABLE if os.path.basename(name) == _PYPROJECT else ()
    return toml_layer(read_text(path, name), name, table)


def _searched_file(directory: str) -> Layer:
    """The first of the usual files in the directory; a warning names those left unread."""
    try:
        present = [name for name in _USUAL_FILES if _speaks_to_us(directory, name)]
        if not present:
            return Layer()
        layer = read_file(directory, present[0])
    except OSError as error:
        raise ConfigError(f"cannot read {error.filename}: {error.strerror}") from None
    unread = tuple(f"{name} is not read: there is {present[0]}" for name in present[1:])
    return Layer(layer.entries, layer.warnings + unread, layer.foreign)


def _speaks_to_us(directory: str, name: str) -> bool:
    path = os.path.join(directory, name)
    if not os.path.isfile(path):
        return False
    return name != _PYPROJECT or has_table(read_text(path, name), name, PYPROJECT_TABLE)


def _python_file(path: str, label: str) -> Layer:
    with open(path, "rb") as file:
        code = file.read()
    layer = python_layer(run_file(code, path, label), label, code)
    if os.path.splitext(label)[1] in (".py", ".pyc"):
        return layer
    warning = f"{label} is run as Python, although its name ends in neither .py nor .toml"
    return Layer(layer.entries, (warning, *layer.warnings), layer.foreign)
