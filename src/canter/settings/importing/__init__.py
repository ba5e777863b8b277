"""Other servers' configurations as a canter.toml: texts in, a text out. Pure.

Each server has a module that knows its names; `equivalents` is what they all fill.
"""

from __future__ import annotations
