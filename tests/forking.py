"""A forked child that a test can do something in, and that always ends there."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable


def fork_and_run(work: Callable[[], object]) -> int:
    """Run `work` in a forked child; its process number. The child exits 0, or 1 if it raised.

    Whatever happens, the child never returns into the test that it is a copy of.
    """
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    except BaseException:  # noqa: BLE001 - everything is told, and ends the child
        traceback.print_exc()
    finally:
        os._exit(status)


def exit_status(child: int) -> int:
    """Wait for the child; its exit status, negative for a signal."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
