"""What the policy may decide; the loop does it and the roster notes it. Frozen values.

Times are seconds: `within_seconds` and `kill_after_seconds` count from the moment of the action.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Reason(Enum):
    """Why a worker leaves; the text completes "worker 123 leaves: ..."."""

    STOPPED = "the service stops"
    HURRIED = "the service stops at once"
    RETIRED = "a newer generation serves"
    DISCARDED = "its generation could not be started"
    RECYCLED = "its replacement serves"
    STUCK = "a request outlived its time"
    EXCESS = "fewer workers are wanted"
    FROZEN = "it does not react"
    SLOW_BOOT = "it was not ready in time"
    FAILED = "it could not start"
    TOLD_BY_OTHERS = "it was told to by somebody else"
    LOST = "it hung up"


class Push(Enum):
    """How a worker is made to leave where asking it to drain makes no sense."""

    TERM = "TERM"
    QUIT = "QUIT"
    ABRT = "ABRT"
    """For those that do not react: faulthandler prints where every thread is."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Start one more worker of `generation`."""

    generation: int


@dataclass(frozen=True, slots=True)
class Preload:
    """Start the fork server of `generation`, from which its workers are forked."""

    generation: int


@dataclass(frozen=True, slots=True)
class TellToServe:
    """Let a worker that is ready accept connections."""

    pid: int


@dataclass(frozen=True, slots=True)
class TellToDrain:
    """Let a worker finish what it has and leave."""

    pid: int
    reason: Reason
    answer_backlog: bool
    within_seconds: float
    kill_after_seconds: float


@dataclass(frozen=True, slots=True)
class TellToExpire:
    """Let a worker end one request whose time is over."""

    pid: int
    thread: int
    started_ns: int


@dataclass(frozen=True, slots=True)
class Signal:
    """Make a worker leave by a signal."""

    pid: int
    reason: Reason
    push: Push
    kill_after_seconds: float


@dataclass(frozen=True, slots=True)
class Kill:
    """End a worker whose time to leave is over."""

    pid: int


@dataclass(frozen=True, slots=True)
class BeginGeneration:
    """Read the settings again and make a generation of them."""


@dataclass(frozen=True, slots=True)
class Promote:
    """`generation` serves: it takes the live one's place."""

    generation: int


@dataclass(frozen=True, slots=True)
class Discard:
    """`generation` failed: give it up, and leave the live one as it is."""

    generation: int


@dataclass(frozen=True, slots=True)
class Forget:
    """The last worker of `generation` is gone: give back what it held."""

    generation: int


@dataclass(frozen=True, slots=True)
class BeginDrain:
    """Load balancers have had their time to notice: stop now."""


@dataclass(frozen=True, slots=True)
class Finish:
    """Everything is over."""


WorkerAction: TypeAlias = TellToServe | TellToDrain | TellToExpire | Signal | Kill
GenerationAction: TypeAlias = (
    Fork | Preload | BeginGeneration | Promote | Discard | Forget | BeginDrain | Finish
)
Action: TypeAlias = WorkerAction | GenerationAction
