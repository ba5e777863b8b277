"""The states of one worker, and the only table that moves them.

The worker moves its own state by this table and shows it on the scoreboard; the supervisor moves
its view of the worker by the same table from what it hears and does. The two may differ for the
moment that a message travels: a worker told to leave may have said "ready" just before, which is
why DRAINING takes every event and stays.

Pure: no process, no clock. What is done on entering a state is the business of `process`.
"""

from __future__ import annotations

from enum import Enum, IntEnum, auto
from typing import Final


class WorkerState(IntEnum):
    """Where a worker is in its life; the values are what the scoreboard shows."""

    BOOTING = 1
    """Forked; the application is being imported."""
    READY = 2
    """Proven: the application is loaded and the engine made, but nothing is accepted yet."""
    SERVING = 3
    """Accepting and answering."""
    DRAINING = 4
    """Told to leave: finishing what it has."""
    GONE = 5
    """The process has ended."""


class WorkerEvent(Enum):
    """What can happen to a worker."""

    PROVEN = auto()
    SERVES = auto()
    LEAVES = auto()
    ENDED = auto()


TRANSITIONS: Final[dict[tuple[WorkerState, WorkerEvent], WorkerState]] = {
    (WorkerState.BOOTING, WorkerEvent.PROVEN): WorkerState.READY,
    (WorkerState.BOOTING, WorkerEvent.LEAVES): WorkerState.DRAINING,
    (WorkerState.BOOTING, WorkerEvent.ENDED): WorkerState.GONE,
    (WorkerState.READY, WorkerEvent.SERVES): WorkerState.SERVING,
    (WorkerState.READY, WorkerEvent.LEAVES): WorkerState.DRAINING,
    (WorkerState.READY, WorkerEvent.ENDED): WorkerState.GONE,
    (WorkerState.SERVING, WorkerEvent.LEAVES): WorkerState.DRAINING,
    (WorkerState.SERVING, WorkerEvent.ENDED): WorkerState.GONE,
    (WorkerState.DRAINING, WorkerEvent.PROVEN): WorkerState.DRAINING,
    (WorkerState.DRAINING, WorkerEvent.SERVES): WorkerState.DRAINING,
    (WorkerState.DRAINING, WorkerEvent.LEAVES): WorkerState.DRAINING,
    (WorkerState.DRAINING, WorkerEvent.ENDED): WorkerState.GONE,
}


class ImpossibleEventError(Exception):
    """An event came in a state that has no place for it: the other side broke the protocol."""


def next_state(state: WorkerState, event: WorkerEvent) -> WorkerState:
    """The state that `event` leads to. Raises ImpossibleEventError where the table has no entry."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ImpossibleEventError(f"{event.name} while {state.name}") from None
