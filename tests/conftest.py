"""What all tests share: how hard hypothesis tries, here and in continuous integration."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import settings

import canter.extensions  # noqa: F401 - CANTER_EXTENSIONS=off holds from this import on

pytest_plugins = ["tests.live.left_out"]

# No deadline: a slow machine must never fail a test.
settings.register_profile("developer", max_examples=60, deadline=None)
settings.register_profile("ci", max_examples=300, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "developer")


@pytest.fixture(scope="session", autouse=True)
def _runtime_directory() -> Iterator[None]:
    """Have servers make their control sockets where nobody else's are; the path is short."""
    before = os.environ.get("XDG_RUNTIME_DIR")
    with tempfile.TemporaryDirectory(prefix="canter-run-") as directory:
        os.environ["XDG_RUNTIME_DIR"] = directory
        yield
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before
