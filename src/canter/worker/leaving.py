"""How a worker process ends: what Python would do at exit, but within bounds.

A worker always ends by `os._exit`. It is a fork of the supervisor, whose stack (and whose clean-up
of pid file and sockets) lies below it, and a thread stuck inside the application must not be able
to hold the process. What applications rely on at exit is done first: threads that are not daemons
are waited for, `atexit` functions are called, buffers are flushed.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable
from typing import NoReturn

from canter.observe.logs import ErrorLog


def forget_inherited_exit_functions() -> None:
    """Drop the `atexit` functions of the supervisor: they are its own, and run there."""
    atexit._clear()  # noqa: SLF001 - as multiprocessing does in the same place


def leave(
    exit_status: int,
    within_seconds: float,
    log: ErrorLog,
    *,
    first: Callable[[], None] = lambda: None,
    wait_for_threads: bool,
) -> NoReturn:
    """End the process with `exit_status`, exit functions included, after `within_seconds` at most.

    `first` is called before those, within the same time.

    `wait_for_threads` is for a worker whose requests have all ended: others would be waited for.
    """
    try:
        watchdog = threading.Timer(within_seconds, os._exit, [exit_status])
        watchdog.daemon = True
        # Where not even one thread can be started, exit functions are not worth hanging for.
        with contextlib.suppress(RuntimeError):
            watchdog.start()
            first()
            _run_exit_functions(wait_for_threads=wait_for_threads)
        logging.shutdown()
        log.close()
        flush_standard_streams()
    finally:
        os._exit(exit_status)


def flush_standard_streams() -> None:
    """Write what print() has left in buffers; streams that are closed or broken do not matter."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()


def _run_exit_functions(*, wait_for_threads: bool) -> None:
    try:
        if wait_for_threads:
            # The private names are what multiprocessing's forked processes end with, too.
            threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001
        atexit._run_exitfuncs()  # noqa: SLF001
    except BaseException:  # noqa: BLE001 - nothing an exit function does may stop the exit
        traceback.print_exc()
