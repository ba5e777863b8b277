"""Configuration in Python, as Gunicorn reads it: the module's names are the settings.

The file's code is run, as Gunicorn runs it, as the module `__config__`. Values of settings,
hooks among them, are taken; names that are no setting are ignored, because people keep their own
variables there; hooks and settings that canter does not have are named in a warning each.
"""

from __future__ import annotations

import ast
import importlib
import sys
import traceback
from collections.abc import Mapping
from types import FunctionType, ModuleType

from canter.errors import ConfigError
from canter.settings.gunicorn.names import FOREIGN, HOOKS
from canter.settings.kinds import Optional
from canter.settings.layers import Entry, Layer
from canter.settings.provenance import Source, SourceKind
from canter.settings.registry import OUR_HOOKS, SETTINGS, nearest_name
from canter.settings.spelling import nearest

DEFAULT_FILE = "gunicorn.conf.py"
_MODULE_NAME = "__config__"


def run_file(code: bytes, path: str, label: str) -> Mapping[str, object]:
    """The names that the code of a file defines.

    Raises ConfigError, naming file and line, when it cannot be compiled or raises.
    """
    module = ModuleType(_MODULE_NAME)
    module.__file__ = path
    # Classes and pickles made by the file look their module up by name.
    sys.modules[_MODULE_NAME] = module
    try:
        exec(compile(code, path, "exec", dont_inherit=True), vars(module))  # noqa: S102 - it is code
    except (Exception, SystemExit) as error:
        raise _failure(error, path, label) from error
    return vars(module)


def run_module(name: str) -> Mapping[str, object]:
    """The names of an importable module; a module that is loaded already is run anew.

    Raises ConfigError when it cannot be imported.
    """
    try:
        module = sys.modules.get(name)
        loaded = importlib.import_module(name) if module is None else importlib.reload(module)
    except (Exception, SystemExit) as error:
        raise ConfigError(f"python:{name}: {type(error).__name__}: {error}") from error
    return vars(loaded)


def python_layer(names: Mapping[str, object], label: str, code: bytes | None = None) -> Layer:
    """What the names of such a file say; `code`, where it is known, tells their lines."""
    lines = _assignment_lines(code) if code is not None else {}
    entries: list[Entry] = []
    foreign: list[Entry] = []
    warnings: list[str] = []
    for name, value in names.items():
        line = lines.get(name)
        source = Source(SourceKind.FILE, f"{label}:{line}" if line is not None else label)
        setting = SETTINGS.get(name)
        if setting is not None and setting.in_files:
            if value is not None or isinstance(setting.kind, Optional):
                entries.append(Entry(name, value, source))
        elif name in HOOKS or name in FOREIGN:
            foreign.append(Entry(name, value, source))
        else:
            warnings += _near_miss(name, value, source)
    return Layer(tuple(entries), tuple(warnings), tuple(foreign))


def _near_miss(name: str, value: object, source: Source) -> list[str]:
    """A warning where a name of no meaning is nearly one that has some.

    Only small slips in plain values count: `workers_per_core` and `cores` are somebody's own.
    """
    if name.startswith("_") or isinstance(value, ModuleType | type):
        return []
    if isinstance(value, FunctionType):
        meant = nearest(name, HOOKS | OUR_HOOKS, at_most=2)
    else:
        meant = nearest_name(name, at_most=2) or nearest(name, FOREIGN, at_most=2)
    if meant is None or meant == name:
        return []
    return [f"{source.place}: {name} is no setting and is ignored; did you mean {meant}?"]


def _assignment_lines(code: bytes) -> dict[str, int]:
    """The line of the last statement that gives each name of the module its value."""
    lines: dict[str, int] = {}
    waiting: list[ast.AST] = [ast.parse(code)]
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Store(), lineno=line):
                lines[name] = max(line, lines.get(name, 0))
            case ast.FunctionDef(name=name, lineno=line) | ast.ClassDef(name=name, lineno=line):
                # What is assigned inside is not the module's.
                lines[name] = max(line, lines.get(name, 0))
            case ast.Lambda() | ast.ListComp() | ast.SetComp() | ast.DictComp():
                pass
            case _:
                waiting += ast.iter_child_nodes(node)
    return lines


def _failure(error: BaseException, path: str, label: str) -> ConfigError:
    if isinstance(error, SyntaxError) and error.filename == path:
        return ConfigError(f"{label}:{error.lineno}: {type(error).__name__}: {error.msg}")
    frames = traceback.extract_tb(error.__traceback__)
    line = next((frame.lineno for frame in reversed(frames) if frame.filename == path), None)
    place = f"{label}:{line}" if line is not None else label
    message = f"{place}: {type(error).__name__}: {error}".rstrip(": ")
    last = frames[-1] if frames else None
    if last is not None and last.filename != path and "importlib" not in last.filename:
        message += f" (raised at {last.filename}:{last.lineno})"
    return ConfigError(message)
