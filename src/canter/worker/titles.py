"""What processes are called in `ps` and `top`.

With the setproctitle package the whole title says it. Without it Linux has 15 bytes, which
`pkill` and `killall` look at too: the supervisor alone has the bare name.
"""

from __future__ import annotations

import contextlib
import importlib
import os

DEFAULT_NAME = "canter"
_COMM = "/proc/self/comm"
_COMM_BYTES = 15


def name_process(name: str | None, role: str, generation: int | None = None) -> None:
    """Show this process as `NAME: ROLE`, with its generation; where that cannot be, nothing."""
    shown = name or DEFAULT_NAME
    try:
        setproctitle = importlib.import_module("setproctitle")
    except ImportError:
        _name_thread(short_name(shown, generation))
        return
    part = "" if generation is None else f", generation {generation}"
    setproctitle.setproctitle(f"{shown}: {role}{part}")


def short_name(name: str, generation: int | None) -> bytes:
    """The name that fits: a worker's ends with its generation, the supervisor has none."""
    end = b"" if generation is None else f":{generation}".encode()
    return os.fsencode(name)[: _COMM_BYTES - len(end)] + end


def _name_thread(name: bytes) -> None:
    # Of the main thread, and that is the process's.
    with contextlib.suppress(OSError), open(_COMM, "wb") as file:
        file.write(name)
