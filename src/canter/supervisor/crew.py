"""The child processes: forked, talked to, signalled, reaped. It does what it is told."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable
from typing import NoReturn, TypeAlias

from canter.supervisor.reports import Death
from canter.worker.channel import Channel, make_channel
from canter.worker.settling import HANDLED_SIGNALS
from canter.worker.task import Closable

Life: TypeAlias = Callable[[Channel, tuple[Closable, ...]], NoReturn]
"""What a child does with its end of a channel, and without what it must not keep open."""


class Crew:
    """The workers and fork servers, each with its channel, by process number."""

    def __init__(self) -> None:
        self.channels: dict[int, Channel] = {}

    def fork(self, life: Life, not_ours: Iterable[Closable]) -> int:
        """Start a child that lives `life`; its process number.

        Raises OSError when there is no process or descriptor to be had.
        """
        ours, theirs = make_channel()
        # While somebody has the other end of its channel, a worker never sees the supervisor gone.
        not_theirs = (ours, *self.channels.values(), *not_ours)
        # Until the child has handlers of its own, signals wait: none is lost, and none is written
        # to our wake-up pipe, which it has copied.
        signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED_SIGNALS)
        try:
            pid = os.fork()
            if pid == 0:
                life(theirs, not_theirs)
        except OSError:
            ours.close()
            raise
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED_SIGNALS)
            theirs.close()
        self.channels[pid] = ours
        return pid

    def is_new_child(self, pid: int) -> bool:
        """Whether `pid` is a child of this process, dead or alive, that is not known here."""
        if pid <= 0 or pid in self.channels:
            return False
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def signal(self, pid: int, number: signal.Signals) -> None:
        """Send a signal to a worker that has not been reaped, so the number is still its own."""
        with contextlib.suppress(OSError):
            os.kill(pid, number)

    def reap(self, pids: Iterable[int]) -> list[tuple[int, Death]]:
        """Those of the workers `pids` that have ended, and how."""
        ended = []
        for pid in pids:
            try:
                found, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                # Somebody else in this process has waited for our child; how it ended is lost.
                ended.append((pid, Death()))
                continue
            if found:
                ended.append((pid, death_from(status)))
        return ended

    def reap_foreign(self, spared: int | None) -> None:
        """Collect children that are nobody's: a container's first process inherits orphans.

        `spared` is somebody's: its end is asked about elsewhere.
        """
        if not hasattr(os, "waitid"):
            return
        with contextlib.suppress(ChildProcessError):
            while True:
                # Look first: what is a worker's stays for reap().
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if found is None or found.si_pid in self.channels or found.si_pid == spared:
                    return
                os.waitpid(found.si_pid, os.WNOHANG)


def death_from(status: int) -> Death:
    """What a status of waitpid says."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            return Death(signal=signal.Signals(number).name)
        except ValueError:
            return Death(signal=f"signal {number}")
    return Death(exit_status=os.waitstatus_to_exitcode(status))
