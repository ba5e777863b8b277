"""Watching over a call that is made in the loop's own thread.

This is the plain build's version; `vigil.pyx` beside it is the same in C, whose watch needs no
interpreter lock, so that looking disturbs nobody.

A look costs little work but a timer and two switches of threads, on a virtual machine up to a
twentieth of the processor at one each millisecond. So the watcher looks that often only while
there is reason to: for some seconds after a call has lasted. Before, and when that has long been
over, it looks every fourth millisecond.
"""

from __future__ import annotations

import os
import select

_TICK_MS = 1
_CALM_TICK_MS = 4
# For so many looks after a call that lasted the watcher looks closely.
_CLOSELY_TICKS = 2000
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
        self._closely = 0
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
        """Wait until a call has lasted for two looks; its number, or 0 when woken.

        That is a millisecond or two, and four to eight for the first one after a calm time.
        """
        seen = 0
        calls = self._calls
        quiet_ticks = 0
        while True:
            tick_ms = _TICK_MS if self._closely else _CALM_TICK_MS
            if quiet_ticks < _SOUND_SLEEP_AFTER_TICKS:
                woken = self._woken.poll(tick_ms)
            else:
                self._dozing = True
                # Looked at after dozing is set: no call begins without being watched.
                woken = self._woken.poll(tick_ms if self._call else None)
                self._dozing = False
                quiet_ticks = 0
            if woken:
                self._clear()
                return 0
            call = self._call
            if call and call == seen:
                self._closely = _CLOSELY_TICKS
                return call
            if self._closely:
                self._closely -= 1
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
