"""Two supervisors side by side: how one starts its successor, and learns of the other's end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from canter.settings import Surroundings
from canter.supervisor.crew import death_from
from canter.supervisor.handover import Handover, Heirloom, handover_variables
from canter.supervisor.lineage import Lineage, LineageEvent, next_lineage
from canter.worker.settling import HANDLED_SIGNALS

LOOK_EVERY_SECONDS = 0.5
"""The end of a predecessor is no signal; it is looked for."""
_NOT_EXECUTABLE = 127


class Succession:
    """The other supervisor, if there is one; moved by the loop only.

    before_exec: called in the successor's process, before it becomes the new program.
    """

    def __init__(
        self,
        start: Surroundings,
        handover: Handover | None,
        log: logging.Logger,
        before_exec: Callable[[], None] = lambda: None,
    ) -> None:
        self._start = start
        self._log = log
        self._before_exec = before_exec
        self.lineage = Lineage.ALONE
        self.other: int | None = None
        """The process number of the other supervisor."""
        if handover is not None and os.getppid() == handover.pid:
            self.lineage = Lineage.HEIR
            self.other = handover.pid

    @property
    def is_alone(self) -> bool:
        """Whether nobody else serves at our addresses."""
        return self.lineage is Lineage.ALONE

    def patience_seconds(self) -> float | None:
        """How long the other's end may go unseen; None = a signal tells."""
        return LOOK_EVERY_SECONDS if self.lineage is Lineage.HEIR else None

    def look(self) -> LineageEvent | None:
        """What has become of the other since the last look."""
        event = None
        if self.lineage is Lineage.HEIR and os.getppid() != self.other:
            event = LineageEvent.PREDECESSOR_ENDED
            self._log.info("the predecessor, process %s, has left", self.other)
        elif self.lineage is Lineage.SUCCEEDED and self._is_reaped():
            event = LineageEvent.SUCCESSOR_ENDED
        if event is not None:
            self.lineage = next_lineage(self.lineage, event)
            self.other = None
        return event

    def begin(self, heirlooms: Sequence[Heirloom]) -> None:
        """Start a successor that serves at these sockets. Raises OSError when there is no process.

        What goes wrong with it later is seen by its end; nothing here has changed then.
        """
        ours = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                self._become_successor(ours, heirlooms)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
        self.lineage = next_lineage(self.lineage, LineageEvent.FORKED)
        self.other = pid
        self._log.info("the successor is process %d", pid)

    def _become_successor(self, predecessor: int, heirlooms: Sequence[Heirloom]) -> NoReturn:
        try:
            # What came for us since the fork is for the new program, not for the copied pipe.
            signal.set_wakeup_fd(-1)
            for number in HANDLED_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
            self._before_exec()
            for heirloom in heirlooms:
                os.set_inheritable(heirloom.fd, True)
            environment = handover_variables(self._start.environment, predecessor, heirlooms)
            # The watchdog's signs of life are accepted from one process: this one will be it.
            environment["WATCHDOG_PID"] = str(os.getpid())
            os.chdir(self._start.directory)
            os.execve(sys.executable, sys.orig_argv, environment)  # noqa: S606 - no shell is wanted
        except BaseException as error:  # noqa: BLE001 - the frames below are the supervisor's
            self._log.error("the successor could not be started: %s", error)
        finally:
            os._exit(_NOT_EXECUTABLE)

    def _is_reaped(self) -> bool:
        assert self.other is not None
        try:
            found, status = os.waitpid(self.other, os.WNOHANG)
        except ChildProcessError:
            found, status = self.other, 0
        if found:
            cause = death_from(status).cause
            self._log.warning("the successor, process %d, %s; this one goes on", found, cause)
        return bool(found)
