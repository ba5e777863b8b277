"""Counters and histograms of a worker's requests, where every reader of the board sees them.

Each request adds one to its method and status class, and its times to four histograms. The buckets
are log-linear: two to an octave, from 65 microseconds to 69 seconds, so that a bucket's bounds are
at most a third apart and finding one takes no search. All of it is machine words of the worker's
slot, written without a lock or a system call; compiled, noting a request costs some tens of
nanoseconds (`meter.pxd`).

`Meter` writes; `counts_by_method` and `histograms` say what the words mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other")
CLASSES: Final = ("none", "1xx", "2xx", "3xx", "4xx", "5xx")
TIMES: Final = ("queue", "application", "first_byte", "write")
"""Waiting for a thread; in the application; from the whole request to the first byte of the answer;
from the application's end until the kernel has taken the last byte."""

_CLASS_COUNT = len(CLASSES)
_FIRST_OCTAVE = 16
_LAST_OCTAVE = 36
BUCKETS: Final = 2 * (_LAST_OCTAVE - _FIRST_OCTAVE) + 2
"""Of one histogram: two to an octave, one below them all and one above."""
_HISTOGRAM_WORDS = BUCKETS + 1
_TIMES_AT = len(METHODS) * _CLASS_COUNT
METER_WORDS: Final = _TIMES_AT + len(TIMES) * _HISTOGRAM_WORDS

# Plain numbers, which are C integers where this is compiled.
_BUCKETS = BUCKETS
_SHORTEST_NS = 1 << _FIRST_OCTAVE
_LONGEST_NS = 1 << _LAST_OCTAVE
_QUEUE_AT = _TIMES_AT
_APP_AT = _QUEUE_AT + _HISTOGRAM_WORDS
_FIRST_AT = _APP_AT + _HISTOGRAM_WORDS
_WRITE_AT = _FIRST_AT + _HISTOGRAM_WORDS
_METHOD_ROWS = {
    name: index * _CLASS_COUNT for index, name in enumerate(METHODS[: len(METHODS) - 1])
}
_OTHER_ROW = (len(METHODS) - 1) * _CLASS_COUNT


def _bounds() -> tuple[float, ...]:
    bounds = [1 << _FIRST_OCTAVE]
    for octave in range(_FIRST_OCTAVE, _LAST_OCTAVE):
        bounds += [3 << (octave - 1), 1 << (octave + 1)]
    return tuple(bound / 1e9 for bound in bounds)


BOUNDS_SECONDS: Final = _bounds()
"""The longest time that each bucket holds; the last bucket has no bound."""


def bucket_of(nanoseconds: int) -> int:
    """The bucket that a time belongs to."""
    if nanoseconds <= _SHORTEST_NS:
        return 0
    if nanoseconds > _LONGEST_NS:
        return _BUCKETS - 1
    # Halved until two bits are left: the lower says which half of its octave the time is in.
    rest = (nanoseconds - 1) >> (_FIRST_OCTAVE - 1)
    octave = 0
    while rest > 3:
        rest >>= 1
        octave += 1
    return 2 * octave + (rest & 1) + 1


class Meter:
    """Notes requests in a worker's words of the board. Written under the GIL by any thread.

    words: METER_WORDS machine words. In the interpreted build two threads that note a request in
    the same instant may count it once; the compiled build holds the GIL meanwhile.
    """

    __slots__ = ("_words",)

    def __init__(self, words: memoryview) -> None:
        self._words = words

    def note(self, method: str, status: int, queue_ns: int, app_ns: int, first_ns: int) -> None:
        """One request was answered by the application (or 0, nothing was sent)."""
        row = _METHOD_ROWS.get(method, _OTHER_ROW)
        words = self._words
        words[row + status // 100] += 1
        self._time(_QUEUE_AT, queue_ns)
        self._time(_APP_AT, app_ns)
        self._time(_FIRST_AT, first_ns)

    def note_refusal(self, method: str, status: int) -> None:
        """One request was answered without the application."""
        self._words[_METHOD_ROWS.get(method, _OTHER_ROW) + status // 100] += 1

    def note_write(self, write_ns: int) -> None:
        """The last byte of an answer was taken so long after the application's end."""
        self._time(_WRITE_AT, write_ns)

    def _time(self, at: int, nanoseconds: int) -> None:
        if nanoseconds < 0:
            nanoseconds = 0
        words = self._words
        words[at + bucket_of(nanoseconds)] += 1
        words[at + _BUCKETS] += nanoseconds


@dataclass(frozen=True, slots=True)
class Histogram:
    """Times of one kind: how many fell into each bucket (not cumulative), and their sum."""

    counts: tuple[int, ...]
    sum_ns: int


def counts_by_method(words: Sequence[int]) -> dict[str, dict[str, int]]:
    """How many requests there were by method and status class; what never happened is left out."""
    found: dict[str, dict[str, int]] = {}
    for number, method in enumerate(METHODS):
        row = words[number * _CLASS_COUNT : (number + 1) * _CLASS_COUNT]
        counts = {name: int(count) for name, count in zip(CLASSES, row, strict=True) if count}
        if counts:
            found[method] = counts
    return found


def histograms(words: Sequence[int]) -> dict[str, Histogram]:
    """The histogram of each of TIMES."""
    found = {}
    for number, name in enumerate(TIMES):
        at = _TIMES_AT + number * _HISTOGRAM_WORDS
        counts = tuple(int(count) for count in words[at : at + BUCKETS])
        found[name] = Histogram(counts, int(words[at + BUCKETS]))
    return found
