"""When a worker has lived long enough: by its age, and by the memory that it holds.

Pure: times are seconds of a monotonic clock and sizes are bytes, given by the caller.
"""

from __future__ import annotations

SAMPLES = 3
"""How often in a row too much memory is to be seen: a peak that passes is no reason to go."""
SAMPLE_SECONDS = 0.5
"""Between two looks while there is a limit."""
CALM_SECONDS = 5.0
"""Between two looks for the scoreboard alone."""


class WearGauge:
    """Judges one worker from the moment that it serves. 0 = no limit.

    is_hopeless: it holds too much memory from the start, so that replacing it would help nothing;
    its memory is not judged then.
    """

    def __init__(
        self, lifetime_seconds: float, memory_bytes: int, now: float, resident_bytes: int
    ) -> None:
        self._old_at = now + lifetime_seconds if lifetime_seconds else None
        self._memory_bytes = memory_bytes
        self.is_hopeless = 0 < memory_bytes <= resident_bytes
        self._over = 0
        self._look_at = now + self.every_seconds
        self._is_told = False

    @property
    def every_seconds(self) -> float:
        """Between two looks."""
        return SAMPLE_SECONDS if self._memory_bytes else CALM_SECONDS

    def patience_seconds(self, now: float) -> float:
        """How long nothing need be looked at."""
        moments = [self._look_at]
        if self._old_at is not None and not self._is_told:
            moments.append(self._old_at)
        return max(0.0, min(moments) - now)

    def judge(self, now: float, resident_bytes: int) -> str | None:
        """Why the worker should be replaced, the first time that it should; else None."""
        reason = self._by_age(now)
        if now >= self._look_at:
            self._look_at = now + self.every_seconds
            reason = self._by_memory(resident_bytes) or reason
        if reason is None or self._is_told:
            return None
        self._is_told = True
        return reason

    def _by_age(self, now: float) -> str | None:
        if self._old_at is None or now < self._old_at:
            return None
        return "it has reached its max_lifetime"

    def _by_memory(self, resident_bytes: int) -> str | None:
        if not self._memory_bytes or self.is_hopeless:
            return None
        self._over = self._over + 1 if resident_bytes > self._memory_bytes else 0
        if self._over < SAMPLES:
            return None
        return f"it holds {resident_bytes >> 20} MiB of memory, over its max_memory"
