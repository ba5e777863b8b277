"""Which application a directory probably holds, for the hint to somebody who named none."""

from __future__ import annotations

import os

_USUAL_FILES = ("wsgi.py", "app.py", "application.py", "main.py")


def guess_application(directory: str) -> str | None:
    """A path for the command line: a usual file name, or a package with a wsgi.py as Django's.

    None when there is no such file; nothing is imported.
    """
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return None
    for file in _USUAL_FILES:
        if file in names:
            return file.removesuffix(".py")
    for name in names:
        if name.isidentifier() and os.path.isfile(os.path.join(directory, name, "wsgi.py")):
            return f"{name}.wsgi"
    return None
