"""The supervisor: it owns sockets, signals and the scoreboard, and keeps workers alive.

`states`, `actions`, `roster`, `backoff`, `policy`, `reports`, `banner`, `orders`, `pledges` and
`status` decide, with values only; the other modules do. It never imports the application.
"""

from __future__ import annotations

from canter.supervisor.start import run

__all__ = ["run"]
