"""The states of a FastCGI connection's reading side, and the one table that moves it."""

from __future__ import annotations

from enum import Enum, auto


class Phase(Enum):
    """What is expected next, management records apart."""

    IDLE = auto()
    PARAMS = auto()
    """A request has begun; its variables are coming."""
    HEAD_READ = auto()
    """The variables are whole; the first record of STDIN tells whether there is a body."""
    STDIN = auto()
    """The body is coming."""
    FAILED = auto()


class Event(Enum):
    """What was read."""

    BEGIN = auto()
    PARAMS_END = auto()
    STDIN_BEGIN = auto()
    STDIN_END = auto()
    ABORT = auto()
    FAULT = auto()


TABLE: dict[tuple[Phase, Event], Phase] = {
    (Phase.IDLE, Event.BEGIN): Phase.PARAMS,
    (Phase.PARAMS, Event.PARAMS_END): Phase.HEAD_READ,
    (Phase.PARAMS, Event.ABORT): Phase.IDLE,
    (Phase.HEAD_READ, Event.ABORT): Phase.IDLE,
    (Phase.HEAD_READ, Event.STDIN_BEGIN): Phase.STDIN,
    (Phase.HEAD_READ, Event.STDIN_END): Phase.IDLE,
    (Phase.STDIN, Event.STDIN_END): Phase.IDLE,
    **{(phase, Event.FAULT): Phase.FAILED for phase in Phase if phase is not Phase.FAILED},
}
