"""The commands. `main` is what the `canter` script calls.

A command is a module with a function `run(words) -> exit status`, listed in `dispatch`; the default
command is `serve`. A command only puts things together: what it does is done by the layers below.
"""

from __future__ import annotations

# Before any module of the core: it decides which build of it is found.
import canter.extensions  # noqa: F401 - it acts by being imported
from canter.cli.dispatch import main

__all__ = ["main"]
