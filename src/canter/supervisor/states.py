"""The states of a generation and of the supervisor itself, each with the only table that moves it.

A generation is one deploy: a configuration and the code as it was when its workers imported it. It
is proven before it serves (BOOTING), serves (LIVE), and leaves when a newer one does (RETIRING).
One that cannot be proven is given up without ever having served (FAILED). At most one generation is
BOOTING and at most one LIVE.

The supervisor's phase says what it is trying to do with them all. Workers have a table of their
own, in `canter.worker.states`.

Pure: values in, values out.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final


class GenerationState(Enum):
    """Where a deploy is in its life."""

    BOOTING = "booting"
    LIVE = "live"
    RETIRING = "retiring"
    FAILED = "failed"
    GONE = "gone"


class GenerationEvent(Enum):
    """What can happen to a generation."""

    PROMOTED = auto()
    """All its workers serve."""
    RETIRED = auto()
    """A newer one was promoted."""
    DISCARDED = auto()
    """It could not be proven."""
    EMPTIED = auto()
    """Its last worker is gone."""


class Phase(Enum):
    """What the supervisor is about."""

    STARTING = "starting"
    """The very first generation boots: if it fails, so does the start."""
    RUNNING = "running"
    DELAYING = "delaying"
    """About to stop, and serving as before until load balancers have noticed (drain_delay)."""
    STOPPING = "stopping"
    """Workers drain."""
    HURRYING = "hurrying"
    """Workers are stopped at once."""
    ENDED = "ended"


class Command(Enum):
    """What can happen to the supervisor as a whole."""

    FIRST_LIVE = auto()
    STOP_GRACEFULLY = auto()
    STOP_LATER = auto()
    """As STOP_GRACEFULLY, after a while."""
    DELAY_OVER = auto()
    STOP_AT_ONCE = auto()
    FIRST_FAILED = auto()
    EMPTIED = auto()
    """The last worker is gone."""


GENERATIONS: Final[dict[tuple[GenerationState, GenerationEvent], GenerationState]] = {
    (GenerationState.BOOTING, GenerationEvent.PROMOTED): GenerationState.LIVE,
    (GenerationState.BOOTING, GenerationEvent.DISCARDED): GenerationState.FAILED,
    (GenerationState.LIVE, GenerationEvent.RETIRED): GenerationState.RETIRING,
    (GenerationState.RETIRING, GenerationEvent.EMPTIED): GenerationState.GONE,
    (GenerationState.FAILED, GenerationEvent.EMPTIED): GenerationState.GONE,
}

PHASES: Final[dict[tuple[Phase, Command], Phase]] = {
    (Phase.STARTING, Command.FIRST_LIVE): Phase.RUNNING,
    (Phase.STARTING, Command.FIRST_FAILED): Phase.HURRYING,
    (Phase.STARTING, Command.STOP_GRACEFULLY): Phase.STOPPING,
    (Phase.STARTING, Command.STOP_AT_ONCE): Phase.HURRYING,
    (Phase.RUNNING, Command.STOP_GRACEFULLY): Phase.STOPPING,
    (Phase.RUNNING, Command.STOP_AT_ONCE): Phase.HURRYING,
    (Phase.RUNNING, Command.STOP_LATER): Phase.DELAYING,
    (Phase.DELAYING, Command.DELAY_OVER): Phase.STOPPING,
    (Phase.DELAYING, Command.STOP_GRACEFULLY): Phase.HURRYING,
    (Phase.DELAYING, Command.STOP_AT_ONCE): Phase.HURRYING,
    # Who asks again while workers drain does not want to wait for them.
    (Phase.STOPPING, Command.STOP_GRACEFULLY): Phase.HURRYING,
    (Phase.STOPPING, Command.STOP_AT_ONCE): Phase.HURRYING,
    (Phase.STOPPING, Command.EMPTIED): Phase.ENDED,
    (Phase.HURRYING, Command.STOP_GRACEFULLY): Phase.HURRYING,
    (Phase.HURRYING, Command.STOP_AT_ONCE): Phase.HURRYING,
    (Phase.HURRYING, Command.EMPTIED): Phase.ENDED,
}


def next_generation_state(state: GenerationState, event: GenerationEvent) -> GenerationState:
    """Where `event` leads. Raises KeyError where the table has no entry: a fault of ours."""
    return GENERATIONS[state, event]


def next_phase(phase: Phase, command: Command) -> Phase:
    """Where `command` leads. Raises KeyError where the table has no entry: a fault of ours."""
    return PHASES[phase, command]
