"""A lock around a few instructions.

This is the plain build's version: a lock like any other. `latch.pyx` beside it is the same lock
without a call of Python's to take it and another to let it go, which is what it costs most.
"""

from __future__ import annotations

from threading import Lock as Latch

__all__ = ["Latch"]
