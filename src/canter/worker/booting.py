"""From a copy of the supervisor to a process that has the application: what a boot is made of.

A worker boots so, and so does a fork server, from which workers are then forked with all this done.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Callable

from canter.errors import BootError, CanterError
from canter.observe.scoreboard import Field
from canter.worker import leaving, loader, settling, titles
from canter.worker.messages import BootFailed, clip
from canter.worker.sources import SourceFiles
from canter.worker.states import WorkerState
from canter.worker.task import Loaded, WorkerTask

LAST_WORDS_SECONDS = 2.0


def settle_in(task: WorkerTask, on_signal: Callable[[int, object], None]) -> tuple[int, int]:
    """Give up what is the parent's and take the signals; the pipe that tells their numbers."""
    for inherited in task.not_ours:
        with contextlib.suppress(OSError):
            inherited.close()
    # The collector would look at every object that was copied by the fork, by which its page is
    # not shared any more: a megabyte or two for each worker, for objects that live on anyway.
    gc.freeze()
    if task.loaded is None:
        # Those of an application that was imported before the fork stay.
        leaving.forget_inherited_exit_functions()
    wakeup = settling.take_signals(on_signal)
    words = task.slot.words
    words[Field.PID] = os.getpid()
    words[Field.GENERATION] = task.generation
    words[Field.STARTED_NS] = time.monotonic_ns()
    words[Field.STATE] = WorkerState.BOOTING
    return wakeup


def load(task: WorkerTask, role: str) -> Loaded:
    """Become the user and the name that the settings say, then import the application.

    Raises CanterError, and OSError when the kernel refuses the user.
    """
    if task.loaded is not None:
        titles.name_process(task.settings.proc_name, role)
        return task.loaded
    access = settling.become_who_we_are(task, role)
    application = task.application
    if application is None:
        if task.settings.wsgi_app is None:
            raise BootError("no application was given")
        application = loader.load_application(task.settings.wsgi_app)
    return Loaded(application, access)


def report_failure(task: WorkerTask, error: BaseException, sources: SourceFiles | None) -> int:
    """Tell the supervisor why the boot failed, as far as it listens; the status to exit with."""
    status = error.exit_status if isinstance(error, CanterError) else BootError.exit_status
    message, trace = loader.describe_failure(error)
    if sources is not None:
        for watch in sources.changes(error):
            task.channel.send(watch)
    task.channel.send(BootFailed(status, clip(message), clip(trace)))
    task.channel.flush_within(LAST_WORDS_SECONDS)
    return status
