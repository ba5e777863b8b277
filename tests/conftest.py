"""What all tests share: how hard hypothesis tries, here and in continuous integration."""

from __future__ import annotations

import os

from hypothesis import settings

import canter.extensions  # noqa: F401 - CANTER_EXTENSIONS=off holds from this import on

pytest_plugins = ["tests.live.left_out"]

# No deadline: a slow machine must never fail a test.
settings.register_profile("developer", max_examples=60, deadline=None)
settings.register_profile("ci", max_examples=300, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "developer")
