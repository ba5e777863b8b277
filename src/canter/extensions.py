"""Which build runs: the compiled core or the plain one, and how to ask for either.

A module with a .pxd or .pyx file beside it may have been compiled (see setup.py); its .py file does
the same in plain Python. CANTER_EXTENSIONS decides what is imported:

- `auto`, the default: what is compiled, and plain Python for the rest;
- `off`: plain Python, whether or not something is compiled;
- `require`: nothing but the compiled core, and a clear error without it.

`off` works from the import of this module on, so it is to be imported before any module of the
core; the command line does that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Literal

from canter.errors import ConfigError

VARIABLE = "CANTER_EXTENSIONS"
MODES = ("auto", "off", "require")

_PACKAGE = Path(__file__).parent


@cache
def compilable() -> dict[str, Path]:
    """The names of the modules that may be compiled, and their plain sources."""
    typed = {
        path.with_suffix(".py") for kind in ("*.pxd", "*.pyx") for path in _PACKAGE.rglob(kind)
    }
    sources = sorted(path for path in typed if path.exists())
    root = _PACKAGE.parent
    return {".".join(path.relative_to(root).with_suffix("").parts): path for path in sources}


def compiled() -> list[str]:
    """The names of the modules that were compiled, whatever mode is on."""
    return [
        name
        for name, path in compilable().items()
        if any(path.with_suffix(suffix).exists() for suffix in EXTENSION_SUFFIXES)
    ]


def mode() -> str:
    """The mode asked for; raises ConfigError if it is none of MODES."""
    asked = os.environ.get(VARIABLE) or "auto"
    if asked not in MODES:
        raise ConfigError(f"{VARIABLE} must be one of {', '.join(MODES)}, not {asked!r}")
    return asked


def build() -> Literal["compiled", "plain"]:
    """The build that runs: compiled only if every module that may be compiled is.

    Raises ConfigError when the mode is `require` and the build is plain, or for an unknown mode.
    """
    asked = mode()
    missing = sorted(set(compilable()).difference(compiled()))
    if asked == "require" and missing:
        raise ConfigError(f"{VARIABLE}=require, but not compiled: {', '.join(missing)}")
    return "plain" if missing or asked == "off" else "compiled"


def load_source(name: str, *parts: str) -> ModuleType:
    """The plain twin of a module, loaded from its source beside the one that is imported.

    parts: modules that it imports and of which it shall have the plain twins too, each before those
    that import it. What is imported elsewhere stays as it is.
    """
    names = [*parts, name]
    imported = {part: sys.modules.get(part) for part in names}
    try:
        for part in names:
            spec = _source_spec(part)
            sys.modules[part] = twin = module_from_spec(spec)
            assert spec.loader is not None
            spec.loader.exec_module(twin)
    finally:
        for part, module in imported.items():
            if module is None:
                sys.modules.pop(part, None)
            else:
                sys.modules[part] = module
    return twin


def _source_spec(name: str) -> ModuleSpec:
    spec = spec_from_file_location(name, compilable()[name])
    assert spec is not None
    return spec


class PlainSources(MetaPathFinder):
    """Finds the plain sources of the core's modules before the compiled ones are found."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of the core; None for all others."""
        del path, target
        return _source_spec(fullname) if fullname in compilable() else None


# An unknown mode is reported by `build`, where an error has somebody to read it.
if os.environ.get(VARIABLE) == "off":
    sys.meta_path.insert(0, PlainSources())
