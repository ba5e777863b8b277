"""Which supervisors serve at the same addresses: this one alone, or a second one beside it. Pure.

An upgrade (SIGUSR2) starts a successor from the command line of the start; it inherits the
listening sockets, and both serve until one of them is told to leave. Who outlives the other is
alone again: a successor takes the predecessor's place, a predecessor is as it was before.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from canter.supervisor.states import Phase


class Lineage(Enum):
    """How a supervisor stands to another one."""

    ALONE = auto()
    SUCCEEDED = auto()
    """A successor that we have started runs beside us."""
    HEIR = auto()
    """We are the successor, and our predecessor still runs."""


class LineageEvent(Enum):
    """What can happen between two supervisors."""

    FORKED = auto()
    """We have started a successor."""
    SUCCESSOR_ENDED = auto()
    PREDECESSOR_ENDED = auto()


LINEAGES: Final[dict[tuple[Lineage, LineageEvent], Lineage]] = {
    (Lineage.ALONE, LineageEvent.FORKED): Lineage.SUCCEEDED,
    (Lineage.SUCCEEDED, LineageEvent.SUCCESSOR_ENDED): Lineage.ALONE,
    (Lineage.HEIR, LineageEvent.PREDECESSOR_ENDED): Lineage.ALONE,
}


def next_lineage(lineage: Lineage, event: LineageEvent) -> Lineage:
    """Where `event` leads. Raises KeyError where the table has no entry: a fault of ours."""
    return LINEAGES[lineage, event]


def why_not_upgrade(phase: Phase, lineage: Lineage, other: int | None) -> str | None:
    """Why no successor can be started now; None when one can."""
    if phase is not Phase.RUNNING:
        return f"not while the server is {phase.value}"
    match lineage:
        case Lineage.SUCCEEDED:
            return f"the successor that was asked for before, process {other}, is there"
        case Lineage.HEIR:
            return f"the predecessor, process {other}, has not left yet"
        case Lineage.ALONE:
            return None
