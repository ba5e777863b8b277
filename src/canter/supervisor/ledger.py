"""What has happened since the start, beyond the lives of single workers. Pure.

A worker's counters are on the board while it lives. When it has gone they are added here, so that
recycling and crashes never reset a total. Beside the totals stand the outcomes of reloads, how
workers ended, and the last events in words.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from canter.observe.meter import METER_WORDS

EVENTS_KEPT: Final = 50
NOTED_KEPT: Final = 20


@dataclass(frozen=True, slots=True)
class Tally:
    """One worker's counters: what the board has of them, in plain numbers."""

    accepted: int = 0
    aborted: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    log_lines_dropped: int = 0
    meter: tuple[int, ...] = (0,) * METER_WORDS

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.accepted + other.accepted,
            self.aborted + other.aborted,
            self.bytes_in + other.bytes_in,
            self.bytes_out + other.bytes_out,
            self.log_lines_dropped + other.log_lines_dropped,
            tuple(map(sum, zip(self.meter, other.meter, strict=True))),
        )


NOTHING: Final = Tally()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that an operator may want to see afterwards; `at` in seconds since the epoch."""

    at: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A request that failed or was slow. `at`: when it ended, in seconds since the epoch."""

    at: float
    pid: int
    request: str
    status: int
    outcome: str
    seconds: float


class Ledger:
    """The totals of those that are gone, and the story so far."""

    def __init__(self) -> None:
        self._departed = NOTHING
        self._events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self._noted: deque[Noted] = deque(maxlen=NOTED_KEPT)
        self.exits: Counter[str] = Counter()
        self.reloads: Counter[str] = Counter({"succeeded": 0, "failed": 0})

    def note_exit(self, tally: Tally, cause: str, noted: Iterable[Noted] = ()) -> None:
        """A worker has ended; its last counters stay in the totals, and what it has noted."""
        self._departed += tally
        self._noted.extend(noted)
        self.exits[cause] += 1

    def note_reload(self, *, succeeded: bool) -> None:
        """A reload came to its end."""
        self.reloads["succeeded" if succeeded else "failed"] += 1

    def note_event(self, at: float, kind: str, text: str) -> None:
        """Keep `text` for those who look later; the oldest one is forgotten for it."""
        self._events.append(Event(at, kind, text))

    def totals(self, living: Iterable[Tally]) -> Tally:
        """Everything counted since the start."""
        total = self._departed
        for tally in living:
            total += tally
        return total

    def last_noted(self, living: Iterable[Noted]) -> list[Noted]:
        """The last requests that failed or were slow, the newest first."""
        return sorted((*self._noted, *living), key=lambda it: it.at, reverse=True)[:NOTED_KEPT]

    @property
    def events(self) -> Sequence[Event]:
        """The last events, oldest first."""
        return tuple(self._events)
