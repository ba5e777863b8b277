"""When to try again after a worker could not start or died without having been of use. Pure.

The first failure is answered at once, the following ones wait twice as long each, with jitter, so
that many servers that lost the same database do not come back in step. A quiet time forgets them.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
FORGIVEN_AFTER_SECONDS = 60.0


def delay_seconds(failures: int, jitter: float) -> float:
    """How long to wait after so many failures in a row; `jitter` from 0 to 1 moves it by a half."""
    if failures <= 1:
        return 0.0
    doubled = FIRST_DELAY_SECONDS * 2.0 ** min(failures - 2, 30)
    return min(doubled, LONGEST_DELAY_SECONDS) * (0.5 + jitter)


@dataclass(slots=True)
class Backoff:
    """The failures in a row of one generation, and when the next try is due (monotonic seconds)."""

    failures: int = 0
    retry_at: float = 0.0
    last_failure_at: float = 0.0

    def note_failure(self, now: float, jitter: float) -> None:
        """One more failure at `now`."""
        if now - max(self.last_failure_at, self.retry_at) > FORGIVEN_AFTER_SECONDS:
            self.failures = 0
        self.failures += 1
        self.last_failure_at = now
        self.retry_at = now + delay_seconds(self.failures, jitter)

    def note_useful_life(self) -> None:
        """A worker died that had served: whatever it was, starting works."""
        self.failures = 0
        self.retry_at = 0.0

    @property
    def is_looping(self) -> bool:
        """Whether tries should go one by one, each waiting for the one before."""
        return self.failures > 1
