"""Signals as a stream of numbers that the loop reads like any other input."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

from canter.worker.settling import HANDLED_SIGNALS, make_pipe, read_pipe

_TAKEN = HANDLED_SIGNALS | {signal.SIGCHLD}


class SignalInbox:
    """While entered, the signals of a server are taken and nothing else happens by them.

    Only in the main thread. On leaving, the handlers of before are put back: an embedding program
    has its own.
    """

    def __init__(self) -> None:
        self._read, self._write = make_pipe()
        self._before: dict[signal.Signals, Any] = {}
        self._wakeup_before = -1

    def __enter__(self) -> Self:
        self._wakeup_before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in _TAKEN:
            self._before[number] = signal.signal(number, _do_nothing)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        signal.set_wakeup_fd(self._wakeup_before)
        self.close()

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._read

    def take(self) -> list[signal.Signals]:
        """The signals that have come, in order."""
        return [signal.Signals(number) for number in read_pipe(self._read)]

    def close(self) -> None:
        """Give back the pipe; by a child also, which has a copy."""
        for descriptor in (self._read, self._write):
            os.close(descriptor)


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Python writes the number to the wake-up pipe; that is all that is wanted."""
