"""Watching over a call that is made in the loop's own thread.

This is the plain build's version; `vigil.pyx` beside it is the same in C, whose watch needs no
interpreter lock, so that looking every millisecond disturbs nobody.
"""

from __future__ import annotations

import os
import select

_TICK_MS = 1
# After so many ticks without a call the watcher sleeps until it is woken.
_SOUND_SLEEP_AFTER_TICKS = 4


class Vigil:
    """The number of the call going on, and who watches it.

    begin, end and wake may be called from any thread; `watch` from one thread at a time.
    """

    def __init__(self) -> None:
        self._call = 0
        self._calls = 0
        self._dozing = False
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._woken = select.poll()
        self._woken.register(self._reader, select.POLLIN)

    def begin(self) -> int:
        """A call begins; its number, never 0."""
        self._calls = self._call = number = self._calls + 1
        if self._dozing:
            self._dozing = False
            self.wake()
        return number

    def end(self, number: int) -> None:
        """That call is over. Another one that has begun meanwhile is watched on."""
        if self._call == number:
            self._call = 0

    def going_on(self, number: int) -> bool:
        """Whether that call is still going on."""
        return self._call == number

    def wake(self) -> None:
        """Have `watch` return."""
        try:
            os.write(self._writer, b"\0")
        except OSError:
            pass  # a full pipe wakes as well; a closed one has nobody to wake

    def watch(self) -> int:
        """Wait until a call has lasted for a millisecond or two; its number, or 0 when woken."""
        seen = 0
        calls = self._calls
        quiet_ticks = 0
        while True:
            if quiet_ticks < _SOUND_SLEEP_AFTER_TICKS:
                woken = self._woken.poll(_TICK_MS)
            else:
                self._dozing = True
                # Looked at after dozing is set: no call begins without being watched.
                woken = self._woken.poll(None if not self._call else _TICK_MS)
                self._dozing = False
                quiet_ticks = 0
            if woken:
                self._clear()
                return 0
            call = self._call
            if call and call == seen:
                return call
            seen = call
            quiet_ticks = 0 if call or calls != self._calls else quiet_ticks + 1
            calls = self._calls

    def _clear(self) -> None:
        try:
            os.read(self._reader, 4096)
        except OSError:
            pass

    def close(self) -> None:
        """Give the pipe back; when nobody watches or wakes any more."""
        reader, writer = self._reader, self._writer
        self._reader = self._writer = -1
        os.close(reader)
        os.close(writer)
