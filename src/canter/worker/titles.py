"""What processes are called in `ps` and `top`, where the setproctitle package is installed."""

from __future__ import annotations

import importlib

DEFAULT_NAME = "canter"


def name_process(name: str | None, role: str) -> None:
    """Show this process as `NAME: ROLE`; without the package nothing happens."""
    try:
        setproctitle = importlib.import_module("setproctitle")
    except ImportError:
        return
    setproctitle.setproctitle(f"{name or DEFAULT_NAME}: {role}")
