"""Inline or handed over: how the next application call is made.

Pure: durations in, a decision out. A quick call is made by the leading thread itself (INLINE): no
wake-up, no switch of threads. Where calls are slow, or wait for something else than the processor,
the lead is handed over before the call (EAGER), so that the loop never waits for the application.

What counts is the loop's time: the share of it that slow calls hold, until somebody else takes the
lead from them. Two thresholds and a moving share keep it from flapping, and one very slow call
among a thousand changes nothing, nor do a few quick ones that a busy machine has made to wait. How
long a call takes beside other running calls says little about how long it would take alone (they
share one interpreter), so the way back from EAGER is a trial: from time to time some calls are made
inline (PROBING), and only those are judged.
"""

from __future__ import annotations

import enum


class Tempo(enum.Enum):
    """How calls are made at present."""

    INLINE = "inline"
    EAGER = "eager"
    PROBING = "probing"


SLOW_NS = 1_000_000
"""A call of a millisecond is slow: by then a standby takes the lead anyway."""

BLOCKED_NS = 150_000
"""A call this long that waits for something is worth another thread's wake-up."""

# Of a slow call the loop's time counts until the lead has been taken away.
_HELD_NS = 2_000_000
# The share is that of about so much of the loop's time.
_MEMORY_NS = 64_000_000
_EAGER_ABOVE = 0.25
# Where a trial begins: a few slow calls end it, and quick ones beside them do not.
_TRIAL_SHARE = 0.2
_PROBE_FIRST_NS = 1_000_000_000
_PROBE_LAST_NS = 16_000_000_000
# An INLINE spell that lasts this long shows that the application has changed its ways.
_SETTLED_NS = 10_000_000_000
_PROBE_CALLS = 8
# The first sampled call of a trial still runs beside those that were under way when it began.
_PROBE_UNJUDGED = 1


class Pace:
    """Judges calls and says how to make the next one.

    threads: application threads; with a single one, waiting off the processor frees nobody.
    """

    __slots__ = ("_changed_ns", "_left", "_probe_every_ns", "_share", "_threads", "tempo")

    def __init__(self, threads: int) -> None:
        self.tempo = Tempo.INLINE
        self._threads = threads
        self._share = 0.0
        self._changed_ns = 0
        self._left = 0
        self._probe_every_ns = _PROBE_FIRST_NS

    def note_inline(
        self, duration_ns: int, *, waited: bool, now_ns: int, stands_for: int = 1
    ) -> None:
        """Judge a call that was made inline, or that just lost the lead by lasting.

        To be called for every slow call, and for a sample of the others, of which each `stands_for`
        so many. waited: the call gave up the processor of its own accord.
        """
        if self.tempo is Tempo.EAGER:
            return
        slow = duration_ns >= SLOW_NS or (
            waited and self._threads > 1 and duration_ns >= BLOCKED_NS
        )
        probing = self.tempo is Tempo.PROBING
        if probing:
            self._left -= 1
            if slow and self._left >= _PROBE_CALLS - _PROBE_UNJUDGED:
                return
        weight = min(duration_ns, _HELD_NS) * stands_for / _MEMORY_NS
        self._share += ((1.0 if slow else 0.0) - self._share) * min(weight, 1.0)
        if self._share > _EAGER_ABOVE:
            settled = not probing and now_ns - self._changed_ns >= _SETTLED_NS
            self._turn_eager(now_ns, settled=settled)
        elif probing and self._left <= 0:
            self._share = 0.0
            self._set(Tempo.INLINE, now_ns)

    def may_inline(self, now_ns: int) -> bool:
        """Whether the next call is made inline."""
        if self.tempo is Tempo.EAGER and now_ns - self._changed_ns >= self._probe_every_ns:
            self._left = _PROBE_CALLS
            self._share = _TRIAL_SHARE
            self._set(Tempo.PROBING, now_ns)
        return self.tempo is not Tempo.EAGER

    def _turn_eager(self, now_ns: int, *, settled: bool) -> None:
        if settled:
            self._probe_every_ns = _PROBE_FIRST_NS
        else:
            self._probe_every_ns = min(self._probe_every_ns * 2, _PROBE_LAST_NS)
        self._set(Tempo.EAGER, now_ns)

    def _set(self, tempo: Tempo, now_ns: int) -> None:
        self.tempo = tempo
        self._changed_ns = now_ns
