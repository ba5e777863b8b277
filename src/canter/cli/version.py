"""What runs, in one line."""

from __future__ import annotations

import platform

import canter
from canter.extensions import build


def version_text() -> str:
    """The versions of canter and Python, and which core runs."""
    return f"canter {canter.__version__} ({python_text()}, {core_text()})"


def python_text() -> str:
    """Which Python this is."""
    return f"{platform.python_implementation()} {platform.python_version()}"


def core_text() -> str:
    """Which core runs: compiled or plain."""
    return f"{build()} core"
