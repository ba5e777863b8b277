"""Which files this process's code came from, for a supervisor that reloads when one changes."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator

from canter.worker.messages import MAX_FILES_PER_MESSAGE, Watch


class SourceFiles:
    """Remembers what it has told, so that each file is told once."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._modules = 0

    def changes(self, error: BaseException | None = None) -> list[Watch]:
        """Messages with the files that are new since the last call.

        After a failed import, `error` leads to files that no module was made of: the one with the
        syntax error, and those on its traceback.
        """
        if error is None and len(sys.modules) == self._modules:
            return []
        self._modules = len(sys.modules)
        found = {*_module_files(), *_failed_files(error)}
        new = sorted(found - self._told)
        self._told.update(new)
        return [
            Watch(tuple(new[start : start + MAX_FILES_PER_MESSAGE]))
            for start in range(0, len(new), MAX_FILES_PER_MESSAGE)
        ]


def _module_files() -> Iterator[str]:
    # A copy, because another thread may be importing; anything may sit in sys.modules.
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            yield file


def _failed_files(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        if isinstance(error, SyntaxError) and error.filename:
            yield error.filename
        for frame, _ in traceback.walk_tb(error.__traceback__):
            file = frame.f_code.co_filename
            if not file.startswith("<"):
                yield file
        error = error.__cause__ or error.__context__
