"""What turns the copy of the supervisor that a fork makes into a process of its own.

Signals: TERM drains; INT and QUIT stop at once; USR1 reopens the logs; HUP, WINCH, TTIN, TTOU and
USR2 are taken and ignored, so that a signal meant for the supervisor and sent to everybody harms
nobody. They get a Python function rather than SIG_IGN, because SIG_IGN would be passed on to the
programs that the application starts. ABRT stays with faulthandler, CHLD with the application.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
from collections.abc import Callable

from canter.observe.access import AccessLog
from canter.observe.logged_access import LoggedAccess
from canter.observe.logs import ErrorLog
from canter.worker import identity, logbook, titles
from canter.worker.task import WorkerTask

HANDLED_SIGNALS = frozenset(
    {
        signal.SIGTERM,
        signal.SIGINT,
        signal.SIGQUIT,
        signal.SIGUSR1,
        signal.SIGUSR2,
        signal.SIGHUP,
        signal.SIGWINCH,
        signal.SIGTTIN,
        signal.SIGTTOU,
    }
)
ENDING_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGQUIT})
_PIPE_BYTES = 4096


def make_pipe() -> tuple[int, int]:
    """A pipe whose ends never block: the reading one, the writing one."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    return read, write


def read_pipe(descriptor: int) -> bytes:
    """What is in the pipe now."""
    try:
        return os.read(descriptor, _PIPE_BYTES)
    except BlockingIOError:
        return b""


def take_signals(handler: Callable[[int, object], None]) -> tuple[int, int]:
    """Have HANDLED_SIGNALS call `handler`, and write their numbers to the pipe returned.

    They are blocked when this is called, since before the fork: none is lost, and none reaches the
    supervisor's pipe, which the fork has copied.
    """
    read, write = make_pipe()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in HANDLED_SIGNALS:
        signal.signal(number, handler)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
    return read, write


def become_who_we_are(task: WorkerTask, role: str) -> AccessLog | LoggedAccess | None:
    """Put on the user of workers and the name of the `role`. The access log, if there is one.

    Raises ConfigError for a log that cannot be opened, OSError when the kernel refuses the user.
    """
    if task.hooks is not None:
        logger = task.hooks.worker.log
    else:
        logger = logbook.make_logger(task.settings, task.log)
    access = logbook.open_access_log(task.settings, task.log, logger)
    # Opened with the rights we were started with; then the file becomes the user's, who has to
    # reopen it after a rotation.
    if access is not None and task.identity.changes:
        access.give_to(task.identity.uid, task.identity.gid)
    identity.become(task.identity)
    titles.name_process(task.settings.proc_name, role, task.generation)
    return access


def enable_faulthandler(log: ErrorLog) -> None:
    """Have fatal signals, ABRT among them, print every thread's stack to the error log.

    A destination that is closed makes a crash silent and changes nothing else.
    """
    with contextlib.suppress(OSError, ValueError, RuntimeError):
        faulthandler.enable(log.descriptor)


def take_abort(handler: Callable[[int, object], None]) -> None:
    """Have ABRT call `handler` in the main thread, when that reacts.

    To be called before `enable_faulthandler`, which then comes first: it prints the stacks without
    needing the interpreter, puts this handler back and raises the signal again.
    """
    signal.signal(signal.SIGABRT, handler)
