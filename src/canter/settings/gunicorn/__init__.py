"""Everything that is Gunicorn's: names, hooks, GUNICORN_CMD_ARGS, and configuration in Python.

The settings that canter shares with Gunicorn are ordinary declarations; what is here is the rest,
so that a start command or a file written for Gunicorn works, and says what of it has no effect.
"""

from __future__ import annotations
