"""Deciding which of many like lines are shown, so that a noisy peer cannot fill the disk.

Within a window of time the first few lines of each kind are shown and the rest are counted; when
the window is over the count is said once. Time is a parameter: nothing here asks a clock.
"""

from __future__ import annotations

from dataclasses import dataclass

KINDS_LIMIT = 64
"""Kinds that are told apart; any more share one window, so that memory stays bounded."""

_OTHER = "other"


@dataclass(slots=True)
class _Window:
    started_seconds: float
    shown: int = 0
    hidden: int = 0


class RepeatLimiter:
    """Shows `lines` lines of a kind in `window_seconds` and counts the rest.

    Not thread-safe: its owner holds a lock.
    """

    def __init__(self, lines: int = 10, window_seconds: float = 10.0) -> None:
        self._lines = lines
        self._window_seconds = window_seconds
        self._windows: dict[str, _Window] = {}

    def admits(self, kind: str, now_seconds: float) -> bool:
        """Tell whether a line of this kind is to be shown now, and count it."""
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= KINDS_LIMIT:
                kind = _OTHER
            window = self._windows.setdefault(kind, _Window(now_seconds))
        if window.shown < self._lines:
            window.shown += 1
            return True
        window.hidden += 1
        return False

    def due(self, now_seconds: float) -> list[str]:
        """Close the windows that are over; a sentence for each that hid something."""
        sentences = []
        for kind, window in list(self._windows.items()):
            age_seconds = now_seconds - window.started_seconds
            if age_seconds >= self._window_seconds:
                del self._windows[kind]
                if window.hidden:
                    sentences.append(f"{window.hidden} more like it in {age_seconds:.0f}s: {kind}")
        return sentences

    def rest(self, now_seconds: float) -> list[str]:
        """What is still to be said when the log closes."""
        sentences = [
            f"{window.hidden} more like it in {now_seconds - window.started_seconds:.0f}s: {kind}"
            for kind, window in self._windows.items()
            if window.hidden
        ]
        self._windows.clear()
        return sentences
